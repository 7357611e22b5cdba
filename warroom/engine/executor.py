"""The one way to change the world, and the one gate in front of it.

Key, palette, mouse, command line, runbook step, undo and expiry all come here. Nothing runs unless
this console may act, the card was confirmed, whoever else must want it does, and the journal has
taken the event "requested". Of those who ask for the same target at once, the one whose request
stands first in the journal runs (`domain.requests`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from warroom.domain.clock import Clock
from warroom.domain.evidence import Evidence
from warroom.domain.sample import Row
from warroom.domain.text import harmless, shorten
from warroom.engine import doing, life, tiers, warnings
from warroom.engine.approvals import Approvals
from warroom.engine.effects import Figures
from warroom.engine.lease import Book, Fence, sweep
from warroom.engine.running import Action, Armed, Outcome, Phase, Running, State
from warroom.engine.session import Session
from warroom.hosts import tasks
from warroom.hosts.base import HostError
from warroom.journal.base import JournalError
from warroom.mitigations.base import Asks, Card, Mitigation, MitigationRefused, Output, Risk

__all__ = ["Action", "Armed", "Around", "Executor", "Outcome", "Running", "State"]

NO_INPUTS: Final[Mapping[str, str]] = MappingProxyType({})
DRY_RUN: Final = "dry run: this is what would run; nothing was done"
EVERY_S: Final = 1.0
LOOK_S: Final = 15.0
"""Between looks whether the journal can be written to."""
LOOK_AGAIN_S: Final = 2.0
"""The same, while it cannot."""


async def _nothing() -> None:
    """There is nothing to look at."""


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around an action: `figures` the metrics of its system at the last looks,
    oldest first; `look` looks at it once more; `evidence` is kept of what is destroyed."""

    figures: Callable[[], Sequence[Figures]] = tuple
    look: Callable[[], Awaitable[None]] = _nothing
    evidence: Callable[[], Sequence[Evidence]] = tuple


class Executor:
    """Arms and runs actions. `observe` is why nothing may run here; empty when it may. With
    `dry_run` every card is shown and nothing runs. `destructive` is how many persons must want
    what destroys in production."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        *,
        observe: str = "",
        dry_run: bool = False,
        destructive: int = 1,
        shared: bool = False,
    ) -> None:
        self.session, self.clock = session, clock
        self.observe, self.dry_run, self._destructive = observe, dry_run, destructive
        self.book = Book(session)
        self.approvals = Approvals(session, shared=shared)
        self.running: dict[str, Running] = {}
        self.lost: dict[str, str] = {}
        """Requests that the journal may have taken although it did not say so, by their ids: what
        the record is to say of them when they turn up."""
        self.effects: set[asyncio.Task[None]] = set()
        self.unwritable = ""
        """Why the journal takes nothing, once that is sure; empty while it does."""
        self._next_look, self._refused = 0.0, 0
        self._tasks: list[asyncio.Task[None]] = []

    def refusal(self, action: Action | None = None) -> str:
        """Why actions are dimmed now, in words; empty when they are live."""
        if self.observe or self.unwritable:
            return self.observe or self.unwritable
        incident = self.session.incident
        if incident is None:
            return "open an incident first: every action is written to its timeline"
        if action is not None and action.id in self.running:
            return "it is running already"
        if action is not None and action.spec.risk is Risk.DESTROY and incident.locked:
            return locked(incident.locked)
        return ""

    # Arming ---------------------------------------------------------------------------------

    async def arm(
        self,
        action: Action,
        row: Row | None = None,
        inputs: Mapping[str, str] = NO_INPUTS,
        *,
        undoes: tuple[str, int] | None = None,
    ) -> Armed:
        """The card for an action with answers to its `spec.inputs`; reads only.

        Raises MitigationRefused with the reason.
        """
        output, fence = Output(), Fence(self.clock)
        seen = len(self.session.events)
        mitigation = action.create(output, fence.check)
        try:
            if isinstance(mitigation, Asks):
                mitigation.answer(inputs)
            elif inputs:
                raise MitigationRefused(f"{action.title} asks for no inputs")
            async with asyncio.timeout(action.spec.timeout):
                card = await mitigation.preview(row)
        except MitigationRefused:
            await mitigation.close()
            raise
        except (HostError, TimeoutError) as error:
            await mitigation.close()
            reason = str(error) or "no answer while looking at the target"
            raise MitigationRefused(reason) from error
        except Exception as error:  # a defect of one kind must not end the console
            await mitigation.close()
            reason = shorten(harmless(f"{type(error).__name__}: {error}"), 300)
            raise MitigationRefused(reason) from error
        except BaseException:
            await mitigation.close()
            raise
        self.session.about_to(doing.said(card))
        return replace(
            self._drawn(action, card, mitigation),
            undoes=undoes,
            seen=seen,
            inputs=dict(inputs),
            output=output,
            fence=fence,
        )

    def _drawn(self, action: Action, card: Card, mitigation: Mitigation) -> Armed:
        """With what it wants before it runs, and what the record says of its target."""
        return Armed(
            action,
            card,
            mitigation,
            word=tiers.word(card, production=action.production),
            approvals=tiers.persons(
                card,
                production=action.production,
                own=action.approvals,
                destructive=self._destructive,
            ),
            notes=warnings.notes(self.book.requests, card),
        )

    async def disarm(self, armed: Armed) -> None:
        """Put an armed action away without running it."""
        self.session.about_to("")
        await armed.mitigation.close()

    # Running --------------------------------------------------------------------------------

    def launch(self, armed: Armed, *, typed: str = "", around: Around | None = None) -> Running:
        """Run what the card shows. `typed` must equal the armed word where there is one.

        Whoever shows it may leave: it goes on until it ends, is cancelled, or this executor stops.
        """
        run = Running(armed, self.clock.monotonic())
        run.task = asyncio.create_task(self._run(run, typed, around or Around()))
        return run

    async def run(self, armed: Armed, *, typed: str = "", around: Around | None = None) -> Outcome:
        """Like `launch`, to its end. Never raises for what goes wrong; cancelled, the action is."""
        run = self.launch(armed, typed=typed, around=around)
        try:
            return await run.ended()
        except asyncio.CancelledError:
            await run.left()
            raise

    async def _run(self, run: Running, typed: str, around: Around) -> Outcome:
        armed = run.armed
        try:
            reason = self.refusal(armed.action) or self._unconfirmed(armed, typed)
            if reason:
                run.outcome = Outcome(State.REFUSED, reason)
                return run.outcome
            self.running[armed.action.id] = run
            try:
                run.outcome = await life.lived(self, run, around)
            finally:
                del self.running[armed.action.id]
            return run.outcome
        finally:
            run.phase = Phase.ENDED
            self.session.about_to("")
            await armed.mitigation.close()

    def _unconfirmed(self, armed: Armed, typed: str) -> str:
        if typed != armed.word:
            return f'not confirmed: type "{armed.word}" to go ahead'
        incident = self.session.incident
        if armed.card.risk is Risk.DESTROY and incident is not None and incident.locked:
            return locked(incident.locked)
        return DRY_RUN if self.dry_run else ""

    # What goes on beside --------------------------------------------------------------------

    def start(self) -> None:
        """Once a second: end what consoles that are gone left behind, and put right what the
        journal took without saying so."""
        self._tasks = [asyncio.create_task(self._watch(), name="executor")]

    async def _watch(self) -> None:
        while True:
            await self.step()
            await asyncio.sleep(EVERY_S)

    async def step(self) -> None:
        """One round. What the journal does not take now is tried again in the next."""
        with contextlib.suppress(JournalError):
            await sweep(self.session, self.book)
        with contextlib.suppress(JournalError):
            await life.put_right(self)
        if self.clock.monotonic() >= self._next_look:
            await self._look_at_journal()

    async def _look_at_journal(self) -> None:
        """Whether the journal would take a request: no audit, no action; better dimmed before
        than refused after. One refusal may be a busy moment, two are not."""
        if self.session.incident is None:
            return
        try:
            await self.session.write()
        except JournalError as error:
            self._refused += 1
            self._next_look = self.clock.monotonic() + LOOK_AGAIN_S
            if self._refused > 1:
                self.unwritable = f"the journal takes nothing, so nothing may be changed: {error}"
        else:
            self._refused, self.unwritable = 0, ""
            self._next_look = self.clock.monotonic() + LOOK_S

    async def settle(self) -> None:
        """Wait until every effect has been looked at and written."""
        await asyncio.gather(*self.effects, return_exceptions=True)

    async def stop(self) -> None:
        """End what runs, which is written as UNKNOWN, and stop waiting for effects."""
        await tasks.end(self._tasks)
        await asyncio.gather(*(run.left() for run in list(self.running.values())))
        await tasks.end(self.effects)


def locked(reason: str) -> str:
    """Why what destroys is locked, and what to do about it."""
    return f"locked: {reason}; `:unlock REASON` unlocks it"

"""The one way to change the world, and the one gate in front of it.

Key, palette, mouse, command line and runbook step all come here. Nothing runs unless this console
may act, the card was confirmed, and the journal has taken the event "requested". When two
responders ask for the same thing at once, the one whose request stands first in the journal runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from warroom.domain.clock import Clock
from warroom.domain.events import Event, Kind
from warroom.domain.evidence import Evidence
from warroom.domain.sample import Row
from warroom.domain.text import harmless, shorten
from warroom.engine.session import Session
from warroom.hosts import tasks
from warroom.hosts.base import HostError
from warroom.journal.base import JournalError, NotSaved
from warroom.mitigations.base import (
    Asks,
    Card,
    Mitigation,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
    Risk,
)

LEASE: Final = timedelta(seconds=30)
"""How long after its time limit a request without an outcome still blocks others."""
SETTLE_S: Final = 10.0
"""Seconds after which the effect of a mitigation is looked at."""
NO_INPUTS: Final[Mapping[str, str]] = MappingProxyType({})


class State(StrEnum):
    """How a mitigation ended."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "UNKNOWN"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, in words. `saved` is false when the outcome itself is not on disk yet."""

    state: State
    text: str
    saved: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """A mitigation as this room offers it: from the config, or for the rows of a pane.

    `source` is the probe it belongs to, if any; `create` gives a fresh mitigation.
    """

    id: str
    key: str
    title: str
    spec: MitigationSpec
    source: str
    create: Callable[[], Mitigation]
    target: str = ""
    """The target that the config names; empty: the selected row, or the source itself."""

    @property
    def takes_row(self) -> bool:
        return self.spec.takes_row and not self.target


@dataclass(frozen=True, slots=True)
class Armed:
    """An action with its card, ready to be confirmed."""

    action: Action
    card: Card
    mitigation: Mitigation


class Executor:
    """Arms and runs actions. `observe` is why nothing may run here; empty when it may."""

    def __init__(self, session: Session, clock: Clock, *, observe: str = "") -> None:
        self._session, self._clock = session, clock
        self.observe = observe
        self.running: dict[str, Armed] = {}
        self._effects: set[asyncio.Task[None]] = set()

    def refusal(self, action: Action | None = None) -> str:
        """Why actions are dimmed now, in words; empty when they are live."""
        if self.observe:
            return self.observe
        if self._session.incident is None:
            return "open an incident first: every action is written to its timeline"
        if action is not None and action.id in self.running:
            return "it is running already"
        return ""

    async def arm(
        self, action: Action, row: Row | None = None, inputs: Mapping[str, str] = NO_INPUTS
    ) -> Armed:
        """The card for an action with answers to its `spec.inputs`; reads only.

        Raises MitigationRefused with the reason.
        """
        mitigation = action.create()
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
            raise MitigationRefused(
                str(error) or "no answer while looking at the target"
            ) from error
        except Exception as error:  # a defect of one kind must not end the console
            await mitigation.close()
            reason = shorten(harmless(f"{type(error).__name__}: {error}"), 300)
            raise MitigationRefused(reason) from error
        except BaseException:
            await mitigation.close()
            raise
        return Armed(action, card, mitigation)

    async def disarm(self, armed: Armed) -> None:
        """Put an armed action away without running it."""
        await armed.mitigation.close()

    async def run(
        self,
        armed: Armed,
        *,
        typed: str = "",
        figures: Callable[[], Mapping[str, float]] = dict,
        evidence: Callable[[], Sequence[Evidence]] = tuple,
    ) -> Outcome:
        """Run what the card shows. `typed` must equal the card's word where it has one; `figures`
        gives the target's metrics now, for before and after; `evidence` what is kept with the
        request of what destroys. Never raises for what goes wrong."""
        try:
            return await self._gated(armed, typed, figures, evidence)
        finally:
            await armed.mitigation.close()

    async def _gated(
        self,
        armed: Armed,
        typed: str,
        figures: Callable[[], Mapping[str, float]],
        evidence: Callable[[], Sequence[Evidence]],
    ) -> Outcome:
        reason = self.refusal(armed.action)
        if reason:
            return Outcome(State.REFUSED, reason)
        if armed.card.risk is Risk.DESTROY and typed != armed.card.word:
            return Outcome(State.REFUSED, f'not confirmed: type "{armed.card.word}" to go ahead')
        before = dict(figures())
        try:
            kept = evidence() if armed.card.risk is Risk.DESTROY else ()
            request = await self._request(armed, kept)
        except JournalError as error:
            return Outcome(State.REFUSED, f"NOT RUN: the request could not be recorded: {error}")
        other = self._earlier(request, armed)
        if other is not None:
            text = f"{other.author.login} asked for the same first, at {other.at:%H:%M:%S} UTC"
            return await self._ended(armed, request, Outcome(State.REFUSED, text), {})
        self.running[armed.action.id] = armed
        try:
            outcome, found = await self._perform(armed)
        except asyncio.CancelledError:
            left = Outcome(State.UNKNOWN, "the console was left while it ran; it may have happened")
            await asyncio.shield(self._ended(armed, request, left, {"before": before}))
            raise
        finally:
            del self.running[armed.action.id]
        ended = await self._ended(armed, request, outcome, {"before": before, **found})
        if outcome.state is State.DONE and armed.action.spec.moves:
            self._watch_effect(armed, request, before, figures)
        return ended

    async def _request(self, armed: Armed, kept: Sequence[Evidence]) -> Event:
        card = armed.card
        data: dict[str, Any] = {
            "kind": card.kind,
            "host": card.host,
            "target": {"id": card.target.id, "label": card.target.label},
            "command": list(card.command),
            "hits": [list(hit) for hit in card.hits],
            "risk": card.risk.value,
            "limit_s": armed.action.spec.timeout,
        }
        if kept:
            data["evidence"] = [one.as_data() for one in kept]
        event = await self._session.record_or_nothing(
            Kind.REQUESTED, f"{card.title}: {card.command[0]}", data
        )
        await self._session.refresh()
        return event

    def _earlier(self, request: Event, armed: Armed) -> Event | None:
        """A request for the same target that came first and may still be under way."""
        ended = {e.data.get("request") for e in self._session.events if e.kind is Kind.OUTCOME}
        lease = LEASE + timedelta(seconds=armed.action.spec.timeout)
        for event in self._session.events:
            if event.seq >= request.seq:
                return None
            same = event.data.get("target") == request.data["target"]
            fresh = request.recorded_at - event.recorded_at < lease
            if event.kind is Kind.REQUESTED and same and fresh and event.seq not in ended:
                return event
        return None

    async def _perform(self, armed: Armed) -> tuple[Outcome, Mapping[str, Any]]:
        limit = armed.action.spec.timeout
        try:
            async with asyncio.timeout(limit):
                done = await armed.mitigation.perform(armed.card)
        except MitigationRefused as error:
            return Outcome(State.REFUSED, str(error)), {}
        except MitigationFailed as error:
            return Outcome(State.FAILED, str(error)), {}
        except MitigationUncertain as error:
            return Outcome(State.UNKNOWN, str(error)), {}
        except TimeoutError:
            return Outcome(State.UNKNOWN, f"no answer within {limit:g} s; it may have happened"), {}
        except HostError as error:
            return Outcome(State.UNKNOWN, f"connection lost: {error}; it may have happened"), {}
        except Exception as error:  # noqa: BLE001 - whatever broke, nobody knows whether it happened
            text = shorten(harmless(f"{type(error).__name__}: {error}"), 300)
            return Outcome(State.UNKNOWN, f"{text}; it may have happened"), {}
        return Outcome(State.DONE, done.text), dict(done.evidence)

    async def _ended(
        self, armed: Armed, request: Event, outcome: Outcome, evidence: Mapping[str, Any]
    ) -> Outcome:
        data = {"request": request.seq, "state": outcome.state.value, "evidence": dict(evidence)}
        text = f"{armed.card.title}: {outcome.state}: {outcome.text}"
        try:
            await self._session.record(Kind.OUTCOME, text, data)
        except NotSaved:
            return Outcome(outcome.state, outcome.text, saved=False)
        return outcome

    def _watch_effect(
        self,
        armed: Armed,
        request: Event,
        before: Mapping[str, float],
        figures: Callable[[], Mapping[str, float]],
    ) -> None:
        async def later() -> None:
            await asyncio.sleep(SETTLE_S)
            after = dict(figures())
            verdict, text = effect(armed.action.spec.moves, before, after)
            if text:
                data = {
                    "request": request.seq,
                    "verdict": verdict,
                    "before": before,
                    "after": after,
                }
                await self._session.record(
                    Kind.EFFECT, f"{armed.card.title}: {verdict}: {text}", data
                )

        task = asyncio.create_task(later())
        self._effects.add(task)
        task.add_done_callback(self._effects.discard)

    async def settle(self) -> None:
        """Wait until every effect has been looked at and written."""
        await asyncio.gather(*self._effects, return_exceptions=True)

    async def stop(self) -> None:
        """Stop waiting for effects; what was done stays written."""
        await tasks.end(self._effects)


def effect(
    moves: Sequence[tuple[str, str]], before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[str, str]:
    """`("worked" | "no effect" | "worse", what moved)`; two empty texts when nothing is known.

    >>> effect((("waiting", "down"),), {"waiting": 7.0}, {"waiting": 0.0})
    ('worked', 'waiting 7 → 0')
    """
    known = [(m, way) for m, way in moves if m in before and m in after]
    if not known:
        return "", ""
    signs = [(after[m] - before[m]) * (-1 if way == "down" else 1) for m, way in known]
    verdict = "worked" if max(signs) > 0 else "worse" if min(signs) < 0 else "no effect"
    figures = ", ".join(f"{m.replace('_', ' ')} {before[m]:.4g} → {after[m]:.4g}" for m, _ in known)
    return verdict, figures

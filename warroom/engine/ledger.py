"""What stands and can be taken back, here and from incidents before; and what nobody knows of.

Nothing is taken back silently: an end that has passed is offered with its card. Only a mitigation
whose config says `auto_undo = true` is taken back by itself, by one console, through the same gate.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from warroom.domain.events import Event, Kind
from warroom.domain.ledger import Change, doubts, standing, summary, temporary
from warroom.domain.requests import Request, Requests
from warroom.domain.text import harmless, shorten
from warroom.engine.actions import action_back
from warroom.engine.running import Action, Armed
from warroom.engine.tiers import verb
from warroom.hosts import tasks
from warroom.hosts.base import HostError
from warroom.journal.base import JournalError
from warroom.mitigations.base import (
    Asks,
    Card,
    Mitigation,
    MitigationRefused,
    Output,
    Risk,
    Target,
    Verifiable,
    unfenced,
)

if TYPE_CHECKING:
    from warroom.engine.room import Room

EVERY_S: Final = 1.0
EARLIER: Final = 20
"""Of so many incidents before it is looked for what still stands."""


class Ledger:
    """Belongs to a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._carried: list[Request] = []
        self._looked_for: str | None = None
        self._tried: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._auto: set[asyncio.Task[None]] = set()
        self._kept: tuple[tuple[int, int, str], tuple[Change, ...]] | None = None

    # What stands ----------------------------------------------------------------------------

    def changes(self) -> tuple[Change, ...]:
        """What stands, those that expire first at the head; earlier incidents' temporary ones
        among them."""
        requests = self._room.executor.book.requests
        events = self._room.session.events
        state = requests.last, len(self._carried), events[0].id if events else ""
        if self._kept is None or self._kept[0] != state:
            self._kept = state, standing([*self._carried, *requests.all])
        return self._kept[1]

    def temporary(self) -> tuple[Change, ...]:
        return temporary(self.changes())

    def expired(self) -> tuple[Change, ...]:
        """Those whose end has passed and that nobody takes back at the moment."""
        now = self._room.clock.now()
        return tuple(
            one for one in self.temporary() if one.left(now) <= 0 and not one.undoing and one.undo
        )

    def summary(self) -> str:
        """One line, always in view; empty when nothing temporary stands."""
        return summary(self.changes(), self._room.clock.now())

    def doubts(self) -> str:
        """What speaks against closing the incident; empty when nothing does."""
        return doubts(self.changes())

    def unknown(self) -> tuple[Request, ...]:
        """Requests of which nobody knows whether they happened, the newest first."""
        found = self._room.executor.book.requests.all
        return tuple(one for one in reversed(found) if one.state == "UNKNOWN")

    # Taking back ----------------------------------------------------------------------------

    def find(self, request: Request) -> Change | None:
        """The change that a request made, while it stands."""
        return next((c for c in self.changes() if c.request.event.id == request.event.id), None)

    async def arm(self, change: Change) -> Armed:
        """The card of what takes it back. Raises MitigationRefused."""
        if change.undoing:
            raise MitigationRefused(f"{change.label} is being taken back at the moment")
        if not change.undo:
            raise MitigationRefused(f"nothing is known to take back {change.label}")
        event = change.request.event
        action = action_back(change.undo, event, self._room.around)
        refusal = self._room.executor.refusal(action)
        if refusal:
            raise MitigationRefused(refusal)
        return await self._room.executor.arm(action, undoes=(event.incident, event.seq))

    # Looking afterwards ---------------------------------------------------------------------

    def verifiable(self, request: Request) -> str:
        """Why it cannot be looked up whether it happened; empty when it can."""
        if self._room.executor.observe:
            return self._room.executor.observe
        try:
            mitigation = self._made(request)
        except MitigationRefused as error:
            return str(error)
        if not isinstance(mitigation, Verifiable):
            return f"{verb(str(request.event.data.get('kind')))} cannot be verified: look yourself"
        return ""

    async def verify(self, request: Request) -> str:
        """What the system says of it now; written down. Raises MitigationRefused, JournalError."""
        why_not = self.verifiable(request)
        if why_not:
            raise MitigationRefused(why_not)
        mitigation = self._made(request)
        try:
            says = await self._asked(mitigation, request)
        finally:
            await mitigation.close()
        data = {"request": request.seq, "says": says}
        await self._room.session.record(Kind.VERIFIED, f"{request.title}: verified: {says}", data)
        return says

    async def _asked(self, mitigation: Mitigation, request: Request) -> str:
        assert isinstance(mitigation, Verifiable)
        try:
            async with asyncio.timeout(30):
                return shorten(harmless(await mitigation.verify(card_of(request.event))), 1000)
        except MitigationRefused:
            raise
        except (HostError, TimeoutError) as error:
            raise MitigationRefused(str(error) or "no answer while looking") from error
        except Exception as error:  # what another console's record lacks, or a defect of one kind
            reason = shorten(harmless(f"{type(error).__name__}: {error}"), 200)
            raise MitigationRefused(f"cannot be verified from here: {reason}") from error

    def _made(self, request: Request) -> Mitigation:
        """Raises MitigationRefused."""
        mitigation = self._action(request).create(Output(), unfenced)
        inputs = request.event.data.get("inputs")
        if isinstance(mitigation, Asks):
            mitigation.answer(inputs if isinstance(inputs, dict) else {})
        return mitigation

    def _action(self, request: Request) -> Action:
        name, kind = request.event.data.get("action"), request.event.data.get("kind")
        for action in self._room.actions:
            if action.id == name and action.spec.kind == kind:
                return action
        link = request.undoes
        for known in (*self._carried, *self._room.executor.book.requests.all):
            if link == (known.event.incident, known.seq) and known.outcome is not None:
                undo = known.outcome.data.get("undo")
                if isinstance(undo, dict):
                    return action_back(undo, known.event, self._room.around)
        if str(kind).startswith("runbook."):
            raise MitigationRefused("a step of a runbook cannot be verified: look yourself")
        raise MitigationRefused("the config does not offer this action any more")

    # What goes on beside --------------------------------------------------------------------

    def start(self) -> None:
        """Look for what earlier incidents left, and take back by itself what may be."""
        self._tasks = [asyncio.create_task(self._watch(), name="ledger")]

    async def stop(self) -> None:
        await tasks.end([*self._tasks, *self._auto])

    async def _watch(self) -> None:
        while True:
            await self.step()
            await asyncio.sleep(EVERY_S)

    async def step(self) -> None:
        """One round."""
        with contextlib.suppress(JournalError):
            await self.carry()
        for change in self.expired():
            if change.auto and change.id not in self._tried and self._is_mine(change):
                self._tried.add(change.id)
                task = asyncio.create_task(self._take_back(change))
                self._auto.add(task)
                task.add_done_callback(self._auto.discard)

    async def carry(self) -> None:
        """Read once, for each incident that is begun, what those before it left standing.

        Raises JournalError.
        """
        session = self._room.session
        now = session.events[0].incident if session.events else ""
        if now == self._looked_for:
            return
        found: list[Request] = []
        headings = await session.journal.headings()
        headings = [h for h in headings if not h.origin and h.id != now]
        for heading in headings[:EARLIER]:
            events = await session.journal.events(heading.id)
            if events and events[0].incident != now:
                found += Requests(events).all
        live = {change.id for change in temporary(standing(found))}
        self._carried = [one for one in found if one.event.id in live or one.undoes is not None]
        self._looked_for = now

    def _is_mine(self, change: Change) -> bool:
        """Whether this console takes it back: the one that did it while it is here, else the
        first of those that are."""
        session = self._room.session
        here = sorted(one.console for one in session.present)
        if session.console not in here:
            return False
        acted = change.request.console
        return session.console == (acted if acted in here else here[0])

    async def _take_back(self, change: Change) -> None:
        """Only through the gate; what destroys, or wants another person, is left to people."""
        try:
            armed = await self.arm(change)
        except MitigationRefused:
            return  # it stays in the ledger as expired, and is offered
        if armed.card.risk is Risk.DESTROY or armed.approvals > 1:
            await self._room.executor.disarm(armed)
            return
        await self._room.run(armed, armed.word)


def card_of(event: Event) -> Card:
    """The card of a request, as far as the record keeps it."""
    data = event.data
    target, identity = data.get("target"), data.get("identity")
    context = data.get("context")
    named = target if isinstance(target, dict) else {}
    return Card(
        kind=str(data.get("kind", "")),
        title=str(data.get("title", "")),
        host=str(data.get("host", "")),
        target=Target(
            str(named.get("id", "")),
            str(named.get("label", "")),
            identity if isinstance(identity, dict) else {},
        ),
        command=tuple(map(str, data.get("command", ()))),
        hits=tuple((str(one[0]), str(one[1])) for one in data.get("hits", ()) if len(one) == 2),
        undo=str(data.get("undo", "")),
        risk=Risk(data.get("risk", Risk.CHANGE)),
        context=context if isinstance(context, dict) else {},
    )

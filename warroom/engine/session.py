"""The incident that is open: everything a responder says or decides goes through here.

Nothing is shown before the journal has it. What cannot be saved is kept, said, and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from warroom.domain.clock import Clock
from warroom.domain.events import Author, Draft, Event, Kind, event_id, plain, utc
from warroom.domain.incident import Incident, Role, Status
from warroom.domain.readings import Reading
from warroom.domain.severity import Scheme
from warroom.domain.text import harmless
from warroom.domain.timeline import Projection, Timeline
from warroom.engine.backlog import Backlog
from warroom.engine.outbox import Outbox, Waiting
from warroom.engine.takeup import TakenUp, take_up
from warroom.hosts import tasks
from warroom.journal.base import Journal, JournalError, NewerSchema, NoIncident, NotSaved, Presence

RETRY_S: Final = 1.0
BEAT_S: Final = 5.0
"""How often a console says that it is here, and looks for what others left in their outbox."""


class Session:
    """One open incident and its events; none until `begin` or `resume`.

    `away` says why the journal could not be reached the last time; empty while it can. `present`
    are the consoles that look at the incident, this one among them. `ahead` is what `resume` finds
    when its reading began before there was a session.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        author: Author,
        scheme: Scheme,
        *,
        outbox: Callable[[str], Outbox] | None = None,
        ahead: Awaitable[TakenUp | None] | None = None,
    ) -> None:
        self.journal, self._clock = journal, clock
        self.author, self.scheme = author, scheme
        self.console = event_id(clock.now())
        self.incident: Incident | None = None
        self.events: list[Event] = []
        self.backlog = Backlog(journal, outbox(self.console) if outbox else None)
        self.away = ""
        self._ahead = ahead
        self.present: tuple[Presence, ...] = ()
        self._name = self._doing = ""
        self.projection = Projection()
        self._projected: Timeline | None = None
        self._listeners: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._saving = asyncio.Lock()
        self._resuming = asyncio.Lock()
        self._begun = asyncio.Event()

    @property
    def unsaved(self) -> list[Draft]:
        """What the journal has not taken yet, in the order it was said."""
        return self.backlog.drafts

    def now(self) -> datetime:
        """The instant, by the session's clock."""
        return self._clock.now()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """`listener` is called after every change, in the event loop, until what is returned is
        called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def start(self) -> None:
        """Follow what other consoles write, and save again what could not be saved."""
        doing = (self._follow(), self._retry(), self._beat())
        self._tasks = [asyncio.create_task(one) for one in doing]

    async def stop(self) -> None:
        await tasks.end(self._tasks)
        if self.backlog.outbox is not None:
            await self.backlog.outbox.close()

    async def resume(self, incident: str | None = None) -> Incident | None:
        """Take up `incident`, or the newest that is not closed; None when there is none."""
        async with self._resuming:
            return await self._resume(incident)

    async def _resume(self, incident: str | None) -> Incident | None:
        ahead, self._ahead = None if incident else self._ahead, None
        taken = await (ahead or take_up(self.journal, incident))
        if taken is None:
            return None
        self._begin(*taken)
        return self.incident

    async def begin(self, title: str, severity: str) -> Incident:
        """Open an incident. Raises KeyError for a severity that the scheme does not have."""
        level = self.scheme.level(severity)
        data = {"scheme": self.scheme.name, "severity": level.name}
        draft = self.draft(Kind.OPENED, harmless(title.strip()) or "Untitled incident", data)
        event = await self.journal.open_incident(draft)
        self._begin(event.incident, [event], Projection([event]))
        return self.projection.incident

    async def note(self, text: str, *, at: datetime | None = None, starred: bool = False) -> Event:
        """Write down what a person says; `at` when it happened, if not now."""
        return await self.record(Kind.NOTE, text, at=at, starred=starred)

    async def set_severity(self, severity: str) -> Event:
        """Raises KeyError for a severity that the scheme does not have."""
        level, was = self.scheme.level(severity), self._open().severity
        text = f"severity {was} → {level.name} ({self.scheme.name})"
        return await self.record(Kind.SEVERITY, text, {"severity": level.name, "was": was})

    async def set_status(self, status: Status) -> Event:
        was = self._open().status
        data = {"status": status.value, "was": was.value}
        return await self.record(Kind.STATUS, f"status {was} → {status}", data)

    async def assign(self, role: Role, person: str) -> Event:
        was = ", ".join(self._open().roles.get(role, ()))
        handover = f" (was {was})" if was and role is Role.COMMANDER else ""
        person = harmless(person.strip())
        data = {"role": role.value, "person": person}
        return await self.record(Kind.ROLE, f"{role}: {person}{handover}", data)

    async def tick(self, item: str, text: str, *, done: bool) -> Event:
        mark = "done" if done else "open again"
        return await self.record(Kind.CHECKLIST, f"{mark}: {text}", {"item": item, "done": done})

    async def retract(self, seq: int, reason: str) -> Event:
        """Take an entry off the timeline; the journal keeps it."""
        return await self.record(Kind.RETRACTED, reason, {"seq": seq})

    async def record(
        self,
        kind: Kind,
        text: str,
        data: Mapping[str, Any] | None = None,
        *,
        at: datetime | None = None,
        starred: bool = False,
        internal: bool = False,
        id: str = "",
    ) -> Event:
        """Append one event; returns when it is durable. `id`: see `domain.events.Draft`.

        Raises NoIncident without an open incident, NotSaved when the journal did not take it, or
        others wait before it: the draft is then in `unsaved`, in an outbox on this machine's disk
        where there is one, and goes in as soon as the journal takes it.
        """
        self._open()
        draft = self.draft(kind, text, data, at=at, starred=starred, internal=internal, id=id)
        _check(draft)
        waiting = Waiting(self._name, draft)
        refused: JournalError | None = None
        if not self.backlog:
            async with self._saving:
                if not self.backlog:
                    try:
                        (event,) = await self._append(waiting)
                    except (NotSaved, NewerSchema) as error:
                        refused = error
                    else:
                        self._take([event])
                        return event
                self._set_aside(waiting)
        else:
            self._set_aside(waiting)
        await self.backlog.keep(waiting)
        self._tell()
        raise refused or NotSaved(f"{len(self.unsaved) - 1} before it wait for the journal, too")

    async def record_or_nothing(self, kind: Kind, text: str, data: Mapping[str, Any]) -> Event:
        """Like `record`, for what must not be written later: a request that never ran."""
        (event,) = await self.write(self.draft(kind, text, data))
        return event

    async def write(self, *drafts: Draft) -> tuple[Event, ...]:
        """Append all of them or none, now or never. Raises NoIncident, NotSaved."""
        self._open()
        if self.backlog:
            await self.save_again()  # what was said before stands before it
        async with self._saving:
            events = await self.journal.append(self._name, *drafts)
            self._take(list(events))
        return events

    async def keep(self, readings: Sequence[Reading]) -> None:
        """Keep figures beside the record. Raises NoIncident, JournalError."""
        self._open()
        await self.journal.keep(self._name, readings)

    async def readings(self) -> Sequence[Reading]:
        """The figures that were kept around the incident. Raises NoIncident, JournalError."""
        self._open()
        return await self.journal.readings(self._name)

    async def refresh(self) -> None:
        """Read what other consoles wrote since."""
        async with self._resuming:  # a long incident is not read twice at once
            if self.incident is None:
                await self._resume(None)
                return
        after = self.events[-1].seq if self.events else 0
        name = self._name
        events = list(await self.journal.events(name, after=after))
        if name == self._name:  # another incident may have been begun meanwhile
            self._take(events)

    def timeline(self) -> Timeline:
        """As of the last event; durations that still run are as of then, too.

        Raises NoIncident without an open incident.
        """
        self._open()
        if self._projected is None:
            self._projected = self.projection.timeline(self._clock.now())
        return self._projected

    def _open(self) -> Incident:
        if self.incident is None:
            raise NoIncident("no incident is open: press i, or `warroom incident new TITLE`")
        return self.incident

    def draft(
        self,
        kind: Kind,
        text: str,
        data: Mapping[str, Any] | None = None,
        *,
        at: datetime | None = None,
        starred: bool = False,
        internal: bool = False,
        id: str = "",
    ) -> Draft:
        """What this console would append, with an id of its own: it is stored once."""
        now = self._clock.now()
        return Draft(
            kind, at or now, self.author, harmless(text, lines=True), data or {}, starred, internal,
            id or event_id(now),
        )  # fmt: skip

    def _take(self, events: list[Event]) -> None:
        known = self.events[-1].seq if self.events else 0
        fresh: list[Event] = []
        for event in sorted(events, key=lambda event: event.seq):
            if event.seq == known + 1:  # after a gap another console was: `refresh` reads it
                fresh.append(event)
                known = event.seq
        if fresh:
            self.events += fresh
            self.projection.add(fresh)
            self.incident, self._projected = self.projection.incident, None
            self._tell()

    def _begin(self, name: str, events: list[Event], projection: Projection) -> None:
        """From now on this incident is the open one. `name` is its id in the journal, which may
        differ from the one its events were sealed with elsewhere."""
        self._name, self.present = name, ()
        self._begun.set()
        self.events, self.projection, self._projected = events, projection, None
        self.incident = projection.incident
        self._tell()

    async def _append(self, waiting: Waiting) -> tuple[Event, ...]:
        """Cancelled, nobody knows whether it was stored: then it waits, and is stored once."""
        try:
            events = await self.journal.append(waiting.incident, waiting.draft)
        except asyncio.CancelledError:
            self._set_aside(waiting)
            raise
        except (NotSaved, NewerSchema) as error:
            self._found(str(error))
            raise
        self._found("")
        return events

    def _set_aside(self, waiting: Waiting) -> None:
        self.backlog.add(waiting)
        self._tell()

    def _found(self, away: str) -> None:
        """The journal could not be reached just now, or (an empty reason) could be."""
        if away != self.away:
            self.away = away
            if away:
                self.present = ()
            self._tell()

    async def _follow(self) -> None:
        while True:
            await self.journal.changed.wait()
            self.journal.changed.clear()
            try:
                await self.refresh()
                self._found("")
            except JournalError as error:
                self._found(str(error))
                await asyncio.sleep(RETRY_S)  # it cannot be read just now: try again
                self.journal.changed.set()

    async def _retry(self) -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            await self.save_again()

    async def _beat(self) -> None:
        """Say that this console is here, and take up what another one left when it ended."""
        while True:
            self._begun.clear()
            if await self.backlog.take_up():
                self._tell()
            if self.incident is not None:
                try:
                    await self.sign()
                except JournalError as error:
                    self._found(str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._begun.wait()

    async def sign(self) -> None:
        """Say that this console is here, and learn who else is. Raises JournalError."""
        name, doing = self._name, self._doing
        present = tuple(await self.journal.beat(name, self.console, self.author, doing))
        self._found("")
        self._here(present)

    def about_to(self, doing: str) -> None:
        """Let the others know at once what this console is about to do; empty: nothing."""
        if doing != self._doing:
            self._doing = doing
            self._begun.set()

    def _here(self, present: tuple[Presence, ...]) -> None:
        before = {one.console for one in self.present}
        self.present = present
        if before != {one.console for one in present}:
            self._tell()

    async def save_again(self) -> None:
        """Try once more to append what could not be saved, in order."""
        async with self._saving:
            if not self.backlog:
                return
            try:
                await self.backlog.deliver(self._took)
            except JournalError as error:
                self._found(str(error))
            else:
                self._found("")

    def _took(self, incident: str, events: Sequence[Event]) -> None:
        if incident == self._name:
            self._take(list(events))
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _check(draft: Draft) -> None:
    """Raises NotSaved for what no journal would ever take: waiting, it would hold up all others."""
    try:
        plain(draft.data)
        utc(draft.at)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotSaved(f"this cannot be stored: {error}") from error

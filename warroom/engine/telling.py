"""The one way to tell people: drafted from live facts, sent once, and written down before and
after.

Nothing leaves unless the journal has taken the event "sending"; what came of it is the next one.
One press of a key has one id, and no id is sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from warroom.channels.base import (
    LIMIT_S,
    Channel,
    ChannelContext,
    ChannelFault,
    Delivery,
    Message,
    Progress,
    Receipt,
    Stage,
    Watcher,
)
from warroom.domain import timers
from warroom.domain.events import Event, Kind
from warroom.domain.incident import UPDATE, Incident, Status
from warroom.domain.text import harmless, shorten
from warroom.domain.timers import Timer
from warroom.engine import facts
from warroom.engine.channels import ChannelMember, channel_members
from warroom.engine.forms import drafted
from warroom.journal.base import JournalError, NoIncident
from warroom.reports.disclosure import Hint, hints
from warroom.reports.errors import BadTemplate
from warroom.reports.updates import AUDIENCES, draft

if TYPE_CHECKING:
    from warroom.engine.room import Room

TEXT_LIMIT: Final = 20_000
"""Characters of one update."""
PUBLIC: Final = "status page"
"""The audience that is everybody."""
_LEASE: Final = timedelta(seconds=LIMIT_S + 30)
"""How long a message without an outcome holds up another one by the same channel."""


class Told(StrEnum):
    """What became of an update; SENDING stands in the journal before it leaves."""

    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "UNKNOWN"
    COPIED = "copied"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to tell, and by which channel; none (an empty `channel`) is by hand, from a copy.

    `due` is the timer of the next update to that audience, if there is one.
    """

    audience: str
    channel: str = ""
    kind: str = "by hand"
    public: bool = False
    due: Timer | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A draft; `problem` says why a team's own template was not used, if it was not; `form` from
    which place of a runbook it is, and `gaps` what nobody knew of what is to be filled in there."""

    text: str
    problem: str = ""
    form: str = ""
    gaps: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What whoever edits it is to know."""
        if not self.form:
            return self.problem
        left = f"; fill in: {', '.join(self.gaps)}" if self.gaps else ""
        return f"as {self.form} has it{left}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a press. `saved` is false when that is not on disk yet."""

    state: Told
    text: str
    saved: bool = True


class Teller:
    """Belongs to a room. `observe` is why nothing may be sent here; empty when it may."""

    def __init__(self, room: Room, *, observe: str = "") -> None:
        self._room, self._observe = room, observe
        members, _ = channel_members(room.settings)
        self._members: dict[str, ChannelMember] = {member.name: member for member in members}
        self._channels: dict[str, Channel] = {}
        self._pressed: set[str] = set()
        self.sending: dict[str, Progress] = {}
        """By channel, where a message stands that is on its way now."""

    def refusal(self, target: Target | None = None) -> str:
        """Why nothing can be sent now, in words; empty when it can."""
        if self._observe:
            return self._observe
        if self._room.session.incident is None:
            return "open an incident first: every update is written to its timeline"
        if target is not None and target.channel in self.sending:
            return f"{target.channel} is sending already"
        return ""

    def targets(self) -> tuple[Target, ...]:
        """Everybody who can be told, the most urgent first."""
        due = self._due()
        anybody = due.pop("", None)
        made = [
            Target(
                m.audience,
                m.name,
                m.entry.kind,
                m.spec.public or m.audience.casefold() == PUBLIC,
                due.get(m.audience.casefold(), anybody),
            )
            for m in self._members.values()
        ]
        reached = {target.audience.casefold() for target in made}
        for audience in dict.fromkeys(name for name in (*AUDIENCES, *due) if name not in reached):
            timer = due.get(audience, anybody)
            made.append(Target(audience, public=audience == PUBLIC, due=timer))
        return tuple(sorted(made, key=_urgency))

    def stage(self, audience: str) -> Stage:
        """Which update of that audience is next: the first, one more, or the last. What began
        again after the last is new to them."""
        incident = self._incident()
        told = incident.told.get(audience.casefold())
        if incident.status in (Status.RESOLVED, Status.CLOSED):
            return Stage.RESOLVED
        return Stage.UPDATE if told and told.stage != Stage.RESOLVED else Stage.INITIAL

    def draft(self, audience: str, stage: Stage) -> Text:
        """What could be said now: by the team's own template, else as a runbook has it, else by
        the built-in one. A template of the team's that cannot be used gives way to that, and the
        draft says so. Raises NoIncident."""
        zone = ZoneInfo(self._room.settings.incident.timezone)
        known = facts.facts_of(self._room, audience, last=stage is Stage.RESOLVED)
        file = facts.template_file(self._room.settings, audience, stage.value)
        problem = ""
        if file is not None:
            try:
                own = facts.template_in(file)
                return Text(draft(known, audience, stage.value, zone=zone, template=own))
            except (BadTemplate, OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                problem = harmless(f"{file}: {reason}")
        made = None if problem else drafted(self._room.shelf.books, known, audience, stage, zone)
        if made is not None:
            return Text(made[0], form=made[1], gaps=made[2])
        return Text(draft(known, audience, stage.value, zone=zone), problem)

    def hints(self, target: Target, text: str) -> tuple[Hint, ...]:
        """What a text for the public had better not say; nothing for anybody else."""
        if not target.public:
            return ()
        private = [event.text for event in self._room.session.events if event.internal]
        return hints(text, facts.internal_names(self._room), private)

    async def where(self, target: Target) -> str:
        """Where a message would go, never as a secret. Raises ChannelFault."""
        return await self._channel(target).where()

    def preview(self, target: Target, stage: Stage, text: str) -> Sequence[tuple[str, str]]:
        """What goes along besides the text, by name."""
        if not target.channel:
            return ()
        return self._channel(target).preview(self._message(target, stage, text, ""))

    async def send(
        self, target: Target, stage: Stage, text: str, press: str, watch: Watcher
    ) -> Outcome:
        """Send `text` once for the press of that id. Never raises for what goes wrong.

        `watch` is told how far it is. Cancelled before it left, it is written down as failed;
        while it was leaving, as UNKNOWN.
        """
        text = harmless(text, lines=True).strip("\n")
        reason = self.refusal(target) or _unfit(text)
        if reason:
            return Outcome(Told.REFUSED, reason)
        if press in self._pressed:
            return Outcome(Told.REFUSED, "sent already")
        self._pressed.add(press)
        self.sending[target.channel] = Progress("writing it down", leaving=False)
        try:
            return await self._recorded(target, stage, text, press, watch)
        finally:
            del self.sending[target.channel]

    async def copied(self, target: Target, stage: Stage, text: str) -> None:
        """Somebody says that they posted a copy. Raises JournalError, NoIncident."""
        text = harmless(text, lines=True).strip("\n")
        data = {
            "audience": target.audience,
            "stage": stage.value,
            "channel": target.channel,
            "state": Told.COPIED.value,
            "body": text,
        }
        words = f"update to {target.audience} posted by hand: {_first(text)}"
        await self._room.session.record(Kind.UPDATE, words, data)

    async def _recorded(
        self, target: Target, stage: Stage, text: str, press: str, watch: Watcher
    ) -> Outcome:
        data = {
            "audience": target.audience,
            "stage": stage.value,
            "channel": target.channel,
            "state": Told.SENDING.value,
            "press": press,
            "body": text,
        }
        words = f"update to {target.audience} by {target.channel}: sending: {_first(text)}"
        try:
            request = await self._room.session.record_or_nothing(Kind.UPDATE, words, data)
        except JournalError as error:
            return Outcome(Told.REFUSED, f"NOT SENT: it could not be recorded: {error}")
        try:
            await self._room.session.refresh()
        except JournalError as error:
            receipt = Receipt(Delivery.FAILED, f"not sent: the journal cannot be read: {error}")
            return await self._ended(request, receipt)
        other = self._earlier(request)
        if other is not None:
            at = f"{other.at:%H:%M:%S} UTC"
            receipt = Receipt(
                Delivery.FAILED, f"not sent: {other.author.login} is telling them since {at}"
            )
            return await self._ended(request, receipt)
        return await self._delivered(target, stage, text, request, watch)

    async def _delivered(
        self, target: Target, stage: Stage, text: str, request: Event, watch: Watcher
    ) -> Outcome:
        def seen(progress: Progress) -> None:
            self.sending[target.channel] = progress
            watch(progress)

        message = self._message(target, stage, text, str(request.data["press"]))
        try:
            receipt = await self._channel(target).send(message, seen)
        except asyncio.CancelledError:
            left = self.sending[target.channel].leaving
            state = Delivery.UNKNOWN if left else Delivery.FAILED
            said = "left while it was on its way; it may have arrived" if left else "cancelled"
            await asyncio.shield(self._ended(request, Receipt(state, said)))
            raise
        except ChannelFault as fault:
            receipt = Receipt(Delivery.FAILED, str(fault))
        except Exception as error:  # noqa: BLE001 - whatever broke, nobody knows whether it left
            # without the text of the error, which may quote an address or a header
            said = f"{type(error).__name__} in {target.kind}; it may have arrived"
            receipt = Receipt(Delivery.UNKNOWN, said)
        return await self._ended(request, receipt)

    async def _ended(self, request: Event, receipt: Receipt) -> Outcome:
        said = request.data
        state = Told(receipt.state.value)
        data: dict[str, Any] = {
            "audience": said["audience"],
            "stage": said["stage"],
            "channel": said["channel"],
            "state": state.value,
            "request": request.seq,
            "body": said["body"],
            "answer": receipt.text,
        }
        if receipt.thread:
            data["thread"] = receipt.thread
        more = f": {_first(str(said['body']))}" if state is Told.SENT else f": {receipt.text}"
        words = f"update to {said['audience']} by {said['channel']}: {state}{more}"
        try:
            await self._room.session.record(Kind.UPDATE, words, data)
        except JournalError:  # of what is not saved the session keeps the words and tries again
            return Outcome(state, receipt.text, saved=False)
        return Outcome(state, receipt.text)

    def _earlier(self, request: Event) -> Event | None:
        """A message by the same channel that came first and may still be on its way."""
        updates = [e for e in self._room.session.events if e.kind is Kind.UPDATE]
        ended = {event.data.get("request") for event in updates}
        for event in updates:
            same = event.data.get("channel") == request.data["channel"]
            fresh = request.recorded_at - event.recorded_at < _LEASE
            waiting = event.data.get("state") == Told.SENDING and event.seq not in ended
            if event.seq < request.seq and same and fresh and waiting:
                return event
        return None

    def _message(self, target: Target, stage: Stage, text: str, press: str) -> Message:
        incident = self._incident()
        scheme = self._room.settings.schemes.get(incident.scheme)
        names = [name.casefold() for name in scheme.names] if scheme else []
        known = incident.severity.casefold() in names
        return Message(
            id=press,
            incident=incident.id,
            origin=self._room.session.events[0].id,
            title=incident.title,
            severity=incident.severity,
            scheme=incident.scheme,
            rank=names.index(incident.severity.casefold()) if known else 1,
            levels=len(names),
            status=incident.status,
            stage=stage,
            audience=target.audience,
            text=text,
            thread=self._thread(target.channel),
        )

    def _thread(self, channel: str) -> str:
        """What the last receipt of a channel gave to go on with; nothing after a last update."""
        for event in reversed(self._room.session.events):
            if event.kind is Kind.UPDATE and event.data.get("channel") == channel:
                thread, state = event.data.get("thread"), event.data.get("state")
                if state == Told.SENT and event.data.get("stage") == Stage.RESOLVED:
                    return ""
                if isinstance(thread, str) and thread:
                    return thread
        return ""

    def _channel(self, target: Target) -> Channel:
        member = self._members[target.channel]
        if member.name not in self._channels:
            context = ChannelContext(member.name, self._room.hosts[""], self._room.clock)
            self._channels[member.name] = member.spec.create(member.options, context)
        return self._channels[member.name]

    def _due(self) -> dict[str, Timer]:
        """The timers of updates by audience; that to anybody under an empty name."""
        incident = self._room.session.incident
        if incident is None:
            return {}
        scheme = self._room.settings.schemes.get(incident.scheme, self._room.settings.scheme)
        made = timers.timers(incident, scheme, self._room.clock.now())
        prefix = f"{UPDATE}:"
        return {
            timer.id.removeprefix(prefix) if timer.id != UPDATE else "": timer
            for timer in made
            if timer.id == UPDATE or timer.id.startswith(prefix)
        }

    def _incident(self) -> Incident:
        incident = self._room.session.incident
        if incident is None:
            raise NoIncident("no incident is open: press i, or `warroom incident new TITLE`")
        return incident


def _urgency(target: Target) -> tuple[float, bool]:
    """What is due first; at the same urgency a channel before a copy by hand."""
    return (target.due.left if target.due else float("inf"), not target.channel)


def _unfit(text: str) -> str:
    if not text.strip():
        return "an empty update says nothing"
    if len(text) > TEXT_LIMIT:
        return f"longer than {TEXT_LIMIT:,} characters: nobody would read it"
    return ""


def _first(text: str) -> str:
    """The first line, for the timeline."""
    return shorten(next((line.strip() for line in text.split("\n") if line.strip()), ""), 120)

"""A second person: asked on every console, answered on another one, used once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from warroom.domain import approvals as said
from warroom.domain.approvals import Approval, State, refusal
from warroom.domain.events import Event, Kind
from warroom.engine.session import Session
from warroom.journal.base import JournalError

EVERY_S: Final = 0.5
"""How often somebody who waits looks, though nothing was heard."""


class NotApproved(Exception):
    """It will not be, and why, in words."""


class Approvals:
    """Belongs to a session. `shared` says whether its journal is one of several machines, where
    one number may be two users."""

    def __init__(self, session: Session, *, shared: bool = False) -> None:
        self._session, self._shared = session, shared
        self._moved = asyncio.Event()
        self._kept: list[Event] = []
        self._read, self._opening = 0, ""
        session.subscribe(self._moved.set)

    def waiting(self) -> tuple[Approval, ...]:
        """The questions that somebody can answer now."""
        now = self._session.now()
        return tuple(one for one in said.approvals(self._events()) if one.waits(now))

    def find(self, seq: int) -> Approval | None:
        return next((one for one in said.approvals(self._events()) if one.seq == seq), None)

    def _events(self) -> list[Event]:
        """Those that matter here, of however many."""
        events = self._session.events
        opening = events[0].id if events else ""
        if opening != self._opening or self._read > len(events):
            self._opening, self._read, self._kept = opening, 0, []
        self._kept += [e for e in events[self._read :] if e.kind in said.KINDS]
        self._read = len(events)
        return self._kept

    def why_not(self, approval: Approval) -> str:
        """Why this console cannot answer with yes; empty when it can."""
        if not approval.waits(self._session.now()):
            return "it is not waiting any more"
        me = self._session.author
        if any(event.author.login == me.login for event in approval.by):
            return "you have said yes already"
        return refusal(approval.asked.author, me, same_machine=not self._shared)

    async def ask(self, title: str, needed: int, card: Mapping[str, Any]) -> Event:
        """Put the card before everybody. Raises NotSaved, NoIncident."""
        data = {**card, "state": State.ASKED.value, "needed": needed}
        text = f"{title}: wants {needed} more {'person' if needed == 1 else 'persons'} to confirm"
        return await self._session.record_or_nothing(Kind.APPROVAL, text, data)

    async def answer(self, seq: int, state: State) -> Event:
        """Say yes or no, or withdraw. Raises NotApproved, JournalError."""
        await self._session.refresh()
        approval = self.find(seq)
        if approval is None or not approval.waits(self._session.now()):
            raise NotApproved("it is not waiting any more")
        if state is State.GIVEN and (why := self.why_not(approval)):
            raise NotApproved(why)
        title = str(approval.asked.data.get("title", ""))
        words = {State.GIVEN: "confirmed", State.REFUSED: "refused", State.WITHDRAWN: "withdrawn"}
        who = approval.asked.author.login
        text = f"{title}: {words[state]} (asked by {who})"
        data = {"state": state.value, "asked": seq}
        return await self._session.record_or_nothing(Kind.APPROVAL, text, data)

    async def wait(self, asked: Event, stopped: Callable[[], bool]) -> Approval:
        """Wait until enough persons have said yes. Raises NotApproved."""
        while True:
            self._moved.clear()
            approval = self.find(asked.seq)
            if approval is None:
                raise NotApproved("the incident is another one now")
            if approval.ended is not None:
                state, who = approval.ended.data.get("state"), approval.ended.author.login
                raise NotApproved(f"{who} has {state} it")
            if approval.expired(self._session.now()):
                raise NotApproved("nobody confirmed it within ten minutes")
            if stopped():
                raise NotApproved("withdrawn")
            if approval.complete:
                return approval
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._moved.wait()
            except TimeoutError:
                continue

    async def withdraw(self, asked: Event) -> None:
        """As far as the journal takes it; it expires anyway."""
        try:
            await self.answer(asked.seq, State.WITHDRAWN)
        except (NotApproved, JournalError):
            return

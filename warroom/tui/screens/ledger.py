"""What was done to the systems and is not over: who must still confirm, what runs, of what nobody
knows whether it happened, what is temporary, and what can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from warroom.domain.clock import hms, span
from warroom.domain.ledger import Change
from warroom.journal.base import JournalError
from warroom.mitigations.base import MitigationRefused
from warroom.tui.screens.listing import Listing, Row

if TYPE_CHECKING:
    from warroom.engine.room import Room

ASKED, RUNS, DOUBT, CHANGE = "asked:", "runs:", "doubt:", "change:"
"""How the ids of the rows begin, by what they are."""


class LedgerScreen(Listing):
    """`chosen` is told the id of the row that Enter was pressed on, once this screen is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verify", "look whether it happened"),
        Binding("u", "take", "take it back"),
    ]
    hint = "enter: its card, confirm, take back   v verify   esc back"

    def __init__(self, room: Room, chosen: Callable[[str], object]) -> None:
        super().__init__(room)
        self._chosen = chosen

    def heading(self) -> tuple[str, str]:
        count = len(self.room.ledger.temporary())
        return "what was changed", f"{count} temporary" if count else ""

    def rows(self) -> list[Row]:
        parts = (self._asked(), self._runs(), self._doubts(), self._temporary(), self._others())
        found = [row for part in parts for row in part]
        return found or [Row("", [("nothing stands that was changed from here", "dim")])]

    def _asked(self) -> Iterator[Row]:
        waiting = self.room.executor.approvals.waiting()
        yield from _titled("another person must confirm", bool(waiting))
        for one in waiting:
            data, who = one.asked.data, one.asked.author.login
            left = hms(one.left(self.room.clock.now()))
            why = self.room.executor.approvals.why_not(one)
            text = f"{data.get('title', '')}: {_target(data)}"
            style = "dim" if why else "bold"
            note = [(why, "dim")] if why else [(f"asked by {who}, {left} left", "degraded")]
            yield Row(f"{ASKED}{one.seq}", [("  ", ""), (text, style)], note)

    def _runs(self) -> Iterator[Row]:
        running = self.room.executor.running
        yield from _titled("running here", bool(running))
        for name, run in running.items():
            seconds = self.room.clock.monotonic() - run.began
            text = f"{run.armed.card.title}: {run.armed.card.target.label}"
            note = f"{run.phase}, {span(seconds)}"
            yield Row(f"{RUNS}{name}", [("  ", ""), (text, "accent")], [(note, "dim")])

    def _doubts(self) -> Iterator[Row]:
        unknown = self.room.ledger.unknown()
        yield from _titled("nobody knows whether it happened", bool(unknown))
        for one in unknown:
            event = one.event
            text = f"{one.title}: {one.label}"
            said = one.verified.data.get("says", "") if one.verified else ""
            note = str(said) or f"{event.author.login}, {event.at:%H:%M} UTC: v verifies"
            yield Row(f"{DOUBT}{one.seq}", [("  ", ""), (text, "unknown")], [(note, "dim")])

    def _temporary(self) -> Iterator[Row]:
        changes = self.room.ledger.temporary()
        yield from _titled("temporary", bool(changes))
        for change in changes:
            left = change.left(self.room.clock.now())
            end = f"{hms(left)} left" if left > 0 else f"EXPIRED {hms(-left)} ago"
            yield self._change(change, end, "degraded" if left > 0 else "alarm")

    def _others(self) -> Iterator[Row]:
        changes = [one for one in self.room.ledger.changes() if not one.temporary]
        yield from _titled("can be taken back", bool(changes))
        for change in changes:
            yield self._change(change, f"{change.since:%H:%M} UTC", "dim")

    def _change(self, change: Change, note: str, style: str) -> Row:
        who = change.request.event.author.login
        state = " being taken back" if change.undoing else " taking back: UNKNOWN" * change.doubt
        undo = change.undo.get("title", "nothing is known to take it back")
        left = [("  ", ""), (change.label, ""), (f"  {who}{state}  u {undo}", "dim")]
        return Row(f"{CHANGE}{change.id}", left, [(note, style)])

    def action_take(self) -> None:
        at = self.at
        if at:
            self.dismiss(None)
            self._chosen(at)

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        if not self.at.startswith(DOUBT):
            self.tell("only what nobody knows of is verified")
            return
        request = self.room.executor.book.requests.get(int(self.at.removeprefix(DOUBT)))
        if request is None:
            return
        self.tell("looking…")
        try:
            says = await self.room.ledger.verify(request)
        except MitigationRefused as error:
            self.tell(str(error))
        except JournalError as error:
            self.tell(f"NOT SAVED what was seen: {error}")
        else:
            self.read()
            self.tell(says)


def _titled(title: str, there: bool) -> Iterator[Row]:
    if there:
        yield Row("", [(title, "title accent")])


def _target(data: object) -> str:
    target = data.get("target") if hasattr(data, "get") else None
    return str(target.get("label", "")) if isinstance(target, dict) else ""

"""What is to be done afterwards, by whom and until when. `A` opens it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from textual import work
from textual.binding import Binding, BindingType

from warroom.domain.dates import HINT, due_date
from warroom.domain.incident import ActionItem
from warroom.domain.text import harmless
from warroom.engine import followup
from warroom.tui.screens.dialogs import ask_line
from warroom.tui.screens.drafted import ask_drafted, forget
from warroom.tui.screens.listing import Listing, Row
from warroom.tui.widgets.lines import Line

if TYPE_CHECKING:
    from warroom.engine.room import Room


class ActionItemsScreen(Listing):
    """Adds, edits, finishes and removes; what has no owner or date says so."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a,n", "add", "add"),
        Binding("e", "edit", "edit"),
        Binding("d", "remove", "remove"),
        Binding("A", "dismiss(None)", "back"),
    ]
    hint = "a add   e edit   enter done or open again   d remove   esc back"

    def __init__(self, room: Room, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        super().__init__(room)

    def heading(self) -> tuple[str, str]:
        items = self._items()
        return "action items", f"{sum(item.done for item in items)} of {len(items)} done"

    def rows(self) -> list[Row]:
        rows = [self._row(item) for item in self._items()]
        return rows or [Row("", [("none yet: a adds one", "dim")])]

    def _row(self, item: ActionItem) -> Row:
        box = ("[x] ", "ok") if item.done else ("[ ] ", "")
        text = (item.text.replace("\n", " ⏎ "), "dim" if item.done else "")
        late = bool(item.due) and not item.done and item.due < self._today().isoformat()
        right: Line = [
            (f"  {item.owner}", "") if item.owner else ("  no owner", "degraded"),
            (f"  {item.due}{' OVERDUE' if late else ''}", "alarm" if late else "dim")
            if item.due
            else ("  no date", "degraded"),
        ]
        return Row(item.id, [box, text], right)

    def _items(self) -> tuple[ActionItem, ...]:
        incident = self.room.session.incident
        return incident.action_items if incident else ()

    def _chosen(self) -> ActionItem | None:
        return next((item for item in self._items() if item.id == self.at), None)

    def _today(self) -> date:
        return self.room.clock.now().astimezone(self._zone).date()

    @work(exclusive=True, group="dialog")
    async def action_add(self) -> None:
        asked = await self._asked(ActionItem("", self.room.session.author.login))
        forget(self.room, _draft(None))
        if asked is not None:
            doing = followup.plan(self.room.session, asked.text, asked.owner, asked.due)
            await self.saved(doing, "added")

    @work(exclusive=True, group="dialog")
    async def action_edit(self) -> None:
        chosen = self._chosen()
        asked = await self._asked(chosen) if chosen else None
        forget(self.room, _draft(chosen))
        if asked is not None and asked != chosen:
            await self.saved(followup.change(self.room.session, asked), "changed")

    async def _asked(self, item: ActionItem) -> ActionItem | None:
        """Text, owner and date, one after the other; None when it was left with Escape."""
        what = _draft(item if item.text else None)
        text = await ask_drafted(
            self, self.room, what, "action item", item.text,
            placeholder="what is to be done", more=True,
        )  # fmt: skip
        if text is None or not text.strip():
            return None
        owner = await ask_line(self, "owner", item.owner, placeholder="who does it", guess=True)
        if owner is None:
            return None
        due = await self._asked_date(item.due)
        if due is None:
            return None
        return replace(item, text=harmless(text.strip()), owner=harmless(owner.strip()), due=due)

    async def _asked_date(self, before: str) -> str | None:
        """An ISO date, or empty; asked again while it is not understood."""
        said, hint = before, f"{HINT}; may be empty"
        while True:
            answer = await ask_line(self, "due", said, placeholder=hint)
            if answer is None or not answer.strip() or answer.strip() == before:
                return None if answer is None else answer.strip()
            try:
                return due_date(answer, self._today()).isoformat()
            except ValueError as error:
                said, hint = "", harmless(str(error))

    def action_take(self) -> None:
        self._take()

    @work(exclusive=True, group="dialog")
    async def _take(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            done = "open again" if chosen.done else "done"
            await self.saved(followup.finish(self.room.session, chosen), done)

    @work(exclusive=True, group="dialog")
    async def action_remove(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            doing = followup.change(self.room.session, chosen, removed=True)
            await self.saved(doing, "removed; the timeline's entry of it can be taken back")


def _draft(item: ActionItem | None) -> str:
    """What its text is called while it is typed; None: of a new one."""
    return f"action item/{item.id if item else 'new'}"

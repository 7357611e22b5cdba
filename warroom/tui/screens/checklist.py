"""What has to be done, by phase. `x` opens it."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from warroom.domain.checklist import by_phase, progress
from warroom.tui.screens.listing import Listing, Row
from warroom.tui.widgets.lines import Line


class ChecklistScreen(Listing):
    """Ticks and unticks; an item that can tick itself says when."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "dismiss(None)", "back")]
    hint = "enter tick or untick   esc back"

    def heading(self) -> tuple[str, str]:
        return "checklist", str(progress(self.room.checklist, self._ticked()))

    def rows(self) -> list[Row]:
        ticked, room = self._ticked(), self.body.size.width - 10
        rows: list[Row] = []
        for phase, items in by_phase(self.room.checklist):
            head: Line = [(phase.value, "title accent"), (f"  {progress(items, ticked)}", "dim")]
            rows.append(Row("", head))
            for item in items:
                done = item.id in ticked
                box = ("  [x] ", "ok") if done else ("  [ ] ", "")
                itself = f"  itself: {item.when}" if item.when and not done else ""
                if len(item.text) + len(itself) > room:
                    itself = ""  # what is to be done is worth more
                left: Line = [box, (item.text, "dim" if done else "")]
                rows.append(Row(item.id, left, [(itself, "dim")]))
        return rows

    def _ticked(self) -> frozenset[str]:
        incident = self.room.session.incident
        return incident.ticked if incident else frozenset()

    def action_take(self) -> None:
        self._take()

    @work(exclusive=True, group="dialog")
    async def _take(self) -> None:
        item = next((item for item in self.room.checklist if item.id == self.at), None)
        if item is not None:
            done = item.id not in self._ticked()
            await self.saved(
                self.room.session.tick(item.id, item.text, done=done),
                "ticked" if done else "open again",
            )

"""Marked rows: an action's key means all of them, with one card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warroom.tui.screens.acts import Acts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warroom.domain.sample import Row
    from warroom.engine.running import Action, Running


class Marked(Acts):
    """A part of the room's screen: what marks mean for actions."""

    def meant(self, action: Action) -> tuple[Action, Mapping[str, str]] | None:
        from warroom.engine.several import several, takes_several
        from warroom.mitigations.base import MitigationRefused

        rows = self._marked(action)
        bulk = takes_several(action, self.room.actions if self.room else ())
        if bulk is None or not rows or (len(rows) == 1 and action.id != bulk.id):
            return super().meant(action)
        try:
            return several(action, bulk, rows)
        except MitigationRefused as error:
            self.say(str(error), "degraded")
            return None

    def row_for(self, action: Action) -> Row | None:
        """The one marked row, else the selected one."""
        rows = self._marked(action)
        return rows[0] if len(rows) == 1 and action.takes_row else super().row_for(action)

    def follow(self, run: Running) -> None:
        """What was acted on is not marked any more."""
        from warroom.engine.several import BULK

        table = self.table
        if table is not None and run.armed.card.kind.endswith(f".{BULK}"):
            table.choice = replace(table.choice, marks=frozenset())
            table.changed()
        super().follow(run)

    def _target_name(self, action: Action) -> str:
        from warroom.engine.several import takes_several

        rows = self._marked(action)
        if len(rows) > 1 and takes_several(action, self.room.actions if self.room else ()):
            return f"{len(rows)} marked"
        return super()._target_name(action)

    def _marked(self, action: Action) -> Sequence[Row]:
        """The marked rows of the system that `action` acts on, in the order in which they stand;
        those that a filter hides count, too: the frame says how many are marked."""
        table = self.table
        if table is None or not action.id.startswith("pane:"):
            return ()
        marks = table.choice.marks
        return [one.row for one in table.items() if one.id in marks and one.source == action.source]

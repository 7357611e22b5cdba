"""What the room's keys open beside the systems: deadlines, checklist, hypotheses, action items, the
fields of the post-mortem; and the bell for what cannot wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from textual import work

from warroom.domain.incident import FIELDS
from warroom.tui.screens.incident import Decides

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.tui.screens.listing import Listing

LISTEN_S: Final = 1.0
"""Seconds between looks at what is to be heard."""


class Duties(Decides):
    """A part of the room's screen."""

    settings: Settings

    def on_mount(self) -> None:
        self.set_interval(LISTEN_S, self._listen)

    def _listen(self) -> None:
        """One bell, however much is to be said at once."""
        heard = self.room.duty.heard() if self.room is not None else []
        if heard:
            self.app.bell()
            more = f"  (+{len(heard) - 1})" if len(heard) > 1 else ""
            self.say(f"{heard[0]}{more}", "down")

    def action_deadlines(self) -> None:
        from warroom.tui.screens.deadlines import DeadlinesScreen

        if self.incident_or_say() and self.room is not None:
            self._open(DeadlinesScreen(self.room, self.settings.incident.timezone))

    def action_checklist(self) -> None:
        from warroom.tui.screens.checklist import ChecklistScreen

        if self.incident_or_say() and self.room is not None:
            self._open(ChecklistScreen(self.room))

    def action_hypotheses(self) -> None:
        from warroom.tui.screens.hypotheses import HypothesesScreen

        if self.incident_or_say() and self.room is not None:
            self._open(HypothesesScreen(self.room))

    def action_action_items(self) -> None:
        from warroom.tui.screens.action_items import ActionItemsScreen

        if self.incident_or_say() and self.room is not None:
            self._open(ActionItemsScreen(self.room, self.settings.incident.timezone))

    def action_fields(self) -> None:
        from warroom.tui.screens.fields import FieldsScreen

        if self.incident_or_say() and self.room is not None:
            self._open(FieldsScreen(self.room, self.settings.incident.timezone))

    @work(exclusive=True, group="dialog")
    async def _open(self, listing: Listing) -> None:
        await self.app.push_screen(listing)

    def duty_said(self, word: str, rest: str) -> bool:
        """Do what `:WORD REST` says, if it is one of these words."""
        if word == "role":
            self.role_said(rest)
        elif word == "field":
            self.field_said(rest)
        elif word == "hypothesis":
            self.hypothesis_said(rest)
        else:
            return False
        return True

    def field_said(self, text: str) -> None:
        """`:field impact checkout failed for everybody`."""
        from warroom.domain.instants import NotUnderstood
        from warroom.engine import followup
        from warroom.tui.screens.fields import meant

        if not self.incident_or_say() or self.room is None:
            return
        name, _, rest = text.strip().partition(" ")
        try:
            said = meant(
                name, rest, self.room.clock.now(), ZoneInfo(self.settings.incident.timezone)
            )
        except NotUnderstood as error:
            self.say(str(error), "degraded")
            return
        doing = followup.tell(self.room.session, name, said)
        self.run_worker(self.saved(doing, f"{FIELDS.get(name, name)}: written"))

    def hypothesis_said(self, text: str) -> None:
        """`:hypothesis the pool is too small`."""
        from warroom.engine import followup

        if self.incident_or_say() and self.room is not None:
            self.run_worker(self.saved(followup.suppose(self.room.session, text), "added"))

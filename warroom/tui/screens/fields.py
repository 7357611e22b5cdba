"""What the post-mortem says about the incident as a whole. `P` opens it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, ClassVar, Final
from zoneinfo import ZoneInfo

from textual import work
from textual.binding import Binding, BindingType

from warroom.domain.corrections import instant_of
from warroom.domain.incident import FIELDS
from warroom.domain.instants import HELP, NotUnderstood, typed, understand
from warroom.domain.text import harmless
from warroom.engine import followup
from warroom.tui.screens.drafted import ask_drafted
from warroom.tui.screens.listing import Listing, Row

if TYPE_CHECKING:
    from datetime import datetime

    from warroom.engine.room import Room

STARTED: Final = "started"
LONG: Final = frozenset({
    "summary", "detection", "impact", "root_cause", "contributing_factors", "resolution",
    "went_well", "went_wrong", "lessons",
})  # fmt: skip
"""Fields that take more than a line to write."""


class FieldsScreen(Listing):
    """Every field, with what is still missing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "take", "write"),
        Binding("P", "dismiss(None)", "back"),
    ]
    hint = "enter write   esc back"

    def __init__(self, room: Room, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        super().__init__(room)

    def heading(self) -> tuple[str, str]:
        missing = sum(not self._written(name) for name in FIELDS)
        return "for the post-mortem", f"{missing} missing" if missing else "complete"

    def rows(self) -> list[Row]:
        rows = []
        for name, words in FIELDS.items():
            text = self._written(name).replace("\n", " ⏎ ")
            said = (text, "") if text else ("missing", "degraded")
            rows.append(Row(name, [(f"{words:<20} ", "dim" if text else "bold"), said]))
        return rows

    def _written(self, name: str) -> str:
        incident = self.room.session.incident
        return incident.fields.get(name, "").strip() if incident else ""

    def action_take(self) -> None:
        self._take()

    @work(exclusive=True, group="dialog")
    async def _take(self) -> None:
        name = self.at
        if name in LONG:
            await self._take_long(name)
        elif name in FIELDS:
            await self._take_line(name)

    async def _take_long(self, name: str) -> None:
        from warroom.engine.drafts import DraftNotKept, Drafts
        from warroom.tui.screens.longtext import LongText

        drafts, key = Drafts(), f"field/{self.room.session.events[0].id}/{name}"
        asked = LongText(FIELDS[name], key, lambda: self._written(name), drafts)
        text = await self.app.push_screen_wait(asked)
        if text is None or text.strip() == self._written(name):
            return
        await self.saved(followup.tell(self.room.session, name, text), "written")
        if self._written(name) == harmless(text.strip(), lines=True):
            with contextlib.suppress(DraftNotKept):  # it comes again, and can be taken away then
                drafts.forget(key)

    async def _take_line(self, name: str) -> None:
        hint = HELP if name == STARTED else "as the post-mortem is to say it"
        before = self._written(name)
        instant = instant_of(before) if name == STARTED else None
        before = typed(instant, self._zone) if instant else before
        text = await ask_drafted(
            self, self.room, f"field/{name}", FIELDS[name], before, placeholder=hint
        )
        if text is None or text.strip() == before:
            return
        try:
            said = meant(name, text, self.room.clock.now(), self._zone)
        except NotUnderstood as error:
            self.tell(str(error))
            return
        await self.saved(followup.tell(self.room.session, name, said), "written")


def meant(name: str, text: str, now: datetime, zone: ZoneInfo) -> str:
    """What a field is to hold: `started` an ISO 8601 instant, the others what was typed.

    Raises NotUnderstood.
    """
    if name != STARTED or not text.strip():
        return text.strip()
    return understand(text, now, zone).at.isoformat()

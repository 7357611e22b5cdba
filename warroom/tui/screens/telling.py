"""What the room's keys open to tell people: the composer of updates, and whom to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from warroom.domain.clock import hms
from warroom.tui.screens.acts import Acts
from warroom.tui.screens.dialogs import Option, choose

if TYPE_CHECKING:
    from datetime import datetime

    from warroom.engine.room import Room
    from warroom.engine.telling import Target


class Telling(Acts):
    """A part of the room's screen: `U` and `I`."""

    @work(exclusive=True, group="dialog")
    async def action_tell(self) -> None:
        """Choose whom to tell, what is due first at the top, then write to them."""
        from warroom.tui.screens.composer import ComposerScreen, Left

        if not self.incident_or_say() or self.room is None:
            return
        reason = self.room.teller.refusal()
        if reason:
            self.say(reason, "degraded")
            return
        at = ""
        while (target := await self._whom(self.room, at)) is not None:
            at = _id(target)
            left = await self.app.push_screen_wait(ComposerScreen(self.room, target))
            if left is not Left.FOR_ANOTHER:
                return

    async def _whom(self, room: Room, at: str) -> Target | None:
        now = room.clock.now()
        targets = {_id(target): target for target in room.teller.targets()}
        options = [
            Option(name, target.audience, _note(target, now), key=str(n) if n < 10 else "")
            for n, (name, target) in enumerate(targets.items(), 1)
        ]
        hint = "enter shows the draft first   esc cancel"
        chosen = await choose(self, "tell whom", options, at=at, hint=hint)
        return targets.get(chosen or "")

    @work(exclusive=True, group="dialog")
    async def action_contacts(self) -> None:
        from warroom.tui.screens.contacts import ContactsScreen

        if self.room is None:
            self.say("the room is still opening")
            return
        await self.app.push_screen(ContactsScreen(self.room))


def due_in_words(target: Target, now: datetime) -> tuple[str, str]:
    """When the next update is due, and the style for it; empty when none is promised."""
    if target.due is None:
        return "", ""
    left = (target.due.alarm_at - now).total_seconds()
    return (f"OVERDUE {hms(-left)}", "alarm") if left < 0 else (f"due in {hms(left)}", "dim")


def _note(target: Target, now: datetime) -> str:
    named = target.channel not in ("", target.kind)
    by = f"{target.channel} ({target.kind})" if named else target.kind
    due, _ = due_in_words(target, now)
    return f"{by}   {due}" if due else by


def _id(target: Target) -> str:
    return f"{target.audience}\n{target.channel}"

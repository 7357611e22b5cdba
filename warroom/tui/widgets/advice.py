"""The playbook that the live findings speak for, in a line or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warroom.tui.widgets.lines import Line, spread, wrapped

if TYPE_CHECKING:
    from warroom.engine.room import Room

_MOST_LINES: Final = 2


def advised(room: Room, width: int) -> list[Line]:
    """What the key opens first, and how many more fit; nothing when none is suggested.

    The reason stands in the list that opens: here is only what it is about.
    """
    advice = room.duty.advice
    if not advice:
        return []
    more = f"+{len(advice) - 1}" if len(advice) > 1 else ""
    head = spread([("ctrl+r", "key"), (" playbook", "")], [(more, "dim")], width)
    title = advice[0].title.removeprefix("Playbook:").strip()
    return [[], head, *([(part, "accent")] for part in wrapped(title, width)[:_MOST_LINES])]

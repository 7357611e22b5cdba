"""Asks for a line that is kept while it is typed: a lost connection loses none of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from textual.screen import Screen

    from warroom.engine.room import Room

UNFINISHED: Final = "kept from before; esc drops it"


async def ask_drafted(
    screen: Screen[Any],
    room: Room,
    what: str,
    label: str,
    value: str = "",
    *,
    placeholder: str = "",
    lines: bool = False,
    more: bool = False,
) -> str | None:
    """As `ask_line` does, beginning with what was typed the last time and neither submitted nor
    left. `what` names it within the incident, such as `hypothesis`. Where `more` is asked for, it
    is kept when it is submitted, too: call `forget` in the end."""
    from warroom.engine.drafts import DraftNotKept, Drafts
    from warroom.tui.screens.prompt import Prompt

    drafts, key = Drafts(), _key(room, what)

    def keep(text: str) -> None:
        try:
            if text == value:
                drafts.forget(key)
            else:
                drafts.put(key, text)
        except DraftNotKept as error:
            prompt.note(str(error))

    before = drafts.get(key)
    said = UNFINISHED if before and before != value else ""
    prompt = Prompt(
        label, before or value, placeholder=placeholder, live=keep, lines=lines, said=said
    )
    written = await screen.app.push_screen_wait(prompt)
    if written is None or not more:
        forget(room, what)
    return written


def forget(room: Room, what: str) -> None:
    """It was written down, or somebody left."""
    from warroom.engine.drafts import DraftNotKept, Drafts

    with contextlib.suppress(DraftNotKept):  # it comes again, and can be thrown away then
        Drafts().forget(_key(room, what))


def _key(room: Room, what: str) -> str:
    """Within the incident; without one, within what the config is for."""
    events = room.session.events
    return f"{what}/{events[0].id if events else room.settings.file}"

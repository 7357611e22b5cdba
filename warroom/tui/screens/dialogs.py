"""Asks for a line or a choice. Imports the dialogs' widgets when first asked: not at the start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.suggester import Suggester

    from warroom.tui.widgets.lines import Line


@dataclass(frozen=True, slots=True)
class Option:
    """One line to choose. `why_not` dims it and says why it cannot be chosen now."""

    id: str
    text: str
    note: str = ""
    key: str = ""
    mark: str = ""
    why_not: str = ""


async def ask_line(
    screen: Screen[Any],
    label: str,
    value: str = "",
    *,
    placeholder: str = "",
    live: Callable[[str], None] | None = None,
    suggester: Suggester | None = None,
    lines: bool = False,
    guess: bool = False,
    hidden: bool = False,
) -> str | None:
    """One line typed at the lower edge, or `lines` pasted; None when it was left with Escape. What
    is typed replaces a `guess`; what is `hidden` is not shown."""
    from warroom.tui.screens.prompt import Prompt

    prompt = Prompt(
        label, value, placeholder=placeholder, live=live, suggester=suggester, lines=lines,
        guess=guess, hidden=hidden,
    )  # fmt: skip
    return await screen.app.push_screen_wait(prompt)


async def choose(
    screen: Screen[Any],
    title: str,
    options: Sequence[Option],
    *,
    at: str = "",
    hint: str = "enter choose   esc cancel",
) -> str | None:
    """The id of an option; None when it was left with Escape."""
    from warroom.tui.screens.choose import Choose

    return await screen.app.push_screen_wait(Choose(title, options, at=at, hint=hint))


async def show_sheet(
    screen: Screen[Any],
    title: str,
    lines: Sequence[Line],
    take: Callable[[Sequence[Line]], object] | None = None,
) -> Callable[[Sequence[Line]], None]:
    """Show lines over the room; the function returned puts others in their place. `take` is given
    what is shown when somebody wants to keep it."""
    from warroom.tui.screens.sheet import Sheet

    sheet = Sheet(title, lines, take)
    await screen.app.push_screen(sheet)
    return sheet.show

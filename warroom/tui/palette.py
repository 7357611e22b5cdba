"""The palette: every declared command, each theme, each action of the active pane, what the
team's runbooks hold.

Titles of actions come from configs and the names in them: here they are text. Textual's own
provider takes every title for markup, and `[/x]` in one ends the app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher

from warroom.tui import themes
from warroom.tui.runbook_palette import commands_of_books

if TYPE_CHECKING:
    from warroom.tui.screens.room import RoomScreen


class Palette(Provider):
    """Finds commands by the letters that are typed; all of them before the first."""

    async def discover(self) -> Hits:
        listed = (command for command in self._commands() if command.discover)
        for one in sorted(listed, key=lambda command: command.title):
            yield DiscoveryHit(Content(one.title), one.callback, one.title, one.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for one in self._commands():
            score, title = _matched(matcher, one.title)
            if score > 0:
                yield Hit(score, title, one.callback, one.title, one.help)

    def _commands(self) -> Iterable[SystemCommand]:
        return self.app.get_system_commands(self.screen)


def commands_of(room: RoomScreen) -> Iterator[SystemCommand]:
    """What the palette offers now."""
    for command in room.commands:
        if command.id not in ("palette", "pane"):
            title = f"{command.title}  ({command.key_text})"
            yield SystemCommand(title, command.help, _runner(room, command.action))
    for name in themes.names():
        run = partial(room.use_theme, name)
        yield SystemCommand(f"theme {name}", "change to this theme", run)
    for action in room.actions_here():
        yield SystemCommand(action.title, "shows its card first", partial(room.arm, action))
    yield from commands_of_books(room)


def _matched(matcher: Matcher, title: str) -> tuple[float, Content]:
    """How well the title fits, and the title with the letters that do."""
    score, offsets = matcher.fuzzy_search.match(matcher.query, title)
    content = Content(title)
    for offset in offsets:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return score, content


def _runner(room: RoomScreen, action: str) -> Callable[[], object]:
    return lambda: room.run_worker(room.run_action(action))

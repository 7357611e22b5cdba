"""The palette: every declared command, each theme, each action of the active pane.

Titles of actions come from configs and the names in them: here they are text. Textual's own
provider takes every title for markup, and `[/x]` in one ends the app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher

from warroom.tui import themes

if TYPE_CHECKING:
    from warroom.tui.screens.room import RoomScreen


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the palette and what it does."""

    title: str
    help: str
    run: Callable[[], object]


class Palette(Provider):
    """Finds entries by the letters that are typed; all of them before the first."""

    async def discover(self) -> Hits:
        for entry in sorted(self._entries(), key=lambda entry: entry.title):
            yield DiscoveryHit(Content(entry.title), entry.run, entry.title, entry.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for entry in self._entries():
            score, title = _matched(matcher, entry.title)
            if score > 0:
                yield Hit(score, title, entry.run, entry.title, entry.help)

    def _entries(self) -> Iterator[Entry]:
        room: RoomScreen = self.app.room_screen  # type: ignore[attr-defined]
        for command in room.commands:
            if command.id not in ("palette", "pane"):
                title = f"{command.title}  ({command.key_text})"
                yield Entry(title, command.help, _runner(room, command.action))
        for name in themes.names():
            yield Entry(f"theme {name}", "change to this theme", _with(room.use_theme, name))
        for action in room.actions_here():
            yield Entry(action.title, "shows its card first", _with(room.arm, action))


def _matched(matcher: Matcher, title: str) -> tuple[float, Content]:
    """How well the title fits, and the title with the letters that do."""
    score, offsets = matcher.fuzzy_search.match(matcher.query, title)
    content = Content(title)
    for offset in offsets:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return score, content


def _runner(room: RoomScreen, action: str) -> Callable[[], object]:
    return lambda: room.run_worker(room.run_action(action))


def _with(doing: Callable[..., object], *args: object) -> Callable[[], object]:
    return lambda: doing(*args)

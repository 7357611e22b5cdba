"""What a terminal shows of an app that runs without one."""

from __future__ import annotations

from typing import Any

import pyte
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.geometry import Size
from textual.screen import Screen

Picture = list[list[Any]]
"""Each row of a terminal: its cells, with what they look like."""


class Sheet:
    """A terminal that shows what was written to it, and no more."""

    def __init__(self, size: Size) -> None:
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)

    def take(self, update: object, app: App[Any]) -> None:
        """Draw what the app would write for that update of its screen."""
        if isinstance(update, CompositorUpdate):
            self._stream.feed(update.render_segments(app.console).replace("\n", "\r\n"))

    def resize(self, size: Size) -> None:
        self._screen.resize(size.height, size.width)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    @property
    def picture(self) -> Picture:
        width, height = self._screen.columns, self._screen.lines
        return [[self._screen.buffer[y][x] for x in range(width)] for y in range(height)]


def drawn(app: App[Any]) -> Sheet:
    """What its screen looks like now, all of it."""
    sheet = Sheet(app.size)
    screens = app._background_screens
    sheet.take(app.screen._compositor.render_update(full=True, screen_stack=screens), app)
    return sheet


def written(app: App[Any]) -> Sheet:
    """All of its screen now, and whatever is written to its terminal from now on."""
    sheet, display = drawn(app), app._display

    def shown(screen: Screen[Any], update: Any) -> None:
        if not app._batch_count:
            sheet.take(update, app)
        display(screen, update)

    app._display = shown  # type: ignore[method-assign, assignment]
    return sheet

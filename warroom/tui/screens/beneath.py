"""The base of every screen that others may lie over."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import Screen

T = TypeVar("T")


class Beneath(Screen[T]):
    """A screen that goes on living behind a dialog.

    Textual (8.2) keeps what changed there as still to be drawn: all of it did when the dialog came,
    and so all of it would be drawn anew each time that anything changes. And it tells the topmost
    screen alone, so that nothing moves behind two. It is enough to tell the screen that lies over
    this one, which draws what is behind it, and tells the next.
    """

    def _compositor_refresh(self) -> None:
        changed, stack = self._compositor._dirty_regions, self.app.screen_stack
        if changed and self in self.app._background_screens:
            stack[stack.index(self) + 1].refresh(*changed)
            changed.clear()
            self._dirty_widgets.clear()
        else:
            super()._compositor_refresh()

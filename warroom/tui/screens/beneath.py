"""The base of every screen that others may lie over."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from textual.geometry import Region
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
            _show_behind(stack[stack.index(self) + 1], changed)
            changed.clear()
            self._dirty_widgets.clear()
        else:
            super()._compositor_refresh()


def _show_behind(screen: Screen[Any], changed: Collection[Region]) -> None:
    """Let a screen draw these regions anew, if it can be seen through, beside what of it is to be
    drawn already. `refresh` forgets which of its widgets that is."""
    if screen.styles.background.a < 1:
        screen._set_dirty(*changed)
        screen._dirty_widgets.add(screen)
        screen.check_idle()

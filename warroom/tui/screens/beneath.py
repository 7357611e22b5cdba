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

    @property
    def is_seen(self) -> bool:
        """Whether it is on top, or all that lie over it can be seen through."""
        stack = self.app.screen_stack
        return self in stack and all(map(is_clear, stack[stack.index(self) + 1 :]))

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
    drawn already: `refresh` forgets which of its widgets that is, and waits a sixtieth of a second
    more."""
    if is_clear(screen):
        screen._set_dirty(*changed)
        screen._dirty_widgets.add(screen)
        screen.call_next(screen._on_timer_update)


def is_clear(screen: Screen[Any]) -> bool:
    """Whether something is seen of what lies below it."""
    return screen.styles.background.a < 1

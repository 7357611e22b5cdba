"""The base of every screen that others may lie over."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import Screen

T = TypeVar("T")


class Beneath(Screen[T]):
    """A screen that goes on living behind a dialog.

    Textual (8.2) keeps what changed there as still to be drawn: all of it did when the dialog came,
    and so all of it would be drawn anew each time that anything changes. It is enough to tell the
    screen on top, which draws what lies behind it.
    """

    def _compositor_refresh(self) -> None:
        changed = self._compositor._dirty_regions
        if changed and self in self.app._background_screens:
            self.app.screen.refresh(*changed)
            changed.clear()
            self._dirty_widgets.clear()
        else:
            super()._compositor_refresh()

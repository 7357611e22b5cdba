"""The base of every screen over the room."""

from __future__ import annotations

from typing import TypeVar

from textual.app import RenderResult
from textual.await_complete import AwaitComplete
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen

from warroom.tui.screens.beneath import Beneath, is_clear
from warroom.tui.widgets.behind import Behind

T = TypeVar("T")


class Dialog(ModalScreen[T], Beneath[T]):  # what is first gives the style sheet
    """A screen that is left once, however often it is asked to."""

    _behind: Behind | None = None

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leave with `result`. Does nothing where it is on its way out already: of a double click
        the second half would take the room away."""
        if self.app.screen is not self:
            return AwaitComplete()
        left: AwaitComplete = super().dismiss(result)
        return left

    def render(self) -> RenderResult:  # type: ignore[override]  # a Widget may give a Visual
        """What lies below it in the stack. Textual asks the screens from the top down and takes one
        off a list for each, and those that have nothing to draw anew are not asked."""
        stack = self.app.screen_stack
        if self not in stack[1:] or not is_clear(self):
            return super().render()
        below = BackgroundScreen(stack[stack.index(self) - 1], self.styles.background)
        self._behind = self._behind or Behind(self)
        return self._behind.of(below)

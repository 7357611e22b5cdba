"""The base of every screen over the room."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """A screen that is left once, however often it is asked to."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leave with `result`. Does nothing where it is on its way out already: of a double click
        the second half would take the room away."""
        if self.app.screen is not self:
            return AwaitComplete()
        left: AwaitComplete = super().dismiss(result)
        return left

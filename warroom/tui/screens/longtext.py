"""A text of many lines about the incident as a whole: summary, root cause, lessons.

What is typed is kept as a draft, so that neither Escape nor a lost connection loses it; `ctrl+g`
takes the text to the responder's own editor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from warroom.domain.text import harmless
from warroom.engine.drafts import DraftNotKept, Drafts
from warroom.tui.screens.dialog import Dialog
from warroom.tui.screens.timeline.draw import folded
from warroom.tui.screens.timeline.fields import Said, Text
from warroom.tui.widgets.lines import Line, shortened

if TYPE_CHECKING:
    from textual.timer import Timer

KEEP_S: Final = 0.5
"""Seconds of quiet after which what is typed is kept."""
HINT: Final = "enter saves   alt+enter new line   esc keeps a draft   ctrl+g $EDITOR"
_FROM_BEFORE: Final = "your text from before is here again; ctrl+r takes it away"


class LongText(Dialog[str | None]):
    """Gives the text, or None when it was left. `stored` says what the journal has now; the draft
    under `key` stays until whoever asked forgets it."""

    DEFAULT_CSS = """
    LongText { align: center middle; background: $background 60%; }
    LongText > Vertical { width: 94%; max-width: 110; height: 60%; min-height: 10; padding: 0 1;
        background: $surface; border: heavy $accent; border-title-color: $accent;
        border-title-style: bold; }
    LongText Lines { background: $surface; height: 2; }
    LongText #text { height: 1fr; border: none; padding: 0; background: $panel; }
    LongText #text:focus { border: none; }
    """
    AUTO_FOCUS: ClassVar[str | None] = "#text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("ctrl+g", "outside", "in $EDITOR"),
        Binding("ctrl+r", "anew", "as it was"),
    ]

    def __init__(self, title: str, key: str, stored: Callable[[], str], drafts: Drafts) -> None:
        super().__init__()
        self._title, self._key, self._stored, self._drafts = title, key, stored, drafts
        self._before = stored()
        kept = drafts.get(key)
        self._said = _FROM_BEFORE if kept and kept.strip() != self._before else ""
        self._text = Text(kept or self._before, self.action_save)
        self._foot = Said(id="foot")
        self._keeping: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._text
            yield self._foot

    def on_mount(self) -> None:
        frame = self.query_one(Vertical)
        if getattr(self.app, "ascii_only", False):
            frame.styles.border = ("ascii", self.app.theme_variables["accent"])
        frame.border_title = self._title
        self._text.move_cursor(self._text.document.end)
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def on_unmount(self) -> None:
        self._keep()

    def _show(self) -> None:
        width = max(20, self._foot.size.width)
        said: list[Line] = folded([(self._said, "degraded")], width)[:1] if self._said else [[]]
        self._foot.say([*said, [(shortened(HINT, width), "dim")]])

    def _say(self, text: str) -> None:
        self._said = text
        self._show()

    # What is typed is kept -------------------------------------------------------------------

    def on_text_area_changed(self) -> None:
        if self._keeping is not None:
            self._keeping.stop()
        self._keeping = self.set_timer(KEEP_S, self._keep)

    def _keep(self) -> None:
        text = self._text.text
        try:
            if harmless(text, lines=True).strip() == self._stored():
                self._drafts.forget(self._key)
            else:
                self._drafts.put(self._key, text)
        except DraftNotKept as error:
            self._say(str(error))

    # Keys ------------------------------------------------------------------------------------

    def action_save(self) -> None:
        """What somebody else has written meanwhile is shown before it is replaced."""
        now = self._stored()
        if now != self._before:
            self._before = now
            words = shortened(harmless(now.replace("\n", " ")), 50)
            self._say(f'meanwhile it says "{words}"; enter again replaces that')
        else:
            self.dismiss(self._text.text)

    def action_anew(self) -> None:
        self._text.text = self._before
        self._say("")

    @work(group="dialog")
    async def action_outside(self) -> None:
        from warroom.tui.screens.timeline.outside import NoEditor, edited

        try:
            text = await edited(self.app, self._text.text)
        except NoEditor as error:
            self._say(f"{error}; go on here")
            return
        if text is not None:
            self._text.text = text
            self._text.move_cursor(self._text.document.end)

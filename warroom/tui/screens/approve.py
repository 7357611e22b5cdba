"""The card that another person wants confirmed: the whole card again, and the same word."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from warroom.domain.approvals import Approval, State
from warroom.domain.clock import hms
from warroom.engine.approvals import NotApproved
from warroom.engine.ledger import card_of
from warroom.journal.base import JournalError
from warroom.tui.attention import TICK_S, Attention
from warroom.tui.screens import card
from warroom.tui.screens.card import Word
from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.card import CardBody
from warroom.tui.widgets.lines import Line, Span

if TYPE_CHECKING:
    from warroom.engine.room import Room

_YES: Final = "confirm"
"""What is typed where the card itself wants no word: nobody confirms for another by reflex."""


class ApproveScreen(Dialog[str]):
    """Gives what was answered, in words; empty when nothing was."""

    DEFAULT_CSS = """
    ApproveScreen { align: center middle; background: $background 60%; }
    ApproveScreen > Vertical { width: 92%; max-width: 104; height: auto; background: $surface; }
    ApproveScreen CardBody { width: 100%; background: $surface; }
    ApproveScreen Input { border: tall $down; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "not now"),
        Binding("ctrl+r", "refuse", "refuse it"),
        Binding("down", "scroll(1)", "down"),
        Binding("up", "scroll(-1)", "up"),
    ]

    def __init__(self, room: Room, approval: Approval) -> None:
        super().__init__()
        self._room, self._approval = room, approval
        self._word = str(approval.asked.data.get("word", "")) or _YES
        self._attention = Attention()
        self._wrong = ""
        who = approval.asked.author.login
        notes: Callable[[], tuple[str, ...]] = lambda: (f"{who} asks you to confirm this",)  # noqa: E731
        self._body = CardBody(card_of(approval.asked), notes, self._foot)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._body
            yield Word(self._word, self._attention)

    def on_mount(self) -> None:
        self._attention.shown()
        self.call_after_refresh(self._attention.shown)
        self.on_resize()
        self.set_interval(0.5, self._body.changed)
        self.set_interval(TICK_S, self._attention.tick)

    def on_resize(self) -> None:
        width = min(104, self.app.size.width * 92 // 100) - 4
        needed = len(self._body.text(width)) + len(self._foot(width)) + 3
        self._body.styles.height = min(needed, self.app.size.height - 3)
        self._body.changed()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()

    def action_scroll(self, by: int) -> None:
        self._body.scroll_text(by)

    def _foot(self, width: int) -> list[Line]:
        left = hms(max(0.0, self._approval.left(self._room.clock.now())))
        keys: list[Span] = [
            ("esc", "key"), (" not now   ", ""), ("ctrl+r", "key"), (" refuse   type ", ""),
            (self._word, "bold down"), (" and ", ""), ("enter", "key"), (" to confirm", ""),
        ]  # fmt: skip
        return [keys, [(self._wrong or f"{left} left", "down" if self._wrong else "dim")]]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        typed = event.value.strip()
        self._wrong = self._attention.doubt(self._word, card.DEAF_S)
        if not self._wrong and self._body.unread:
            self._wrong = "there is more to read above: scroll to the end, then press again"
        if not self._wrong and typed != self._word:
            self._wrong = f'"{typed}" is not "{self._word}"'
        if self._wrong:
            self._body.changed()
        else:
            self._answer(State.GIVEN)

    def action_refuse(self) -> None:
        self._answer(State.REFUSED)

    @work(exclusive=True, group="answer")
    async def _answer(self, state: State) -> None:
        try:
            await self._room.executor.approvals.answer(self._approval.seq, state)
        except NotApproved as error:
            self._wrong = str(error)
        except JournalError as error:
            self._wrong = f"NOT SAVED: {error}"
        else:
            self.dismiss("confirmed" if state is State.GIVEN else "refused")
            return
        self._body.changed()

"""The composer: a draft from live facts, edited, previewed, and sent once.

What is typed is kept in a file while it is typed, so that neither Escape nor a lost connection
loses it.
"""

from __future__ import annotations

import asyncio
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import TextArea

from warroom.channels.base import Delivery, Progress, Stage
from warroom.domain.events import event_id
from warroom.engine.drafts import DraftNotKept, Drafts
from warroom.tui.geometry import readable
from warroom.tui.screens.composing import STYLES, Foot, Head, Phase
from warroom.tui.screens.dialog import Dialog
from warroom.tui.screens.preview import Preview
from warroom.tui.widgets.writing import Writing

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.worker import Worker

    from warroom.engine.room import Room
    from warroom.engine.telling import Outcome, Target

DEAF_S: Final = 0.4
"""Keys that were typed before the question could be read do not answer it."""
KEEP_S: Final = 0.5
"""Seconds of rest after which what was typed is kept."""
SIDE_BY_SIDE: Final = 110
"""Columns from which on the preview stands beside the text."""


class Left(Enum):
    """Why the composer was left."""

    DONE = auto()
    FOR_ANOTHER = auto()


class ComposerScreen(Dialog[Left]):
    """One press of Enter under the question sends once, however often it is pressed."""

    DEFAULT_CSS = """
    ComposerScreen { background: $background; }
    ComposerScreen Head { height: 2; background: $background; }
    ComposerScreen #body { height: 1fr; layout: horizontal; }
    ComposerScreen.stacked #body { layout: vertical; }
    ComposerScreen Writing { width: 1fr; height: 1fr; }
    ComposerScreen Preview { width: 1fr; height: 1fr; }
    ComposerScreen Foot { height: 3; background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t,ctrl+enter", "ask", "send", priority=True),
        Binding("ctrl+y", "copy", "copy", priority=True),
        Binding("ctrl+n", "stage", "next stage", priority=True),
        Binding("ctrl+o", "other", "another audience or channel", priority=True),
        Binding("ctrl+r", "anew", "a fresh draft", priority=True),
        Binding("escape", "back", "back", priority=True),
        Binding("enter", "answer", "yes"),
        Binding("y", "posted(True)", "posted"),
        Binding("n", "posted(False)", "not posted"),
        Binding("up", "scroll(-1)", "up"),
        Binding("down", "scroll(1)", "down"),
        Binding("pageup", "scroll(-5)", "page up"),
        Binding("pagedown", "scroll(5)", "page down"),
    ]

    def __init__(self, room: Room, target: Target, drafts: Drafts | None = None) -> None:
        super().__init__()
        self.room, self.target = room, target
        self.stage = room.teller.stage(target.audience)
        self.phase, self.said, self.where = Phase.WRITING, "", ""
        self.progress: Progress | None = None
        self.outcome: Outcome | None = None
        self._drafts = drafts or Drafts()
        self._fresh = ""
        self._asked_at = 0.0
        self._keeping: Timer | None = None
        self._sending: Worker[None] | None = None
        self._box = Writing("", id="text")
        self._preview, self._head, self._foot = Preview(), Head(self), Foot(self)

    @property
    def _key(self) -> str:
        return f"update/{self.room.session.events[0].id}/{self.target.audience}"

    def compose(self) -> ComposeResult:
        yield self._head
        with Container(id="body"):
            yield self._box
            yield self._preview
        yield self._foot

    def on_mount(self) -> None:
        self._begin(self._drafts.get(self._key))
        self._box.focus()
        self.set_interval(1.0, self._head.changed)

    def on_resize(self) -> None:
        self.set_class(self.app.size.width < SIDE_BY_SIDE, "stacked")

    def _begin(self, kept: str) -> None:
        """Take up what was kept, else what the facts say now."""
        made = self.room.teller.draft(self.target.audience, self.stage)
        self._fresh, self.said = made.text, made.said
        if kept and kept != self._fresh:
            self.said = "your draft from before; ctrl+r makes a fresh one from what is known now"
        self._box.load_text(kept or self._fresh)
        self._box.move_cursor((0, 0))
        self._show()

    def _show(self) -> None:
        text = self._box.text
        teller = self.room.teller
        pairs = teller.preview(self.target, self.stage, text)
        self._preview.show(text, pairs, teller.hints(self.target, text))
        self._head.changed()
        self._foot.changed()

    # What is typed is kept -------------------------------------------------------------------

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._show()
        if self._keeping is not None:
            self._keeping.stop()
        self._keeping = self.set_timer(KEEP_S, self._keep)

    def _keep(self) -> None:
        text = self._box.text
        try:
            if text == self._fresh or not text.strip():
                self._drafts.forget(self._key)
            else:
                self._drafts.put(self._key, text)
        except DraftNotKept as error:
            self.said = str(error)
            self._head.changed()

    def _forget(self) -> None:
        if self._keeping is not None:
            self._keeping.stop()
        try:
            self._drafts.forget(self._key)
        except DraftNotKept as error:
            self.app.room_screen.say(str(error), "degraded")  # type: ignore[attr-defined]

    # Keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Bare keys are letters while somebody writes."""
        if action in ("answer", "scroll"):
            return self.phase is not Phase.WRITING
        if action == "posted":
            return self.phase is Phase.POSTED
        if action in ("ask", "copy", "stage", "other", "anew"):
            return self.phase is Phase.WRITING and readable(*self.app.size)
        return True

    def action_stage(self) -> None:
        stages = list(Stage)
        untouched = self._box.text == self._fresh
        self.stage = stages[(stages.index(self.stage) + 1) % len(stages)]
        if untouched:
            self._begin("")
        else:
            self.said = "your text is as it was; ctrl+r drafts it anew for this stage"
            self._show()

    def action_anew(self) -> None:
        self._begin("")

    def action_other(self) -> None:
        self._keep()
        self.dismiss(Left.FOR_ANOTHER)

    def action_scroll(self, by: int) -> None:
        self._preview.scroll_text(by)

    def action_copy(self) -> None:
        from warroom.tui.clipboard import copy

        self.where = copy(self.app, self._box.text)
        self._enter(Phase.POSTED)

    async def action_ask(self) -> None:
        """Show to whom and how it goes; nothing leaves before that was confirmed."""
        from warroom.channels.base import ChannelFault

        if not self.target.channel:
            self.said = (
                f"no channel tells {self.target.audience}: ctrl+y copies it, to post by hand"
            )
            self._head.changed()
            return
        reason = self.room.teller.refusal(self.target)
        if not reason:
            try:
                self.where = await self.room.teller.where(self.target)
            except ChannelFault as fault:
                reason = f"{self.target.channel}: {fault}"
        if reason:
            self.said = reason
            self._head.changed()
        else:
            self._enter(Phase.ASKING)

    def action_answer(self) -> None:
        """Enter: confirms the question once, or closes what is over."""
        early = time.monotonic() - self._asked_at < DEAF_S
        if early or not readable(*self.app.size):
            return
        if self.phase is Phase.ASKING:
            press = event_id(self.room.clock.now())
            self._enter(Phase.SENDING)
            self._sending = self.app.run_worker(self._send(press), name="telling")
        elif self.phase is Phase.OVER:
            self.dismiss(Left.DONE)

    def action_posted(self, posted: bool) -> None:
        if posted:
            self._enter(Phase.SENDING)
            self.app.run_worker(self._record_copy(), name="copied")
        else:
            self._write_on()

    def action_back(self) -> None:
        """Escape: one step back; what is on its way goes on without this screen."""
        if self.phase is Phase.WRITING:
            self._keep()
            self.dismiss(Left.DONE)
        elif self.phase is Phase.SENDING:
            if self._sending is not None and self.progress and not self.progress.leaving:
                self._sending.cancel()
                self._write_on("cancelled: nothing was sent")
            else:
                self.dismiss(Left.DONE)
        elif self.outcome is not None and self.outcome.state.value == Delivery.SENT:
            self.dismiss(Left.DONE)
        else:
            self._write_on()

    def _enter(self, phase: Phase) -> None:
        self.phase, self._asked_at = phase, time.monotonic()
        self._box.disabled = True
        self.set_focus(None)
        self._show()

    def _write_on(self, said: str = "") -> None:
        self.phase, self.outcome, self.progress, self.said = Phase.WRITING, None, None, said
        self._box.disabled = False
        self._box.focus()
        self._show()

    # Sending ---------------------------------------------------------------------------------

    async def _send(self, press: str) -> None:
        text = self._box.text
        outcome = await self.room.teller.send(self.target, self.stage, text, press, self._seen)
        words = f"{self.target.audience}: {outcome.state.value}: {outcome.text}"
        if outcome.state.value == Delivery.SENT:
            self._forget()
        if self.is_attached and self.app.screen is self:
            self.outcome = outcome
            self._enter(Phase.OVER)
        else:  # it was left while it was on its way
            style = STYLES[outcome.state.value]
            self.app.room_screen.say(words, style)  # type: ignore[attr-defined]

    def _seen(self, progress: Progress) -> None:
        self.progress = progress
        self._foot.changed()

    async def _record_copy(self) -> None:
        from warroom.journal.base import JournalError

        say = self.app.room_screen.say  # type: ignore[attr-defined]
        try:
            await asyncio.shield(self.room.teller.copied(self.target, self.stage, self._box.text))
        except JournalError as error:
            say(f"NOT SAVED that it was posted: {error}", "down")
        else:
            self._forget()
            say(f"{self.target.audience}: told by hand", "ok")
        self.dismiss(Left.DONE)

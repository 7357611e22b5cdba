"""The card of an armed action: everything it will do, before it does it, and what came of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from warroom.domain.clock import hms
from warroom.tui.attention import HELD, HOLD_S, PIECE, TICK_S, Attention
from warroom.tui.geometry import readable
from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.card import STATE_STYLE, VERDICT_STYLE, CardBody
from warroom.tui.widgets.lines import Line, Span, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.timer import Timer

    from warroom.engine.room import Room
    from warroom.engine.running import Armed, Outcome, Running

DEAF_S: Final = 0.4
"""Keys that were typed before the card could be read do not confirm it."""
_AGAIN: Final = "press x again to stop it: what it did so far stays done"


class Word(Input):
    """Where the target's name is typed; a paste is none."""

    def __init__(self, word: str, attention: Attention) -> None:
        super().__init__(placeholder=f"type {word} to confirm", id="word")
        self._attention = attention

    def on_key(self, event: events.Key) -> None:
        self._attention.key(event.time)

    def _on_paste(self, event: events.Paste) -> None:
        self._attention.pasted = True
        event.stop()
        event.prevent_default()

    def on_input_changed(self) -> None:
        if not self.value:
            self._attention.pasted = False


class CardScreen(Dialog[bool]):
    """Gives True when the action was run, whatever came of it. Left while it runs, it goes on."""

    DEFAULT_CSS = """
    CardScreen { align: center middle; background: $background 60%; }
    CardScreen > Vertical { width: 92%; max-width: 104; height: auto; background: $surface; }
    CardScreen CardBody { width: 100%; background: $surface; }
    CardScreen Input { border: tall $down; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("enter", "confirm", "run"),
        Binding("x", "stop", "stop what runs"),
        Binding("u", "undo", "take it back"),
        Binding("v", "verify", "look whether it happened"),
        Binding("down", "scroll(1)", "down"),
        Binding("up", "scroll(-1)", "up"),
        Binding("pagedown", "scroll(5)", "further"),
        Binding("pageup", "scroll(-5)", "back"),
    ]

    def __init__(self, room: Room, armed: Armed, run: Running | None = None) -> None:
        super().__init__()
        self._room, self._armed, self.run = room, armed, run
        self._attention = Attention()
        self._pressed, self._held = ("", 0.0), False
        """The key before and when, and whether this one is the same that was not let go."""
        self._body = CardBody(armed.card, self._notes, self._foot)
        self._body.output = armed.output
        self._wrong = self._verified = ""
        self._stopping = False
        self._confirming: Timer | None = None
        self.wants_undo = False

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._body
            if self._armed.word and self.run is None:
                yield Word(self._armed.word, self._attention)

    def on_mount(self) -> None:
        self._attention.shown()
        self.call_after_refresh(self._attention.shown)
        self._fit()
        self.set_interval(0.25, self._draw)
        self.set_interval(TICK_S, self._attention.tick)
        if self.run is not None:
            self._follow(self.run)

    # What it says -----------------------------------------------------------------------------

    @property
    def outcome(self) -> Outcome | None:
        return self.run.outcome if self.run is not None else None

    def _notes(self) -> Sequence[str]:
        if self.run is not None:
            return ()
        return (*self._armed.notes, *self._room.others_at(self._armed))

    def _foot(self, width: int) -> list[Line]:
        """What can be done now, or what came of it; always in view."""
        if self.outcome is not None:
            return self._came(self.outcome, width)
        if self.run is not None:
            return self._goes_on(self.run, width)
        cancel: list[Span] = [("esc", "key"), (" cancel", "")]
        word = self._armed.word
        if word:
            cancel += [("   or type ", ""), (word, "bold down"), (" and ", "")]
            cancel += [("enter", "key"), (" to run", "")]
        else:
            cancel += [("   ", ""), ("enter", "key"), (" run", "")]
        if self._armed.approvals > 1:
            others = self._armed.approvals - 1
            cancel.append((f"   then {others} more must confirm", "degraded"))
        return [cancel, [(self._wrong, "down")]]

    def _goes_on(self, run: Running, width: int) -> list[Line]:
        if run.asked is not None and run.request is None:
            approval = self._room.executor.approvals.find(run.asked.seq)
            left = approval.left(self._room.clock.now()) if approval else 0.0
            here = f"waiting for another person to confirm, {hms(max(0.0, left))} left"
            return [[(here, "accent bold")], [("esc", "key"), (" withdraw", "")]]
        seconds = self._room.clock.monotonic() - run.began
        limit = run.armed.action.spec.timeout
        keys: Line = [
            ("x", "key"),
            (" stop it   ", ""),
            ("esc", "key"),
            (" let it go on alone", ""),
        ]
        if self._wrong:
            keys = [(self._wrong, "down")]
        if run.cancelled:
            keys = [(f"being stopped by {run.cancelled}", "degraded")]
        said: Line = [
            (f"{run.phase}… ", "accent bold"),
            (f"{seconds:.0f} s of {limit:.0f} s", "dim"),
        ]
        return [said, keys]

    def _came(self, outcome: Outcome, width: int) -> list[Line]:
        style = STATE_STYLE[outcome.state.value]
        lines: list[Line] = [[(f"{outcome.state.value}: ", f"{style} bold")]]
        lines += [[(part, "")] for part in wrapped(outcome.text, width)]
        if not outcome.saved:
            lines.append([("NOT SAVED: the outcome is kept and will be written", "alarm")])
        lines += self._effect(width)
        if self._verified:
            lines += [[(part, "accent")] for part in wrapped(self._verified, width)]
        keys: list[Span] = [("enter", "key"), (" close", "")]
        if outcome.undo is not None:
            keys += [("   u", "key"), (f" {outcome.undo.title}", "")]
        if outcome.state.value == "UNKNOWN":
            keys += [("   v", "key"), (" verify: look whether it happened", "")]
        return [*lines, [], keys]

    def _effect(self, width: int) -> list[Line]:
        run = self.run
        if run is not None and run.effect is not None:
            effect = run.effect
            words = f"{effect.verdict}: {effect.text}"
            style = VERDICT_STYLE[effect.verdict.value]
            return [[(part, style)] for part in wrapped(words, width)]
        if run is not None and run.effect_due is not None:
            left = max(0.0, run.effect_due - self._room.clock.monotonic())
            return [[(f"whether it helped is looked at in {left:.0f} s", "dim")]]
        return []

    def _draw(self) -> None:
        if self.outcome is not None or self.run is not None:
            self._fit()
        self._body.changed()

    def _fit(self) -> None:
        width = min(104, self.app.size.width * 92 // 100) - 4
        room = self.app.size.height - (3 if self.query(Input) else 0)
        needed = len(self._body.text(width)) + len(self._foot(width)) + 3
        height = min(needed, room)
        now = self._body.styles.height
        if now is None or now.value != height:
            self._body.styles.height = height
        self._body.changed()

    def on_resize(self) -> None:
        self._fit()

    def action_scroll(self, by: int) -> None:
        self._body.scroll_text(by)

    # Confirming -------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        if not isinstance(self.focused, Word):
            self._attention.key(event.time)
        key, at = self._pressed
        self._held = key == event.key and event.time - at < HOLD_S
        self._pressed = (event.key, event.time)
        if self._confirming is not None:
            self._confirming.stop()
            self._confirming = None
            self._refused(HELD)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._refused(PIECE)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._confirmed(event.value.strip())

    def action_confirm(self) -> None:
        if self.outcome is not None:
            self.dismiss(True)
        elif not self._armed.word:
            self._confirmed("")

    def _confirmed(self, typed: str) -> None:
        if self.outcome is not None:
            self.dismiss(True)
            return
        if self.run is not None or self._confirming is not None:
            return
        wrong = self._doubt(typed)
        if wrong:
            self._refused(wrong)
        elif DEAF_S and self._held:
            self._refused(HELD)  # and letting it go is no press
        elif DEAF_S:
            self._wrong = ""
            self._confirming = self.set_timer(HOLD_S, lambda: self._meant(typed))
        else:
            self._meant(typed)

    def _doubt(self, typed: str) -> str:
        """Why what was typed does not confirm; empty when it does."""
        word = self._armed.word
        if not readable(*self.app.size):
            return "the screen is too small to read this: make it larger"
        doubt = self._attention.doubt(word, DEAF_S)
        if doubt:
            return doubt
        if self._body.unread:
            return "there is more to read below: scroll to the end, then press again"
        return "" if typed == word else f'"{typed}" is not "{word}"'

    def _refused(self, why: str) -> None:
        if self.run is None:
            self._wrong = why
            self._body.changed()

    def _meant(self, typed: str) -> None:
        self._confirming = None
        self._wrong = ""
        self.run = self._room.launch(self._armed, typed)
        for box in self.query(Input):
            box.disabled = True
        self._follow(self.run)
        self._body.changed()

    @work
    async def _follow(self, run: Running) -> None:
        assert run.task is not None
        await asyncio.wait({run.task})  # it goes on although this screen is left
        for box in self.query(Input):
            await box.remove()
        self._wrong = ""
        self._fit()

    # While it runs, and afterwards ------------------------------------------------------------

    def action_cancel(self) -> None:
        if self.outcome is not None:
            self.dismiss(True)
        elif self.run is None:
            self.app.run_worker(self._room.executor.disarm(self._armed))  # outlives this screen
            self.dismiss(False)
        elif self.run.asked is not None and self.run.request is None:
            self.run.cancel(self._room.session.author.login)
        else:
            self.dismiss(True)

    def action_stop(self) -> None:
        if self.run is None or self.outcome is not None:
            return
        if not self._stopping:
            self._stopping, self._wrong = True, _AGAIN
        else:
            self._wrong = ""
            self.run.cancel(self._room.session.author.login)
        self._body.changed()

    def action_undo(self) -> None:
        outcome = self.outcome
        if outcome is not None and outcome.undo is not None:
            self.wants_undo = True
            self.dismiss(True)

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        from warroom.journal.base import JournalError
        from warroom.mitigations.base import MitigationRefused

        outcome = self.outcome
        request = self._room.executor.book.requests.get(outcome.request) if outcome else None
        if request is None or request.state != "UNKNOWN":
            return
        self._verified = "looking…"
        try:
            self._verified = f"verified: {await self._room.ledger.verify(request)}"
        except MitigationRefused as error:
            self._verified = str(error)
        except JournalError as error:
            self._verified = f"NOT SAVED what was seen: {error}"
        self._fit()

"""What may be the cause: open, ruled out, confirmed, and why. `H` opens it."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType

from warroom.domain.incident import Belief, Hypothesis
from warroom.engine import followup
from warroom.tui.screens.drafted import ask_drafted
from warroom.tui.screens.listing import Listing, Row

MARKS: Final = {Belief.OPEN: "?", Belief.RULED_OUT: "x", Belief.CONFIRMED: "!"}
"""What stands before a hypothesis, beside its word."""
_STYLES: Final = {Belief.OPEN: "bold", Belief.RULED_OUT: "dim", Belief.CONFIRMED: "accent"}


class HypothesesScreen(Listing):
    """Adds one, or says what became of one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a,n", "add", "add"),
        Binding("r", "judge('ruled out')", "ruled out"),
        Binding("c", "judge('confirmed')", "confirmed"),
        Binding("o", "judge('open')", "open again"),
        Binding("H", "dismiss(None)", "back"),
    ]
    hint = "a add   r ruled out   c confirmed   o open again   esc back"

    def heading(self) -> tuple[str, str]:
        known = self._known()
        return "hypotheses", f"{sum(h.state is Belief.OPEN for h in known)} open of {len(known)}"

    def rows(self) -> list[Row]:
        rows = [
            Row(
                one.id,
                [(f"{MARKS[one.state]} {one.state.value:<10} ", _STYLES[one.state]),
                 (one.text.replace("\n", " ⏎ "), "dim" if one.state is Belief.RULED_OUT else "")],
                [(f"  {one.reason}" if one.reason else "", "dim")],
            )
            for one in self._known()
        ]  # fmt: skip
        return rows or [Row("", [("none yet: a adds one", "dim")])]

    def _known(self) -> tuple[Hypothesis, ...]:
        incident = self.room.session.incident
        return incident.hypotheses if incident else ()

    @work(exclusive=True, group="dialog")
    async def action_add(self) -> None:
        text = await ask_drafted(
            self, self.room, "hypothesis", "hypothesis", placeholder="what may be the cause"
        )
        if text and text.strip():
            await self.saved(followup.suppose(self.room.session, text), "added")

    def action_take(self) -> None:
        self.action_judge(Belief.RULED_OUT.value)

    @work(exclusive=True, group="dialog")
    async def action_judge(self, state: str) -> None:
        chosen = next((one for one in self._known() if one.id == self.at), None)
        if chosen is None:
            return
        belief = Belief(state)
        word = "open again" if belief is Belief.OPEN else state
        what, hint = f"hypothesis/{chosen.id}/{state}", "why; may be empty"
        label = f"{word}, because"
        reason = await ask_drafted(self, self.room, what, label, placeholder=hint)
        if reason is not None:
            await self.saved(followup.judge(self.room.session, chosen, belief, reason), word)

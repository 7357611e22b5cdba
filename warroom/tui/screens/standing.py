"""What goes on after a card was left: what runs, what expires, what must be taken back, and who
asks for a second person."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from textual import events, work

from warroom.domain.text import harmless
from warroom.tui.messages import IncidentChanged
from warroom.tui.screens.acts import Acts
from warroom.tui.screens.dialogs import Option, choose
from warroom.tui.screens.drafted import ask_drafted

if TYPE_CHECKING:
    from warroom.domain.ledger import Change
    from warroom.engine.running import Running

EVERY_S: Final = 1.0
QUIET_S: Final = 2.0
"""A card is put before somebody only when they have not typed for so long."""


class Standing(Acts):
    """A part of the room's screen: `M`, `Z`, and the cards of what has expired."""

    def on_mount(self) -> None:
        self._followed: list[Running] = []
        self._offered: set[str] = set()
        self._asked: set[int] = set()
        self._typed_at = 0.0
        self.set_interval(EVERY_S, self._look_after)

    def on_key(self, event: events.Key) -> None:
        self._typed_at = time.monotonic()

    def follow(self, run: Running) -> None:
        self._followed.append(run)

    def _look_after(self) -> None:
        if self.room is None:
            return
        for run in list(self._followed):
            self._say_of(run)
        waiting = self.room.executor.approvals.waiting()
        fresh = [one for one in waiting if one.seq not in self._asked]
        self._asked |= {one.seq for one in fresh}
        for one in fresh:
            if not self.room.executor.approvals.why_not(one):
                self.app.bell()
                self.say(f"{one.asked.text}: M shows it", "degraded")
        self._offer_expired()

    def _say_of(self, run: Running) -> None:
        """How it ended, if its card was left; then whether it helped."""
        if run.outcome is None:
            return
        title, state = run.armed.card.title, run.outcome.state.value
        if run.effect is not None:
            style = {"worked": "ok", "worse": "down"}.get(run.effect.verdict.value, "degraded")
            self.say(f"{title}: {run.effect.verdict}: {run.effect.text}", style)
            self._followed.remove(run)
        elif run.effect_due is None:
            self._followed.remove(run)
        if run.told:
            return
        run.told = True
        style = "ok" if state == "done" else "down"
        self.say(f"{title}: {state}: {run.outcome.text}", style)

    # What has expired -----------------------------------------------------------------------

    def _offer_expired(self) -> None:
        """Once for each, and never while somebody types or has something else open."""
        assert self.room is not None
        busy = any(w.group == "dialog" and not w.is_finished for w in self.app.workers)
        quiet = time.monotonic() - self._typed_at > QUIET_S and self.app.screen is self
        if busy or not quiet or self.room.executor.refusal():
            return
        for change in self.room.ledger.expired():
            if change.id not in self._offered and not change.auto:
                self._offered.add(change.id)
                self.app.bell()
                self.take_back(change)
                return

    @work(exclusive=True, group="dialog")
    async def take_back(self, change: Change) -> None:
        """Show the card of what takes it back; nothing runs before it is confirmed there."""
        from warroom.mitigations.base import MitigationRefused

        if self.room is None:
            return
        self.say(f"{change.label}: looking at what takes it back…")
        try:
            armed = await self.room.ledger.arm(change)
        except MitigationRefused as error:
            ended = "EXPIRED: " if change.left(self.room.clock.now()) <= 0 else ""
            self.say(f"{ended}{change.label}: {error}", "degraded")
            return
        self.say("")
        await self.show_card(armed)

    # What stands ----------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_ledger(self) -> None:
        from warroom.tui.screens.ledger import LedgerScreen

        if self.incident_or_say() and self.room is not None:
            await self.app.push_screen(LedgerScreen(self.room, self.take_up))

    @work(exclusive=True, group="dialog")
    async def take_up(self, name: str) -> None:
        """Go on with what was chosen in the list, by the id of its row."""
        from warroom.tui.screens.approve import ApproveScreen
        from warroom.tui.screens.card import CardScreen
        from warroom.tui.screens.ledger import ASKED, CHANGE, DOUBT, RUNS

        if self.room is None:
            return
        kind, _, rest = name.partition(":")
        if f"{kind}:" == CHANGE:
            change = next((c for c in self.room.ledger.changes() if c.id == rest), None)
            if change is not None:
                self.take_back(change)
        elif f"{kind}:" == ASKED:
            await self._answer(int(rest), ApproveScreen)
        elif f"{kind}:" == RUNS and rest in self.room.executor.running:
            run = self.room.executor.running[rest]
            await self.app.push_screen_wait(CardScreen(self.room, run.armed, run))
        elif f"{kind}:" == DOUBT:
            self.say("v in the list looks whether it happened", "degraded")
        self.post_message(IncidentChanged())

    async def _answer(self, seq: int, screen: type) -> None:
        assert self.room is not None
        approvals = self.room.executor.approvals
        approval = approvals.find(seq)
        why_not = approvals.why_not(approval) if approval else "it is not there any more"
        observe = self.room.executor.observe
        if approval is None or why_not or observe:
            self.say(observe or why_not, "degraded")
            return
        said = await self.app.push_screen_wait(screen(self.room, approval))
        if said:
            self.say(f"{approval.asked.data.get('title', '')}: {said}", "ok")

    # Security -------------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_security(self) -> None:
        """Lock what destroys, or unlock it with a reason."""
        if not self.incident_or_say() or self.room is None or self.room.session.incident is None:
            return
        if self.room.session.incident.locked:
            hint = "why must it be, all the same?"
            reason = await ask_drafted(self, self.room, "unlock", "unlock", placeholder=hint)
            if reason:
                self.lock_said("unlock", reason)
            return
        options = [
            Option("no", "leave it as it is", key="n"),
            Option("yes", "a security incident: lock what destroys evidence", key="y"),
        ]
        if await choose(self, "security incident?", options, at="no") == "yes":
            self.lock_said("security", "")

    def lock_said(self, word: str, text: str) -> None:
        """`:security WHY`, `:unlock REASON`."""
        from warroom.engine import security

        if not self.incident_or_say() or self.room is None:
            return
        refusal = self.room.executor.observe
        if refusal:
            self.say(refusal, "degraded")
            return
        session = self.room.session
        if word == "unlock" and not text.strip():
            self.say("unlocking what destroys wants a reason: `:unlock REASON`", "degraded")
        elif word == "unlock":
            self.run_worker(self.saved(security.unlock(session, text), "unlocked"))
        else:
            why = f": {harmless(text)}" if text else ""
            said = f"what destroys is locked{why}"
            self.run_worker(self.saved(security.lock(session, text), said))

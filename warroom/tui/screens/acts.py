"""What the room's keys do to the systems, through the executor."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events, work

from warroom.tui.geometry import readable
from warroom.tui.messages import IncidentChanged
from warroom.tui.screens.beneath import Beneath
from warroom.tui.screens.dialogs import Option, choose

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from warroom.domain.evidence import Evidence
    from warroom.domain.ledger import Change
    from warroom.domain.sample import Row
    from warroom.engine.room import Room
    from warroom.engine.running import Action, Armed, Running
    from warroom.tui.panes.base import Pane, TablePane


class Acts(Beneath[None]):
    """A part of the room's screen: actions, and what every other part needs."""

    room: Room | None

    @property
    def pane(self) -> Pane | None:
        """The pane that keys go to."""
        raise NotImplementedError

    @property
    def table(self) -> TablePane | None:
        """The active pane, when it has rows."""
        raise NotImplementedError

    def say(self, text: str, style: str = "") -> None:
        raise NotImplementedError

    async def saved(self, doing: Awaitable[object], done: str) -> None:
        """Await something that writes to the journal, and say what came of it.

        Another dialog ends the worker that awaits this one's; what was typed is written all the
        same.
        """
        from warroom.journal.base import JournalError

        try:
            await asyncio.shield(doing)
        except (JournalError, KeyError) as error:
            text = str(error.args[0]) if error.args else str(error)
            self.say(f"NOT SAVED: {text}" if isinstance(error, JournalError) else text, "down")
        else:
            self.say(done, "ok")
        self.post_message(IncidentChanged())

    def incident_or_say(self) -> bool:
        """Whether an incident is open; says how to open one when none is."""
        if self.room is None:
            self.say("the room is still opening")
            return False
        if self.room.session.incident is None:
            self.say("no incident is open: press i to open one", "degraded")
            return False
        return True

    # Actions on systems ---------------------------------------------------------------------

    def actions_here(self) -> list[Action]:
        """What can be armed now: the active pane's own for its selected row, then the config's,
        those for that kind of system first.

        A key that the pane has itself does not reach the config's action there.
        """
        if self.room is None:
            return []
        table = self.table
        source = table.selected.source if table and table.selected else None
        if table is not None and source is None and len(table.sources) == 1:
            source = table.sources[0]
        own = [a for a in self.room.actions if a.id.startswith("pane:") and a.source == source]
        taken = {action.key for action in own}
        kind = self.room.monitor.kind(source) if source else ""
        configured = [a for a in self.room.actions if a.id.startswith("config:")]
        configured.sort(key=lambda action: action.spec.acts_on != kind)
        return own + [replace(a, key="") if a.key in taken else a for a in configured]

    @work(exclusive=True, group="dialog")
    async def action_mitigations(self) -> None:
        if self.room is None:
            return
        actions = self.actions_here()
        if not actions:
            self.say("nothing to act on here: add [[mitigation]] to the config", "degraded")
            return
        options = [
            Option(
                a.id,
                a.title,
                self._target_name(a),
                key=a.key,
                why_not=self.room.executor.refusal(a),
            )
            for a in actions
        ]
        chosen = await choose(
            self, "act on", options, hint="enter shows the card first   esc cancel"
        )
        if chosen:
            self.arm(next(a for a in actions if a.id == chosen))

    def _target_name(self, action: Action) -> str:
        row = self.row_for(action)
        return f"selected: {row.name}" if row is not None else action.target or action.source

    def row_for(self, action: Action) -> Row | None:
        """The selected row, when the action takes one of that kind of system."""
        selected = self.table.selected if self.table else None
        if self.room is None or selected is None or not action.takes_row:
            return None
        fits = self.room.monitor.kind(selected.source) == action.spec.acts_on
        return selected.row if fits else None

    def meant(self, action: Action) -> tuple[Action, Mapping[str, str]] | None:
        """What an action is here, with what it need not ask for; None where it was said why not."""
        return action, {}

    def on_key(self, event: events.Key) -> None:
        """An action's own key arms it: the active pane's before the config's."""
        if self.room is None or event.character is None or not readable(*self.app.size):
            return
        for action in self.actions_here():
            if action.key == event.character:
                event.stop()
                event.prevent_default()
                self.arm(action)
                return

    @work(exclusive=True, group="dialog")
    async def arm(self, action: Action) -> None:
        """Show the card of an action; nothing runs before it is confirmed there."""
        from warroom.mitigations.base import MitigationRefused
        from warroom.tui.screens.inputs import ask_inputs

        meant = self.meant(action)
        if self.room is None or meant is None:
            return
        action, known = meant
        run = self.room.executor.running.get(action.id)
        if run is not None:
            await self.show_card(run.armed, run)
            return
        refusal = self.room.executor.refusal(action)
        if refusal:
            self.say(refusal, "degraded")
            return
        row = self.row_for(action)
        inputs = await ask_inputs(self, action, known)
        if inputs is None:
            return
        self.say(f"{action.title}: looking at the target…")
        try:
            armed = await self.room.executor.arm(action, row, inputs)
        except MitigationRefused as error:
            self.say(str(error), "degraded")
            return
        self.say("")
        await self.show_card(armed)

    async def show_card(self, armed: Armed, run: Running | None = None) -> None:
        """The card until it is left; then the card of its undo, if that was asked for."""
        from warroom.tui.screens.card import CardScreen

        assert self.room is not None
        screen = CardScreen(self.room, armed, run)
        await self.app.push_screen_wait(screen)
        self.post_message(IncidentChanged())
        if screen.run is None:
            return
        screen.run.told = screen.outcome is not None
        self.follow(screen.run)
        seq = screen.outcome.request if screen.outcome else 0
        request = self.room.executor.book.requests.get(seq)
        change = self.room.ledger.find(request) if screen.wants_undo and request else None
        if change is not None:
            self.take_back(change)

    def follow(self, run: Running) -> None:
        """Say how it ends, and whether it helped."""
        raise NotImplementedError

    def take_sheet(self, evidence: Evidence) -> object:
        """Keep what a sheet shows."""
        raise NotImplementedError

    def lock_said(self, word: str, text: str) -> None:
        """`:security WHY`, `:unlock REASON`."""
        raise NotImplementedError

    def rows_said(self, word: str, rest: str) -> bool:
        """`:find TEXT`, `:at 14:35`, `:group agent`…; whether `word` is one of these."""
        raise NotImplementedError

    def take_back(self, change: Change) -> object:
        """Show the card of what takes a change back."""
        raise NotImplementedError

"""What the keys of a playbook do: each step through its card, each mark into the record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from textual import work

from warroom.engine.playbook import Entry, State, What
from warroom.tui import outside
from warroom.tui.screens.dialogs import Option, choose, show_sheet
from warroom.tui.screens.marking import Marking
from warroom.tui.screens.step_card import StepCard

if TYPE_CHECKING:
    from warroom.engine.answers import Answer
    from warroom.engine.running import Action, Running
    from warroom.engine.shelf import Book


_MOST: Final = 400
"""Lines of an output that are shown here."""


class Stepping(Marking):
    """A part of the playbook's screen."""

    # Running -----------------------------------------------------------------------------------

    def action_take(self) -> None:
        entry = self.entry
        if entry is None or not self.may(entry):
            return
        if entry.what is What.ASKS:
            self.ask_answer(entry)
        elif entry.what is What.SAYS:
            self.action_done()
        elif entry.is_runnable:
            self._run(entry)
        else:
            why = entry.why_not or "what follows is typed there: run that"
            self.tell(f"{why}; c copies", "degraded")

    def action_own_terminal(self) -> None:
        entry = self.entry
        if entry is not None and entry.is_runnable and entry.part is not None:
            if self.may(entry):
                self._run(entry, own=True)
        else:
            self.tell("only a command of a step is run in a terminal", "degraded")

    @work(exclusive=True, group="dialog")
    async def _run(self, entry: Entry, *, own: bool = False) -> None:
        from warroom.engine.playbook import takes_terminal
        from warroom.mitigations.base import MitigationRefused

        key = entry.key
        running = self.runs.get(key)
        if running is not None and running.outcome is None:
            self.tell("it is running already: x stops it", "degraded")
            return
        if not await self.asked(entry):
            return
        own = own or takes_terminal(entry)
        try:
            probe = await self.server(entry)
            step = self.room.steps.settled(
                self.book, self.playbook, entry, on=self.host, limit_s=self.limits.get(key, 0.0),
                terminal=self._terminal if own else None, probe=probe,
            )  # fmt: skip
        except MitigationRefused as error:
            self.tell(str(error), "degraded")
            return
        await self._carded(key, self.room.steps.action(step))

    def action_all_reads(self) -> None:
        self._all_reads()

    @work(exclusive=True, group="dialog")
    async def _all_reads(self) -> None:
        from warroom.mitigations.base import MitigationRefused

        try:
            action = self.room.steps.reads(self.book, self.playbook, self.entries, on=self.host)
        except MitigationRefused as error:
            self.tell(str(error), "degraded")
            return
        await self._carded("reads", action)

    async def _carded(self, key: str, action: Action) -> None:
        """Through the one gate: what may not run says why, what may shows its card first."""
        from warroom.mitigations.base import MitigationRefused

        refusal = self.room.executor.refusal(action)
        if refusal:
            self.tell(refusal, "degraded")
            return
        try:
            armed = await self.room.executor.arm(action)
        except MitigationRefused as error:
            self.tell(str(error), "degraded")
            return
        card = StepCard(self.room, armed)
        await self.app.push_screen_wait(card)
        if card.run is not None:
            self.runs[key], self.last = card.run, key
            self.tell("")
            self._follow(key, card.run)

    @work
    async def _follow(self, key: str, run: Running) -> None:
        assert run.task is not None
        await asyncio.wait({run.task})
        outcome = run.outcome
        if outcome is None or self.runs.get(key) is not run:
            return
        style = {"done": "ok", "failed": "down"}.get(outcome.state.value, "degraded")
        saved = "" if outcome.saved else "NOT SAVED: "
        self.tell(f"{saved}{outcome.state.value}: {outcome.text}", style)

    async def _terminal(self, argv: Sequence[str], values: Mapping[str, str]) -> int:
        from warroom.mitigations.base import MitigationRefused

        if not outside.can_leave(self.app):
            raise MitigationRefused("this terminal cannot be left to a program: c copies it")
        try:
            return await outside.run(self.app, argv, values, wait=True)
        except OSError as error:
            raise MitigationRefused(f"{argv[0]}: {error.strerror}") from error

    def action_stop(self) -> None:
        run = self._under_way()
        if run is None:
            self.tell("nothing runs from here", "degraded")
        elif run.armed.card.risk.value != "read" and self.stopping is not run:
            self.stopping = run
            self.tell("x again stops it: what it did so far stays done", "degraded")
        else:
            run.cancel(self.room.session.author.login)
            self.tell("being stopped…", "degraded")

    def _under_way(self) -> Running | None:
        entry = self.entry
        keys = [entry.key if entry else "", self.last, *self.runs]
        found = (self.runs[key] for key in keys if key in self.runs)
        return next((run for run in found if run.outcome is None), None)

    # What it said ---------------------------------------------------------------------------------

    def output(self) -> tuple[str, Sequence[str]] | None:
        """A heading, and the lines: of what runs, else of the selected task's last run."""
        run = self._under_way() or self._finished()
        if run is not None:
            seconds = self.room.clock.monotonic() - run.began
            how = (
                run.outcome.state.value
                if run.outcome
                else f"{run.phase}, {seconds:.0f} s, x stops it"
            )
            return f"{run.armed.card.target.label}: {how}", list(run.output.lines)[-_MOST:] or [" "]
        return self._kept()

    def _finished(self) -> Running | None:
        entry = self.entry
        run = self.runs.get(entry.key if entry else "")
        known = self.standings.get(entry.key if entry else "")
        if run is None and known is None:
            return self.runs.get(self.last)
        newest = run is not None and run.outcome is not None and known is not None
        return run if newest and known.seq == run.outcome.request else None  # type: ignore[union-attr]

    def _kept(self) -> tuple[str, Sequence[str]] | None:
        """As the record has it: also of runs from other consoles."""
        entry = self.entry
        known = self.standings.get(entry.key) if entry and entry.key else None
        if known is None or known.state in (State.MARKED, State.SKIPPED, State.ANSWERED):
            return None
        state = known.seq, len(self.room.session.events), entry.line if entry else 0
        if self.kept is None or self.kept[0] != state:
            found = [e for e in self.room.timeline().exhibits if e.entry == known.seq]
            place = f"{self.book.name}:{entry.line}" if entry else ""
            lines = _section(found[-1].evidence.text, place)[-_MOST:] if found else []
            title = f"{found[-1].label} {found[-1].evidence.title}" if found else ""
            self.kept = state, (title, lines or [" "]) if found else None
        return self.kept[1]

    @work(exclusive=True, group="dialog")
    async def action_whole_output(self) -> None:
        said = self.output()
        if said is None:
            self.tell("it has said nothing", "degraded")
        else:
            await show_sheet(self, said[0], [[(line, "")] for line in said[1]])

    # Beside -----------------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_changed(self) -> None:
        from warroom.config.problems import ConfigError

        shelf = self.room.shelf
        shelf.look()
        change = shelf.changes.get(self.book.path)
        if change is None:
            self.tell("the file is what it was when it was read", "ok")
            return
        options = [Option("", line) for line in change.lines[:200]]
        keep = Option("confirm", "this is how it is meant: read it anew", key="y")
        title = f"{change.book.name} changed on disk"
        chosen = await choose(self, title, [keep, *options], hint="y confirm   esc leave it")
        if chosen != "confirm":
            return
        try:
            self.renew(shelf.confirm(change))
        except ConfigError as error:
            self.tell(str(error), "degraded")
        else:
            self.tell("read anew", "ok")

    def renew(self, book: Book) -> None:
        """Show the book as it is now."""
        raise NotImplementedError

    def action_copy(self) -> None:
        from warroom.tui.clipboard import copy

        entry = self.entry
        if entry is not None:
            self.tell(copy(self.app, entry.text), "ok")

    def answer(self) -> Answer | None:
        """The pane that shows what the selected step asks."""
        from warroom.engine.answers import of_part, of_query

        entry = self.entry
        if entry is None or not entry.is_runnable:
            return None
        if entry.key not in self.shown_by:
            part, settings = entry.part, self.room.settings
            found = of_part(part, settings) if part else of_query(entry.text, settings)
            self.shown_by[entry.key] = found
        return self.shown_by[entry.key]

    def action_pane(self) -> None:
        from warroom.tui.panes.base import TablePane
        from warroom.tui.widgets.table import pointed

        found = self.answer()
        pane = next((p for p in self.behind.panes if found and p.key == found.pane), None)
        if found is None or pane is None:
            self.tell("no pane shows that", "degraded")
            return
        if not self.behind.docked:
            self.action_leave()
        self.behind.action_pane(pane.number)
        if found.pane == "logs" and len(self.room.logs.names) > 1:
            pane.filter(f"source:{found.source}")  # esc shows the others again
        elif isinstance(pane, TablePane):
            pane.choice = (
                pointed(pane.choice, pane.items(), pane.columns, found.source, found.row)
                or pane.choice
            )
            pane.changed()

    @work(exclusive=True, group="dialog")
    async def action_keys(self) -> None:
        from textual.binding import Binding

        lines = []
        for one in type(self).BINDINGS:
            if isinstance(one, Binding) and one.show:
                keys = one.key.replace("question_mark", "?").replace(",", "  ")
                lines.append([(f"{keys:<18}", "key"), (one.description, "")])
        await show_sheet(self, "keys of a playbook", lines)


def _section(text: str, place: str) -> list[str]:
    """Of what several steps said, what this one did; else all of it."""
    lines = text.splitlines()
    begins = [i for i, line in enumerate(lines) if line.startswith("── ")]
    mine = next((i for i in begins if lines[i].startswith(f"── {place}: ")), None)
    if mine is None:
        return lines
    return lines[mine : next((i for i in begins if i > mine), len(lines))]

"""What a playbook's screen asks for and writes down: placeholders, answers, marks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from textual import work

from warroom.engine.playbook import Entry, Standing, State, What
from warroom.tui.screens.beneath import Beneath
from warroom.tui.screens.dialogs import Option, ask_line, choose
from warroom.tui.screens.drafted import ask_drafted

if TYPE_CHECKING:
    from warroom.engine.answers import Answer
    from warroom.engine.room import Room
    from warroom.engine.running import Running
    from warroom.engine.shelf import Book
    from warroom.engine.steps import Question
    from warroom.runbooks.model import Playbook
    from warroom.tui.screens.room import RoomScreen

_OTHER: Final = "\0other"


class Marking(Beneath[None]):
    """A part of the playbook's screen."""

    room: Room
    behind: RoomScreen
    book: Book
    playbook: Playbook
    entries: tuple[Entry, ...]
    runs: dict[str, Running]

    def __init__(self) -> None:
        super().__init__()
        self.runs = {}
        """The last run of each task from here, by its key; of all reads by `reads`."""
        self.last = ""
        self.stopping: Running | None = None
        """What is stopped when it is asked for once more."""
        self.limits: dict[str, float] = {}
        self.shown_by: dict[str, Answer | None] = {}
        """Which pane shows what a task asks, by its key."""
        self.kept: tuple[tuple[int, int, int], tuple[str, Sequence[str]] | None] | None = None
        """What the record has of a request, and after how many entries that was looked up."""
        self.host = ""
        """Where steps run that do not say where."""

    @property
    def entry(self) -> Entry | None:
        raise NotImplementedError

    def tell(self, text: str, style: str = "") -> None:
        raise NotImplementedError

    def action_leave(self) -> None:
        raise NotImplementedError

    @property
    def standings(self) -> Mapping[str, Standing]:
        return self.room.steps.standings()

    # What it wants to know -----------------------------------------------------------------------

    async def asked(self, entry: Entry) -> bool:
        """Fill in what is missing; False when that was left."""
        from warroom.mitigations.base import MitigationRefused

        for question in await self.room.steps.questions(self.book, entry, self.host):
            wrong = ""
            while True:
                value = await self._value(question, wrong)
                if value is None:
                    return False
                try:
                    self.room.steps.give(question.name, value)
                    break
                except MitigationRefused as error:
                    wrong = str(error)
        return True

    async def _value(self, question: Question, wrong: str) -> str | None:
        name = question.name
        if question.offers and not wrong:
            options = [Option(value, value) for value in question.offers]
            options.append(Option(_OTHER, "another value…", key="o"))
            chosen = await choose(self, f"{name} is", options)
            if chosen != _OTHER:
                return chosen
        hint = "it is not shown, and not written down" if question.is_secret else "asked for once"
        label = f"{name}: {wrong}" if wrong else name
        typed = await ask_line(self, label, placeholder=hint, hidden=question.is_secret)
        return None if typed is None else typed.strip()

    async def server(self, entry: Entry) -> str:
        """Which PostgreSQL a query asks, where there are several."""
        found = [p for p in self.room.settings.probes if p.kind == "postgres"]
        if not entry.is_query or len(found) < 2:
            return ""
        options = [Option(p.name, p.name, p.on) for p in found]
        return await choose(self, "which PostgreSQL?", options) or ""

    @work(exclusive=True, group="dialog")
    async def action_fill(self) -> None:
        from warroom.runbooks.fill import wanted

        entry = self.entry
        names = wanted(entry.text) if entry is not None and entry.what is What.TASK else ()
        if entry is None or not names:
            self.tell("nothing is to be filled in here", "degraded")
            return
        for name in names:
            self.room.steps.forget(name)
        if await self.asked(entry):
            self.tell(f"filled in: {', '.join(names)}", "ok")

    @work(exclusive=True, group="dialog")
    async def action_host(self) -> None:
        options = [Option("", "this machine")]
        options += [Option(n, n, h.ssh) for n, h in self.room.settings.hosts.items()]
        chosen = await choose(self, "steps that say nothing else run on", options, at=self.host)
        if chosen is not None:
            self.host = chosen
            self.tell(f"steps run on {chosen or 'this machine'}", "ok")

    @work(exclusive=True, group="dialog")
    async def action_limit(self) -> None:
        from warroom.config.scalars import Wrong, duration
        from warroom.engine.steps import LONGEST_S, usual_limit

        entry = self.entry
        if entry is None or not entry.is_runnable:
            self.tell("only what runs has a time limit", "degraded")
            return
        now = self.limits.get(entry.key) or usual_limit(entry)
        typed = await ask_line(
            self, "it may take", f"{now:g}s", placeholder='"90s", "5m"', guess=True
        )
        if typed is None:
            return
        try:
            self.limits[entry.key] = min(max(1.0, float(duration(typed.strip()))), LONGEST_S)
        except Wrong as wrong:
            self.tell(wrong.message, "degraded")
        else:
            self.tell(f"at most {self.limits[entry.key]:g} s", "ok")

    # Marks ---------------------------------------------------------------------------------------

    def may(self, entry: Entry | None) -> bool:
        """Whether anything can be written down of it; says why not."""
        refusal = ""
        if self.room.session.incident is None:
            refusal = "open an incident first: what is done is written to its timeline"
        elif self.room.executor.observe:
            refusal = self.room.executor.observe
        elif entry is None or not entry.key:
            refusal = "what follows is typed there: run that"
        if refusal:
            self.tell(refusal, "degraded")
        return not refusal

    @work(exclusive=True, group="dialog")
    async def ask_answer(self, entry: Entry) -> None:
        said = self.standings.get(entry.key)
        before = said.words if said and said.state is State.ANSWERED else ""
        what, hint = f"answer/{entry.key}", "yes, no, and why"
        text = await ask_drafted(self, self.room, what, entry.text[:60], before, placeholder=hint)
        if text and text.strip():
            await self._marked(entry, "answered", text.strip())

    @work(exclusive=True, group="dialog")
    async def action_done(self) -> None:
        entry = self.entry
        if self.may(entry) and entry is not None:
            await self._marked(entry, "done")

    @work(exclusive=True, group="dialog")
    async def action_skip(self) -> None:
        entry = self.entry
        if not self.may(entry) or entry is None:
            return
        what, hint = f"skip/{entry.key}", "does not apply, because…"
        why = await ask_drafted(self, self.room, what, "skip: why", placeholder=hint)
        if why and why.strip():
            await self._marked(entry, "skipped", why.strip())

    @work(exclusive=True, group="dialog")
    async def action_reopen(self) -> None:
        entry = self.entry
        if self.may(entry) and entry is not None and entry.key in self.standings:
            await self._marked(entry, "open")

    async def _marked(self, entry: Entry, mark: str, why: str = "") -> None:
        words = {"done": "marked as done", "open": "open again"}.get(mark, mark)
        doing = self.room.steps.mark(self.book, self.playbook, entry, mark, why)
        await self._saved(doing, words)

    async def _saved(self, doing: Awaitable[Any], done: str) -> None:
        from warroom.journal.base import JournalError

        try:
            await asyncio.shield(doing)
        except JournalError as error:
            self.tell(f"NOT SAVED: {error}", "down")
        else:
            self.tell(done, "ok")

"""What the timeline's keys change: every change one append, every change taken back with `u`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from textual import work

from warroom.domain.instants import between, typed
from warroom.domain.timeline import TAGS, Entry
from warroom.engine.drafts import DraftNotKept, Drafts
from warroom.engine.editor import Audience, EditRefused, audience_of
from warroom.journal.base import JournalError, NotSaved
from warroom.tui import format as fmt
from warroom.tui.screens.beneath import Beneath
from warroom.tui.screens.dialogs import Option, choose
from warroom.tui.screens.drafted import ask_drafted
from warroom.tui.screens.timeline.content import AUDIENCES, Content, content_of, unpacked
from warroom.tui.screens.timeline.draw import Look
from warroom.tui.screens.timeline.listing import Listing, place_of
from warroom.tui.widgets.lines import shortened

if TYPE_CHECKING:
    from warroom.engine.room import Room
    from warroom.tui.screens.timeline.form import EntryForm, Job, Result
    from warroom.tui.screens.timeline.parts import Entries


class Edits(Beneath[None]):
    """A part of the timeline's screen."""

    room: Room
    look: Look
    drafts: Drafts
    listing: Listing
    entries: Entries
    awaited: dict[str, str]
    """Drafts by the id under which the journal is to take them: forgotten once it has."""

    def say(self, text: str, style: str = "") -> None:
        raise NotImplementedError

    def cover(self, form: EntryForm | None) -> None:
        """A form has the keys now, or none has them any more."""
        raise NotImplementedError

    def imagine(self, entry: Entry | None) -> None:
        """Show what an entry would be in the report; None: as it is."""
        raise NotImplementedError

    def show_entry(self, seq: int) -> None:
        """Put the cursor on the entry of that sequence."""
        raise NotImplementedError

    @property
    def selected(self) -> Entry | None:
        return self.entries.selected

    async def written(self, doing: Awaitable[object], done: str) -> bool:
        """Await a change of the journal, and say what came of it."""
        try:
            await doing
        except EditRefused as error:
            self.say(str(error), "degraded")
        except NotSaved as error:
            later = "; it is tried again" if self.room.session.unsaved else "; nothing was changed"
            self.say(f"NOT SAVED: {error}{later}", "alarm")
        except JournalError as error:
            self.say(str(error), "down")
        else:
            self.say(done, "ok")
            return True
        return False

    # The form -------------------------------------------------------------------------------

    @work(group="dialog")
    async def action_add(self) -> None:
        here = self.selected
        await self._open_form(None, Content(), after=here)

    @work(group="dialog")
    async def action_insert(self) -> None:
        """Between the selected entry and the one after it in time, hidden ones too."""
        here = self.selected
        if here is None:
            return
        _, following = self.listing.neighbours(place_of(here))
        until = following.at if following is not None else self.room.clock.now()
        when = typed(between(here.at, max(here.at, until)), self.look.zone)
        await self._open_form(None, Content(when=when), after=here)

    @work(group="dialog")
    async def action_edit(self) -> None:
        if self.selected is not None:
            before = content_of(self.selected, self.look.zone)
            await self._open_form(self.selected, before, after=self.selected)

    async def _open_form(self, subject: Entry | None, before: Content, after: Entry | None) -> None:
        from warroom.tui.screens.timeline.form import EntryForm, Job

        key = self.draft_key(subject.seq if subject else 0)
        base = self.room.session.projection.base(subject.seq) if subject else 0
        job = Job(subject, before, before, base, key, after.at if after else None)
        continued = await self._with_draft(job)
        if continued is None:
            return
        form = EntryForm(self.room, self.look, self.drafts, continued, self.imagine)
        self.cover(form)
        result = await self.app.push_screen_wait(form)
        self.cover(None)
        self.imagine(None)
        if result is not None:
            self._left(result, key)

    async def _with_draft(self, job: Job) -> Job | None:
        """`job` with what was kept of it, if somebody wants to go on with that; None to leave."""
        from dataclasses import replace

        kept = unpacked(self.drafts.get(job.key))
        if kept is None or kept.content == job.before:
            return job
        time = fmt.clock_time(kept.at, self.look.zone, seconds=False)
        text = shortened(kept.content.text.replace("\n", " "), 40)
        options = [
            Option("go on", "continue", text, key="c"),
            Option("discard", "discard it, begin anew", key="d"),
        ]
        hint = "enter continues   d discards   esc back"
        chosen = await choose(self, f"draft from {time} kept", options, hint=hint)
        if chosen is None:
            return None
        if chosen == "go on":
            base = kept.base if job.subject else 0
            before = kept.before if job.subject else job.before
            return replace(job, content=kept.content, before=before, base=base)
        self.forget(job.key)
        return job

    def _left(self, result: Result, key: str) -> None:
        if result.seq:
            self.show_entry(result.seq)
            self.say("saved", "ok")
        elif result.unsaved:
            self.awaited[result.unsaved] = key
            self.say("NOT SAVED: it is tried again every second", "alarm")
        elif result.kept:
            self.say("not saved; the draft is kept: the same key offers it again", "degraded")

    def draft_key(self, seq: int) -> str:
        """Where the draft of an entry lies; of a new one for 0."""
        events = self.room.session.events
        return f"timeline/{events[0].id if events else ''}/{seq or 'new'}"

    def forget(self, key: str) -> None:
        """The draft has done its duty."""
        try:
            self.drafts.forget(key)
        except DraftNotKept as error:
            self.say(str(error), "degraded")

    @work(group="dialog")
    async def action_outside(self) -> None:
        """The text in the responder's editor; in the form where that cannot be."""
        from warroom.tui.screens.timeline.outside import NoEditor, edited

        entry = self.selected
        if entry is None:
            return
        base = self.room.session.projection.base(entry.seq)
        try:
            text = await edited(self.app, entry.text)
        except NoEditor as error:
            self.say(f"{error}: here it is", "degraded")
            await self._open_form(entry, content_of(entry, self.look.zone), after=entry)
            return
        if text is None:
            self.say("nothing was changed")
            return
        await self.written(self.room.editor.amend(entry.seq, text=text, base=base), "saved")

    # At once --------------------------------------------------------------------------------

    @work(group="dialog")
    async def action_star(self) -> None:
        entry = self.selected
        if entry is not None:
            starred = not entry.starred
            doing = self.room.editor.amend(entry.seq, starred=starred)
            await self.written(doing, "starred" if starred else "no longer starred")

    @work(group="dialog")
    async def action_tag(self) -> None:
        """One after the other, until it is left; nothing is written before."""
        entry = self.selected
        if entry is None:
            return
        content, at = content_of(entry, self.look.zone), ""
        while True:
            names = (*TAGS, *(tag for tag in content.tags if tag not in TAGS))
            options = [
                Option(tag, tag, key=str(number) if number < 10 else "",
                       mark="[x]" if tag in content.tags else "[ ]")
                for number, tag in enumerate(names, 1)
            ]  # fmt: skip
            chosen = await choose(self, "tags", options, at=at, hint="enter ticks   esc is done")
            if chosen is None:
                break
            content, at = content.toggled(chosen), chosen
        now = self.room.session.projection.entry(entry.seq)
        if now is not None and set(content.tags) != set(entry.tags):
            said = ", ".join(content.tags) or "no tag"
            doing = self.room.editor.amend(entry.seq, tags=content.tags)
            await self.written(doing, f"tagged: {said}")

    @work(group="dialog")
    async def action_audience(self) -> None:
        entry = self.selected
        if entry is None:
            return
        notes = ("and outside when it is starred", "never outside", "outside, starred or not")
        now = audience_of(entry)
        options = [
            Option(name or "everybody", words, note, str(number), "•" if name == now else " ")
            for number, ((name, words), note) in enumerate(
                zip(AUDIENCES.items(), notes, strict=True), 1
            )
        ]  # fmt: skip
        chosen = await choose(self, "who reads it", options, at=now or "everybody")
        if chosen is not None and chosen != (now or "everybody"):
            audience: Audience = next((name for name in AUDIENCES if name == chosen), "")
            doing = self.room.editor.amend(entry.seq, audience=audience)
            await self.written(doing, f"for {AUDIENCES[audience]}")

    @work(group="dialog")
    async def action_retract(self) -> None:
        entry = self.selected
        if entry is None:
            return
        named = shortened(entry.text.replace("\n", " "), 60)
        what = f"retract/{entry.seq}"
        reason = await ask_drafted(self, self.room, what, "retract, because", placeholder=named)
        if reason and reason.strip():
            doing = self.room.editor.retract(entry.seq, reason.strip())
            await self.written(doing, "retracted; u takes that back")
        elif reason is not None:
            self.say("not retracted: it wants a reason", "degraded")

    def action_mark(self) -> None:
        entry = self.selected
        if entry is not None:
            self.entries.marks ^= {entry.seq}
            self.entries.move(1)
            self.entries.changed()

    @work(group="dialog")
    async def action_merge(self) -> None:
        marks = sorted(self.entries.marks)
        marked = [entry for seq in marks if (entry := self.listing.entry(seq)) is not None]
        into = min(marked, key=place_of, default=None)
        if await self.written(self.room.editor.merge(marks), f"merged {len(marks)} entries"):
            self.entries.marks = frozenset()
            if into is not None:
                self.show_entry(into.seq)

    @work(group="dialog")
    async def action_undo(self) -> None:
        await self._turn("undo")

    @work(group="dialog")
    async def action_redo(self) -> None:
        await self._turn("redo")

    async def _turn(self, way: str) -> None:
        editor = self.room.editor
        label = editor.can_undo if way == "undo" else editor.can_redo
        if not label:
            self.say(f"nothing to {way}: what this console changed can be taken back", "degraded")
            return
        doing = editor.undo() if way == "undo" else editor.redo()
        await self.written(doing, f"{'taken back' if way == 'undo' else 'done again'}: {label}")

    @work(group="dialog")
    async def action_take(self, which: int) -> None:
        """Of several versions the one that is shown (1), a rival (2 and on), or all (0)."""
        entry = self.selected
        if entry is None or not entry.rivals:
            self.say("that is for an entry with two versions", "degraded")
            return
        if which > len(entry.rivals) + 1:
            self.say(f"there are {len(entry.rivals) + 1} versions", "degraded")
            return
        text, at = entry.text, entry.at
        if which > 1:
            rival = entry.rivals[which - 2]
            text, at = rival.text, rival.at
        elif which == 0:
            texts = [entry.text, *(rival.text for rival in entry.rivals)]
            text = "\n".join(dict.fromkeys(texts))
        doing = self.room.editor.amend(entry.seq, text=text, at=at if at != entry.at else None)
        await self.written(doing, "one version from now on; u takes that back")

    def action_copy(self) -> None:
        from warroom.reports.times import whole
        from warroom.tui.clipboard import copy

        entry = self.selected
        if entry is not None:
            said = f"{whole(entry.at, self.look.zone)} {entry.author}: {entry.text}"
            self.say(copy(self.app, said), "ok")

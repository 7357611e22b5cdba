"""The form for a new entry or an old one: what happened and when, tags, audience, star.

It saves by itself and closes when the entry is durable. While it is open it says what somebody
else does to the same entry; what is typed is kept as a draft every second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from warroom.domain.clock import span
from warroom.domain.instants import HELP, NotUnderstood, Understood, understand
from warroom.domain.text import harmless
from warroom.domain.timeline import Entry
from warroom.engine.drafts import DraftNotKept, Drafts
from warroom.engine.editor import EditRefused
from warroom.journal.base import JournalError, NotSaved
from warroom.reports import times
from warroom.tui.screens.dialog import Dialog
from warroom.tui.screens.timeline.areas import form_area
from warroom.tui.screens.timeline.content import Content, Kept, content_of, imagined
from warroom.tui.screens.timeline.draw import Look, day_of, folded
from warroom.tui.screens.timeline.fields import Choices, Said, Text
from warroom.tui.screens.timeline.keys import FORM_KEYS
from warroom.tui.widgets.lines import Line, shortened
from warroom.tui.widgets.strips import KeyBar

if TYPE_CHECKING:
    from textual.timer import Timer

    from warroom.engine.room import Room

SHOW_S: Final = 0.12
SHORT: Final = 18
"""Rows below which there are no empty ones, so that what is wrong can always be read."""
DRAFT_S: Final = 1.0
"""How often what is typed is kept."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a form is for. `subject` is the entry as it was when editing began, None for a new
    one; `base` its version then, `after` what `+5m` counts from, `key` that of its draft."""

    subject: Entry | None
    before: Content
    content: Content
    base: int
    key: str
    after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How the form was left: with the entry of sequence `seq`; or with a draft of id `unsaved`
    that waits for the journal; or with neither. `kept`: a draft lies there."""

    seq: int = 0
    unsaved: str = ""
    kept: bool = False


class EntryForm(Dialog[Result]):
    """Over the detail, where that is beside the list: list and preview stay in view."""

    DEFAULT_CSS = """
    EntryForm { background: transparent; align: left top; }
    EntryForm > Vertical { background: $surface; border: heavy $accent; padding: 0 1;
        border-title-color: $accent; border-title-style: bold; border-subtitle-color: $foreground; }
    EntryForm Horizontal { height: 1; }
    EntryForm Label { width: 6; color: $quiet; }
    EntryForm Input { border: none; height: 1; padding: 0; background: $panel; width: 1fr; }
    EntryForm Input:focus { border: none; background: $bar; color: $bar-foreground; }
    EntryForm Lines { background: $surface; }
    EntryForm > KeyBar { dock: bottom; height: 1; }
    EntryForm #echo { height: 2; padding-left: 6; }
    EntryForm #text { height: 1fr; min-height: 3; border: none; padding: 0; background: $panel; }
    EntryForm #text:focus { border: none; }
    EntryForm #choices { padding-top: 1; }
    EntryForm #foot { height: 4; padding-top: 1; }
    EntryForm.short #choices { padding-top: 0; }
    EntryForm.short #foot { height: 2; padding-top: 0; }
    """
    AUTO_FOCUS: ClassVar[str | None] = "#text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back"),
        Binding("ctrl+g", "outside", "in $EDITOR"),
    ]

    def __init__(
        self,
        room: Room,
        look: Look,
        drafts: Drafts,
        job: Job,
        live: Callable[[Entry | None], None],
    ) -> None:
        super().__init__()
        self._room, self._look, self._drafts, self._job = room, look, drafts, job
        self._live = live
        self._kept, self._no_draft = job.content, ""
        self._waiting, self._wrong = "", ""
        self._saving = False
        self._showing: Timer | None = None
        self._imagined_at = room.clock.now()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._text = Text(job.content.text, self.action_save)
        self._when = Input(job.content.when, placeholder=f"now, or {HELP}", select_on_focus=False)
        self._choices = Choices(job.content, self.action_save)
        self._echo, self._foot = Said(id="echo"), Said(id="foot")
        self.keys = KeyBar()
        self.keys.commands = FORM_KEYS

    def compose(self) -> ComposeResult:
        with Vertical():
            with Horizontal():
                yield Label("when", markup=False)
                yield self._when
            yield self._echo
            yield self._text
            yield self._choices
            yield self._foot
        yield self.keys

    def on_mount(self) -> None:
        frame = self.query_one(Vertical)
        if self._look.ascii_only:
            frame.styles.border = ("ascii", self.app.theme_variables["accent"])
        subject = self._job.subject
        frame.border_title = f"edit entry {subject.seq}" if subject else "new entry"
        self._text.move_cursor(self._text.document.end)
        self._unsubscribe = self._room.session.subscribe(self._moved)
        self.set_interval(DRAFT_S, self._each_second)
        self._place()
        self._show()

    def on_unmount(self) -> None:
        self._unsubscribe()
        if not self._saving:
            self._keep()

    def on_resize(self) -> None:
        self._place()

    def _place(self) -> None:
        area = form_area(*self.app.size)
        frame = self.query_one(Vertical)
        frame.styles.offset = area.x, area.y
        frame.styles.width, frame.styles.height = area.width, area.height
        short = area.height < SHORT
        self.set_class(short, "short")
        self._choices.styles.height = self._choices.rows_needed(area.width - 4) + (not short)

    # What it says ---------------------------------------------------------------------------

    @property
    def content(self) -> Content:
        """What is typed and chosen now."""
        return replace(self._choices.content, text=self._text.text, when=self._when.value)

    def _understood(self) -> Understood:
        """Raises NotUnderstood. A time that was not touched is the entry's own, to the last
        fraction."""
        job = self._job
        if job.subject is not None and self._when.value == job.before.when:
            return Understood(job.subject.at)
        now = self._room.clock.now()
        return understand(self._when.value, now, self._look.zone, after=job.after)

    def on_input_changed(self) -> None:
        self._wrong = ""
        self._show()

    def on_text_area_changed(self) -> None:
        self._wrong = ""
        self._show()

    def on_choices_changed(self) -> None:
        self._show()

    def on_input_submitted(self) -> None:
        self.action_save()

    def _show(self) -> None:
        width = max(20, self._echo.size.width or form_area(*self.app.size).width - 10)
        at = self._room.clock.now()
        try:
            found = self._understood()
        except NotUnderstood as error:
            self._echo.say(folded([(str(error), "down")], width))
        else:
            at = found.at
            self._echo.say(self._said_of(found, width))
        self._foot.say(self._footing(max(20, form_area(*self.app.size).width - 4)))
        self._imagined_at = at
        if self._showing is None:
            self._showing = self.set_timer(SHOW_S, self._show_there)

    def _show_there(self) -> None:
        """What it would be in the report, below: drawn a little later than what is typed, because
        everything below a dialog is drawn with it."""
        self._showing = None
        if self.is_current:
            author = self._room.session.author.login
            entry = imagined(self.content, self._imagined_at, author, self._job.subject)
            self._live(entry)

    def _said_of(self, found: Understood, width: int) -> list[Line]:
        now = self._room.clock.now()
        at = times.stamp(found.at, self._look.zone)
        ago = (now - found.at).total_seconds()
        when = "now" if not self._when.value.strip() else f"{span(ago)} ago"
        utc = f" = {at.utc}" if at.utc else ""
        day = day_of(found.at, self._look)
        lines: list[Line] = [[(f"{at.time}{utc}", "ok"), (f"  {day}, {when}", "dim")]]
        if width < len(at.time + utc + day + when) + 4:
            lines = [[(f"{at.time}{utc}", "ok")], [(f"{day}, {when}", "dim")]]
        if found.note:
            lines = [*lines[:1], *folded([(found.note, "degraded")], width)]
        return lines

    def _footing(self, width: int) -> list[Line]:
        if self._waiting:
            return [
                *folded([(f"NOT SAVED: {self._wrong}", "alarm")], width)[:2],
                [("tried again every second; esc leaves, it goes on trying", "dim")],
            ]
        lines: list[Line] = []
        if self._wrong:
            lines += folded([(self._wrong, "down")], width)[:2]
        if not self._wrong and (meanwhile := self._meanwhile()):
            lines += folded([(meanwhile, "degraded")], width)[:2]
        if self._no_draft and not lines:
            lines += folded([(self._no_draft, "degraded")], width)[:1]
        return lines

    def _meanwhile(self) -> str:
        """What somebody else did to the entry since editing began."""
        subject = self._job.subject
        if subject is None:
            return ""
        projection = self._room.session.projection
        now = projection.entry(subject.seq)
        if now is None:
            return "somebody has retracted this entry meanwhile: copy your text, esc leaves"
        if projection.base(subject.seq) == self._job.base or (now.text, now.at) == (
            subject.text,
            subject.at,
        ):
            return ""
        who = harmless(projection.versions(subject.seq)[-1].author)
        said = shortened(harmless(now.text.replace("\n", " ")), 60)
        return f'{who} changed it meanwhile: "{said}". Saving keeps both versions'

    # What is done ---------------------------------------------------------------------------

    def _moved(self) -> None:
        """Something was written, here or elsewhere."""
        if self._waiting:
            self._look_after_unsaved()
        self._show()

    def _look_after_unsaved(self) -> None:
        session = self._room.session
        if any(draft.id == self._waiting for draft in session.unsaved):
            return
        found = next((e for e in reversed(session.events) if e.id == self._waiting), None)
        if found is not None:
            subject = self._job.subject
            self._done(subject.seq if subject else found.seq)

    def _each_second(self) -> None:
        self._keep()
        if not self._when.value.strip():
            self._show()

    def _keep(self) -> bool:
        """Keep what is typed, if it is worth that; whether a draft lies there."""
        content, job = self.content, self._job
        worth = content != job.before and bool(content.text.strip() or job.subject)
        if content != self._kept and not self._saving:
            try:
                if worth:
                    kept = Kept(content, job.before, job.base, self._room.clock.now())
                    self._drafts.put(job.key, kept.packed())
                else:
                    self._drafts.forget(job.key)
            except DraftNotKept as error:
                self._no_draft = str(error)
            else:
                self._kept, self._no_draft = content, ""
        return worth

    def action_leave(self) -> None:
        kept = self._keep()
        self.dismiss(Result(unsaved=self._waiting, kept=kept and not self._waiting))

    def action_save(self) -> None:
        if not self._saving and not self._waiting:
            self._save()

    @work(group="dialog")
    async def _save(self) -> None:
        content = self.content
        try:
            at = self._understood().at
        except NotUnderstood as error:
            self._wrong = f"the time: {error}"
            self._show()
            self._when.focus()
            return
        if not content.text.strip():
            self._wrong = "say what happened; nothing is saved without a text"
            self._show()
            return
        self._saving = True
        try:
            seq = await self._write(content, at)
        except (EditRefused, JournalError) as error:
            self._saving = False
            self._wrong = str(error)
            unsaved = self._room.session.unsaved
            if isinstance(error, NotSaved) and unsaved:
                self._waiting = unsaved[-1].id
                self._text.read_only = True
            self._show()
        else:
            self._done(seq)

    async def _write(self, content: Content, at: datetime) -> int:
        """The sequence of the entry; nothing is written when nothing was changed."""
        job, editor = self._job, self._room.editor
        text = content.text.strip("\n").rstrip()
        if job.subject is None:
            event = await editor.add(
                text,
                at=at if content.when.strip() else None,
                tags=content.tags,
                starred=content.starred,
                audience=content.audience,
            )
            return event.seq
        before = content_of(job.subject, self._look.zone)
        changes = {
            "text": text if text != before.text.strip("\n").rstrip() else None,
            "at": at if at != job.subject.at else None,
            "tags": content.tags if content.tags != before.tags else None,
            "starred": content.starred if content.starred != before.starred else None,
            "audience": content.audience if content.audience != before.audience else None,
        }
        if any(value is not None for value in changes.values()):
            await editor.amend(job.subject.seq, base=job.base, **changes)  # type: ignore[arg-type]
        return job.subject.seq

    def _done(self, seq: int) -> None:
        """It is durable: the draft has done its duty."""
        self._saving = True
        try:
            self._drafts.forget(self._job.key)
        except DraftNotKept:
            self.app.bell()
        self.dismiss(Result(seq=seq))

    def action_outside(self) -> None:
        self._in_editor()

    @work(group="dialog")
    async def _in_editor(self) -> None:
        from warroom.tui.screens.timeline.outside import NoEditor, edited

        try:
            text = await edited(self.app, self._text.text)
        except NoEditor as error:
            self._wrong = f"{error}; go on here"
        else:
            if text is not None:
                self._text.text = text
                self._text.move_cursor(self._text.document.end)
        self._show()

"""The team's playbooks, to choose one from: those that the live findings speak for stand first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.lines import Line, Lines, shortened, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warroom.engine.room import Room
    from warroom.engine.shelf import Book
    from warroom.runbooks.model import Playbook


@dataclass(frozen=True, slots=True)
class Choice:
    """A playbook of a book; `because` says what speaks for it now."""

    book: Book
    playbook: Playbook
    because: str = ""

    @property
    def words(self) -> str:
        """What is typed to find it."""
        about = (self.playbook.title, *self.playbook.path, *self.playbook.symptoms, self.book.name)
        return " ".join(about).casefold()


def choices(room: Room) -> list[Choice]:
    """Every playbook with something to do in it: first what is suggested, then what is about one
    kind of incident, then the rest, each in the order of its file."""
    told: dict[tuple[str, int], str] = {}
    for advice in room.duty.advice:
        if advice.playbook is not None:
            told.setdefault((advice.book.name, advice.playbook.line), advice.because)
    order = list(told)
    found = [
        Choice(book, playbook, told.get((book.name, playbook.line), ""))
        for book in room.shelf.books
        for playbook in book.runbook.playbooks
    ]
    ranks = {key: rank for rank, key in enumerate(order)}

    def rank(one: Choice) -> tuple[int, bool]:
        key = (one.book.name, one.playbook.line)
        return ranks.get(key, len(ranks)), not one.playbook.is_incident

    return sorted(found, key=rank)


class ChoiceBody(Lines):
    """The framed playbooks that fit what is typed, the cursor on one."""

    def __init__(self, every: Sequence[Choice], room: Room) -> None:
        super().__init__(id="playbooks")
        self.every, self.room = every, room
        self.found = list(every)
        self.index = self._start = 0

    def narrow(self, text: str) -> None:
        """Only those with every word of `text`."""
        wanted = text.casefold().split()
        self.found = [one for one in self.every if all(word in one.words for word in wanted)]
        self.index = 0
        self.changed()

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        count = f" {len(self.found)} of {len(self.every)} "
        lines: list[Line] = [
            spread([(corners[0] + h, "focus"), (" playbooks ", "title accent")],
                   [(count, "dim"), (h + corners[1], "focus")], width, h, "focus")
        ]  # fmt: skip
        room = height - 2
        self._start = max(0, min(self.index - room // 2, len(self.found) - room))
        for number in range(self._start, self._start + room):
            inside = self._row(number, width - 4) if number < len(self.found) else ()
            lines.append([(v + " ", "focus"), *spread(inside, (), width - 4), (" " + v, "focus")])
        hint = " type to find   enter open   esc back "
        lines.append(spread([(corners[2] + h, "focus"), (hint, "dim")],
                            [(h + corners[3], "focus")], width, h, "focus"))  # fmt: skip
        return lines

    def _row(self, number: int, width: int) -> Line:
        from warroom.engine.playbook import entries
        from warroom.tui.widgets.playbook import progress

        one = self.found[number]
        done, count = progress(entries(one.book, one.playbook), self.room.steps.standings())
        here = number == self.index
        style = "cursor" if here else ""
        mark = (
            (("* " if self.ascii_only else "● "), style or "degraded")
            if one.because
            else ("  ", style)
        )
        title = (one.playbook.title, style or ("bold" if one.playbook.is_incident else ""))
        much = f"{done}/{count}" if count else "-"
        note = one.because or " > ".join(one.playbook.path[-1:])
        where = f"{one.book.name.rpartition('/')[2]}:{one.playbook.line}"
        note = shortened(note, max(8, width - len(one.playbook.title) - len(where) - len(much) - 9))
        left: Line = [mark, title, (f"  {note}", style or ("degraded" if one.because else "dim"))]
        return spread(left, [(f"  {much:>5}  {where}", style or "dim")], width, " ", style)

    def on_click(self, event: events.Click) -> None:
        number = self._start + event.y - 1
        if 0 < event.y < self.size.height - 1 and 0 <= number < len(self.found):
            self.index = number
            self.changed()
            screen = self.screen
            if isinstance(screen, ChooseBook):
                screen.action_take()


class ChooseBook(Dialog[Choice | None]):
    """Gives the chosen playbook; None when it was left."""

    DEFAULT_CSS = """
    ChooseBook { align: center middle; background: $background 60%; }
    ChooseBook > Vertical { width: 94%; max-width: 120; height: auto; background: $surface; }
    ChooseBook Input { border: none; height: 1; padding: 0 2; background: $panel; }
    ChooseBook Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+r", "dismiss(None)", "back"),
        Binding("down,tab", "move(1)", "down"),
        Binding("up,shift+tab", "move(-1)", "up"),
        Binding("pagedown", "move(10)", "page down"),
        Binding("pageup", "move(-10)", "page up"),
    ]

    def __init__(self, room: Room, last: str) -> None:
        super().__init__()
        self._body = ChoiceBody(choices(room), room)
        places = [f"{c.book.name}:{c.playbook.line}" for c in self._body.found]
        speaks = bool(self._body.found) and bool(self._body.found[0].because)
        self._body.index = places.index(last) if last in places and not speaks else 0

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Input(placeholder="find a playbook: words of its title or symptoms")
            yield self._body

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        room = max(4, self.app.size.height - 6)
        self._body.styles.height = min(len(self._body.every) + 2, room)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._body.narrow(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_take()

    def action_move(self, by: int) -> None:
        last = len(self._body.found) - 1
        self._body.index = max(0, min(self._body.index + by, last))
        self._body.changed()

    def action_take(self) -> None:
        if self._body.found:
            self.dismiss(self._body.found[self._body.index])

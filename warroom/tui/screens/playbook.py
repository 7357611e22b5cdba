"""A playbook beside the panes: read it, run its steps, answer its questions, tick off."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from warroom.engine.playbook import Entry, What, entries
from warroom.runbooks.manner import asks_password
from warroom.runbooks.model import PhaseKind
from warroom.tui.geometry import dock_width, readable
from warroom.tui.screens.dialog import Dialog
from warroom.tui.screens.linking import Linking
from warroom.tui.screens.stepping import Stepping
from warroom.tui.widgets.lines import Line, Lines, shortened, spread
from warroom.tui.widgets.playbook import Hint, progress, rows

if TYPE_CHECKING:
    from warroom.engine.room import Room
    from warroom.engine.shelf import Book
    from warroom.runbooks.model import Playbook
    from warroom.tui.screens.room import RoomScreen

_KEYS: Final = (
    ("a", "all reads"), ("d", "done"), ("s", "skip"), ("c", "copy"), ("o", "output"),
    ("?", "keys"), ("esc", "back"),
)  # fmt: skip
_LEFT_OUT: Final = ("o", "c", "s", "a")
"""Where the keys do not fit, these first."""


class PlaybookBody(Lines):
    """The framed lines of a playbook, the cursor on one entry, and what was said below."""

    def __init__(self, screen: PlaybookScreen) -> None:
        super().__init__(id="playbook")
        self.book_screen = screen
        self.message, self.message_style = "", ""
        self._start = 0
        self._shown: list[tuple[int, Line]] = []

    def build(self, width: int, height: int) -> list[Line]:
        screen = self.book_screen
        h, v, corners = ("-", "|", "++++++") if self.ascii_only else ("━", "┃", "┏┓┗┛┣┫")
        inner = width - 4
        done, count = progress(screen.entries, screen.standings)
        note = f" {done}/{count}  {screen.place} "
        title = shortened(screen.playbook.title, max(8, inner - len(note) - 4))
        lines: list[Line] = [
            spread([(corners[0] + h, "focus"), (f" {title} ", "title accent")],
                   [(note, "dim"), (h + corners[1], "focus")], width, h, "focus")
        ]  # fmt: skip
        said = screen.output()
        below = min(max(6, height * 2 // 5), len(said[1]) + 1) if said else 0
        room = max(1, height - 2 - below)
        lines += [self._framed(line, v, inner) for line in self._window(inner, room)]
        if said:
            heading, told = said
            left = [(corners[4] + h, "focus"), (f" {shortened(heading, inner - 2)} ", "accent")]
            lines.append(spread(left, [(h + corners[5], "focus")], width, h, "focus"))
            shown = told[-(below - 1) :] if below > 1 else ()
            lines += [self._framed([(shortened(t, inner), "")], v, inner) for t in shown]
        lines.append(self._foot(width, corners, h))
        return lines

    def _framed(self, line: Line, v: str, inner: int) -> Line:
        return [(v + " ", "focus"), *spread(line, (), inner), (" " + v, "focus")]

    def _foot(self, width: int, corners: str, h: str) -> Line:
        left: list[tuple[str, str]] = [(corners[2] + h, "focus"), (" ", "")]
        if self.message:
            left.append((f"{shortened(self.message, width - 6)} ", self.message_style))
        else:
            keys = [("enter", self.book_screen.verb), *_KEYS]
            for least in _LEFT_OUT:
                if sum(len(key) + len(word) + 3 for key, word in keys) - 2 > width - 5:
                    keys = [one for one in keys if one[0] != least]
            for key, word in keys:
                left += [(key, "key"), (f" {word}  ", "dim")]
        return spread(left, [(h + corners[3], "focus")], width, h, "focus")

    def _window(self, width: int, room: int) -> list[Line]:
        """The lines that fit, the selected entry among them whole."""
        screen = self.book_screen
        made = rows(screen.entries, screen.standings, screen.at, screen.hints(), width,
                    elapsed=screen.elapsed, ascii_only=self.ascii_only)  # fmt: skip
        self._shown = list(made) or [(-1, [("there is nothing in it to do", "dim")])]
        mine = [i for i, (number, _) in enumerate(self._shown) if number == screen.at] or [0]
        first, last = mine[0], mine[-1]
        before = self._shown[first - 1][0] if first else -1
        if 0 <= before < len(screen.entries) and screen.entries[before].what is What.PHASE:
            first -= 1  # its heading, too
        self._start = min(self._start, first)
        self._start = max(self._start, last - room + 1)
        self._start = max(0, min(self._start, len(self._shown) - room, first))
        lines = [line for _, line in self._shown[self._start : self._start + room]]
        return [*lines, *([()] * (room - len(lines)))]

    def on_click(self, event: events.Click) -> None:
        index = self._start + event.y - 1
        if not 0 < event.y < self.size.height - 1 or not 0 <= index < len(self._shown):
            return
        number = self._shown[index][0]
        screen = self.book_screen
        if number == screen.at:
            screen.action_take()
        elif 0 <= number < len(screen.entries) and screen.entries[number].what is not What.PHASE:
            screen.at = number
            screen.moved()

    def on_mouse_scroll_down(self) -> None:
        self.book_screen.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        self.book_screen.action_move(-1)


class PlaybookScreen(Stepping, Linking, Dialog[None]):
    """Where there is room, the panes stand on its left and go on; else it has the whole screen."""

    DEFAULT_CSS = """
    PlaybookScreen { align: right top; background: transparent; }
    PlaybookScreen > PlaybookBody { height: 100%; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+r", "leave", "back"),
        Binding("j,down", "move(1)", "down"),
        Binding("k,up", "move(-1)", "up"),
        Binding("pagedown", "move(8)", "further"),
        Binding("pageup", "move(-8)", "back"),
        Binding("g,home", "move(-10000)", "first"),
        Binding("G,end", "move(10000)", "last"),
        Binding("enter,r", "take", "run the step, answer the question"),
        Binding("a", "all_reads", "run every step that only looks, one after the other"),
        Binding("d", "done", "mark as done"),
        Binding("s", "skip", "skip, with a reason"),
        Binding("u", "reopen", "take the mark back"),
        Binding("c", "copy", "copy the command or text"),
        Binding("x", "stop", "stop what runs"),
        Binding("o", "whole_output", "the whole output"),
        Binding("p", "pane", "go to the pane that shows it"),
        Binding("v", "changed", "what changed in the file, and confirm it"),
        Binding("L", "links", "where this file points: open another one"),
        Binding("f", "fill", "fill placeholders in anew"),
        Binding("h", "host", "on which host steps run"),
        Binding("l", "limit", "how long the step may take"),
        Binding("T", "own_terminal", "run the step in your own terminal"),
        Binding("tab", "next_pane(1)", "the next pane beside it"),
        Binding("shift+tab", "next_pane(-1)", "the pane before"),
        Binding("question_mark,f1", "keys", "these keys"),
        *(Binding(str(n), f"show_pane({n})", "that pane", show=False) for n in range(1, 10)),
    ]

    def __init__(self, room: Room, behind: RoomScreen, book: Book, playbook: Playbook) -> None:
        super().__init__()
        self.room, self.behind = room, behind
        self.book, self.playbook = book, playbook
        self.entries: tuple[Entry, ...] = entries(book, playbook)
        said = [i for i, e in enumerate(self.entries) if e.what is not What.PHASE]
        to_do = (i for i in said if self.entries[i].phase is not PhaseKind.SYMPTOMS)
        self.at = next(to_do, said[0] if said else 0)
        self.body = PlaybookBody(self)

    @property
    def place(self) -> str:
        return f"{self.book.name.rpartition('/')[2]}:{self.playbook.line}"

    @property
    def verb(self) -> str:
        """What Enter does with the selected entry."""
        entry = self.entry
        if entry is None or entry.what in (What.TEXT, What.OPENS) or entry.why_not:
            return "why not"
        return {What.ASKS: "answer", What.SAYS: "tick off"}.get(entry.what, "run")

    @property
    def elapsed(self) -> float | None:
        """Seconds since the incident began; None while none is open."""
        incident = self.room.session.incident
        if incident is None:
            return None
        return (self.room.session.now() - incident.opened_at).total_seconds()

    def compose(self) -> ComposeResult:
        yield self.body

    def on_mount(self) -> None:
        self._dock()
        self.set_interval(0.25, self.body.changed)

    def on_resize(self) -> None:
        self._dock()

    def on_screen_resume(self) -> None:
        """Another playbook was open over this one, and had its place."""
        self._dock()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On a screen too small to read there is nothing to do but leave."""
        return action == "leave" or readable(*self.app.size)

    def _dock(self) -> None:
        """Take the right side, and have the room stand on the left of it."""
        width, _ = self.app.size
        self.body.styles.width = dock_width(width) or width
        if self.behind.docked != dock_width(width):
            self.behind.docked = dock_width(width)
            self.behind.arrange_anew()
        self.body.changed()

    def action_leave(self) -> None:
        if self.entry is not None:
            self.behind.left_at[f"{self.book.name}:{self.playbook.line}"] = self.entry.line
        self.behind.docked = 0
        self.behind.arrange_anew()
        self.dismiss(None)

    # Moving ------------------------------------------------------------------------------------

    @property
    def entry(self) -> Entry | None:
        """The selected one."""
        return self.entries[self.at] if self.at < len(self.entries) else None

    def renew(self, book: Book) -> None:
        """The file is another one, and somebody has seen what changed."""
        here = self.entry
        same = [p for p in book.runbook.playbooks if p.title == self.playbook.title]
        if not same:
            self.action_leave()
            return
        self.book, self.playbook = book, same[0]
        self.entries = entries(book, same[0])
        keys = [entry.key for entry in self.entries]
        self.at = keys.index(here.key) if here and here.key in keys else 0
        self.action_move(0)

    def action_move(self, by: int) -> None:
        places = [i for i, e in enumerate(self.entries) if e.what is not What.PHASE]
        if places:
            index = places.index(self.at) if self.at in places else 0
            self.at = places[min(max(index + by, 0), len(places) - 1)]
            self.moved()

    def moved(self) -> None:
        """Another entry is selected."""
        self.tell("")

    def tell(self, text: str, style: str = "") -> None:
        """Say something in place of the keys, until the cursor moves."""
        self.body.message, self.body.message_style = text, style
        self.body.changed()

    # The panes beside it -----------------------------------------------------------------------

    def action_show_pane(self, number: int) -> None:
        if any(pane.number == number for pane in self.behind.panes):
            self.behind.action_pane(number)

    def action_next_pane(self, by: int) -> None:
        numbers = [pane.number for pane in self.behind.panes]
        here = next((p.number for p in self.behind.panes if p.key == self.behind.active), 0)
        if numbers:
            index = numbers.index(here) if here in numbers else 0
            self.action_show_pane(numbers[(index + by) % len(numbers)])

    def hints(self) -> list[Hint]:
        """What is said of the selected entry: why it does not run, which pane shows it."""
        entry = self.entry
        found: list[Hint] = []
        if entry is None:
            return found
        if entry.why_not:
            found.append(Hint(entry.why_not, "degraded"))
        elif entry.what is What.TASK:
            found.append(Hint(f"{entry.risk.value}: {entry.why}"))
        if self.book.path in self.room.shelf.changes:
            found.append(Hint("the file changed: v shows what, and nothing runs before", "down"))
            if entry.part is not None and asks_password(entry.part):
                found.append(Hint("sudo gets no terminal here: T gives it yours"))
        answer = self.answer()
        if answer is not None:
            found.append(Hint(f"{answer.says}: p goes there", "accent"))
        return found

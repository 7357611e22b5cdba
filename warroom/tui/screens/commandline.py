"""The command line behind `:` — the same commands as the keys, with completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.suggester import Suggester

from warroom.domain.incident import FIELDS, Role, Status
from warroom.tui.commands import COMMANDS, by_word
from warroom.tui.screens.dialogs import ask_line

if TYPE_CHECKING:
    from warroom.tui.screens.paths import Paths
    from warroom.tui.screens.record import Record


class Words(Suggester):
    """Completes the word, then its argument where the values are known, or a path."""

    def __init__(self, known: dict[str, list[str]], paths: Paths | None = None) -> None:
        super().__init__(use_cache=False, case_sensitive=True)  # paths are; the rest is not, below
        self._known, self._paths = known, paths

    async def get_suggestion(self, value: str) -> str | None:
        word, space, rest = value.partition(" ")
        word = word.lower()
        if not space:
            return next((w for w in self._known if w.startswith(word) and word), None)
        if word == "open" and self._paths is not None:
            found = await self._paths.completed(rest)
            return found and f"{word} {found}"
        return next(
            (
                f"{word} {a}"
                for a in self._known.get(word, [])
                if a.lower().startswith(rest.lower())
            ),
            None,
        )


def words(screen: Record) -> dict[str, list[str]]:
    """Every word `:` takes, with the values its argument may have."""
    from warroom.tui import geometry, themes

    known: dict[str, list[str]] = {command.word: [] for command in COMMANDS if command.word}
    known |= {"q": [], "resolve": [], "close": [], "unlock": []}
    known["status"] = [status.value for status in Status]
    known["role"] = [role.value for role in Role]
    known["field"], known["hypothesis"] = list(FIELDS), []
    known["theme"] = themes.names()
    known["layout"] = list(geometry.PRESETS)
    if screen.room is not None:
        known["group"] = list(screen.room.talkers.groups)
        known["severity"] = list(screen.room.session.scheme.names)
    return known


async def ask(screen: Record) -> str | None:
    """The line that was typed."""
    hint = "a command; → completes, ? lists them"
    from warroom.tui.screens.paths import Paths
    from warroom.tui.screens.prompt import Prompt

    def tell(why: str) -> None:
        if isinstance(screen.app.screen, Prompt):
            screen.app.screen.note(why)

    paths = Paths(screen.room, tell) if screen.room is not None else None
    return await ask_line(screen, ":", placeholder=hint, suggester=Words(words(screen), paths))


def obey(screen: Record, line: str) -> None:
    """Do what the line says, or say what is wrong with it."""
    word, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if word in ("q", "leave"):
        screen.action_leave()
    elif word in ("resolve", "close"):
        _state(screen, "resolved" if word == "resolve" else "closed")
    elif word == "unlock" or (word == "security" and rest):
        screen.lock_said(word, rest)
    elif rest and (screen.duty_said(word, rest) or screen.rows_said(word, rest)):
        return
    elif rest and word in ("severity", "status", "theme", "layout", "note", "export", "filter"):
        _with_argument(screen, word, rest)
    elif (command := by_word(word)) is not None:
        screen.run_worker(screen.run_action(command.action))
    elif word:
        screen.say(f'"{word}" is no command; ? lists them', "degraded")


def _with_argument(screen: Record, word: str, rest: str) -> None:
    match word:
        case "note":
            screen.action_note(rest)
        case "export":
            screen.action_export(rest)
        case "theme":
            screen.use_theme(rest)
        case "layout":
            screen.use_layout(rest)
        case "filter":
            if screen.pane:
                screen.pane.filter(rest)
        case "status":
            _state(screen, rest)
        case "severity" if screen.incident_or_say() and screen.room:
            doing = screen.room.session.set_severity(rest)
            screen.run_worker(screen.saved(doing, f"severity {rest}"))


def _state(screen: Record, name: str) -> None:
    if not screen.incident_or_say() or screen.room is None:
        return
    try:
        status = Status(name)
    except ValueError:
        screen.say(
            f'"{name}" is no status; there are: {", ".join(s.value for s in Status)}', "degraded"
        )
        return
    screen.action_status(status.value)

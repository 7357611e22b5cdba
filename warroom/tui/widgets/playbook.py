"""How a playbook looks: its phases, what it says and asks, its steps with their risk and how far
each is; below them, what the last one said. Pure views of what they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from warroom.domain.clock import span
from warroom.engine.playbook import NOT_RUN, Entry, Standing, State, What
from warroom.runbooks.model import Risk, TimeBox
from warroom.tui.widgets.lines import Line, Span, shortened, spread, width_of, wrapped

BADGE: Final[Mapping[Risk, Span]] = {
    Risk.READ: ("R read   ", "ok"),
    Risk.CHANGE: ("C change ", "degraded"),
    Risk.DESTROY: ("D DESTROY", "down bold"),
}
"""A letter, a word and a colour: no one of them is needed to tell."""
_STATE: Final[Mapping[State, Span]] = {
    State.RUNNING: ("running", "accent bold"),
    State.DONE: ("done", "ok"),
    State.FAILED: ("FAILED", "down"),
    State.UNKNOWN: ("UNKNOWN", "unknown"),
    State.MARKED: ("done by hand", "ok"),
    State.SKIPPED: ("skipped", "dim"),
    State.ANSWERED: ("answered", "ok"),
}
_ROWS: Final = 14
"""Lines of one command that are shown while it is selected."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What is said of the selected entry besides: which pane shows it, why it cannot run."""

    text: str
    style: str = "dim"


def rows(
    entries: Sequence[Entry], standings: Mapping[str, Standing], at: int, hints: Sequence[Hint],
    width: int, *, elapsed: float | None = None, ascii_only: bool = False,
) -> Iterator[tuple[int, Line]]:  # fmt: skip
    """The lines of a playbook, each with the number of its entry; `at` is the selected one.
    `elapsed` are the seconds since the incident began. What is said of several commands is shown
    once."""
    said: set[str] = set()
    for number, entry in enumerate(entries):
        here = number == at
        standing = standings.get(entry.key, NOT_RUN)
        if entry.what is What.PHASE:
            if number:
                yield number, ()
            yield number, _phase(entry, width, elapsed)
            said = {entry.text}
            continue
        if entry.what in (What.SAYS, What.ASKS):
            said.add(entry.text)
            lines = _prose(entry, standing, width, here=here, ascii_only=ascii_only)
        else:
            shown = entry.comment in said or entry.comment in entry.text
            comment = "" if shown else entry.comment
            said.add(entry.comment)
            lines = _command(entry, standing, comment, width, here=here)
        for line in lines:
            yield number, line
        if here:
            for hint in hints:
                for part in wrapped(hint.text, max(10, width - 6)):
                    yield number, [("      ", ""), (part, hint.style)]


def _phase(entry: Entry, width: int, elapsed: float | None) -> Line:
    box = [_boxed(entry.box, elapsed)] if entry.box else []
    return spread([(entry.text, "title accent")], box, width)


def _boxed(box: TimeBox, elapsed: float | None) -> Span:
    """Whether it is time for it."""
    if elapsed is None:
        return f" {box.starts_s / 60:g}-{box.ends_s / 60:g} min ", "dim"
    if elapsed < box.starts_s:
        return f" in {span(box.starts_s - elapsed)} ", "dim"
    if elapsed <= box.ends_s:
        return f" now, {span(box.ends_s - elapsed)} left ", "accent"
    return f" over since {span(elapsed - box.ends_s)} ", "degraded"


def _prose(
    entry: Entry, standing: Standing, width: int, *, here: bool, ascii_only: bool
) -> Iterator[Line]:
    asks = entry.what is What.ASKS
    sign = "?" if asks else "-" if ascii_only else "·"
    style = "cursor" if here else "accent" if asks else ""
    note = _noted(standing, here=here)
    parts = wrapped(entry.text, max(10, width - 4 - width_of(note)))
    for index, part in enumerate(parts):
        left: list[Span] = [(f" {sign} " if not index else "   ", style), (part, style)]
        yield spread(left, note if not index else (), width, " ", "cursor" if here else "")
    yield from _why(standing, width)


def _command(
    entry: Entry, standing: Standing, comment: str, width: int, *, here: bool
) -> Iterator[Line]:
    if comment:
        parts = wrapped(comment, max(10, width - 4))
        yield from ([("   ", ""), (part, "")] for part in parts[:3])
    texts = entry.text.split("\n")
    badge = _badge(entry)
    note = _noted(standing, here=here)
    room = max(10, width - width_of([badge]) - 3)
    shown = [part for text in texts for part in wrapped(text or " ", room)] if here else texts
    cut = len(shown) - (_ROWS if here else 1)
    style = "cursor" if here else "dim" if entry.why_not or entry.what is What.OPENS else ""
    more = f" +{len(texts) - 1} lines" if not here and len(texts) > 1 else ""
    left = room - width_of(note) - len(more)
    first = shown[0] if here else shortened(shown[0], max(8, left))
    head: list[Span] = [(" ", style), badge if not here else (badge[0], "cursor"), (" ", style)]
    if here and width_of([(first, "")]) + width_of(note) > room:
        yield spread(head, note, width, " ", "cursor")
        head = [(" " * (width_of([badge]) + 2), style)]
        note = ()
    yield spread([*head, (first, style), (more, "dim")], note, width, " ", "cursor" if here else "")
    for part in shown[1:_ROWS] if here else ():
        yield [(" " * (width_of([badge]) + 2), ""), (part, "accent")]
    if here and cut > 0:
        yield [
            (" " * (width_of([badge]) + 2), ""),
            (f"… {cut} more lines: its card has all", "dim"),
        ]
    yield from _why(standing, width)


def _badge(entry: Entry) -> Span:
    if entry.what is What.TEXT:
        return ("  text   ", "dim")
    if entry.what is What.OPENS:
        return ("  opens  ", "dim")
    letter, style = BADGE[entry.risk]
    return (letter, "dim") if entry.why_not else (letter, style)


def _noted(standing: Standing, *, here: bool) -> Line:
    if standing.state is State.OPEN:
        return ()
    word, style = _STATE[standing.state]
    style, quiet = ("cursor", "cursor") if here else (style, "dim")
    words = standing.words
    short = words.partition(" after ")[0].replace("exit code", "exit")
    short = short if standing.state in (State.DONE, State.FAILED) and len(short) < 20 else ""
    again = f" x{standing.tries}" if standing.tries > 1 else ""
    return [(f"  {word}{again}", style), (f" {short}" if short else "", quiet)]


def _why(standing: Standing, width: int) -> Iterator[Line]:
    """A reason, an answer or last words too long for the note."""
    words = standing.words
    is_bad = standing.state in (State.FAILED, State.UNKNOWN)
    if words and (is_bad or standing.state in (State.SKIPPED, State.ANSWERED)):
        by = f"{standing.by}: " if standing.by else ""
        for part in wrapped(f"{by}{words}", max(10, width - 8))[:3]:
            yield [("      ", ""), (part, _STATE[standing.state][1])]


_BEHIND: Final = (State.DONE, State.MARKED, State.SKIPPED, State.ANSWERED)


def progress(entries: Sequence[Entry], standings: Mapping[str, Standing]) -> tuple[int, int]:
    """How many of its tasks and questions are behind us, and how many there are.

    What failed, or ended nobody knows how, is still before us.
    """
    wanted = [entry for entry in entries if entry.what in (What.ASKS, What.TASK)]
    states = [standings.get(entry.key, NOT_RUN).state for entry in wanted]
    over = sum(1 for state in states if state in _BEHIND)
    return over, len(wanted)

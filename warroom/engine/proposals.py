"""What an incident found out about the team's runbooks, as edits that they may take up.

A step that failed or was skipped, a command that is not there, a container that is called otherwise
by now, a step that the linter warns of and that was run all the same: each becomes a line where it
belongs, and all of them a patch. Nothing is ever written into the team's own files. Pure.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from warroom.domain.text import harmless, shorten
from warroom.engine.patches import Edit, edited, unified
from warroom.engine.playbook import Entry, Standing, State, What, entries, standings
from warroom.runbooks.model import LintLevel, RunbookError
from warroom.runbooks.parse import parse

if TYPE_CHECKING:
    from warroom.domain.events import Event
    from warroom.domain.requests import Requests
    from warroom.engine.shelf import Book

_WIDTH: Final = 200
_GAPS: Final = frozenset({State.FAILED, State.SKIPPED, State.UNKNOWN})
_RAN: Final = frozenset({State.DONE, State.FAILED, State.UNKNOWN})
_MARGIN: Final = re.compile(r"[ \t]*(?:>[ \t]?)*[ \t]*")
_BULLET: Final = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_FENCE: Final = re.compile(r"[ \t>]*(?:`{3,}|~{3,})")
_NEW_BLOCK: Final = re.compile(r"[ \t>]*(?:$|#|```|~~~|(?:[-*+]|[0-9]{1,9}[.)])[ \t])")
_NO_CONTAINER: Final = re.compile(
    r"no such (?:container|service|object): ?([A-Za-z0-9][\w.-]{0,127})", re.IGNORECASE
)
_NOT_THERE: Final = re.compile(r"(?:^|[\s:])([A-Za-z0-9_./+-]{1,60}): (?:command )?not found\b")
_NEAR: Final = 0.6
_MOST_NAMES: Final = 500


@dataclass(frozen=True, slots=True)
class Proposal:
    """One gap: `why` in a line, `seq` the entry of the record that says so (0: none, the linter
    does), `edits` what would close it; without any it is for people to think about."""

    book: Book
    line: int
    playbook: str
    why: str
    seq: int = 0
    edits: tuple[Edit, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.book.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Told:
    """What the record tells: the incident's id, its events, what became of its requests, the
    numbers of the evidence by the entry it belongs to, and what containers are called now."""

    incident: str
    events: Sequence[Event]
    requests: Requests
    labels: Mapping[int, str] = field(default_factory=dict)
    containers: Sequence[str] = ()


def proposals(books: Iterable[Book], told: Told) -> tuple[Proposal, ...]:
    """Every gap that the incident found, in the order of the books and their lines."""
    how_far = standings(told.events, told.requests)
    found: dict[tuple[str, int, str], Proposal] = {}
    for book in books:
        for playbook in book.runbook.playbooks:
            for entry in entries(book, playbook):
                standing = how_far.get(entry.key) if entry.key else None
                if entry.what is What.TASK and standing is not None:
                    for made in _of_task(book, playbook.title, entry, standing, told):
                        found.setdefault((book.name, made.line, made.why), made)
    names = list(dict.fromkeys(one.book.name for one in found.values()))
    ordered = sorted(found.values(), key=lambda one: (names.index(one.book.name), one.line))
    return tuple(map(_harmless_edits, ordered))


def patch(made: Sequence[Proposal], incident: str) -> str:
    """All of them as one patch, the reasons above it; empty when there is nothing to say. It is
    applied in the folder of the config, with `git apply` or `patch -p1`."""
    if not made:
        return ""
    lines = [f"# What {incident} found out about the runbooks. Read it, then: git apply FILE"]
    lines += [
        f"# {one.place}: {one.why}{'' if one.edits else ' (no edit proposed)'}" for one in made
    ]
    files = []
    for book in {one.book.path: one.book for one in made}.values():
        edits = [edit for one in made if one.book.path == book.path for edit in one.edits]
        try:
            files.append(unified(book.name, _whole(book), edits))
        except ValueError as error:
            lines.append(f"# {book.name}: {error}")
    return "\n".join([*(harmless(line) for line in lines), "", ""]) + "".join(files)


# One task ---------------------------------------------------------------------------------------


def _of_task(
    book: Book, playbook: str, entry: Entry, standing: Standing, told: Told
) -> Iterator[Proposal]:
    if standing.state in _GAPS:
        words = _words(standing, told)
        label = told.labels.get(standing.seq, "")
        cited = f" [{label}]" if label else ""
        why = f"{standing.state.value.lower()}{cited}: {words}" if words else standing.state.value
        edits = _renamed(book, entry, words, told.containers)
        edits = edits or _noted(book, entry, f"{told.incident}: {_advice(why, words)}")
        yield Proposal(book, entry.line, playbook, _plain(why), standing.seq, edits)
    if standing.state in _RAN:
        until = entry.line + entry.text.count("\n")
        for finding in book.runbook.lint:
            if entry.line <= finding.line <= until and finding.level is not LintLevel.INFO:
                note = f"{finding.rule}: {finding.message}"
                why = f"was run although the linter warns of it: {note}"
                edits = _noted(book, entry, note)
                yield Proposal(book, entry.line, playbook, _plain(why), standing.seq, edits)


def _words(standing: Standing, told: Told) -> str:
    """The reason, or the outcome without the title and state that it begins with."""
    request = told.requests.get(standing.seq)
    if request is None or request.outcome is None or request.state != standing.state.value:
        return _plain(standing.words)  # one of several that were run together says it itself
    said = request.outcome.text
    mark = f": {request.state}: "
    return _plain(said[said.find(mark) + len(mark) :] if mark in said else standing.words)


def _advice(why: str, words: str) -> str:
    missing = _NOT_THERE.search(words)
    if missing is None:
        return why
    program = missing[1].rpartition("/")[2]
    return f"{why}; say here how {program} is installed, or what to use instead"


def _plain(text: str) -> str:
    return shorten(harmless(" ".join(text.split())), _WIDTH)


# Where an edit goes -----------------------------------------------------------------------------


def _renamed(book: Book, entry: Entry, words: str, containers: Sequence[str]) -> tuple[Edit, ...]:
    """Another name for a container that is called otherwise by now, where only one comes near."""
    gone = _NO_CONTAINER.search(words)
    if gone is None or gone[1] in containers:
        return ()
    named = re.compile(rf"(?<![\w.-]){re.escape(gone[1])}(?![\w.-])")
    near = _nearest(gone[1], containers)
    rows = _whole(book).split("\n")
    lines = range(entry.line, entry.line + entry.text.count("\n") + 1)
    hits = [n for n in lines if n <= len(rows) and named.search(rows[n - 1])]
    if not near or len(hits) != 1 or len(named.findall(rows[hits[0] - 1])) != 1:
        return ()
    return (Edit(hits[0], instead=named.sub(lambda _: near, rows[hits[0] - 1])),)


def _nearest(name: str, known: Sequence[str]) -> str:
    """The one that is most like it; nothing when two are."""

    def like(other: str) -> float:
        own, theirs = (re.split(r"[._-]", each.casefold()) for each in (name, other))
        shared = bool({*own} & {*theirs})
        return difflib.SequenceMatcher(None, name, other).ratio() + 0.3 * shared

    ranked = sorted(((like(other), other) for other in known[:_MOST_NAMES]), reverse=True)
    if not ranked or ranked[0][0] < _NEAR or (len(ranked) > 1 and ranked[1][0] == ranked[0][0]):
        return ""
    return ranked[0][1]


def _noted(book: Book, entry: Entry, note: str) -> tuple[Edit, ...]:
    """A comment above the command, where the code is the team's to comment; else a quote below."""
    rows, note = _rows(book), _plain(note)
    if not 0 < entry.line <= len(rows):
        return ()
    row = rows[entry.line - 1]
    margin = _MARGIN.match(row)
    before = margin[0] if margin else ""
    first = entry.text.split("\n", 1)[0]
    fenced = entry.step is not None and entry.step.language != "inline"
    if entry.is_query and fenced:  # its entry stands on the line of the fence
        return (Edit(entry.line + 1, (f"{before}-- {note}",)),)
    if fenced and row[len(before) :].startswith(first.lstrip(" \t")):
        return (Edit(entry.line, (f"{before}# {note}",)),)
    return _below(rows, entry.line, before, note, fenced=fenced)


def _below(
    rows: Sequence[str], line: int, before: str, note: str, *, fenced: bool
) -> tuple[Edit, ...]:
    row = rows[line - 1][len(before) :]
    bullet = _BULLET.match(row)
    margin = before + " " * len(bullet[0]) if bullet else before
    after = line
    if fenced:
        while after < len(rows) and not _FENCE.match(rows[after]):
            after += 1
        return (Edit(after + 2, (f"{margin}> {note}",)),) if after + 1 < len(rows) else ()
    is_table = row.startswith("|")
    while after < len(rows) and not _NEW_BLOCK.match(rows[after]):
        after += 1
    if after >= len(rows):
        return ()
    above = ("", f"{margin}> Line {line}: {note}") if is_table else (f"{margin}> {note}",)
    return (Edit(after + 1, above),)


def _rows(book: Book) -> list[str]:
    return [row.removesuffix("\r") for row in _whole(book).split("\n")]


def _whole(book: Book) -> str:
    """What stands in the file, with the mark that decoding took away."""
    marked = f"\ufeff{book.text}"
    is_marked = hashlib.sha256(marked.encode()).hexdigest() == book.digest
    return marked if is_marked else book.text


def _harmless_edits(made: Proposal) -> Proposal:
    """Without edits where they would change what else can be run: a comment that a fence reads as
    a prompt, a file whose lines end as on old Macs."""
    if not made.edits:
        return made
    if "\r" in made.book.text.replace("\r\n", ""):
        return replace(made, edits=())
    try:
        after = parse(edited(made.book.text, made.edits))
    except RunbookError:
        return replace(made, edits=())
    before = [part.text for step in made.book.runbook.steps for part in step.runnable]
    now = [part.text for step in after.steps for part in step.runnable]
    allowed = sum(edit.instead is not None for edit in made.edits)
    changed = sum(one != other for one, other in zip(before, now, strict=False))
    is_same = len(before) == len(now) and changed <= allowed
    return made if is_same else replace(made, edits=())

"""Edits of a text as a patch that `git apply` and `patch -p1` take: unified diff (POSIX.1-2017,
diff, "Diff -u Output Format"), written from the edits themselves. Pure, to the byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_AROUND: Final = 3
_NO_END: Final = "\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class Edit:
    """At line `line` (from 1; one more than there are: at the end): lines that are put above it,
    and what stands `instead` of it, None to leave it. Without line ends."""

    line: int
    above: tuple[str, ...] = ()
    instead: str | None = None


def edited(text: str, edits: Iterable[Edit]) -> str:
    """`text` with the edits in it."""
    merged = _merged(edits)
    lines, end = _lines(text)
    made: list[str] = []
    for number in range(1, len(lines) + 2):
        edit = merged.get(number, Edit(number))
        made += [f"{line}{_ending(lines)}" for line in edit.above]
        if number <= len(lines):
            made.append(lines[number - 1] if edit.instead is None else edit.instead)
    return "\n".join(made) + end


def unified(name: str, text: str, edits: Iterable[Edit]) -> str:
    """The patch of one file, called `name`; empty without edits. Raises ValueError for a name that
    a patch cannot hold."""
    if not name.isprintable() or '"' in name or "\\" in name or name.startswith("/"):
        raise ValueError("a patch cannot name this file")
    merged = _merged(edits)
    if not merged:
        return ""
    lines, end = _lines(text)
    tab = "\t" if " " in name else ""
    head = f"--- a/{name}{tab}\n+++ b/{name}{tab}\n"
    shift, pieces = 0, [head]
    for first, last in _spans(sorted(merged), len(lines)):
        rows = list(_rows(lines, merged, first, last, end))
        old, new = (sum(row[0] in signs for row in rows) for signs in (" -", " +"))
        begin = first if old else first - 1
        pieces.append(f"@@ -{begin},{old} +{first + shift},{new} @@\n")
        pieces += rows
        shift += new - old
    return "".join(pieces)


def _rows(
    lines: Sequence[str], merged: dict[int, Edit], first: int, last: int, end: str
) -> Iterator[str]:
    for number in range(first, last + 1):
        edit = merged.get(number, Edit(number))
        cut = _NO_END if number == len(lines) and not end else ""
        if number > len(lines) and edit.above and not end:
            raise ValueError("nothing can be put behind a last line without an end")
        yield from (f"+{line}{_ending(lines)}\n" for line in edit.above)
        if number > len(lines):
            continue
        here = lines[number - 1]
        if edit.instead is None:
            yield f" {here}\n{cut}"
        else:
            yield f"-{here}\n{cut}"
            yield f"+{edit.instead}\n{cut}"


def _spans(changed: Sequence[int], count: int) -> Iterator[tuple[int, int]]:
    """First and last line of each hunk: changes that are near stand in one."""
    first = last = 0
    for line in changed:
        begin, until = max(1, line - _AROUND), min(count, line + _AROUND)
        until = max(until, line)
        if not first:
            first, last = begin, until
        elif begin <= last + 1:
            last = max(last, until)
        else:
            yield first, last
            first, last = begin, until
    if first:
        yield first, last


def _merged(edits: Iterable[Edit]) -> dict[int, Edit]:
    """One for each line: what is put above it in the order given, the last replacement."""
    found: dict[int, Edit] = {}
    for edit in edits:
        before = found.get(edit.line, Edit(edit.line))
        instead = before.instead if edit.instead is None else edit.instead
        found[edit.line] = Edit(edit.line, (*before.above, *edit.above), instead)
    return found


def _lines(text: str) -> tuple[list[str], str]:
    """The lines without their ends (a carriage return stays), and the end of the last one."""
    if not text:
        return [], "\n"
    lines = text.split("\n")
    return (lines[:-1], "\n") if lines[-1] == "" else (lines, "")


def _ending(lines: Sequence[str]) -> str:
    """Lines are put in as the file ends them: with a carriage return, too, where most have one."""
    return "\r" if sum(line.endswith("\r") for line in lines) * 2 > len(lines) else ""

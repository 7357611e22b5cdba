"""Commands → the parts of a step: each can be run on its own, as it stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.model import HIDDEN, Assessment, Part, Risk
from warroom.runbooks.risk import command_risk
from warroom.runbooks.shell import Command
from warroom.runbooks.verbs import word_set

_LASTING: Final = word_set("""
    cd pushd popd export source . set shopt alias umask ulimit trap declare unset read conda nvm
""")
_FUNCTION: Final = re.compile(r"(?:function\s+)?[A-Za-z_][\w-]{0,60}\s?\(\)")
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def shown(text: str) -> str:
    """`text` harmless, its lines and tabs kept: a tab within a heredoc means something."""
    return "\t".join(harmless(piece, lines=True) for piece in text.split("\t"))


def part_of(command: Command, first_line: int) -> Part:
    """The part that one command is, in a text that begins on `first_line`."""
    return Part(
        line=first_line + command.line,
        text=shown(command.text),
        comment=harmless(command.comment),
        assessment=_safe(command),
        programs=command.programs,
        is_exact=shown(command.text) == command.text,
    )


def _safe(command: Command) -> Assessment:
    """Control characters in a command are never innocent."""
    if shown(command.text) != command.text:
        return Assessment(Risk.DESTROY, HIDDEN)
    found = command_risk(command)
    return Assessment(found.risk, harmless(found.why))


def joined(content: str, listed: Sequence[Command], first_line: int) -> tuple[Part, ...]:
    """The commands as parts; from one on that changes the shell for those below it, all that
    depends on it is one part: what stands between them in the file comes along."""
    parts: list[Part] = []
    last_uses = _last_uses(listed)
    index = 0
    while index < len(listed):
        last = _last_that_needs(listed, index, last_uses)
        if last > index:
            parts.append(_together(content, listed[index : last + 1], first_line))
        else:
            parts.append(part_of(listed[index], first_line))
        index = last + 1
    return tuple(parts)


def lasts(command: Command) -> bool:
    """Whether it changes the shell itself: where it is, what it knows."""
    return _changes_shell(command) or any(_assigned(command))


def _changes_shell(command: Command) -> bool:
    """`cd`, `export`, a function: all that follows may need it. Within parentheses, nothing."""
    if command.text.startswith("("):
        return False
    verbs = (program.argv[0] for program in command.programs if program.argv)
    return any(verb in _LASTING for verb in verbs) or bool(_FUNCTION.match(command.text))


def _assigned(command: Command) -> Iterator[str]:
    """The variables that it sets for good: `A=1`, and not `A=1 program`."""
    for program in command.programs:
        if not program.argv:
            yield from (assign.partition("=")[0].rstrip("+") for assign in program.assigns)


def _last_uses(listed: Sequence[Command]) -> dict[str, int]:
    """The last command that names each variable."""
    return {
        name: index
        for index, command in enumerate(listed)
        if "$" in command.text
        for name in _VARIABLE.findall(command.text)
    }


def _last_that_needs(listed: Sequence[Command], index: int, last_uses: dict[str, int]) -> int:
    """The last command that needs what `listed[index]` sets, or what those in between set; itself
    when none does."""
    last = index
    if not lasts(listed[index]):
        return last
    while index <= last:
        if _changes_shell(listed[index]):
            return len(listed) - 1
        last = max(last, *(last_uses.get(name, 0) for name in _assigned(listed[index])), 0)
        index += 1
    return last


def _together(content: str, run: Sequence[Command], first_line: int) -> Part:
    parts = [part_of(command, first_line) for command in run]
    worst = max((part.assessment for part in parts), key=lambda found: found.risk.rank)
    text = content[run[0].start : run[-1].end]
    is_exact = shown(text) == text  # what stands between them, too
    return Part(
        line=parts[0].line,
        text=shown(text),
        comment=parts[0].comment,
        assessment=worst if is_exact else Assessment(Risk.DESTROY, HIDDEN),
        programs=tuple(
            replace(program, line=program.line + part.line - parts[0].line)
            for part in parts
            for program in part.programs
        ),
        is_exact=is_exact,
    )

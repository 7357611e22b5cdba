"""What a config may say of a command, and what it may not: before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from warroom.config.inputs import PLACE, Input, check_inputs, filled, places
from warroom.config.problems import nearest
from warroom.config.values import Line, Seconds
from warroom.domain.text import harmless
from warroom.mitigations.base import MitigationRefused, Risk

LONGEST_S: Final = 3600.0
ALWAYS: Final = ("PATH", "HOME", "LANG")
"""Variables that every command gets."""
_NOTHING: Final = Line("")
_TIMEOUT: Final = Seconds(60.0)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INTERPRETERS: Final = re.compile(
    r"(?:ba|da|k|mk|z|a|fi|c|tc)?sh|busybox|python[0-9.]*|perl|ruby|node|nodejs|php[0-9.]*|lua"
    r"|psql|mysql|mariadb"
)
"""Programs that take a text of an argument for a program of their own."""
_PROGRAM_FLAG: Final = re.compile(r"-[a-zA-Z]*[ceErF]|--(?:eval|command|execute|print|run)")
_JOINS: Final = frozenset({"ssh", "eval", "watch", "su"})
"""Programs that join their arguments and hand them to a shell."""


@dataclass(frozen=True, slots=True)
class Read:
    """A fact that a command prints in one line. It stands on the card, may be used in `undo`, and
    is read again just before acting: when it has changed, nothing runs."""

    name: str
    argv: tuple[str, ...]
    title: Line = _NOTHING
    pattern: str = ""

    def __post_init__(self) -> None:
        self.as_input  # noqa: B018 - says what is wrong with name and pattern
        _check_argv(self.argv)

    @property
    def as_input(self) -> Input:
        """What it must look like. Raises ValueError."""
        return Input(self.name, self.title, pattern=self.pattern)


@dataclass(frozen=True, slots=True)
class Diff:
    """Two commands that print how it is and how it would be; their difference is shown."""

    before: tuple[str, ...]
    after: tuple[str, ...]

    def __post_init__(self) -> None:
        for argv in (self.before, self.after):
            _check_argv(argv)


@dataclass(frozen=True, slots=True)
class UndoSettings:
    """What takes a command back: another `argv`, or any mitigation by `kind` and `options`."""

    argv: tuple[str, ...] = ()
    kind: str = ""
    title: Line = _NOTHING
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if bool(self.argv) is bool(self.kind):
            raise ValueError("an undo wants an argv, or a kind with its options")
        if self.argv:
            _check_argv(self.argv)


@dataclass(frozen=True, slots=True)
class Options:
    """A command and everything around it.

    `argv` is never split, never read by a shell; `{name}` in it is the input of that name.
    `set` answers inputs in the config. `env` are the only variables it gets besides ALWAYS: of
    this machine, or with `on` of the far one. `exits` are the exit codes that mean it worked.
    `preview`, `dry_run` and those of `diff` change nothing; what they say stands on the card.
    `verify` says afterwards whether it happened. `verbatim`: there are no inputs, braces are text.
    """

    argv: tuple[str, ...]
    inputs: tuple[Input, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict, metadata={"key": "set"})
    reads: tuple[Read, ...] = ()
    target: Line = _NOTHING
    env: tuple[str, ...] = ()
    directory: Line = _NOTHING
    exits: tuple[int, ...] = (0,)
    timeout: Seconds = _TIMEOUT
    risk: Risk = Risk.CHANGE
    preview: tuple[str, ...] = ()
    diff: Diff | None = None
    dry_run: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    undo: UndoSettings | str | None = None
    expires: Seconds | None = None
    moves: Mapping[str, Literal["up", "down"]] = field(default_factory=dict)
    warnings: tuple[Line, ...] = ()
    verbatim: bool = False

    def __post_init__(self) -> None:
        check_inputs(self.inputs, self.given, [one.name for one in self.reads])
        _check_argv(self.argv)
        self._check_places()
        if self.undo is not None and not isinstance(self.undo, UndoSettings):
            message = f'undo: "{self.undo}" is not the title or key of a mitigation'
            raise ValueError(message)
        if self.expires is not None and self.undo is None:
            raise ValueError("expires: what takes it back then? add undo = { argv = [...] }")
        if not 0 < self.timeout <= LONGEST_S:
            raise ValueError(f"timeout: from above 0 to {LONGEST_S:g} seconds")
        if not self.exits or not all(0 <= code <= 255 for code in self.exits):
            raise ValueError("exits: exit codes from 0 to 255")
        for name in self.env:
            if not _VARIABLE.fullmatch(name):
                raise ValueError("env: names of variables only; their values stay outside")
        if self.directory and not self.directory.startswith(("/", "~/")):
            raise ValueError("directory: a whole path, from / or ~/ on")

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*ALWAYS, *self.env)))

    def _check_places(self) -> None:
        if self.verbatim:
            if self.inputs:
                raise ValueError("verbatim: then there is no place for inputs")
            return
        asked = [one.name for one in self.inputs]
        known = [*asked, *(one.name for one in self.reads)]
        for key, argv in self._argvs():
            for name in (name for text in argv for name in places(text)):
                names = asked if key in ("reads", "target") else known
                if name not in names:
                    hint = nearest(name, names) or "declare it: inputs = [{ name = ... }]"
                    raise ValueError(f"{key}: {{{name}}} is not an input; {hint}")
            reason = "" if key == "target" else unsafe(argv)
            if reason:
                raise ValueError(f"{key}: {reason}")

    def _argvs(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Every template with its key."""
        for key in ("argv", "preview", "dry_run", "verify"):
            yield key, getattr(self, key)
        yield "target", (self.target,)
        for one in self.reads:
            yield "reads", one.argv
        if self.diff is not None:
            yield "diff", self.diff.before
            yield "diff", self.diff.after
        if isinstance(self.undo, UndoSettings):
            yield "undo", self.undo.argv
            yield "undo", tuple(_texts(self.undo.options))


def unsafe(argv: Sequence[str]) -> str:
    """Why the places of a template stand where a value would become a program; empty when fine."""
    if argv and PLACE.search(argv[0]):
        return "the program itself cannot be an input"
    seen: list[str] = []
    for index, word in enumerate(argv):
        match = PLACE.search(word)
        if match:
            joined = next((one for one in seen if one in _JOINS), "")
            if joined:
                hint = 'use on = "HOST"' if joined == "ssh" else "call the program itself"
                return f"{joined} hands its arguments to a shell, a value with them; {hint}"
            flags = (argv[index - 1], word[: match.start()].partition("=")[0])
            is_text = any(_PROGRAM_FLAG.fullmatch(flag) for flag in flags)
            if is_text and any(_INTERPRETERS.fullmatch(one) for one in seen):
                return f"a value within {seen[-1]} would be read as program text"
        seen.append(PurePosixPath(word).name)
    return ""


def rendered(argv: Sequence[str], options: Options, values: Mapping[str, str]) -> tuple[str, ...]:
    """`argv` with its values. Raises MitigationRefused where a program would take one for an
    option: a word that begins with one, before any `--`, unless its input says `dash`."""
    if options.verbatim:
        return tuple(argv)
    dashing = {one.name for one in options.inputs if one.dash}
    words: list[str] = []
    for template in argv:
        word = filled(template, values)
        match = PLACE.match(template)
        if match and word.startswith("-") and "--" not in words and match[1] not in dashing:
            raise MitigationRefused(
                f"{match[1]}: {harmless(word)} looks like an option, and would be taken for one"
            )
        words.append(word)
    return tuple(words)


def filled_options(value: Any, values: Mapping[str, str]) -> Any:
    """Plain options with the values in their texts."""
    if isinstance(value, str):
        return filled(value, values) if set(places(value)) <= set(values) else value
    if isinstance(value, Mapping):
        return {key: filled_options(each, values) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled_options(each, values) for each in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)


def _check_argv(argv: Sequence[str]) -> None:
    if not argv or not argv[0] or argv[0].startswith("-"):
        raise ValueError("argv: a program and its arguments, each a text of its own")

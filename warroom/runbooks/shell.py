"""Shell text → commands → programs with their arguments. Nothing is run or expanded.

`<app-id>` is a placeholder to fill in, as runbooks write it, and no redirection.
Follows POSIX.1-2017, Shell Command Language, sections 2.2 (quoting), 2.3 (tokens), 2.7
(redirection) and 2.9 (commands) as far as reading needs it: quotes are taken off, `$X` and globs
stay as they are, the commands in `$(...)` and backquotes count as commands of their own.
One pass over the text; nesting deeper than 16 is left as plain words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Redirect:
    """`op` such as `>`, `>>`, `<`, `2>&1`'s `>&`; `target` with its quotes taken off."""

    op: str
    target: str


@dataclass(frozen=True, slots=True)
class Program:
    """One simple command. `stdin` is the body of a heredoc, `after` what stands between it and
    the program before it: `|`, `&&`, `||`, `;`, or nothing. `line` counts from 0 within the
    command that it is part of."""

    argv: tuple[str, ...]
    assigns: tuple[str, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    stdin: str = ""
    after: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """What runs as one: a pipeline or list on one line, or a whole loop. `line` counts from 0
    within the text; `comment` is that of the lines above it and of its own end; `start` and `end`
    are where `text` stands in the whole; `is_whole` is whether every quote, loop and heredoc that
    it opens is closed."""

    line: int
    text: str
    comment: str
    programs: tuple[Program, ...]
    start: int = 0
    end: int = 0
    is_whole: bool = True


def commands(text: str) -> list[Command]:
    """The commands of `text`, in order. Comments alone are no command."""
    return list(_Reader(text).commands())


def words(text: str) -> tuple[str, ...]:
    """The arguments of the first program in `text`; empty when there is none."""
    for command in commands(text):
        for program in command.programs:
            return program.argv
    return ()


_BLANK: Final = re.compile(r"(?:[ \t\r]|\\\n)+")
_PLAIN: Final = re.compile(r"[^\s'\"\\$`|&;()<>\n]+")
_PLACEHOLDER: Final = re.compile(r"<[A-Za-z][A-Za-z0-9 _.-]{0,60}>")
_OPERATOR: Final = re.compile(r"\|\||&&|;;|\|&|[|&;()]")
_REDIRECT: Final = re.compile(r"[0-9]{0,3}(<<<|<<-?|&>>?|>>|>&|<&|<>|>\||[<>])")
_ASSIGN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_IN_DOUBLE: Final = re.compile(r"[^\"\\$`]+")
_NAME: Final = re.compile(r"\$(?:[A-Za-z0-9_]+|[@*#?$!-]|\{[^}\n]*\})")
_OPENERS: Final = frozenset({"for", "while", "until", "if", "case", "select", "{"})
_CLOSERS: Final = frozenset({"done", "fi", "esac", "}"})
_FILLERS: Final = frozenset({"do", "then", "else", "elif", "!", "time"})
_DEEPEST: Final = 16


@dataclass(slots=True)
class _Making:
    """A program while it is read."""

    after: str = ""
    line: int = 0
    argv: list[str] = field(default_factory=list)
    assigns: list[str] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.argv or self.assigns or self.redirects)


class _Reader:
    def __init__(self, text: str, nesting: int = 0) -> None:
        self._text, self._nesting, self._at = text, nesting, 0
        self._programs: list[Program] = []
        self._nested: list[Program] = []
        self._open = self._parens = 0
        self._heredocs: list[tuple[str, bool]] = []
        self._making = _Making()
        self._comments: list[str] = []
        self._torn = False
        self._line = self._counted = 0

    def commands(self) -> Iterator[Command]:
        start, line, lines_from = -1, 0, 0
        while self._at < len(self._text):
            if start < 0:
                self._skip_blank()
                start = self._counted = self._at
                self._line = 0
                line += self._text.count("\n", lines_from, start)
                lines_from = start
            if self._at < len(self._text) and self._step():
                text = self._text[start : self._at].strip("\n")
                if self._programs:
                    yield self._command(line, start)
                elif not text.strip():
                    self._comments = []  # an empty line parts a comment from what follows
                start = -1
        if start >= 0:
            self._finish("")
            if self._programs:
                yield self._command(line, start)

    def _command(self, line: int, start: int) -> Command:
        """What was read since `start`, which is no line end."""
        text = self._text[start : self._at].strip("\n")
        comment, programs = " ".join(self._comments), tuple(self._programs)
        whole = not (self._open or self._parens or self._torn)
        self._programs, self._comments, self._torn = [], [], False
        self._open = self._parens = 0
        return Command(line, text, comment, programs, start, start + len(text), whole)

    def _step(self) -> bool:
        """Read one token; True when a command (or an empty line) ends here."""
        text, at = self._text, self._at
        char = text[at]
        if char == "\n":
            self._at += 1
            self._take_heredocs()
            waits = self._making.is_empty and self._making.after in ("|", "&&", "||")
            self._finish("" if not waits else self._making.after)
            return not (self._open or self._parens or waits)
        if match := _BLANK.match(text, at):
            self._at = match.end()
        elif char == "#":
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            self._comments.append(text[at:end].strip("# \t"))
            self._at = end
        elif not _PLACEHOLDER.match(text, at) and (match := _REDIRECT.match(text, at)):
            self._redirect(match)
        elif match := _OPERATOR.match(text, at):
            self._operator(match[0])
        else:
            self._count_lines(at)
            self._take_word(self._word())
        return False

    def _count_lines(self, at: int) -> None:
        """Which line of the command `at` is on."""
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at

    def _operator(self, operator: str) -> None:
        self._at += len(operator)
        if operator == "(":
            self._parens += 1
        elif operator == ")" and self._parens:
            self._parens -= 1
        elif operator == ")" and self._open:
            self._making = _Making()  # a pattern of `case` is no command
        self._finish(
            operator if operator in ("|", "&&", "||") else "|" if operator == "|&" else ";"
        )

    def _finish(self, after: str) -> None:
        """The program that is being read is complete; `after` stands behind it."""
        making = self._making
        if not making.is_empty and not (making.argv and making.argv[0] in _CLOSERS):
            self._programs.append(
                Program(
                    tuple(making.argv), tuple(making.assigns), tuple(making.redirects), "",
                    making.after, making.line,
                )
            )  # fmt: skip
        if self._nested:
            self._programs.extend(replace(program, line=making.line) for program in self._nested)
            self._nested = []
        self._making = _Making(after)

    def _take_word(self, word: str) -> None:
        making = self._making
        if making.is_empty:
            making.line = self._line
        if not making.argv:
            if word in _FILLERS:
                return
            if word in _OPENERS:
                self._open += 1
                if word in ("for", "select", "case"):
                    self._skip_header()
                return
            if word in _CLOSERS:
                self._open = max(0, self._open - 1)
                making.argv.append(word)
                return
            if _ASSIGN.match(word):
                making.assigns.append(word)
                return
        making.argv.append(word)

    def _skip_header(self) -> None:
        """`for x in a b c`, `case $x in`: words, not a command."""
        while self._at < len(self._text) and self._text[self._at] not in "\n;":
            if not (match := _BLANK.match(self._text, self._at)):
                self._word() if self._text[self._at] not in "|&()<>" else self._next()
                continue
            self._at = match.end()

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _redirect(self, match: re.Match[str]) -> None:
        self._at = match.end()
        self._skip_blank()
        target = self._word() if self._at < len(self._text) else ""
        op = match[1]
        if op in ("<<", "<<-"):
            self._heredocs.append((target, op == "<<-"))
        self._making.redirects.append(Redirect(op, target))

    def _take_heredocs(self) -> None:
        bodies = []
        for delimiter, tabs in self._heredocs:
            body = []
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at = min(end + 1, len(self._text))
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
                body.append(line)
            else:
                self._torn = True
            bodies.append("\n".join(body))
        self._heredocs = []
        if bodies:
            self._feed("\n".join(bodies))

    def _feed(self, stdin: str) -> None:
        made = self._making
        self._finish("")
        if self._programs and not made.is_empty:
            last = self._programs[-1]
            self._programs[-1] = replace(last, stdin=stdin)

    def _skip_blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _word(self) -> str:
        pieces: list[str] = []
        while self._at < len(self._text):
            match = _PLAIN.match(self._text, self._at) or _PLACEHOLDER.match(self._text, self._at)
            if match:
                pieces.append(match[0])
                self._at = match.end()
                continue
            char = self._text[self._at]
            if char in " \t\r\n|&;()<>":
                break
            pieces.append(self._quoted(char))
        if not pieces and self._at < len(self._text) and self._text[self._at] not in "\n":
            return self._next()  # an operator where a word should stand: never loop
        return "".join(pieces)

    def _quoted(self, char: str) -> str:
        text, at = self._text, self._at
        if char == "\\":
            self._at += 2
            return "" if text[at + 1 : at + 2] == "\n" else text[at + 1 : at + 2]
        if char == "'":
            end = text.find("'", at + 1)
            self._torn = self._torn or end < 0
            end = len(text) if end < 0 else end
            self._at = min(end + 1, len(text))
            return text[at + 1 : end]
        if char == '"':
            return self._double()
        if char == "$" and text.startswith("$(", at):
            return self._substitution(at + 2, ")")
        if char == "`":
            end = text.find("`", at + 1)
            self._torn = self._torn or end < 0
            return self._substitution(at + 1, "`") if end > 0 else self._next()
        if match := _NAME.match(text, at):
            self._at = match.end()
            return match[0]
        return self._next()

    def _double(self) -> str:
        self._at += 1
        pieces = []
        while self._at < len(self._text) and self._text[self._at] != '"':
            if match := _IN_DOUBLE.match(self._text, self._at):
                pieces.append(match[0])
                self._at = match.end()
            else:
                pieces.append(self._quoted(self._text[self._at]))
        self._torn = self._torn or self._at >= len(self._text)
        self._at += 1
        return "".join(pieces)

    def _substitution(self, start: int, closer: str) -> str:
        """`$(...)`: its programs are noted, its text stays in the word."""
        end = self._matching(start) if closer == ")" else self._text.find("`", start)
        self._torn = self._torn or end >= len(self._text)
        inner = self._text[start:end]
        if self._nesting < _DEEPEST:
            arithmetic = inner.startswith("(") and inner.endswith(")")
            for command in () if arithmetic else _Reader(inner, self._nesting + 1).commands():
                self._nested.extend(command.programs)
        begin, self._at = self._at, min(end + 1, len(self._text))
        return self._text[begin : self._at]

    def _matching(self, at: int) -> int:
        """Where the parenthesis that was opened before `at` is closed; quotes are stepped over."""
        depth = 1
        for match in _CLOSING.finditer(self._text, at):
            if match[0] in "()":
                depth += 1 if match[0] == "(" else -1
                if not depth:
                    return match.start()
        return len(self._text)


_CLOSING: Final = re.compile(r"\\.|'[^']*'|[()]", re.DOTALL)

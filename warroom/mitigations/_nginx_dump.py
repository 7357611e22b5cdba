"""What `nginx -T` prints, followed as nginx follows it: files, blocks and directives. Pure.

Only what matters for one include file is read out of it: where the file is included, where the
team's own rules stand in its way, and which pid file there is. Lexing is as in nginx's own
`ngx_conf_read_token` (ngx_conf_file.c): words, quotes, comments, `${name}` within words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from warroom.domain.text import harmless, harmless_bytes, shorten

_FILE: Final = re.compile(rb"^# configuration file (.+):$", re.MULTILINE)
_TOKEN: Final = re.compile(
    rb"(?P<space>\s+)|(?P<comment>#[^\n]*)|(?P<mark>[;{}])"
    rb"|\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)'"
    rb"|(?P<word>(?:\\.|\$\{[^}\s]*\}|[^\s;{}\"'\\#])(?:\\.|\$\{[^}\s]*\}|[^\s;{\\])*)",
    re.DOTALL,
)
_LUA: Final = re.compile(
    rb"(?:--)?\[(=*)\[.*?\]\1\]|--[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[{}]", re.DOTALL
)
_CODE: Final = b"_by_lua_block"
"""What blocks are called that hold Lua (OpenResty), with strings and comments of its own."""
_DEPTH: Final = 20
"""Files included, and blocks opened, within each other; nobody's config has as many."""


class NotFollowed(ValueError):
    """The dump could not be read; the message is one plain line."""


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: `words` with its name first; `blocks` are those it stands in, outermost
    first, such as `("http", "server", "location")`."""

    words: tuple[bytes, ...]
    file: str
    line: int
    blocks: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.words[0].decode("ascii", "replace")

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{shorten(harmless(self.file), 80)}:{self.line}"


@dataclass(frozen=True)
class Dump:
    """The files of a config as nginx reads them, the main one first."""

    files: Mapping[str, bytes]

    @property
    def main(self) -> str:
        return next(iter(self.files))

    @cached_property
    def directives(self) -> tuple[Directive, ...]:
        """Every one in the order in which nginx reads them. Raises NotFollowed."""
        return tuple(self._followed(self.main, (), 0))

    def blocks_of(self, path: str) -> tuple[tuple[str, ...], ...]:
        """The blocks in which `path` is included, whether the file is there already or not; none
        when it is included nowhere."""
        return tuple(d.blocks for d in self.directives if self.includes(d, path))

    def includes(self, directive: Directive, path: str) -> bool:
        """Whether a directive includes `path`, be the file there or not."""
        return (
            directive.name == "include"
            and len(directive.words) == 2
            and matches(self._pattern(directive), path)
        )

    def named(self, *names: str) -> tuple[Directive, ...]:
        return tuple(d for d in self.directives if d.name in names)

    def _followed(self, file: str, above: tuple[str, ...], depth: int) -> Iterator[Directive]:
        if depth > _DEPTH:
            raise NotFollowed("its files include each other without end")
        blocks = list(above)
        for words, line, mark in _statements(self.files[file], file):
            if mark == "}":
                if len(blocks) == len(above):
                    raise NotFollowed(f'unexpected "}}" at {harmless(file)}:{line}')
                blocks.pop()
                continue
            found = Directive(words, file, line, tuple(blocks))
            yield found
            if mark == "{":
                blocks.append(found.name)
                if len(blocks) > _DEPTH:
                    raise NotFollowed(f"blocks without end at {harmless(file)}:{line}")
            elif found.name == "include" and len(words) == 2:
                pattern = self._pattern(found)
                for other in sorted(name for name in self.files if matches(pattern, name)):
                    yield from self._followed(other, tuple(blocks), depth + 1)

    def _pattern(self, include: Directive) -> str:
        """Relative to the folder of the main file (ngx_conf_include, `conf_prefix`)."""
        text = include.words[1].decode("utf-8", "surrogateescape")
        return str(PurePosixPath(self.main).parent / text)


def read(output: bytes) -> Dump:
    """The files in what `nginx -T` printed. Raises NotFollowed."""
    heads = list(_FILE.finditer(output))
    if not heads:
        raise NotFollowed("nginx -T printed no configuration file")
    files: dict[str, bytes] = {}
    ends = [*(head.start() for head in heads[1:]), len(output)]
    for head, end in zip(heads, ends, strict=True):
        name = head[1].decode("utf-8", "surrogateescape")
        files.setdefault(name, output[head.end() + 1 : end - 1])  # nginx adds a line feed to each
    return Dump(files)


def matches(pattern: str, path: str) -> bool:
    """As glob(3) does: part by part, and no `*` for a leading dot.

    >>> matches("/etc/nginx/conf.d/*.conf", "/etc/nginx/conf.d/a.conf")
    True
    >>> matches("/etc/nginx/*", "/etc/nginx/conf.d/a.conf"), matches("/a/*", "/a/.b")
    (False, False)
    """
    parts, names = pattern.split("/"), path.split("/")
    return len(parts) == len(names) and all(
        fnmatchcase(name, part) and (not name.startswith(".") or part.startswith("."))
        for part, name in zip(parts, names, strict=True)
    )


def _statements(text: bytes, file: str) -> Iterator[tuple[tuple[bytes, ...], int, str]]:
    """(words, line, what ends it: `;`, `{` or `}`)."""
    words: list[bytes] = []
    at, line, began = 0, 1, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            snippet = harmless_bytes(text[at : at + 20])
            raise NotFollowed(f'not understood at {harmless(file)}:{line}: "{snippet}"')
        kind = match.lastgroup
        if kind == "mark":
            if bool(words) is (match[0] == b"}"):  # as nginx itself says it
                mark = match[0].decode()
                raise NotFollowed(f'unexpected "{mark}" at {harmless(file)}:{line}')
            yield tuple(words), began, match[0].decode()
            is_code = match[0] == b"{" and bool(words) and words[0].endswith(_CODE)
            words = []
            if is_code:
                at, line = _past_code(text, match.end(), line)
                continue
        elif kind in ("word", "double", "single"):
            began = began if words else line
            words.append(match[kind])
        line += match[0].count(b"\n")
        at = match.end()


def _past_code(text: bytes, at: int, line: int) -> tuple[int, int]:
    """Where the block's own closing brace stands, braces counted."""
    depth = 1
    for match in _LUA.finditer(text, at):
        depth += {b"{": 1, b"}": -1}.get(match[0], 0)
        if not depth:
            return match.start(), line + text.count(b"\n", at, match.start())
    return len(text), line


def where(blocks: Sequence[str]) -> str:
    """Blocks in words.

    >>> where(("http", "server")), where(())
    ('http, server', 'the top')
    """
    return ", ".join(blocks) or "the top"

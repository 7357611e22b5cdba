"""What a log format is: how its lines are recognised, and which part of a line means what.

A format gives the parts of a line under the names of their roles:

| role | what it is |
| --- | --- |
| client | who asked: the peer of the connection, with its port or without |
| forwarded | X-Forwarded-For or the like: hops that somebody says there were, nearest last |
| time | when, as it is written |
| request | a whole request line; or `method` and `path` apart |
| status, size | the answer's status, and bytes sent |
| agent, host, user | User-Agent; the host that was asked, or that wrote the line; who logged in |
| level, message | how bad, and the text |

Other names are the format's own. Everything is bytes as they stand in the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

LONGEST: Final = 64 * 1024
"""Bytes of a line that are read."""

Roles = Mapping[str, bytes]
Fields = Sequence[tuple[str, bytes]]
Reader = Callable[[bytes], Roles | None]
Picked = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
Picker = Callable[[bytes], Picked | None]
"""Client, request line, status, size, agent and host of a line as they stand in it."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. Members are found by their names; `title` is for people.

    `asks`: every line is a request of a client, so that top talkers count it unasked.
    `wraps`: its message is a line of another program, to be recognised in turn.
    `headed`: headings between the lines say what comes after them, so the lines must be read in
    their order.
    `client_at`: in which blank-separated field the client stands, for formats of the common
    family, which are counted without reading whole lines.
    `marks` are in every line: the cheap test before the real one. `rank`: of formats that fit the
    same lines the more special has the higher.
    """

    name: str
    title: str
    asks: bool = False
    wraps: bool = False
    headed: bool = False
    client_at: int | None = None
    marks: tuple[bytes, ...] = ()
    rank: int = 1

    def roles(self, line: bytes) -> Roles | None:
        """The parts of `line` by role; None when it is not of this format."""
        raise NotImplementedError

    def fields(self, line: bytes) -> Fields:
        """Every part of `line` under the format's own name for it, in its order."""
        return tuple((self.roles(line) or {}).items())

    def fits(self, line: bytes) -> bool:
        """Whether `line` is surely of this format: asked when a format is recognised."""
        return self.roles(line) is not None

    def reader(self) -> Reader:
        """What reads the lines of one file, in order: a format with headings remembers them."""
        return self.roles

    def picker(self) -> Picker | None:
        """Reads only what is counted, in half the time; None where the parts do not stand so."""
        return None

    def sweep(self, _: frozenset[str]) -> re.Pattern[bytes] | None:
        """Finds these roles in a whole chunk of lines; `result` is ` STATUS SIZE`.

        It matches whole lines, one that is not of this format without its roles, and may run over
        the end of a damaged one: when it matches as often as there are lines, each match is one of
        them. It holds for chunks without an escaped quote.
        """
        return None

    def may_fit(self, line: bytes) -> bool:
        """The cheap test."""
        return all(line.find(mark) >= 0 for mark in self.marks)


@cache
def compiled(pattern: bytes) -> re.Pattern[bytes]:
    """A pattern, when it is first used: a console with two logs needs few of all there are."""
    return re.compile(pattern, re.DOTALL)


@cache
def _sweeping(pattern: bytes, wanted: frozenset[str]) -> re.Pattern[bytes]:
    for part, quicker in _QUICKER:
        pattern = pattern.replace(part, quicker)

    def named(group: re.Match[bytes]) -> bytes:
        return group[0] if group[1].decode() in wanted else b"(?:"

    pattern = re.sub(rb"\(\?P<(\w+)>", named, pattern)
    return re.compile(rb"(?m)^(?:" + pattern + rb".*+\n|.*+\n)")


_COUNTED: Final = ("client", "request", "status", "size", "agent")


@dataclass(frozen=True, slots=True)
class Pattern(Format):
    """A format written as one regular expression, whose named groups are roles or names of its
    own. It must not backtrack over what it repeats: every open repeat is possessive, or ends
    before what comes next.

    `core` is what it begins with, where all that comes behind may be missing. `sure` is stricter,
    for recognising, where the first takes in damaged lines, too.
    """

    pattern: bytes = b""
    core: bytes = b""
    sure: bytes = b""
    names: Mapping[str, str] = field(default_factory=dict)
    """Roles by the names of groups that are not called by their role."""
    longest: int = LONGEST

    def roles(self, line: bytes) -> Roles | None:
        found = compiled(self.pattern).match(line, 0, self.longest)
        if found is None:
            return None
        names = self.names
        return {
            names.get(name, name): part
            for name, part in found.groupdict().items()
            if part is not None
        }

    def fields(self, line: bytes) -> Fields:
        found = compiled(self.pattern).match(line, 0, self.longest)
        parts = {} if found is None else found.groupdict()
        return tuple((name, part) for name, part in parts.items() if part is not None)

    def picker(self) -> Picker | None:
        if type(self).roles is not Pattern.roles or self.names:
            return None
        pattern, longest = compiled(self.pattern), self.longest
        places = [pattern.groupindex.get(role, 0) for role in _COUNTED]
        if not all(places):
            return None
        host_at = pattern.groupindex.get("host", 0)

        def pick(line: bytes) -> Picked | None:
            found = pattern.match(line, 0, longest)
            if found is None:
                return None
            client, request, status, size, agent = found.group(*places)
            host = (found[host_at] or b"") if host_at else b""
            return client or b"", request or b"", status or b"-", size or b"-", agent or b"", host

        return pick

    def sweep(self, wanted: frozenset[str]) -> re.Pattern[bytes] | None:
        if self.client_at is None:
            return None
        held = _sweeping(self.core, wanted).groupindex
        return _sweeping(self.core if wanted <= held.keys() else self.pattern, wanted)

    def fits(self, line: bytes) -> bool:
        return compiled(self.sure or self.pattern).match(line, 0, self.longest) is not None


@dataclass(frozen=True, slots=True)
class Wrapped(Format):
    """Lines of one format as messages of another: what a container wrote, by syslog."""

    outer: Format = field(default_factory=lambda: Format("", ""))
    inner: Format = field(default_factory=lambda: Format("", ""))

    @staticmethod
    def of(outer: Format, inner: Format) -> Wrapped:
        """The client is the inner line's own: never the host that passed the line on."""
        return Wrapped(
            name=f"{inner.name} in {outer.name}",
            title=f"{inner.title}, in {outer.title}",
            asks=inner.asks,
            marks=outer.marks,
            rank=outer.rank,
            outer=outer,
            inner=inner,
        )

    def roles(self, line: bytes) -> Roles | None:
        around = self.outer.roles(line)
        if around is None:
            return None
        within = self.inner.roles(around.get("message", b"").rstrip(b"\r\n"))
        return around if within is None else {**around, **within}

    def fields(self, line: bytes) -> Fields:
        around = self.outer.roles(line) or {}
        within = self.inner.fields(around.get("message", b"").rstrip(b"\r\n"))
        return (*self.outer.fields(line), *within)

    def fits(self, line: bytes) -> bool:
        return self.outer.fits(line)


QUOTED: Final = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
"""What may stand between two quotes: quotes in it have a backslash before them."""
RESULT: Final = rb" (?P<status>\d{3}|-) (?P<size>\d++|-)"
"""Status and size of an answer."""
_QUICKER: Final = (
    (QUOTED, rb'[^"]*+'),
    (rb"(?:\S++ )?", b""),
    (rb'[^\[\]"]*+', rb'[^\[\]"\n]*+'),
    (rb"[^\]]*+", rb"[^\]]{0,99}+"),
    (RESULT, rb"(?P<result> (?:\d{3}|-) (?:\d++|-))"),
    (rb"\Z", b"$"),
)
"""Parts of patterns, and what finds the same in a chunk without escaped quotes, or less: no word
that a line may have, no long time. What it does not find is read line by line. No line makes it
look through all of the chunk, lest many such take minutes."""
ADDRESS: Final = rb"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]++)"
"""What looks like an address; whether it is one, `access.is_address` says."""

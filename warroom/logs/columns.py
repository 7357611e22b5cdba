"""Whole chunks of access lines as columns, at a microsecond a line.

Lines of the combined family have the same number of quotes, so splitting a chunk on `"` gives
every field at a fixed step. A chunk where one line breaks the rule is halved until the damage is
in a small piece, and that is read line by line with the regular expression.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from warroom.logs.access import address_in, path_in
from warroom.logs.formats.base import Format, Picker, Reader, Roles
from warroom.logs.trust import NOBODY, Trust, client_in

_RESULT: Final = re.compile(rb" (?:\d{3}|-) (?:\d+|-) ")
_KNOWN_RESULTS: Final[set[bytes]] = set()
"""Results that were looked at already: the same few thousand come again and again."""
_REMEMBERED: Final = 50_000
_NO_BRACKET: Final = bytes(byte for byte in range(256) if byte not in b"[]")
_OTHER_BLANKS: Final = (b"\t", b"\v", b"\f", b"\r")
_SMALL: Final = 4096
"""Bytes below which a chunk that breaks the rule is read line by line."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Fields of `lines` lines by position; empty where a line is not an access line.

    `requests` are whole request lines; `results` are ` STATUS SIZE ` with the blanks around.
    `hosts` is empty as a whole where no line says which host was asked.
    """

    lines: int
    clients: list[bytes]
    requests: list[bytes]
    results: list[bytes]
    agents: list[bytes]
    hosts: list[bytes] = field(default_factory=list)

    def among(self, chosen: Sequence[int]) -> Columns:
        """Only the lines of these places."""
        return Columns(
            len(chosen),
            [self.clients[i] for i in chosen],
            [self.requests[i] for i in chosen],
            [self.results[i] for i in chosen],
            [self.agents[i] for i in chosen],
            [self.hosts[i] for i in chosen] if self.hosts else [],
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a file are laid out: their format, and how many quotes each has; 0 when
    only the line by line reading works. `trust` says which hops to a client are believed."""

    format: Format
    quotes: int = 0
    trust: Trust = NOBODY
    read: Reader = field(init=False, repr=False, compare=False)
    pick: Picker | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "read", self.format.reader())
        object.__setattr__(self, "pick", None if self.trust else self.format.picker())

    @property
    def client_at(self) -> int | None:
        """The blank-separated field that is the client without looking at the whole line."""
        return None if self.trust else self.format.client_at


def layout_of(lines: Sequence[bytes], fmt: Format, trust: Trust = NOBODY) -> Layout:
    """The layout that most of `lines` have."""
    if trust or fmt.client_at is None:
        return Layout(fmt, trust=trust)
    counts = Counter(line.count(b'"') for line in lines if line.endswith(b'"'))
    quotes, times = counts.most_common(1)[0] if counts else (0, 0)
    return Layout(fmt, quotes if quotes >= 6 and quotes % 2 == 0 and times * 2 > len(lines) else 0)


def columns(data: bytes, layout: Layout) -> Columns:
    """The columns of `data`: whole lines, each with its line feed."""
    quotes = layout.quotes
    if not quotes or (b"\\" in data and b'\\"' in data):
        return _by_line(data, layout) if not quotes else _halved(data, layout)
    pieces = data.split(b'"')
    lines = data.count(b"\n")
    if len(pieces) == lines * quotes + 1 and pieces[-1] == b"\n":
        results = pieces[2::quotes]
        clients = _clients(pieces[:-1:quotes], layout.client_at or 0)
        if clients is not None and _are_results(results):
            hosts = _hosts(pieces[:-1:quotes]) if layout.client_at else []
            return Columns(lines, clients, pieces[1::quotes], results, pieces[5::quotes], hosts)
    return _halved(data, layout)


def _clients(heads: list[bytes], index: int) -> list[bytes] | None:
    """The clients of what stands before each request; None where one is not as it should be.

    Every head but the first must begin with the only line feed in it, for then no line has more
    or fewer quotes than the others; and each must end with the only brackets in it.
    """
    joined = b'"'.join(heads)
    starts = joined.split(b'] "\n')
    if len(starts) != len(heads) or joined.count(b"\n") != len(heads) - 1:
        return None
    if joined.translate(None, _NO_BRACKET) != b"[]" * len(heads) or joined[-2:] != b"] ":
        return None
    if any(blank in joined for blank in _OTHER_BLANKS):
        return None
    try:
        clients = (
            [start.split(b" ", 1 + index)[index] for start in starts]
            if index
            else [start.partition(b" ")[0] for start in starts]
        )
    except IndexError:
        return None
    return clients if all(clients) and b"[" not in b"".join(clients) else None


def _hosts(heads: list[bytes]) -> list[bytes]:
    """The first word of what stands before each request, behind the line feed of the last."""
    return [head.rpartition(b"\n")[2].partition(b" ")[0] for head in heads]


def _are_results(results: list[bytes]) -> bool:
    """Whether these are all ` STATUS SIZE `; a quote inside a field would have shifted them."""
    fresh = set(results) - _KNOWN_RESULTS
    if not all(map(_RESULT.fullmatch, fresh)):
        return False
    if len(_KNOWN_RESULTS) > _REMEMBERED:
        _KNOWN_RESULTS.clear()
    _KNOWN_RESULTS.update(fresh)
    return True


def _halved(data: bytes, layout: Layout) -> Columns:
    middle = data.find(b"\n", len(data) // 2) + 1
    if len(data) <= _SMALL or not 0 < middle < len(data):
        return _by_line(data, layout)
    first, second = columns(data[:middle], layout), columns(data[middle:], layout)
    return Columns(
        first.lines + second.lines,
        first.clients + second.clients,
        first.requests + second.requests,
        first.results + second.results,
        first.agents + second.agents,
        _padded(first) + _padded(second) if first.hosts or second.hosts else [],
    )


def _padded(found: Columns) -> list[bytes]:
    return found.hosts or [b""] * found.lines


def client_of(line: bytes, index: int) -> bytes:
    """The blank-separated field of that index, address or not."""
    parts = line.rstrip(b"\r\n").split(b" ", 2)
    return parts[index] if len(parts) > index else b""


def _by_line(data: bytes, layout: Layout) -> Columns:
    out = Columns(data.count(b"\n"), [], [], [], [])
    lines = data.split(b"\n")
    lines.pop()
    read = _line if layout.pick is None else _picked
    for line in lines:
        client, request, result, agent, host = read(line, layout)
        out.clients.append(client)
        out.requests.append(request)
        out.results.append(result)
        out.agents.append(agent)
        out.hosts.append(host)
    if not any(out.hosts):
        out.hosts.clear()
    return out


_Fields = tuple[bytes, bytes, bytes, bytes, bytes]


def _picked(line: bytes, layout: Layout) -> _Fields:
    found, place = layout.pick(line) if layout.pick else None, layout.format.client_at
    if found is None:
        return _damaged(line, place)
    client, request, status, size, agent, host = found
    if place is None:
        client = address_in(client)
    return client, request, b" %b %b " % (status, size), agent, host


def _damaged(line: bytes, place: int | None) -> _Fields:
    """A damaged line still has its client where the format says, as awk would have it."""
    return (b"" if place is None else client_of(line, place)), b"", b"", b"", b""


def _line(line: bytes, layout: Layout) -> _Fields:
    roles, place = layout.read(line), layout.client_at
    if roles is None:
        return _damaged(line, place)
    client = roles["client"] if place is not None else client_in(roles, line, layout.trust)
    agent, host = roles.get("agent", b""), roles.get("host", b"")
    return client, _request(roles), _result(roles), agent, host


def _request(roles: Roles) -> bytes:
    """The request line, or one made of its parts."""
    if "request" in roles:
        return roles["request"]
    path = path_in(roles.get("path", b""))
    return b"%b %b HTTP/1.1" % (roles.get("method") or b"-", path) if path else b""


def _result(roles: Roles) -> bytes:
    """` STATUS SIZE `, empty for a line that says neither."""
    status, size = roles.get("status", b"-"), roles.get("size", b"-")
    if not (len(status) == 3 and status.isdigit()):
        status = b"-"
    size = size if size.isdigit() else b"-"
    return b"" if status == size == b"-" and "request" not in roles else b" %b %b " % (status, size)

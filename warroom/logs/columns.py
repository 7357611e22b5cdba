"""Whole chunks of access lines as columns, at a microsecond a line.

Lines of the combined family have the same number of quotes, so splitting a chunk on `"` gives
every field at a fixed step. A chunk where one line breaks the rule is halved until the damage is
in a small piece, and that is read line by line with the regular expression.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from warroom.logs.access import AccessFormat, fields, parse_line

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
    """

    lines: int
    clients: list[bytes]
    requests: list[bytes]
    results: list[bytes]
    agents: list[bytes]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a file are laid out: their format, and how many quotes each has; 0 when
    only the line by line reading works."""

    format: AccessFormat
    quotes: int = 0
    known: bool = True

    @staticmethod
    def unknown() -> Layout:
        """Of a file that is no access log: its lines are counted, never read."""
        return Layout(AccessFormat.COMMON, known=False)


def layout_of(lines: Sequence[bytes], fmt: AccessFormat) -> Layout:
    """The layout that most of `lines` have."""
    if fmt not in (AccessFormat.COMBINED, AccessFormat.VHOST):
        return Layout(fmt)
    counts = Counter(line.count(b'"') for line in lines if line.endswith(b'"'))
    quotes, times = counts.most_common(1)[0] if counts else (0, 0)
    return Layout(fmt, quotes if quotes >= 6 and quotes % 2 == 0 and times * 2 > len(lines) else 0)


def columns(data: bytes, layout: Layout) -> Columns:
    """The columns of `data`: whole lines, each with its line feed."""
    quotes = layout.quotes
    if not quotes or (b"\\" in data and b'\\"' in data):
        return _by_line(data, layout.format) if not quotes else _halved(data, layout)
    pieces = data.split(b'"')
    lines = data.count(b"\n")
    if len(pieces) == lines * quotes + 1 and pieces[-1] == b"\n":
        results = pieces[2::quotes]
        clients = _clients(pieces[:-1:quotes], layout.format)
        if clients is not None and _are_results(results):
            return Columns(lines, clients, pieces[1::quotes], results, pieces[5::quotes])
    return _halved(data, layout)


def _clients(heads: list[bytes], fmt: AccessFormat) -> list[bytes] | None:
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
    index = 1 if fmt is AccessFormat.VHOST else 0
    try:
        clients = [start.split(b" ", 1 + index)[index] for start in starts]
    except IndexError:
        return None
    return clients if all(clients) and b"[" not in b"".join(clients) else None


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
        return _by_line(data, layout.format)
    first, second = columns(data[:middle], layout), columns(data[middle:], layout)
    return Columns(
        first.lines + second.lines,
        first.clients + second.clients,
        first.requests + second.requests,
        first.results + second.results,
        first.agents + second.agents,
    )


def client_of(line: bytes, fmt: AccessFormat) -> bytes:
    """The field before the first blank (VHOST: the one after it), address or not."""
    parts = line.rstrip(b"\r\n").split(b" ", 2)
    index = 1 if fmt is AccessFormat.VHOST else 0
    return parts[index] if len(parts) > index else b""


def _by_line(data: bytes, fmt: AccessFormat) -> Columns:
    out = Columns(data.count(b"\n"), [], [], [], [])
    lines = data.split(b"\n")
    lines.pop()
    for line in lines:
        client, request, result, agent = _line(line, fmt)
        out.clients.append(client)
        out.requests.append(request)
        out.results.append(result)
        out.agents.append(agent)
    return out


def _line(line: bytes, fmt: AccessFormat) -> tuple[bytes, bytes, bytes, bytes]:
    if fmt in (AccessFormat.JSON, AccessFormat.CADDY):
        access = parse_line(line, fmt)
        if access is None:
            return b"", b"", b"", b""
        request = f"{access.method} {access.path} HTTP/1.1".encode()
        result = b" %d %d " % (access.status, access.size)
        return access.ip.encode(), request, result, access.agent.encode()
    found = fields(line, fmt)
    if found is None:
        # a damaged line still has its client where the format says, as awk would have it
        return client_of(line, fmt), b"", b"", b""
    client, _, request, status, size, agent = found
    return client, request, b" %b %b " % (status, size), agent

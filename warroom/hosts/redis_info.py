"""What a Redis says of itself (INFO, SLOWLOG GET, CLIENT LIST), read from its raw bytes. Pure.

Fields are those of https://redis.io/docs/latest/commands/info/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from warroom.domain.text import harmless_bytes

Info = Mapping[str, str]

_KEYSPACE: Final = re.compile(r"db(\d+)")
_REPLICA: Final = re.compile(r"slave\d+")
_ARGUMENT_LIMIT: Final = 2048


def parse_info(raw: bytes) -> dict[str, str]:
    """`name:value` lines by name, harmless; section titles and blank lines are left out.

    >>> parse_info(b"# Server\\r\\nredis_version:7.0.15\\r\\n\\r\\ndb0:keys=3,expires=1\\r\\n")
    {'redis_version': '7.0.15', 'db0': 'keys=3,expires=1'}
    """
    found: dict[str, str] = {}
    for line in raw.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and not line.startswith(b"#"):
            found[harmless_bytes(name, limit=200)] = harmless_bytes(value, limit=2000)
    return found


def parse_sections(raw: bytes) -> list[tuple[str, dict[str, str]]]:
    """The same by section, in the order of the answer."""
    sections: list[tuple[str, dict[str, str]]] = []
    for part in raw.split(b"# ")[1:]:
        title, _, body = part.partition(b"\r\n")
        sections.append((harmless_bytes(title, limit=100), parse_info(body)))
    return sections


def number(info: Info, name: str) -> float | None:
    """A field as a number; None when it is missing or is none."""
    try:
        return float(info[name])
    except (KeyError, ValueError):
        return None


def pairs(value: str) -> dict[str, str]:
    """`keys=3,expires=1` by name."""
    return {k: v for k, _, v in (part.partition("=") for part in value.split(","))}


def keyspace(info: Info) -> dict[int, int]:
    """Keys by database; empty databases are not listed by the server."""
    found = {}
    for name, value in info.items():
        match = _KEYSPACE.fullmatch(name)
        keys = pairs(value).get("keys", "")
        if match and keys.isdigit():
            found[int(match[1])] = int(keys)
    return dict(sorted(found.items()))


def replicas(info: Info) -> list[dict[str, str]]:
    """The replicas of a primary: `ip`, `port`, `state`, `offset`, `lag` (seconds)."""
    return [pairs(value) for name, value in info.items() if _REPLICA.fullmatch(name)]


@dataclass(frozen=True, slots=True)
class SlowCall:
    """One entry of the slow log: `at` in Unix seconds, `duration` in seconds."""

    id: int
    at: float
    duration: float
    command: str
    client: str
    name: str


def slow_calls(answer: Iterable[Sequence[Any]]) -> list[SlowCall]:
    """The entries of SLOWLOG GET, newest first. Before Redis 4 they name no client."""
    return [
        SlowCall(
            id=int(entry[0]),
            at=float(entry[1]),
            duration=int(entry[2]) / 1e6,
            command=" ".join(quoted(part) for part in entry[3]),
            client=harmless_bytes(entry[4], limit=200) if len(entry) > 4 else "",
            name=harmless_bytes(entry[5], limit=200) if len(entry) > 5 else "",
        )
        for entry in answer
    ]


def quoted(part: bytes) -> str:
    """An argument as a word: in quotes where a space or nothing would mislead.

    >>> quoted(b"GET"), quoted(b"a b"), quoted(b"")
    ('GET', '"a b"', '""')
    """
    text = harmless_bytes(part, limit=_ARGUMENT_LIMIT)
    return text if text and " " not in text else f'"{text}"'


def clients(raw: bytes) -> list[dict[str, str]]:
    """The lines of CLIENT LIST as fields by name; a name with a space cannot occur there."""
    found = []
    for line in raw.split(b"\n"):
        words = (word.partition(b"=") for word in line.strip().split(b" ") if b"=" in word)
        fields = {
            harmless_bytes(key, limit=50): harmless_bytes(value, limit=200)
            for key, _, value in words
        }
        if fields:
            found.append(fields)
    return found

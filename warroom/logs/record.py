"""What one log line says, made of its parts when somebody looks at it: never for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from warroom.domain.text import harmless, harmless_bytes
from warroom.logs.access import path_in, request_of
from warroom.logs.formats.base import Format, Roles
from warroom.logs.formats.times import instant
from warroom.logs.trust import NOBODY, Trust, client_in

_LIMIT: Final = 64 * 1024
_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Record:
    """One line. `client` is empty when it is not an address; `at` is the line's own time in
    seconds since the epoch, None when it does not say it whole; `status` and `size` (bytes) are 0
    when they are not there. Every text is harmless."""

    client: str
    at: float | None
    method: str
    path: str
    status: int
    size: int
    agent: str = ""
    host: str = ""
    user: str = ""
    level: str = ""
    message: str = ""


def read(
    line: bytes,
    fmt: Format,
    trust: Trust = NOBODY,
    *,
    near: float | None = None,
    zone: tzinfo = UTC,
) -> Record | None:
    """What `line` says, read as `fmt`; None when it is not of that format.

    `near` and `zone` complete times without a year or a zone: see `formats.times.instant`.
    """
    roles = fmt.roles(line)
    return None if roles is None else record_of(roles, line, trust, near=near, zone=zone)


def record_of(
    roles: Roles,
    line: bytes,
    trust: Trust = NOBODY,
    *,
    near: float | None = None,
    zone: tzinfo = UTC,
) -> Record:
    """The record of a line's parts."""
    if "request" in roles:
        method, path = request_of(roles["request"])
    else:
        method, path = roles.get("method", b""), path_in(roles.get("path", b""))
    return Record(
        client=client_in(roles, line, trust).decode("ascii", "replace"),
        at=instant(roles["time"], near, zone) if "time" in roles else None,
        method=_text(method),
        path=_text(path),
        status=_number(roles.get("status", b"")),
        size=_number(roles.get("size", b"")),
        agent=_text(roles.get("agent", b"")),
        host=_text(roles.get("host", b"")),
        user=_said(roles.get("user", b"")),
        level=_text(roles.get("level", b"")),
        message=_text(roles.get("message", b"")),
    )


def details(line: bytes, fmt: Format) -> list[tuple[str, str]]:
    """Every part of `line` by the format's own names, harmless, in the line's order."""
    return [(harmless(name), _text(part)) for name, part in fmt.fields(line)]


def _number(part: bytes) -> int:
    """A whole number; formats write a dash, or nothing, for none."""
    return int(part) if part.isdigit() and len(part) <= _DIGITS else 0


def _said(part: bytes) -> str:
    text = _text(part.strip())
    return "" if text == "-" else text


def _text(part: bytes) -> str:
    return harmless_bytes(part, limit=_LIMIT)

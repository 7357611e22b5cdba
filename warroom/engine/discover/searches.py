"""Searches worth having for the logs that were found: what each kind of log says when something is
wrong, with a rate from which to be told. They are offers: a team knows better what it wants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from warroom.engine.discover.findings import Found
from warroom.logs.recognise import recognise

_SAMPLE: Final = 64 * 1024
_LINES: Final = 80

_SSHD: Final = (("failed logins", "re:Failed password|authentication failure", 20),)
_UPSTREAM: Final = (
    ("upstream timeouts", "upstream timed out", 5),
    ("upstream failures", "re:connect\\(\\) failed|no live upstreams", 5),
)
_POSTGRES: Final = (
    ("too many connections", "re:too many (clients|connections)|remaining connection slots", 1),
    ("deadlocks", "deadlock detected", 1),
)
_MYSQL: Final = (("MySQL refuses connections", "Too many connections", 1),)
SUGGESTED: Final[Mapping[str, Sequence[tuple[str, str, int]]]] = {
    "sshd": _SSHD,
    "auth": _SSHD,
    "nginx-error": _UPSTREAM,
    "apache-error": (("all workers busy", "MaxRequestWorkers", 1),),
    "postgresql": _POSTGRES,
    "postgresql-json": _POSTGRES,
    "mysql-error": _MYSQL,
    "redis": (("out of memory", "re:OOM command|Out Of Memory|MISCONF", 1),),
}
"""By format: name, what is looked for, lines a minute from which it is told. The texts are those of
OpenSSH and pam_unix, of nginx's and Apache's error logs, of PostgreSQL, MySQL and Redis."""
_REQUESTS: Final = (("server errors", "status:5xx", 60),)
_CALLED: Final = (
    (re.compile(r"(^|[^a-z])sshd?([^a-z]|$)"), "sshd"),
    (re.compile(r"nginx"), "nginx-error"),
    (re.compile(r"postgres"), "postgresql"),
    (re.compile(r"mysql|mariadb"), "mysql-error"),
    (re.compile(r"redis|valkey"), "redis"),
)
"""What a log is taken for by its name, where its lines cannot be read here."""


def searches_for(found: Sequence[Found]) -> Iterator[Found]:
    """An offer for each search that fits a log which was found; of several logs of one kind, the
    first names it."""
    had: set[str] = set()
    for log in found:
        if log.section != "log":
            continue
        kind, why = _kind(log.table)
        suggested = _REQUESTS if kind == "requests" else SUGGESTED.get(kind, ())
        for name, find, warn in suggested:
            if name not in had:
                had.add(name)
                table = {"name": name, "find": find, "log": log.table["name"], "warn": warn}
                yield Found("search", table, f"{log.table['name']} {why}", is_offer=True)


def _kind(table: Mapping[str, object]) -> tuple[str, str]:
    """The format of a log, or `requests`, and what told of it."""
    path = table.get("path")
    if isinstance(path, str):
        found = recognise(_last_lines(Path(path))).format
        if found is not None:
            return ("requests" if found.asks else found.name), f"is a log of {found.title}"
    name = str(table.get("unit") or table.get("container") or path or "").lower()
    kind = next((kind for pattern, kind in _CALLED if pattern.search(name)), "")
    return kind, f"is called {name}"


def _last_lines(path: Path) -> list[bytes]:
    """The last whole lines of a file; none of one that cannot be read now."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, 2) - _SAMPLE)
            file.seek(start)
            lines = file.read(_SAMPLE).split(b"\n")
    except OSError:
        return []
    return lines[1 if start else 0 : -1][-_LINES:]

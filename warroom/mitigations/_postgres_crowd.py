"""Many backends at once, in words: who is left alone and why, what ending the others hits. Pure.

A record is one of `crowd.sql`; whatever stands in it is of foreign origin.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from warroom.domain.clock import span
from warroom.domain.text import harmless, shorten
from warroom.hosts.postgres import APPLICATION

Record = Mapping[str, Any]

SHOWN: Final = 12
"""Backends that stand on a card by themselves; the others are counted."""
LISTED: Final = 20
"""Pids that a sentence names."""
_WIDTH: Final = 200
_NAME: Final = 60
_BACKUPS: Final = re.compile(
    r"(?:pg_(?:dump|dumpall|basebackup|receivewal|recvlogical|rewind)|barman\b.*|wal-g\b.*"
    r"|pgbackrest\b.*)",
    re.IGNORECASE,
)
"""What backup programs call themselves (application_name)."""
_BACKUP_MODE: Final = re.compile(r"\bpg_(?:start_backup|backup_start)\s*\(", re.IGNORECASE)
"""A session that began a backup of the server's files ends that backup when it ends (manual,
section 26.3.3)."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One that was shown: what it was then is `mark`, an instant that changes with what it does
    (see `Way.mark`)."""

    pid: int
    start: datetime
    mark: datetime | None

    def as_list(self) -> list[Any]:
        """As the record keeps it."""
        return [self.pid, self.start.isoformat(), self.mark.isoformat() if self.mark else None]

    @classmethod
    def of(cls, kept: Sequence[Any]) -> Backend:
        """Of what `as_list` gave."""
        pid, start, mark = kept
        return cls(
            int(pid), datetime.fromisoformat(start), datetime.fromisoformat(mark) if mark else None
        )


def spared(found: Record, *, superusers: bool) -> str:
    """Why a backend is left alone, in words that may stand for several; empty when it is not."""
    kind, app = found["backend_type"], found["app"] or ""
    if kind is None or found["backend_start"] is None:
        return f"not visible for this role: GRANT pg_monitor TO {harmless(found['role'])}"
    if _BACKUPS.fullmatch(app) or _BACKUP_MODE.search(found["query"] or ""):
        return "a backup"
    if kind != "client backend":
        return f"the server's own {harmless(kind)}"
    if found["ours"] or app == APPLICATION:
        return "a warroom session"
    if not found["may_signal"]:
        return _unsignalled(found)
    if found["superuser"] and not superusers:
        return "a superuser's session: superusers = true in the config takes it, too"
    return ""


def _unsignalled(found: Record) -> str:
    whose = f"role {harmless(found['role'])} may not end sessions of {harmless(str(found['user']))}"
    if not found["grantable"]:
        return f"{whose}, a superuser: that takes a superuser"
    return f"{whose}: GRANT pg_signal_backend TO {harmless(found['role'])}"


def sorted_out(
    records: Iterable[Record], *, superusers: bool
) -> tuple[list[Record], dict[str, list[int]]]:
    """Those that may be ended, and the pids of the others by the reason."""
    ended: list[Record] = []
    left: dict[str, list[int]] = {}
    for found in records:
        reason = spared(found, superusers=superusers)
        if reason:
            left.setdefault(reason, []).append(int(found["pid"]))
        else:
            ended.append(found)
    return ended, left


def pids(numbers: Iterable[int]) -> str:
    """Pids as people read them: the first ones, and how many more.

    >>> pids([3, 1]), pids(range(22)).endswith(", 19 and 2 more")
    ('3, 1', True)
    """
    known = list(numbers)
    words = ", ".join(map(str, known[:LISTED]))
    return words + (f" and {len(known) - LISTED:,} more" if len(known) > LISTED else "")


def reasons(left: Mapping[str, Sequence[int]]) -> str:
    """Who is left alone, and why."""
    return "; ".join(f"{pids(numbers)} ({reason})" for reason, numbers in left.items())


def hits(ended: Sequence[Record], left: Mapping[str, Sequence[int]]) -> list[tuple[str, str]]:
    """The blast radius: who they are, what they wrote, who waits for them, who is left alone."""
    lines = [("backends", f"{len(ended):,}: {_owners(ended)}")]
    written = sum(1 for found in ended if found["has_written"])
    lines.append(("have written", f"{written:,} of them: that is rolled back"))
    blocks = sum(found["blocks"] for found in ended)
    lines.append(("wait for them", f"{blocks:,} backends" if blocks else "nobody"))
    lines += [(f"pid {found['pid']}", _described(found)) for found in ended[:SHOWN]]
    if len(ended) > SHOWN:
        rest = ended[SHOWN:]
        lines.append(("and", f"{len(rest):,} more: {_owners(rest)}"))
    lines += [("left alone", f"{pids(who)}: {reason}") for reason, who in left.items()]
    return lines


def _owners(found: Sequence[Record]) -> str:
    """Who has how many, most first."""
    counts = Counter(
        (_name(one["user"]), _name(one["database"]), _name(one["app"])) for one in found
    )
    words = [
        f"{user}@{database} {app or '—'} {count:,}"
        for (user, database, app), count in counts.most_common(5)
    ]
    if len(counts) > len(words):
        words.append(f"{len(counts) - len(words):,} others")
    return " · ".join(words)


def _described(found: Record) -> str:
    query = " ".join((found["query"] or "").split())
    words = [
        f"{_name(found['user'])}@{_name(found['database'])}",
        _name(found["app"]) or "—",
        f"from {_name(found['client'])}",
        f"{_name(found['state'])} for {span(max(0.0, lasted(found)))}",
    ]
    if found["blocks"]:
        words.append(f"blocks {found['blocks']}")
    return f"{' · '.join(words)} · {shorten(harmless(query), _WIDTH)}"


def lasted(found: Record) -> float:
    """Seconds of the query while it is active, else of the state."""
    seconds = found["query_s"] if found["state"] == "active" else found["state_s"]
    return float(seconds or 0.0)


def _name(text: object) -> str:
    return shorten(harmless(str(text)), _NAME) if text is not None else ""

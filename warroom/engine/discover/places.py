"""What a runbook's commands say, gathered: each system once, with every line that names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from warroom.engine.discover.findings import (
    Discovery,
    Found,
    FoundHost,
    Missing,
    Section,
    named_apart,
    plain_name,
)

_MOST_LINES: Final = 6
_MOST_QUERIES: Final = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A command's line in a file, and where it runs: on a host (its name in the config), inside
    a container, or, with neither, here."""

    file: str
    line: int
    host: str = ""
    container: str = ""


@dataclass(slots=True)
class _Seen:
    """A thing, and where it was said."""

    lines: dict[str, dict[int, None]] = field(default_factory=dict)

    def add(self, place: Place) -> None:
        self.lines.setdefault(place.file, {})[place.line] = None

    @property
    def where(self) -> str:
        said = []
        for file, found in self.lines.items():
            numbers = list(found)
            more = f" and {len(numbers) - _MOST_LINES} more" * (len(numbers) > _MOST_LINES)
            said.append(f"{file}:{', '.join(map(str, numbers[:_MOST_LINES]))}{more}")
        return "; ".join(said)


@dataclass(slots=True)
class _Entry(_Seen):
    section: Section = "probe"
    table: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    is_offer: bool = False
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Remark(_Seen):
    what: str = ""
    why: str = ""


class Gathered:
    """What was found so far. Keys tell things apart; a second sighting only adds its line."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, ...], _Entry] = {}
        self._hosts: dict[str, tuple[str, _Seen]] = {}
        self._missing: dict[str, _Remark] = {}
        self._unplaced: dict[str, _Remark] = {}

    def put(
        self,
        key: tuple[str, ...],
        place: Place,
        section: Section,
        table: Mapping[str, Any],
        says: str,
        *,
        is_offer: bool = False,
    ) -> None:
        """An entry of the config; `says` is why it stands there. It is for the place's host."""
        key = (section, *key, place.host)
        entry = self._entries.get(key)
        if entry is None or (entry.is_offer and not is_offer):
            lines = entry.lines if entry else {}
            whole = {**table, "on": place.host} if place.host else dict(table)
            entry = _Entry(lines, section, whole, says, is_offer)
            self._entries[key] = entry
        entry.add(place)

    def query(self, key: tuple[str, ...], place: Place, name: str, sql: str) -> None:
        """A query of its own for a probe that was put."""
        entry = self._entries[("probe", *key, place.host)]
        queries: dict[str, str] = entry.table.setdefault("queries", {})
        if sql in queries.values() or len(queries) >= _MOST_QUERIES:
            return
        unique, number = name, 1
        while unique in queries:
            number += 1
            unique = f"{name}-{number}"
        queries[unique] = sql
        entry.notes[unique] = f"{place.file}:{place.line}"

    def host(self, ssh: str, place: Place) -> str:
        """The name in the config of a host that ssh knows as `ssh`."""
        for name, (known, seen) in self._hosts.items():
            if known == ssh:
                seen.add(place)
                return name
        first = name = plain_name(ssh.rpartition("@")[2])
        number = 1
        while name in self._hosts:
            number += 1
            name = f"{first}-{number}"
        seen = _Seen()
        seen.add(place)
        self._hosts[name] = (ssh, seen)
        return name

    def missing(self, what: str, why: str, place: Place) -> None:
        """A system that cannot be watched as it is named."""
        self._missing.setdefault(f"{what}: {why}", _Remark({}, what, why)).add(place)

    def unplaced(self, what: str, place: Place) -> None:
        """A command that says of no system where to look."""
        self._unplaced.setdefault(what, _Remark({}, what)).add(place)

    def discovery(self, scheme: str, runbooks: tuple[str, ...]) -> Discovery:
        """All of it, in the order of the config."""
        found = [
            Found(e.section, e.table, f"{e.where}: {e.says}", e.is_offer, e.notes)
            for e in self._entries.values()
        ]
        order = ("http", "docker", "postgres", "redis", "tls", "dns", "machine")
        found.sort(key=lambda f: order.index(f.table["kind"]) if "kind" in f.table else -1)
        found.sort(key=lambda f: f.is_offer)  # an offer gives way when two have one name
        return Discovery(
            tuple(named_apart(found)),
            tuple(Missing(r.what, f"{r.why} ({r.where})") for r in self._missing.values()),
            hosts=tuple(FoundHost(n, ssh, seen.where) for n, (ssh, seen) in self._hosts.items()),
            unplaced=tuple(Missing(r.what, r.where) for r in self._unplaced.values()),
            scheme=scheme,
            runbooks=runbooks,
        )

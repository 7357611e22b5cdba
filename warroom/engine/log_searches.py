"""Saved searches as a source like any other: their rates are looked at, and checked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from warroom.config.problems import Problem
from warroom.config.settings import SearchEntry, Settings
from warroom.domain.clock import Clock
from warroom.domain.sample import Column, Detail, Health, Row, Sample, Section
from warroom.domain.text import harmless
from warroom.engine.checks import Check
from warroom.logs.decode import text_of
from warroom.logs.engine import LogEngine
from warroom.logs.searches import Search

if TYPE_CHECKING:
    from warroom.logs.columns import Columns
    from warroom.logs.drill import Chip, Chosen

SEARCHES: Final = "saved searches"
EVERY_S: Final = 1.0
TIMEOUT_S: Final = 1.0
_CLEAR: Final = 0.8
"""Share of its threshold below which a search is quiet again."""
_COLUMNS: Final = (
    Column("name", "search", grow=True),
    Column("rate", "/min", "count"),
    Column("total", "lines", "count"),
    Column("last", "last line", grow=True, priority=1),
)


def search_problems(settings: Settings) -> list[Problem]:
    """What is wrong with the texts of each `[[search]]`."""
    problems = []
    for entry in settings.searches:
        from warroom.logs.filters import BadFilter, parse_filter  # most configs have none
        from warroom.logs.searches import query_of

        names = [str(log.name) for log in settings.logs]
        logs = _Unread(bool(settings.addresses.mmdb))
        try:
            query_of(entry, names, logs)
        except BadFilter as error:
            try:
                parse_filter(str(entry.find), names, logs)
                key = "log" if entry.log else "hide"
            except BadFilter:
                key = "find"
            problems.append(Problem((*entry.place, key), str(error)))
    return problems


class _Unread:
    """The fields of logs that nobody reads yet; `places` says whether countries can be told."""

    def __init__(self, places: bool) -> None:
        self._places = places

    def read(self, index: int, data: bytes) -> Columns | None:
        return None

    def parts(self, index: int, line: bytes) -> Iterable[tuple[str, bytes]]:
        return ()

    def chosen(self, chips: Sequence[Chip]) -> Chosen:
        from warroom.logs.drill import Chosen
        from warroom.logs.keys import OF_PLACES

        return Chosen([chip for chip in chips if chip.by not in OF_PLACES or not self._places])


def search_checks(entries: Sequence[SearchEntry]) -> tuple[Check, ...]:
    """A check for each search that names a threshold, on the metric of its name."""
    return tuple(
        Check(
            id=f"search/{entry.name}",
            kind="search",
            message=_braced(str(entry.name)) + ": {value:.0f} lines a minute",
            metric=str(entry.name),
            warn=entry.warn,
            critical=entry.critical,
            clear=_CLEAR * (entry.warn if entry.warn is not None else entry.critical or 0.0),
        )
        for entry in entries
        if entry.warn is not None or entry.critical is not None
    )


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


class SearchesProbe:
    """Looks at every rate; what a search found last is in its row."""

    name = SEARCHES
    kind = "search"

    def __init__(self, logs: LogEngine, clock: Clock) -> None:
        self._logs, self._clock = logs, clock
        self.changed: asyncio.Event | None = None

    async def sample(self) -> Sample:
        now = self._clock.now()
        searches = self._logs.searches.all
        rates = {search.name: search.rate(now.timestamp()) for search in searches}
        stopped = [search for search in searches if search.fault]
        return Sample(
            source=self.name,
            at=now,
            health=Health.DEGRADED if stopped else Health.OK,
            summary=", ".join(f"{s.name}: {s.fault}" for s in stopped)
            or f"{len(searches)} searches",
            metrics={name: float(rate) for name, rate in rates.items()},
            columns=_COLUMNS,
            rows=tuple(_row(search, rates[search.name]) for search in searches),
        )

    async def detail(self, key: str) -> Detail:
        """One search: its figures and the last line that it found."""
        found = next((search for search in self._logs.searches.all if search.name == key), None)
        pairs = (("search", "gone"),) if found is None else _pairs(found)
        return Detail(harmless(key), (Section("", pairs),))

    async def close(self) -> None:
        """Nothing is held open: the log engine closes itself."""


def _row(search: Search, rate: int) -> Row:
    cells = (search.name, rate, search.total, text_of(search.last)[:200])
    return Row(search.name, search.name, cells, data={"rate": rate, "total": search.total})


def _pairs(search: Search) -> tuple[tuple[str, str], ...]:
    return (("lines", f"{search.total:,}"), ("last line", text_of(search.last)))

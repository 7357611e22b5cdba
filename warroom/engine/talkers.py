"""Top talkers as a source like any other: rankings of the log engine, looked at every second."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from warroom.domain.clock import Clock
from warroom.domain.sample import Column, Detail, Health, Row, Sample, Section
from warroom.logs.engine import LogEngine
from warroom.logs.keys import range_of
from warroom.logs.talkers import BUCKET_S, TALKER_GROUPS, WINDOWS, Ranking, Talker, TalkerBy

TALKERS: Final = "top talkers"
EVERY_S: Final = 1.0
TIMEOUT_S: Final = 1.0
SHOWN: Final = 50
EARLY_LOOKS: Final = 12
"""How often lines alone may make it look again, for logs in which nobody asks for anything."""
NOW_S: Final = 5.0
"""Seconds that figures of just now span, whatever window is shown."""
_FEW: Final = 10
"""So few requests say nothing about a share."""
_TELLING: Final = 0.5
"""Share from which one network is worth a word."""
_MANY: Final = 1.5
"""How much more than the busiest client its network must ask."""
_WORDS: Final[dict[TalkerBy, str]] = {
    "ip": "client",
    "range": "range",
    "path": "path",
    "status": "status",
}
_WINDOW_WORDS: Final = {60: "1 min", 300: "5 min", 900: "15 min", 0: "since start"}


class TalkersProbe:
    """Ranks by one grouping and window at a time; both can be changed while it runs."""

    name = TALKERS
    kind = "talkers"

    def __init__(self, logs: LogEngine, clock: Clock) -> None:
        self._logs, self._clock = logs, clock
        self.changed: asyncio.Event | None = logs.changed
        self._early = EARLY_LOOKS
        self._answers: deque[tuple[float, Mapping[str, int]]] = deque()
        self.by: TalkerBy = "ip"
        self.window_s = WINDOWS[0]

    @property
    def window(self) -> str:
        """The window in words."""
        return _WINDOW_WORDS[self.window_s]

    def group_next(self) -> None:
        """Group by the next thing from now on."""
        self.by = TALKER_GROUPS[(TALKER_GROUPS.index(self.by) + 1) % len(TALKER_GROUPS)]
        self._again()

    def window_next(self) -> None:
        """Look at the next longer window from now on, after the longest at the shortest."""
        self.window_s = WINDOWS[(WINDOWS.index(self.window_s) + 1) % len(WINDOWS)]
        self._again()

    def _again(self) -> None:
        if self.changed is not None:
            self.changed.set()

    def _settle(self, found: Ranking) -> None:
        """Lines wake it until there is a request to show, so that a fresh console does not stand
        empty for an interval; from then on only another question does."""
        self._early = 0 if found.total else max(0, self._early - 1)
        if not self._early and self.changed is self._logs.changed:
            self.changed = asyncio.Event()

    async def sample(self) -> Sample:
        now = self._clock.now()
        found = self._logs.talkers.ranking(
            self.by, SHOWN, now=now.timestamp(), window_s=self.window_s
        )
        self._settle(found)
        errors = found.by_status.get("5xx", 0)
        metrics = {
            "requests_per_s": found.rate,
            "error_percent": 100 * errors / found.total if found.total else 0.0,
            "top_percent": 100 * found.talkers[0].share if found.talkers else 0.0,
        }
        largest = self._largest(now.timestamp())
        metrics |= self._just_now(now.timestamp()) | _let_in(largest)
        return Sample(
            source=self.name,
            at=now,
            health=Health.OK,
            summary=_summary(found),
            metrics=metrics,
            columns=self._columns(),
            rows=tuple(_row(talker, found.by, largest) for talker in found.talkers),
            facts=_facts(found, largest),
        )

    def _largest(self, now: float) -> Ranking:
        """The network that asks most just now."""
        return self._logs.talkers.ranking("range", 1, now=now, window_s=BUCKET_S)

    def _just_now(self, now: float) -> dict[str, float]:
        """What the last seconds were like; a mitigation's effect shows there before it does in a
        window of minutes. What is refused with 4xx costs the systems behind next to nothing."""
        at, seen = self._clock.monotonic(), self._answers
        seen.append((at, self._logs.talkers.answers(now)))
        while len(seen) > 2 and seen[1][0] <= at - NOW_S:
            seen.popleft()
        (began, before), (_, after) = seen[0], seen[-1]
        counts = {name: count - before.get(name, 0) for name, count in after.items()}
        total = sum(counts.values())
        if at - began < EVERY_S / 2 or total < 0:
            return {}
        figures = {"let_in_per_s": (total - counts.get("4xx", 0)) / (at - began)}
        if total >= _FEW:
            figures["error_percent_now"] = 100 * counts.get("5xx", 0) / total
        return figures

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column("key", _WORDS[self.by], grow=True),
            Column("rate", "req/s", "number"),
            Column("share", "share", "percent"),
            Column("trend", "trend", "spark", priority=1),
            Column("errors", "5xx", "percent", priority=2),
            Column("count", "requests", "count", priority=3),
            Column("bytes", "bytes", "bytes", priority=4),
        )

    async def detail(self, key: str) -> Detail:
        """One talker over every window."""
        sections = []
        now = self._clock.now().timestamp()
        for window in WINDOWS:
            talker = self._logs.talkers.one(self.by, key, now=now, window_s=window)
            pairs = _pairs(talker) if talker else (("requests", "none"),)
            sections.append(Section(_WINDOW_WORDS[window], pairs))
        return Detail(f"{_WORDS[self.by]} {key}", tuple(sections))

    async def close(self) -> None:
        """Nothing is held open: the log engine closes itself."""


def _summary(found: Ranking) -> str:
    return f"{found.rate:,.0f} req/s" if found.total else "no requests"


def _let_in(largest: Ranking) -> dict[str, float]:
    """How much of what is let in comes from one network; it is nothing when that is blocked."""
    total = largest.total - largest.by_status.get("4xx", 0)
    if total < _FEW or not largest.talkers:
        return {}
    of_it = largest.talkers[0].count - largest.talkers[0].by_status.get("4xx", 0)
    return {"range_percent": 100 * of_it / total}


def _row(talker: Talker, by: TalkerBy, largest: Ranking) -> Row:
    errors = 100 * talker.by_status.get("5xx", 0) / talker.count if talker.count else 0.0
    trend = ",".join(str(value) for value in talker.trend)
    cells = (
        talker.key, round(talker.rate, 1), 100 * talker.share, trend,
        errors, talker.count, talker.bytes,
    )  # fmt: skip
    data: dict[str, Any] = {"by": by, "count": talker.count}
    data |= {"share": talker.share, "rate": talker.rate}
    for one in largest.talkers:
        if by == "ip" and range_of(talker.key.encode("utf-8", "replace")).decode() == one.key:
            data |= {"range": one.key, "range_share": one.share}
    return Row(talker.key, talker.key, cells, data=data)


def _facts(found: Ranking, largest: Ranking) -> dict[str, str]:
    """Answers by class, and a network that asks far more than its largest client shows; how far
    counts may be off, and how many requests named nobody."""
    facts = {name: f"{count:,}" for name, count in found.by_status.items() if count}
    for one in largest.talkers if found.by == "ip" else ():
        alone = found.talkers[0].share if found.talkers else 0.0
        if one.share >= max(_TELLING, _MANY * alone):
            facts["range"] = f"{one.key} {100 * one.share:.0f}%"
    if found.short:
        facts["counts low by at most"] = f"{found.short:,}"
    if found.unknown:
        facts["not known"] = f"{found.unknown:,}"
    return facts


def _pairs(talker: Talker) -> tuple[tuple[str, str], ...]:
    statuses = "  ".join(f"{name} {count:,}" for name, count in talker.by_status.items() if count)
    return (
        ("requests", f"{talker.count:,}  ({100 * talker.share:.1f}%)"),
        ("rate", f"{talker.rate:,.1f} a second"),
        ("answers", statuses),
        ("bytes", f"{talker.bytes:,}"),
    )

"""Top talkers as a source like any other: rankings of the log engine, looked at every second."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from warroom.domain.clock import Clock
from warroom.domain.sample import Detail, Health, Sample
from warroom.engine.talker_rows import WINDOW_WORDS, WORDS, Shown, columns, facts, row
from warroom.engine.talker_sheet import sheet
from warroom.hosts.turns import turn
from warroom.logs.drill import Chip
from warroom.logs.engine import LogEngine
from warroom.logs.explain import explained
from warroom.logs.talkers import (
    BUCKET_S,
    TALKER_GROUPS,
    WINDOWS,
    Baseline,
    Ranking,
    TalkerBy,
    Talkers,
)

TALKERS: Final = "top talkers"
EVERY_S: Final = 1.0
TIMEOUT_S: Final = 1.0
SHOWN: Final = 50
CANDIDATES: Final = 200
"""Of so many that ask most, those that grew most are shown: nobody behind them grew by more than
the last of them asks."""
EARLY_LOOKS: Final = 12
"""How often lines alone may make it look again, for logs in which nobody asks for anything."""
NOW_S: Final = 5.0
"""Seconds that figures of just now span, whatever window is shown."""
_FEW: Final = 10
"""So few requests say nothing about a share."""
_REFUSED: Final = "refused"
_OF_PLACES: Final[tuple[TalkerBy, ...]] = ("country", "asn")
_TELLS: Final[dict[str, tuple[TalkerBy, ...]]] = {
    "ip": ("range", "wide", "country", "asn"),
    "range": ("wide", "country", "asn"),
    "asn": ("country",),
}
"""What requests have alike that have the first alike."""
_WITHIN: Final[dict[TalkerBy, TalkerBy]] = {
    "path": "ip",
    "wide": "range",
    "range": "ip",
    "agent": "ip",
    "country": "asn",
    "asn": "range",
}
"""By what the requests of one key are grouped first; else, as far as they are not yet:"""
_NEXT: Final[tuple[TalkerBy, ...]] = ("path", "status", "ip", "agent")


class TalkersProbe:
    """Ranks by one grouping and window at a time; both can be changed while it runs, and only the
    requests looked at that `chips` let through. `began` says since when there is an incident."""

    name = TALKERS
    kind = "talkers"

    def __init__(
        self, logs: LogEngine, clock: Clock, began: Callable[[], datetime | None] = lambda: None
    ) -> None:
        self._logs, self._clock, self._began = logs, clock, began
        self.changed: asyncio.Event | None = logs.changed
        self._early = EARLY_LOOKS
        self._answers: deque[tuple[float, Mapping[str, int]]] = deque()
        self._before: tuple[datetime, Talkers, Baseline | None] | None = None
        self.by: TalkerBy = "ip"
        self.window_s = WINDOWS[0]
        self.trouble = ""
        """What is wrong with the databases of places, in one plain line."""
        self.chips: tuple[Chip, ...] = ()

    @property
    def window(self) -> str:
        """The window in words."""
        return WINDOW_WORDS[self.window_s]

    @property
    def grown(self) -> bool:
        """Whether what grew most since the incident began comes first."""
        return self._baseline() is not None

    @property
    def groups(self) -> tuple[TalkerBy, ...]:
        """What can be grouped by: not what every request that is looked at has alike."""
        chosen: set[str] = {chip.by for chip in self.chips} | {"narrow"}
        chosen |= {alike for by in set(chosen) for alike in _TELLS.get(by, ())}
        if self._logs.talkers.places is None:
            chosen |= set(_OF_PLACES)
        return tuple(by for by in TALKER_GROUPS if by not in chosen)

    # What is looked at ----------------------------------------------------------------------

    def group_next(self) -> None:
        """Group by the next thing from now on."""
        groups = self.groups
        place = groups.index(self.by) if self.by in groups else -1
        self.by = groups[(place + 1) % len(groups)]
        self._again()

    def group(self, word: str) -> str:
        """Group by what `word` names from now on; what is wrong with it, or nothing."""
        names = {by: by for by in self.groups} | {WORDS[by]: by for by in self.groups}
        if word not in names:
            return f'"{word}" is nothing to group by; there are: {", ".join(self.groups)}'
        self.by = names[word]
        self._again()
        return ""

    def window_next(self) -> None:
        """Look at the next longer window from now on, after the longest at the shortest."""
        self.window_s = WINDOWS[(WINDOWS.index(self.window_s) + 1) % len(WINDOWS)]
        self._again()

    def drill(self, key: str) -> bool:
        """Only the requests with this key of the present grouping, by what else they have; whether
        there is something else. Needs a running loop."""
        if self.by not in self.groups or len(self.groups) == 1:
            return False
        self.chips = (*self.chips, Chip(self.by, key))
        wanted = (_WITHIN.get(self.by, "path"), *_NEXT)
        self.by = next((by for by in wanted if by in self.groups), self.groups[0])
        self._logs.drill(self.chips)
        self._again()
        return True

    def back(self) -> bool:
        """Take the last chip away and group by what it was of; whether there was one."""
        if not self.chips:
            return False
        last = self.chips[-1]
        self.chips = self.chips[:-1]
        self.by = next(by for by in TALKER_GROUPS if by == last.by)
        self._logs.drill(self.chips)
        self._again()
        return True

    @property
    def talkers(self) -> Talkers:
        """Who counts what is looked at."""
        drill = self._logs.talkers.drill
        return drill.talkers if drill is not None else self._logs.talkers

    def _again(self) -> None:
        if self.changed is not None:
            self.changed.set()

    def _settle(self, found: Ranking) -> None:
        """Lines wake it until there is a request to show, so that a fresh console does not stand
        empty for an interval; from then on only another question does."""
        self._early = 0 if found.total else max(0, self._early - 1)
        if not self._early and self.changed is self._logs.changed:
            self.changed = asyncio.Event()

    # A look ---------------------------------------------------------------------------------

    async def sample(self) -> Sample:
        at = self._clock.now()
        now = at.timestamp()
        shown = self._shown(now)
        await turn()  # each look takes milliseconds in a flood: keys come between
        whole = shown.found
        if self.by != "ip" or self.chips:
            whole = self._logs.talkers.ranking("ip", 1, now=now, window_s=self.window_s)
        self._settle(whole)
        await turn()
        largest = self._logs.talkers.ranking("range", 1, now=now, window_s=BUCKET_S)
        await turn()
        one = await explained(self._logs.talkers, now=now) if not self.chips else None
        shown = replace(shown, explained=one)
        told = facts(shown if self.by == "ip" else replace(shown, explained=None))
        return Sample(
            source=self.name,
            at=at,
            health=Health.OK,
            summary=_summary(whole),
            metrics=_metrics(whole) | self._just_now(now) | _let_in(largest),
            columns=columns(self.by, grown=shown.before is not None),
            rows=tuple(row(talker, shown) for talker in shown.largest(SHOWN)),
            facts=self._told() | told,
        )

    def _shown(self, now: float) -> Shown:
        before = self._baseline()
        n = SHOWN if before is None else CANDIDATES
        found = self.talkers.ranking(self.by, n, now=now, window_s=self.window_s)
        return Shown(found, self.window, now, before=before, chips=self.chips)

    def _told(self) -> dict[str, str]:
        """Where what is looked at does not reach back as far as the window."""
        if self.trouble:
            return {"places": self.trouble}
        drill = self._logs.talkers.drill
        if drill is None:
            return {}
        if not drill.ready:
            return {"reading": "the lines that are kept"}
        if drill.since > self._logs.talkers.started:
            return {"complete since": f"{datetime.fromtimestamp(drill.since, UTC):%H:%M:%S}Z"}
        return {}

    def _baseline(self) -> Baseline | None:
        """What was usual before the incident, asked for once for each."""
        began, drill = self._began(), self._logs.talkers.drill
        if began is None or (drill is not None and not drill.ready):
            return None
        talkers = self.talkers
        if self._before is None or self._before[:2] != (began, talkers):
            found = talkers.before(began.timestamp(), now=self._clock.now().timestamp())
            self._before = began, talkers, found
        return self._before[2]

    def _just_now(self, now: float) -> dict[str, float]:
        """What the last seconds were like; a mitigation's effect shows there before it does in a
        window of minutes. Who is refused costs the systems behind next to nothing; who asks for
        what is not there (404) may cost them much."""
        at, seen = self._clock.monotonic(), self._answers
        talkers = self._logs.talkers
        seen.append((at, talkers.answers(now) | {_REFUSED: talkers.refused(now)}))
        while len(seen) > 2 and seen[1][0] <= at - NOW_S:
            seen.popleft()
        (began, before), (_, after) = seen[0], seen[-1]
        counts = {name: count - before.get(name, 0) for name, count in after.items()}
        refused = counts.pop(_REFUSED)
        total = sum(counts.values())
        if at - began < EVERY_S / 2 or total < 0:
            return {}
        figures = {"let_in_per_s": (total - refused) / (at - began)}
        if total >= _FEW:
            figures["error_percent_now"] = 100 * counts.get("5xx", 0) / total
        return figures

    async def detail(self, key: str) -> Detail:
        """One talker over every window."""
        now = self._clock.now().timestamp()
        return sheet(self.talkers, self.by, key, now, self._baseline())

    async def close(self) -> None:
        """Nothing is held open: the log engine closes itself."""


def _summary(found: Ranking) -> str:
    return f"{found.rate:,.0f} req/s" if found.total else "no requests"


def _metrics(whole: Ranking) -> dict[str, float]:
    """Of all requests, whatever part of them is looked at."""
    errors = whole.by_status.get("5xx", 0)
    return {
        "requests_per_s": whole.rate,
        "error_percent": 100 * errors / whole.total if whole.total else 0.0,
        "top_percent": 100 * whole.talkers[0].share if whole.talkers else 0.0,
    }


def _let_in(largest: Ranking) -> dict[str, float]:
    """How much of what is let in comes from one network; it is nothing when that is blocked."""
    total = largest.total - largest.by_status.get("4xx", 0)
    if total < _FEW or not largest.talkers:
        return {}
    of_it = largest.talkers[0].count - largest.talkers[0].by_status.get("4xx", 0)
    return {"range_percent": 100 * of_it / total}

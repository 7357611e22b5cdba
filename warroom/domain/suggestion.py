"""Which severity the live numbers speak for, and why: a suggestion, never a decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from warroom.domain.sample import Health
from warroom.domain.severity import Scheme, Thresholds

WORSE_AFTER_S: Final = 5.0
"""How long worse numbers must last before they are suggested."""
BETTER_AFTER_S: Final = 60.0
"""How long better ones must last before a suggestion goes down or away."""
LEAST_RATE: Final = 0.1
"""Requests a second below which a share of errors says nothing."""

_ENDPOINTS: Final = frozenset({"http"})


@dataclass(frozen=True, slots=True)
class Source:
    """What the last look at one source saw. `health` has its critical checks in it."""

    name: str
    kind: str
    health: Health
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures:
    """All sources together. `errors` is a percentage, None without enough requests; `slowest`
    the endpoint that took longest, and its seconds."""

    endpoints: int = 0
    endpoints_down: tuple[str, ...] = ()
    systems_down: tuple[str, ...] = ()
    errors: float | None = None
    slowest: tuple[str, float] | None = None

    @property
    def down(self) -> int:
        """How many sources are down."""
        return len(self.endpoints_down) + len(self.systems_down)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A level, and what speaks for it in a few words."""

    level: str
    reason: str


@dataclass(frozen=True, slots=True)
class Leaning:
    """What is suggested, and what the numbers have said otherwise since when."""

    held: Suggestion | None = None
    other: Suggestion | None = None
    since: datetime | None = None


def figures_of(sources: Iterable[Source]) -> Figures:
    """What counts of the last looks."""
    known = list(sources)
    endpoints = [source for source in known if source.kind in _ENDPOINTS]
    latencies = [(s.name, s.metrics["latency_s"]) for s in endpoints if "latency_s" in s.metrics]
    shares = [
        source.metrics["error_percent"]
        for source in known
        if "error_percent" in source.metrics
        and source.metrics.get("requests_per_s", 0.0) >= LEAST_RATE
    ]
    return Figures(
        endpoints=len(endpoints),
        endpoints_down=tuple(s.name for s in endpoints if s.health is Health.DOWN),
        systems_down=tuple(
            s.name for s in known if s.kind not in _ENDPOINTS and s.health is Health.DOWN
        ),
        errors=max(shares, default=None),
        slowest=max(latencies, key=lambda one: one[1], default=None),
    )


def suggested(figures: Figures, scheme: Scheme) -> Suggestion | None:
    """The worst level that the numbers speak for; None when they speak for none.

    >>> from warroom.domain.severity import SCHEMES
    >>> seen = Figures(endpoints=3, endpoints_down=("api", "web"))
    >>> suggested(seen, SCHEMES["P0-P3"])
    Suggestion(level='P1', reason='2 of 3 endpoints down')
    """
    for level in scheme.levels:
        reason = next(_reasons(figures, level.suggest), "")
        if reason:
            return Suggestion(level.name, reason)
    return None


def _reasons(figures: Figures, from_: Thresholds) -> Iterator[str]:
    down, endpoints = len(figures.endpoints_down), figures.endpoints
    if from_.endpoints_down and down and 100.0 * down / endpoints >= from_.endpoints_down:
        named = figures.endpoints_down[0] if endpoints == 1 else f"{down} of {endpoints} endpoints"
        yield f"{named} down"
    if from_.errors and figures.errors is not None and figures.errors >= from_.errors:
        yield f"{figures.errors:.0f}% of requests fail ({from_.errors:g}% or more)"
    systems = figures.systems_down
    if from_.systems_down and len(systems) >= from_.systems_down:
        yield f"{systems[0]} down" if len(systems) == 1 else f"{len(systems)} systems down"
    if from_.latency_s and figures.slowest and figures.slowest[1] >= from_.latency_s:
        name, seconds = figures.slowest
        yield f"{name} takes {seconds:.1f} s ({from_.latency_s:g} s or more)"


def leaned(before: Leaning, fresh: Suggestion | None, scheme: Scheme, now: datetime) -> Leaning:
    """What is suggested after the numbers say `fresh`: numbers that come and go change nothing."""
    held_level, fresh_level = _level(before.held), _level(fresh)
    if fresh_level == held_level:
        return Leaning(fresh)  # the reason may be another
    same = before.since is not None and _level(before.other) == fresh_level
    since = before.since if same and before.since is not None else now
    worse = _rank(fresh, scheme) < _rank(before.held, scheme)
    needed = WORSE_AFTER_S if worse else BETTER_AFTER_S
    if (now - since).total_seconds() >= needed:
        return Leaning(fresh)
    return Leaning(before.held, fresh, since)


def is_worse(suggestion: Suggestion, severity: str, scheme: Scheme) -> bool:
    """Whether it speaks for a worse level than `severity`."""
    return _rank(suggestion, scheme) < _rank(Suggestion(severity, ""), scheme)


def _level(suggestion: Suggestion | None) -> str:
    return suggestion.level if suggestion else ""


def _rank(suggestion: Suggestion | None, scheme: Scheme) -> int:
    """0 for the worst level; what is no level comes after the last."""
    names, level = scheme.names, _level(suggestion)
    return names.index(level) if level in names else len(names)

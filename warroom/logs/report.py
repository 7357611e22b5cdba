"""What was counted in whole files: the largest keys, and the contract of `warroom top --json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Any, Final

from warroom.logs.keys import FOLDS, RANGES, By, folded
from warroom.logs.recognise import Recognised
from warroom.logs.weights import COUNT_SHIFT, bytes_of, classes_of, count_of

if TYPE_CHECKING:
    from warroom.logs._tally import Tally

TELLING: Final = 0.5
"""Share from which a range explains a flood, and not one of many."""
MANY: Final = 1.5
_MOST: Final = 2 / 3


@dataclass(frozen=True, slots=True)
class Course:
    """When one key asked, by the times that its lines say: `first_seen` and `last_seen` in seconds
    since the epoch, `rate` requests a second and `trend` requests in even steps, oldest first, both
    over all that was counted."""

    first_seen: float
    last_seen: float
    rate: float
    trend: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Top:
    """One key. `share` is of the parsed lines, 0..1; `bytes` and `status` (requests by class) are
    empty when only clients were counted. `raw` is the key as it stands in the lines; `course` is
    there when it was asked for and its lines say times."""

    key: str
    count: int
    share: float
    raw: bytes = b""
    bytes: int = 0
    status: dict[str, int] | None = None
    course: Course | None = None

    @property
    def errors(self) -> float:
        """The share of its requests that were answered with 5xx, 0..1."""
        return (self.status or {}).get("5xx", 0) / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """`lines` there are, `parsed` those that have a key: the others are unknown, not guessed.

    `format` names what the files were recognised as, `unknown` when they are no known logs;
    `files` says it for each, with how many lines of a sample fit.
    """

    by: By
    format: str
    lines: int
    parsed: int
    top: tuple[Top, ...]
    files: tuple[tuple[str, Recognised], ...] = ()
    span: tuple[float, float] | None = None
    """The stretch of time that was asked for, seconds since the epoch; None: everything."""
    newest: float = 0.0
    """The latest time that any line said that was looked at, where time was asked for."""
    explained: Top | None = None
    """The range that most requests come from, where ranges were counted."""
    covers: tuple[float, float] | None = None
    """What the courses span, seconds since the epoch; None where there are none."""


def made(tally: Tally, fmt: str, n: int, *, full: bool = True) -> Report:
    """The `n` largest of what was counted."""
    by = tally.by
    tally.settle()
    figures = folded(tally.keys, by) if by in RANGES else tally.keys
    weigh = count_of if tally.weighed else int
    unknown = weigh(figures.pop(b"", 0))
    parsed = tally.known_lines - unknown
    unit = 1 << COUNT_SHIFT if tally.weighed else 1
    top = tuple(
        _top(key, figure, parsed, weighed=tally.weighed, full=full)
        for key, figure in largest(figures, n, unit)
    )
    return Report(by, fmt, tally.lines, parsed, top, explained=_explained(tally, parsed, unit))


def _top(key: bytes, figure: int, parsed: int, *, weighed: bool, full: bool) -> Top:
    # the counter starts faster without it
    from warroom.domain.text import harmless_bytes

    times = count_of(figure) if weighed else figure
    return Top(
        key=harmless_bytes(key, limit=2048),
        count=times,
        share=times / parsed,
        bytes=bytes_of(figure) if weighed else 0,
        status=classes_of(figure) if weighed and full else None,
        raw=key,
    )


def _explained(tally: Tally, parsed: int, unit: int) -> Top | None:
    """The smallest range that still has most of what the widest has, where that is most of all
    and far more than the busiest client's; looked for when ranges are counted."""
    if tally.by not in RANGES or not parsed:
        return None
    alone = _largest_of("ip", tally, parsed, unit)
    found = [one for by in RANGES if (one := _largest_of(by, tally, parsed, unit)) is not None]
    place = telling([one.share for one in found], alone.share if alone is not None else 0.0)
    return None if place is None else found[place]


def telling(shares: Sequence[float], busiest: float) -> int | None:
    """Which range explains a flood, of those with the largest shares at each size, the most special
    first: it has most of what the widest has, and far more than the `busiest` client.

    >>> telling([0.05, 0.6, 0.7], 0.1), telling([0.05, 0.2, 0.7], 0.1), telling([0.6], 0.5)
    (1, 2, None)
    """
    told = [share for share in shares if share >= max(TELLING, MANY * busiest)]
    least = _MOST * max(told, default=0.0)
    return next((place for place, s in enumerate(shares) if s in told and s >= least), None)


def _largest_of(by: By, tally: Tally, parsed: int, unit: int) -> Top | None:
    fold = FOLDS[by]
    counts: dict[bytes, int] = {}
    for address, figure in tally.keys.items():
        key = fold(address)
        counts[key] = counts.get(key, 0) + figure
    counts.pop(b"", None)
    found = largest(counts, 1, unit)
    return _top(*found[0], parsed, weighed=unit > 1, full=True) if found else None


def largest(figures: dict[bytes, int], n: int, unit: int = 1) -> list[tuple[bytes, int]]:
    """The `n` of the largest count, by count and then by key, both descending.

    A figure's count is how often `unit` goes into it.
    """
    if n <= 0 or not figures:
        return []
    least = nlargest(n, figures.values())[-1] // unit * unit
    chosen = ((figure // unit, key) for key, figure in figures.items() if figure >= least)
    return [(key, figures[key]) for _, key in sorted(chosen, reverse=True)[:n]]


def to_json(report: Report) -> dict[str, Any]:
    """The contract of `warroom top --json`."""
    told: dict[str, Any] = {}
    if report.span is not None:
        told["since"], told["until"] = map(_iso, report.span)
    if report.covers is not None:
        told["covers"] = dict(zip(("since", "until"), map(_iso, report.covers), strict=True))
    if report.explained is not None:
        told["explained"] = _entry(report.explained)
    return {
        "version": 1,
        "format": report.format,
        "lines": report.lines,
        "parsed": report.parsed,
        "files": [
            {
                "file": file,
                "format": look.format.name if look.format is not None else "unknown",
                "matched": look.matched,
                "sampled": look.seen,
                "also": list(look.also),
            }
            for file, look in report.files
        ],
        "top": [_entry(top) for top in report.top],
        **told,
    }


def _entry(top: Top) -> dict[str, Any]:
    entry = {
        "key": top.key,
        "count": top.count,
        "share": round(top.share, 6),
        "bytes": top.bytes,
        "status": top.status or {},
    }
    if top.course is not None:
        entry |= {
            "rate": round(top.course.rate, 6),
            "trend": list(top.course.trend),
            "first_seen": _iso(top.course.first_seen),
            "last_seen": _iso(top.course.last_seen),
            "errors": round(top.errors, 6),
        }
    return entry


def _iso(at: float) -> str:
    from datetime import UTC, datetime  # few ask for a time: the others start without it

    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")

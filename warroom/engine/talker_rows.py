"""Top talkers as rows, facts and words: what stands in the pane, in its sheet, in the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from warroom.domain.sample import Column, Row
from warroom.logs.drill import Chip
from warroom.logs.explain import Explained
from warroom.logs.talkers import Baseline, Ranking, Talker, TalkerBy

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.engine.session import Session
    from warroom.logs.places import Places

WORDS: Final[dict[TalkerBy, str]] = {
    "ip": "client",
    "range": "range",
    "wide": "wide range",
    "narrow": "narrow range",
    "path": "path",
    "status": "status",
    "method": "method",
    "agent": "agent",
    "host": "host",
    "country": "country",
    "asn": "network",
}
WINDOW_WORDS: Final = {60: "1 min", 300: "5 min", 900: "15 min", 0: "since start"}
NEW: Final = "new"


@dataclass(frozen=True, slots=True)
class Shown:
    """A ranking, with what it is seen against."""

    found: Ranking
    window: str
    now: float
    """Seconds since the epoch."""
    explained: Explained | None = None
    before: Baseline | None = None
    chips: tuple[Chip, ...] = ()

    def growth(self, talker: Talker) -> float:
        """Requests a second more than before the incident."""
        return talker.rate - (self.before.rate(self.found.by, talker) if self.before else 0.0)

    def largest(self, n: int) -> list[Talker]:
        """The `n` that grew most; without a baseline, those that ask most."""
        talkers = list(self.found.talkers)
        if self.before is not None:
            talkers.sort(key=self.growth, reverse=True)
        return talkers[:n]


def columns(by: TalkerBy, *, grown: bool) -> tuple[Column, ...]:
    """With the rate before the incident where that is known."""
    was = (Column("was", "before", "number", priority=1),) if grown else ()
    return (
        Column("key", WORDS[by], grow=True),
        Column("rate", "req/s", "number"),
        *was,
        Column("share", "share", "percent"),
        Column("trend", "trend", "spark", priority=1),
        Column("errors", "5xx", "percent", priority=2),
        Column("refused", "4xx", "percent", priority=3),
        Column("count", "requests", "count", priority=3),
        Column("bytes", "bytes", "bytes", priority=4),
        Column("first", "first seen", "seconds", priority=5),
    )


def row(talker: Talker, shown: Shown) -> Row:
    """One talker; `data` has its figures, in numbers and in words."""
    by = shown.found.by
    trend = ",".join(str(value) for value in talker.trend)
    was: tuple[str | float, ...] = ()
    if shown.before is not None:
        rate = round(shown.before.rate(by, talker), 1)
        was = (NEW if shown.before.is_new(by, talker) else rate,)
    cells = (
        talker.key, round(talker.rate, 1), *was, 100 * talker.share, trend,
        _share_of("5xx", talker), _share_of("4xx", talker), talker.count, talker.bytes,
        max(0.0, shown.now - talker.first_seen),
    )  # fmt: skip
    data: dict[str, Any] = {"by": by, "count": talker.count}
    data |= {"share": talker.share, "rate": talker.rate, "figures": figures(talker, shown)}
    one = shown.explained
    if one is not None and by == "ip" and one.holds(talker.key):
        data |= {"range": one.talker.key, "range_share": one.talker.share, "range_by": one.by}
    return Row(talker.key, talker.key, cells, data=data)


def figures(talker: Talker, shown: Shown) -> str:
    """One line with every figure, for the clipboard and the timeline."""
    by, before = shown.found.by, shown.before
    parts = [
        f"{WORDS[by]} {talker.key}: {talker.rate:,.1f} requests/s",
        f"{100 * talker.share:.1f}% of {shown.found.rate:,.1f}/s",
        f"{_share_of('5xx', talker):.1f}% with 5xx",
        f"{_share_of('4xx', talker):.1f}% with 4xx",
        f"{talker.count:,} requests ({shown.window})",
        f"{talker.bytes:,} bytes",
        f"first seen {datetime.fromtimestamp(talker.first_seen, UTC):%H:%M:%S}Z",
    ]
    if before is not None:
        rate = before.rate(by, talker)
        new = before.is_new(by, talker)
        parts.append("new since the incident began" if new else f"{rate:,.1f}/s before it")
    if shown.chips:
        parts.append("only " + " ".join(map(str, shown.chips)))
    return ", ".join(parts)


def facts(shown: Shown) -> dict[str, str]:
    """Answers by class, and a network that asks far more than its largest client shows; how far
    counts may be off, and how many requests named nobody."""
    found, one = shown.found, shown.explained
    told = {"req/s": f"{found.rate:,.1f}"} if shown.chips else {}
    told |= {name: f"{count:,}" for name, count in found.by_status.items() if count}
    if one is not None:
        told["range"] = f"{one.talker.key} {100 * one.talker.share:.0f}%"
    if found.short:
        told["counts low by at most"] = f"{found.short:,}"
    if found.unknown:
        told["not known"] = f"{found.unknown:,}"
    return told


def pairs(talker: Talker) -> tuple[tuple[str, str], ...]:
    """One talker in one window, for its sheet."""
    statuses = "  ".join(f"{name} {count:,}" for name, count in talker.by_status.items() if count)
    short = f", low by at most {talker.short:,}" if talker.short else ""
    return (
        ("requests", f"{talker.count:,}  ({100 * talker.share:.1f}%){short}"),
        ("rate", f"{talker.rate:,.1f} a second"),
        ("answers", statuses),
        ("bytes", f"{talker.bytes:,}"),
    )


def began(session: Session) -> datetime | None:
    """When the open incident began: as somebody said, else when it was opened."""
    incident = session.incident
    if incident is None or not incident.is_open:
        return None
    said = incident.fields.get("started", "")
    try:
        started = datetime.fromisoformat(said) if said else incident.opened_at
    except ValueError:
        return incident.opened_at
    return min(started, incident.opened_at) if started.tzinfo else incident.opened_at


def places_of(settings: Settings) -> tuple[Places | None, str]:
    """The databases that the config names, or what is wrong with them: the room opens without."""
    files = settings.addresses.mmdb
    if not files:
        return None, ""
    from warroom.logs.places import NoPlaces, Places

    folder = settings.file.parent if settings.file is not None else Path()
    try:
        return Places([folder / Path(file).expanduser() for file in files]), ""
    except NoPlaces as error:
        return None, str(error)


def _share_of(answers: str, talker: Talker) -> float:
    """Per cent of its requests that got such an answer."""
    return 100 * talker.by_status.get(answers, 0) / talker.count if talker.count else 0.0

"""All about one talker: since when, what it was before the incident, whose it is, what it asked."""

from __future__ import annotations

from datetime import UTC, datetime

from warroom.domain.clock import span
from warroom.domain.sample import Detail, Section
from warroom.domain.text import harmless_bytes
from warroom.engine.talker_rows import WINDOW_WORDS, WORDS, pairs
from warroom.logs.keys import range_of
from warroom.logs.talkers import WINDOWS, Baseline, Talker, TalkerBy, Talkers

_WHOLE = WINDOWS[-1]


def sheet(
    talkers: Talkers, by: TalkerBy, key: str, now: float, before: Baseline | None = None
) -> Detail:
    """`talkers` counts what is looked at; `before` is what was usual before the incident."""
    watched = now - talkers.started
    windows = [w for w in WINDOWS if w == WINDOWS[0] or w == _WHOLE or w < watched]
    found = {window: talkers.one(by, key, now=now, window_s=window) for window in windows}
    whole = found[_WHOLE]
    known = [] if whole is None else _known(talkers, by, whole, now, before)
    parts = [
        Section(_title(window, watched), pairs(one) if one else (("requests", "none"),))
        for window, one in found.items()
    ]
    return Detail(f"{WORDS[by]} {key}", (Section("What is known", tuple(known)), *parts))


def _title(window: int, watched: float) -> str:
    words = WINDOW_WORDS[window]
    return words if window else f"{words}, {span(watched)} ago"


def _known(
    talkers: Talkers, by: TalkerBy, one: Talker, now: float, before: Baseline | None
) -> list[tuple[str, str]]:
    first = datetime.fromtimestamp(one.first_seen, UTC)
    told = [("first seen", f"{first:%H:%M:%S}Z, {span(max(0.0, now - one.first_seen))} ago")]
    if before is not None:
        new = before.is_new(by, one)
        rate = "" if new else f"{before.rate(by, one):,.1f} a second before it"
        told.append(("incident", rate or "new since it began"))
    if by == "ip":
        told.append(("range", harmless_bytes(range_of(one.raw))))
        if talkers.places is not None:
            told.append(("country", harmless_bytes(talkers.places.country(one.raw))))
            told.append(("network", harmless_bytes(talkers.places.asn(one.raw))))
    return [(name, text) for name, text in told if text]

"""The detail view of an endpoint: what the last look saw, and the looks before it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from warroom.domain.clock import span
from warroom.domain.sample import Detail, Health, Section
from warroom.domain.text import harmless_bytes, shorten
from warroom.probes._http_bodies import Understanding
from warroom.probes._http_certificates import Certificate
from warroom.probes._http_client import Answer, shown_headers
from warroom.probes._http_judge import Verdict, phrase
from warroom.probes._http_wire import Stage

BODY_SHOWN: Final = 4096
_LOOKS: Final = 20
_PARTS: Final = 100
_TITLES: Final = {
    Stage.NAME: "DNS",
    Stage.CONNECT: "connect",
    Stage.TLS: "TLS",
    Stage.FIRST_BYTE: "first byte",
    Stage.BODY: "body",
}


@dataclass(frozen=True, slots=True)
class Look:
    """One look, as it is remembered. Without `verdict` there was no answer; `latency` and `spent`
    are seconds."""

    at: datetime
    health: Health
    word: str
    summary: str
    note: str
    url: str
    latency: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    peer: str = ""
    tried: tuple[str, ...] = ()
    spent: Mapping[Stage, float] = field(default_factory=dict)
    certificate: Certificate | None = None
    tls: str = ""
    answer: Answer | None = None
    verdict: Verdict | None = None


def detail(name: str, looks: Sequence[Look]) -> Detail:
    """Everything about the newest of `looks`, and the course of the others."""
    last = looks[-1]
    sections = [_request(last), _timing(last)]
    if last.verdict is not None:
        sections += _understood(last.verdict.understanding)
    if last.certificate is not None:
        sections.append(certificate_section(last.certificate, last.at, last.tls))
    if last.answer is not None:
        sections.append(Section("headers", shown_headers(last.answer)))
        sections.append(_body(last.answer))
    sections.append(_recent(looks))
    return Detail(name, tuple(sections))


def _request(look: Look) -> Section:
    pairs = [("address", look.url), ("result", look.summary)]
    if look.answer is not None:
        pairs.append(("status", phrase(look.answer.status)))
        pairs += [("redirect", hop) for hop in look.answer.hops]
    if look.peer:
        pairs.append(("peer", look.peer))
    pairs += [("tried before", tried) for tried in look.tried]
    pairs += look.facts.items()
    return Section("endpoint", tuple(pairs))


def _timing(look: Look) -> Section:
    pairs = [(_TITLES[stage], fine(seconds)) for stage, seconds in look.spent.items()]
    if look.latency is not None:
        pairs.append(("total", fine(look.latency)))
    return Section("timing", tuple(pairs))


def fine(seconds: float) -> str:
    """A short time, to a tenth of a millisecond below one second.

    >>> fine(0.00042), fine(1.5)
    ('0.4 ms', '1.50 s')
    """
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _understood(said: Understanding) -> Iterator[Section]:
    if said.convention:
        pairs = [("read as", said.convention), ("says", said.word)]
        pairs += [("remark", said.remark)] if said.remark else []
        lines = tuple(
            f"{part.path}: {part.word}" + (f" — {part.note}" if part.note else "")
            for part in said.components[:_PARTS]
        )
        yield Section("understood from the body", tuple(pairs), lines)
    else:
        reason = said.remark or "it follows no convention that is known here"
        yield Section("understood from the body", (("nothing", reason),))


def certificate_section(seen: Certificate, now: datetime, tls: str) -> Section:
    """A certificate for people, as of `now`."""
    days = seen.days_left(now)
    left = f"{days:.0f} days left" if days >= 0 else f"expired {-days:.0f} days ago"
    pairs = [
        ("subject", seen.subject),
        ("issuer", seen.issuer + (" (itself)" if seen.self_signed else "")),
        ("not before", f"{seen.not_before:%Y-%m-%d %H:%M} UTC"),
        ("not after", f"{seen.not_after:%Y-%m-%d %H:%M} UTC, {left}"),
        ("names", shorten(", ".join(seen.names), 400) or "none"),
        ("serial", seen.serial),
    ]
    return Section("certificate", tuple([*pairs, ("protocol", tls)] if tls else pairs))


def _body(answer: Answer) -> Section:
    text = harmless_bytes(answer.body[:BODY_SHOWN], lines=True)
    lines = tuple(text.split("\n"))
    size = f"{answer.size:,} bytes"
    if len(answer.body) > BODY_SHOWN:
        size += f"; the first {BODY_SHOWN:,} are shown"
    return Section("body", (("size", size),), lines if answer.body else ())


def _recent(looks: Sequence[Look]) -> Section:
    newest = list(looks)[-_LOOKS:][::-1]
    lines = (
        f"{look.at:%H:%M:%S} {look.health.value:<8} {look.word:<8} "
        f"{span(look.latency) if look.latency is not None else '—':>6}  {look.note}".rstrip()
        for look in newest
    )
    return Section("recent looks (UTC)", (), tuple(lines))

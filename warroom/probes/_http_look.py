"""One look at an HTTP endpoint, from the question to the verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from warroom.domain.sample import Health
from warroom.domain.text import shorten
from warroom.probes._http_certificates import (
    Certificate,
    TrustFault,
    certificate,
    fetch,
    refusal,
    trust,
)
from warroom.probes._http_client import Answer, BadUrl, Question, ask
from warroom.probes._http_detail import Look
from warroom.probes._http_judge import Verdict, Wanted, judge
from warroom.probes._http_wire import BadCertificate, NoAnswer, Stage, Wire
from warroom.probes.base import ProbeContext, ProbeFault

if TYPE_CHECKING:
    from warroom.probes.http import HttpOptions

METRIC_OF: Final = {
    Stage.NAME: "dns_s",
    Stage.CONNECT: "connect_s",
    Stage.TLS: "tls_s",
    Stage.FIRST_BYTE: "first_byte_s",
    Stage.BODY: "body_s",
}


async def look(
    options: HttpOptions,
    wanted: Wanted,
    headers: Mapping[str, str],
    context: ProbeContext,
    limit: float,
) -> Look:
    """What one request within `limit` seconds saw. Raises ProbeFault, HostError."""
    question = _question(options, wanted, headers)
    clock = context.clock
    began = clock.monotonic()
    hidden = (headers[name] for name, value in options.headers.items() if not value.is_literal)
    wire = Wire(context.host, clock, hidden)
    try:
        answer = await ask(question, wire, limit=limit, told=context.timeout)
    except BadUrl as fault:
        raise ProbeFault(str(fault)) from None
    except BadCertificate as fault:
        left = limit - (clock.monotonic() - began)
        reason = await certificate_refused(fault, wire, left, clock.now())
        return _silent(options, context, wire, NoAnswer(fault.word, reason))
    except NoAnswer as fault:
        return _silent(options, context, wire, fault)
    latency = sum(wire.spent.values())  # the wire's time, without what Python does before and after
    return _answered(answer, judge(answer, wanted, latency), latency, context, wire)


def _question(options: HttpOptions, wanted: Wanted, headers: Mapping[str, str]) -> Question:
    try:
        context = trust(options.verify, options.ca)
    except TrustFault as fault:
        raise ProbeFault(str(fault)) from None
    return Question(
        options.url, options.method, headers, options.follow_redirects, context, wanted.accepts
    )


async def certificate_refused(fault: BadCertificate, wire: Wire, left: float, now: datetime) -> str:
    """Why the certificate was refused. Keeps it in `wire`, when `left` seconds suffice to get it:
    a handshake that fails does not hand it out, so there is another one that verifies nothing."""
    try:
        async with asyncio.timeout(max(left, 0.0)):
            wire.certificate = await fetch(wire.address, wire.asked)
    except TimeoutError:
        wire.certificate = None
    return refusal(fault.error, parsed(wire.certificate), wire.asked, now)


def parsed(der: bytes | None) -> Certificate | None:
    """The certificate in `der`, None when there is none that can be read."""
    try:
        return certificate(der) if der else None
    except ValueError:
        return None


def _silent(options: HttpOptions, context: ProbeContext, wire: Wire, fault: NoAnswer) -> Look:
    reason = shorten(str(fault), 300)
    now = context.clock.now()
    return Look(
        at=now,
        health=Health.DOWN,
        word=fault.word,
        summary=reason,
        note=reason,
        url=options.url.partition("?")[0],
        metrics=_certificate_days(wire, context),
        peer=wire.peer,
        tried=wire.tried,
        spent=_spent(wire),
        certificate=parsed(wire.certificate),
        tls=wire.tls,
    )


def _answered(
    answer: Answer,
    verdict: Verdict,
    latency: float,
    context: ProbeContext,
    wire: Wire,
) -> Look:
    spent = _spent(wire)
    metrics = {
        "latency_s": latency,
        "status": float(answer.status),
        "size_bytes": float(answer.size),
        **{name: spent[stage] for stage, name in METRIC_OF.items() if stage in spent},
        **_certificate_days(wire, context),
        **verdict.numbers,
    }
    said = verdict.understanding
    facts = {"body says": f"{said.word} ({said.convention})"} if said.word and said.health else {}
    return Look(
        at=context.clock.now(),
        health=verdict.health,
        word=str(answer.status),
        summary=verdict.summary,
        note=verdict.note,
        url=answer.url,
        latency=latency,
        metrics=metrics,
        facts={**facts, **verdict.fields},
        peer=wire.peer,
        tried=wire.tried,
        spent=spent,
        certificate=parsed(wire.certificate),
        tls=wire.tls,
        answer=answer,
        verdict=verdict,
    )


def _spent(wire: Wire) -> Mapping[Stage, float]:
    return dict(wire.spent)


def _certificate_days(wire: Wire, context: ProbeContext) -> dict[str, float]:
    seen = parsed(wire.certificate)
    return {"cert_days": seen.days_left(context.clock.now())} if seen else {}

"""What an answer means for the health of an endpoint. Pure.

Every rule gives at most one fault; the worst decides, and all are named. What the config asks for
(`expect_status`, `expect`) is believed before any convention.

| answer | means |
| --- | --- |
| status outside an explicit `expect_status`; 5xx; 404, 410 | down: what is watched is not there |
| 401, 403, 407, 429 and other 4xx | degraded: it lives and refuses us |
| redirect off the host, to plain http, to nowhere | degraded; in a circle: down |
| `expect` or `contains` not fulfilled | down |
| body says down or degraded by convention | the same; ill components alone: degraded |
| body lies about its type, login page, cut off, slow | degraded |
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from warroom.domain.clock import span
from warroom.domain.sample import Health
from warroom.domain.text import harmless, shorten
from warroom.probes._http_bodies import Understanding, as_text, json_of, lookup, understand
from warroom.probes._http_client import Answer
from warroom.probes._http_pages import is_html, is_json_type, is_login, is_login_path, wants_tls

_SHOWN_PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the config asks of an answer, and what is known from earlier looks."""

    method: str = "GET"
    expect_status: tuple[int, ...] = ()
    expect: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    contains: str = ""
    slow: float | None = None
    path: str = ""
    spoke_json: bool = False

    def accepts(self, status: int) -> bool:
        """Whether `status` is one that the config names."""
        return status in self.expect_status


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an answer."""

    health: Health
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means. `fields` are the config's, as text; `numbers` those that are numbers;
    `is_json` says that the body was JSON."""

    health: Health
    summary: str
    note: str
    understanding: Understanding
    fields: Mapping[str, str]
    numbers: Mapping[str, float]
    is_json: bool


def judge(answer: Answer, wanted: Wanted, latency: float) -> Verdict:
    """The verdict on `answer`, which took `latency` seconds."""
    try:
        value = json_of(answer.body) if answer.body else None
        is_json = bool(answer.body)
    except ValueError:
        value, is_json = None, False
    accepted = _is_good(answer.status, wanted)
    listens = accepted or answer.status >= 500
    understanding = Understanding()
    if listens and not answer.cut and not answer.astray:
        understanding = understand(answer.body)
    faults = [*_of_status(answer, wanted), *_of_redirect(answer)]
    if not answer.astray:
        faults += _of_words(understanding, wanted, accepted)
    if accepted and not answer.astray:
        faults += _of_expect(answer, value, is_json, wanted)
        faults += _of_page(answer, is_json, wanted)
    faults += _of_course(answer, wanted, latency)
    fields, numbers = _fields(value, wanted.fields)
    health = Health.worst(fault.health for fault in faults)
    note = "; ".join(f.reason for f in sorted(faults, key=lambda f: -f.health.rank))
    summary = _summary(answer, note, latency, accepted)
    return Verdict(health, summary, shorten(note, 300), understanding, fields, numbers, is_json)


def phrase(status: int) -> str:
    """A status with its standard phrase (RFC 9110, section 15): `502 Bad Gateway`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _summary(answer: Answer, note: str, latency: float, accepted: bool) -> str:
    if not note:
        return f"{answer.status} in {span(latency)}"
    if answer.astray:
        return shorten(f"{answer.status} {note}", 300)
    return shorten(f"{answer.status} but {note}" if accepted else note, 300)


def _is_good(status: int, wanted: Wanted) -> bool:
    return wanted.accepts(status) if wanted.expect_status else 200 <= status < 400


def _of_status(answer: Answer, wanted: Wanted) -> Iterator[Fault]:
    status = answer.status
    if _is_good(status, wanted) or answer.astray:
        return
    if wanted.expect_status:
        expected = ", ".join(str(code) for code in wanted.expect_status)
        yield Fault(Health.DOWN, f"{phrase(status)} (expected {expected})")
    elif status >= 500:
        yield Fault(Health.DOWN, phrase(status))
    elif status == 400 and wants_tls(answer.body):
        yield Fault(Health.DOWN, f"{phrase(status)}: speaks TLS, not plain HTTP — is it https://?")
    elif status in (404, 410):
        yield Fault(Health.DOWN, f"{phrase(status)}: nothing at {wanted.path or '/'}")
    elif status in (401, 403, 407):
        hint = "give it headers, or name the status in expect_status"
        yield Fault(Health.DEGRADED, f"{phrase(status)}: needs authentication; {hint}")
    elif status == 405:
        yield Fault(Health.DEGRADED, f"{phrase(status)}: does not take {wanted.method}")
    elif status == 429:
        yield Fault(Health.DEGRADED, f"{phrase(status)}: asked too often for its liking")
    else:
        yield Fault(Health.DEGRADED, f"{phrase(status)}: refuses the request")


def _of_redirect(answer: Answer) -> Iterator[Fault]:
    where = answer.location
    if answer.astray == "host":
        yield Fault(Health.DEGRADED, f"redirects off the host, to {where}")
    elif answer.astray == "downgrade":
        yield Fault(Health.DEGRADED, f"redirects from https to plain http, to {where}")
    elif answer.astray == "nowhere":
        target = f": '{where}'" if where else ""
        yield Fault(Health.DEGRADED, f"redirects to no address that can be asked{target}")
    elif answer.astray == "circle":
        yield Fault(Health.DOWN, f"redirects on and on, at last to {where}")


def _of_words(said: Understanding, wanted: Wanted, accepted: bool) -> Iterator[Fault]:
    """What the body says by convention, unless the config says what it must say."""
    verdict = said.verdict
    if verdict in (None, Health.OK) or wanted.expect:
        return
    parts = list(said.failing[:_SHOWN_PARTS])
    if len(said.failing) > _SHOWN_PARTS:
        parts.append(f"{len(said.failing) - _SHOWN_PARTS} more")
    named = ", ".join(parts)
    if said.health is Health.OK and said.word:
        reason = f"body says {said.word} while these are ill: {named}"
    elif said.word:
        reason = f"body says {said.word}" + (f": {named}" if named else "")
    else:
        reason = f"body names as ill: {named}"
    health = verdict or Health.OK
    yield Fault(health if accepted else Health.worst((health, Health.DOWN)), reason)


def _of_expect(answer: Answer, value: object, is_json: bool, wanted: Wanted) -> Iterator[Fault]:
    if wanted.expect and not is_json:
        kind = "HTML" if is_html(answer.body) else "something else" if answer.body else "nothing"
        yield Fault(Health.DOWN, f"JSON was expected and {kind} came")
    elif wanted.expect:
        for path, expected in wanted.expect.items():
            try:
                found = as_text(lookup(value, path))
            except KeyError:
                yield Fault(Health.DOWN, f"body has no {path} (expected {expected})")
                continue
            if found != expected:
                yield Fault(Health.DOWN, f"{path} is {shorten(found, 60)} (expected {expected})")
    if wanted.contains and wanted.contains.encode() not in answer.body:
        within = " within its first 1 MiB" if answer.cut else ""
        yield Fault(Health.DOWN, f"body lacks '{shorten(wanted.contains, 60)}'{within}")


def _of_page(answer: Answer, is_json: bool, wanted: Wanted) -> Iterator[Fault]:
    """Bodies that are not what they say, or not what is usual here."""
    if answer.cut and is_json_type(answer.header("content-type")):
        yield Fault(Health.DEGRADED, "its JSON is larger than 1 MiB and was not read")
    if wanted.method == "HEAD" or answer.status in (204, 304) or answer.cut or answer.broken:
        return
    html = is_html(answer.body)
    if is_json_type(answer.header("content-type")) and not is_json:
        what = "is HTML" if html else "is not" if answer.body else "the body is empty"
        yield Fault(Health.DEGRADED, f"body says it is JSON and {what}")
    elif html and not wanted.contains and not is_login_path(wanted.path) and is_login(answer.body):
        yield Fault(Health.DEGRADED, "a login page came instead (if that is right, set contains)")
    elif html and wanted.spoke_json:
        yield Fault(Health.DEGRADED, "HTML came where JSON was before")


def _of_course(answer: Answer, wanted: Wanted, latency: float) -> Iterator[Fault]:
    if answer.broken:
        yield Fault(Health.DEGRADED, answer.broken)
    if wanted.slow is not None and latency > wanted.slow:
        text = f"answers in {span(latency)} (slow is {span(wanted.slow)})"
        yield Fault(Health.DEGRADED, text)


def _fields(
    value: object, wanted: Mapping[str, str]
) -> tuple[Mapping[str, str], Mapping[str, float]]:
    texts: dict[str, str] = {}
    numbers: dict[str, float] = {}
    for name, path in wanted.items():
        try:
            found = lookup(value, path)
        except KeyError:
            texts[name] = f"not in the body ({harmless(path)})"
            continue
        texts[name] = as_text(found)
        number = _number(found)
        if number is not None:
            numbers[name] = number
    return texts, numbers


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None

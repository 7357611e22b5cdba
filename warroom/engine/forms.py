"""A runbook's texts to send, filled in from the incident as far as that is known. Pure.

What stands in brackets is filled in by what it is called and by the word before it ("Next update:
[TIME]"); what nobody knows stays as the team wrote it, for a person to see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from warroom.domain.clock import span
from warroom.domain.text import harmless
from warroom.reports.updates import clock, plain

if TYPE_CHECKING:
    from warroom.engine.shelf import Book
    from warroom.reports.updates import Facts
    from warroom.runbooks.model import Template

_STAGES: Final = (
    ("resolved", ("resol", "all clear", "over", "closed", "entwarnung", "résol")),
    ("initial", ("initial", "detected", "first", "new incident", "notification", "alert",
                 "incident channel")),
    ("update", ("update", "progress", "every ")),
)  # fmt: skip
_AUDIENCES: Final = (
    ("status page", ("status page", "public", "customer", "user notification")),
    ("chat", ("slack", "channel", "chat", "teams", "#")),
    ("stakeholders", ("stakeholder", "management", "e-mail", "email", "executive")),
)
_FEWEST: Final = 2
"""Places to fill in; a text with fewer is an example, and says what happened to somebody else."""
_PUBLIC: Final = "status page"
_CHANNEL: Final = re.compile(r"#incident-Y{4}[A-Za-z-]{0,40}")
_NO_UPDATE: Final = ("post-mortem", "postmortem", "post mortem")
_OPEN: Final = re.compile(
    r"\[([^\[\]\n]{1,80})\](?!\()|<([A-Za-z][A-Za-z0-9 _.-]{0,60})>|@username\b"
)
_LABEL: Final = re.compile(r"([A-Za-z][A-Za-z ]{0,40}):[ \t*_@]*$")
_STATUS: Final = re.compile(
    r"^([ \t>*_-]*(?:Current )?Status:[ *_]*)([A-Za-z]+)[ \t]*$", re.I | re.M
)
_LEVEL: Final = re.compile(r"\b(?:P|SEV)\[(?:SEVERITY|X|[0-9])\]", re.I)
_LEVELS: Final = re.compile(r"\b(?:P|SEV)[0-5](?:/(?:P|SEV)[0-5])+\b")
_STATUSES: Final = frozenset(
    {"investigating", "identified", "fixing", "mitigating", "monitoring", "resolved"}
)


def fitting(templates: Sequence[Template], audience: str, stage: str) -> Template | None:
    """The one whose title says that stage, and that audience or none; None when none does."""
    forms = (one for one in templates if len(one.placeholders) >= _FEWEST and not _is_report(one))
    fit = [one for one in forms if _of(_STAGES, one.title) == stage]
    named = [one for one in fit if _of(_AUDIENCES, one.title) == audience.casefold()]
    if audience.casefold() == _PUBLIC:  # what is meant for colleagues is not for them
        return next(iter(named), None)
    for_any = [one for one in fit if not _of(_AUDIENCES, one.title)]
    return next(iter((*named, *for_any)), None)


def filled(template: Template, facts: Facts, zone: ZoneInfo) -> tuple[str, tuple[str, ...]]:
    """The text, and what is still open in it, as the team wrote it."""
    text = harmless(template.text, lines=True)
    severity = plain(facts.incident.severity)
    text = _LEVELS.sub(lambda _: severity, _LEVEL.sub(lambda _: severity, text))
    if facts.channel:
        text = _CHANNEL.sub(lambda _: plain(facts.channel), text)
    text = _STATUS.sub(partial(_status, facts), text)
    pieces: list[str] = []
    left: dict[str, None] = {}
    at = 0
    for match in _OPEN.finditer(text):
        name = (match[1] or match[2] or "name").casefold().strip()
        label = _LABEL.search(text[text.rfind("\n", 0, match.start()) + 1 : match.start()])
        value = plain(_known(name, label[1].casefold() if label else "", facts, zone))
        if not value:
            left[match[0]] = None
            continue
        pieces += [text[at : match.start()], value]
        at = match.end()
    return "".join(pieces) + text[at:].rstrip("\n") + "\n", tuple(left)


def drafted(
    books: Sequence[Book], facts: Facts, audience: str, stage: str, zone: ZoneInfo
) -> tuple[str, str, tuple[str, ...]] | None:
    """The text of the first book that has one, where it stands, and what is still open in it."""
    for book in books:
        form = fitting(book.runbook.templates, audience, stage)
        if form is not None:
            text, left = filled(form, facts, zone)
            return text, f"{book.name}:{form.line}", left
    return None


def _of(table: Sequence[tuple[str, Sequence[str]]], title: str) -> str:
    words = title.casefold()
    return next((name for name, stems in table if any(stem in words for stem in stems)), "")


def _is_report(template: Template) -> bool:
    return any(word in template.title.casefold() for word in _NO_UPDATE)


def _status(facts: Facts, match: re.Match[str]) -> str:
    word = match[2]
    if word.casefold() not in _STATUSES:
        return match[0]
    now = facts.incident.status.value
    return match[1] + (now.upper() if word.isupper() else now.capitalize())


def _known(name: str, label: str, facts: Facts, zone: ZoneInfo) -> str:
    """What stands for a name; empty when nobody knows it."""
    incident, words = facts.incident, set(re.findall(r"[a-z]+", name))
    told = partial(clock, zone=zone, now=facts.now)
    if len(words & _STATUSES) > 1:
        return incident.status.value.capitalize()
    if words & {"severity", "sev", "level"}:
        return incident.severity
    if "duration" in label or words & {"duration", "hours", "since"} or "total time" in name:
        return span(max(0.0, ((incident.resolved_at or facts.now) - facts.since).total_seconds()))
    if words & {"time", "timestamp", "datetime"}:
        return _time(label, name, facts, told)
    if words & {"commander", "username"} or "commander" in label:
        return incident.commander
    for field, stems in _FIELDS:
        if any(stem in name for stem in stems) or (stems[0] in label and len(words) < 6):
            return incident.fields.get(field, "").strip()
    if words & {"title", "description", "summary", "issue"} or "what happened" in name:
        return incident.title
    return ""


_FIELDS: Final = (
    ("root_cause", ("root cause", "cause", "brief explanation")),
    ("resolution", ("how fixed", "resolution", "fix applied")),
    ("services_affected", ("services", "service/feature", "affected services")),
    ("impact", ("impact", "users affected")),
)


def _time(label: str, name: str, facts: Facts, told: Callable[..., str]) -> str:
    """Which moment is meant is said by the word before it."""
    if "next" in label:
        return told(facts.next_at) if facts.next_at else ""
    if "resol" in label:
        return told(facts.incident.resolved_at) if facts.incident.resolved_at else ""
    if any(word in label for word in ("start", "detect", "began", "since", "opened")):
        return told(facts.since)
    is_now = not label or any(word in label for word in ("time", "update", "now", "updated"))
    return told(facts.now) if is_now and "estimated" not in name else ""

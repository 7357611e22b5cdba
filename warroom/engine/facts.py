"""What is known now, gathered for a status update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.config.settings import Settings
from warroom.domain import naming
from warroom.domain.events import NOISE, Event, Kind
from warroom.domain.sample import Health
from warroom.domain.text import shorten
from warroom.domain.timeline import Entry, MitigationRun, Timeline, mitigation_runs
from warroom.reports.updates import Facts, Ill, Moved, Tried, file_name

if TYPE_CHECKING:
    from warroom.engine.room import Room

TEMPLATE_LIMIT: Final = 256 * 1024
"""Bytes of a template."""
_MOST: Final = 8
"""Lines of one kind in an update: people read it on a telephone."""
_WIDTH: Final = 160
_NEWS: Final = frozenset({Kind.STATUS, Kind.SEVERITY, Kind.HEALTH, Kind.RECOVERED, Kind.EFFECT})


def facts_of(room: Room, audience: str, *, last: bool) -> Facts:
    """The facts of the open incident for an audience; `last`: no further update is promised.

    Raises NoIncident.
    """
    timeline, now = room.timeline(), room.clock.now()
    incident = timeline.incident
    scheme = room.settings.schemes.get(incident.scheme)
    level = scheme.find(incident.severity) if scheme else None
    told = incident.told.get(audience.casefold())
    every = every_s(room, audience)
    return Facts(
        incident=incident,
        severity_label=level.label if level else "",
        now=now,
        since=timeline.started_at or incident.opened_at,
        next_at=None if last or every is None else now + timedelta(seconds=every),
        down=tuple(ill(room)),
        tried=tuple(_tried(run) for run in mitigation_runs(timeline.entries) if _ran(run))[-_MOST:],
        changed=_changed(timeline, told.at if told else incident.opened_at),
        channel=naming.channel_name(room.settings.incident.channel, incident),
    )


def every_s(room: Room, audience: str) -> float | None:
    """Seconds between updates that the open incident's severity promises to an audience."""
    incident = room.session.incident
    scheme = room.settings.schemes.get(incident.scheme) if incident else None
    level = scheme.find(incident.severity) if scheme and incident else None
    if level is None:
        return None
    own = [a.update_s for a in level.audiences if a.name.casefold() == audience.casefold()]
    return own[0] if own else level.update_s


def ill(room: Room) -> list[Ill]:
    """Every source that is not well now, the worst first."""
    since = standing_since(room.session.events)
    found = []
    for name, sample in room.monitor.latest.items():
        health = room.health(name)
        if health is not Health.OK:
            findings = room.findings(name)
            reason = sample.error or (findings[0].message if findings else sample.summary)
            found.append((health.rank, Ill(name, health.value, _short(reason), since.get(name))))
    return [one for _, one in sorted(found, key=lambda ranked: (-ranked[0], ranked[1].name))]


def standing_since(events: Iterable[Event]) -> dict[str, datetime]:
    """Since when each source has not been well, as the journal has it."""
    held: dict[tuple[str, str, str], datetime] = {}
    for event in events:
        if event.kind not in NOISE:
            continue
        said = event.data
        thing = (str(said.get("source")), str(said.get("row")), str(said.get("check")))
        if event.kind is Kind.RECOVERED or said.get("after") in ("ok", "gone"):
            held.pop(thing, None)
        else:
            held.setdefault(thing, event.at)
    since: dict[str, datetime] = {}
    for (source, _, _), at in held.items():
        since[source] = min(at, since.get(source, at))
    return since


def template_file(settings: Settings, audience: str, stage: str) -> Path | None:
    """A team's own template; None when it has none for that."""
    if not settings.updates.templates:
        return None
    folder = Path(settings.updates.templates).expanduser()
    folder = settings.file.parent / folder if settings.file else folder
    file = folder / file_name(audience, stage)
    return file if file.exists() else None


def template_in(file: Path) -> str:
    """What a template says. Raises OSError or ValueError when it cannot be read."""
    if not file.is_file() or file.stat().st_size > TEMPLATE_LIMIT:
        raise ValueError("not a file of at most 256 KiB")
    return file.read_text("utf-8")


def internal_names(room: Room) -> set[str]:
    """Names that mean nothing to the public: hosts, people, and systems with technical names."""
    names = set(room.settings.hosts)
    names |= {host.ssh.rpartition("@")[2] for host in room.settings.hosts.values()}
    names |= {name for name in room.monitor.latest if not name.isalpha()}
    incident = room.session.incident
    for people in incident.roles.values() if incident else ():
        names |= set(people)
    return names | {event.author.login for event in room.session.events[-500:]}


def _changed(timeline: Timeline, since: datetime) -> tuple[Moved, ...]:
    told = [
        Moved(entry.at, _short(entry.text))
        for entry in timeline.entries
        if entry.at > since and not entry.internal and _is_news(entry)
    ]
    return tuple(told[-_MOST:])


def _is_news(entry: Entry) -> bool:
    return entry.kind in _NEWS or (entry.starred and entry.kind is Kind.NOTE)


def _ran(run: MitigationRun) -> bool:
    return run.outcome is None or run.outcome.data.get("state") != "refused"


def _tried(run: MitigationRun) -> Tried:
    def word(data: Mapping[str, object], key: str) -> str:
        return _short(str(data.get(key, "")))

    title = run.request.text.partition(": ")[0]  # without the command, which is not for everybody
    outcome = word(run.outcome.data, "state") if run.outcome else ""
    return Tried(_short(title), outcome, word(run.effect.data, "verdict") if run.effect else "")


def _short(text: str) -> str:
    return shorten(" ".join(text.split()), _WIDTH)

"""Every setting there is, frozen. Options of a probe, log format or mitigation kind belong to the
kind: they stay a plain table here and are shaped by whoever knows the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from warroom.config import problems
from warroom.config.values import Seconds
from warroom.domain.severity import SCHEMES, Scheme, SeverityLevel


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """`[incident]`"""

    scheme: str = "P0-P3"
    timezone: str = "UTC"
    runbooks: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    production: bool = False

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f'timezone: "{self.timezone}" is not a time zone of this machine'
            ) from error


@dataclass(frozen=True, slots=True)
class HostSettings:
    """`[hosts.NAME]`: reached over SSH as `user@name`; ~/.ssh/config applies."""

    ssh: str


@dataclass(frozen=True, slots=True)
class LevelSettings:
    """A level under `[schemes.NAME]`."""

    name: str
    label: str = ""
    response: Seconds | None = None
    update: Seconds | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class SchemeSettings:
    """`[schemes.NAME]`: levels, worst first."""

    levels: tuple[LevelSettings, ...]


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """`[console]`"""

    theme: str = "dark"
    layout: Literal["room", "wide", "stack"] = "room"
    observe: bool = False
    share: bool = False
    ascii: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """`[journal]`: the file that keeps the incidents; empty means the user's state folder."""

    path: str = ""


@dataclass(frozen=True, slots=True)
class ProbeEntry:
    """One `[[probe]]`. `options` are the kind's own keys; `place` is where it stands."""

    kind: str
    name: str
    on: str
    every: float | None
    timeout: float | None
    options: Mapping[str, Any]
    place: problems.Path


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One `[[log]]`: exactly one of `path`, `container`, `unit`, `pm2`, `argv`."""

    name: str
    on: str = ""
    path: str = ""
    container: str = ""
    unit: str = ""
    pm2: str = ""
    argv: tuple[str, ...] = ()
    access: bool | None = field(
        default=None, metadata={"doc": "counted by top talkers; found out when not said"}
    )

    def __post_init__(self) -> None:
        given = [k for k in ("path", "container", "unit", "pm2", "argv") if getattr(self, k)]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(
                f"name: a log wants one of path, container, unit, pm2, argv; found {found}"
            )


@dataclass(frozen=True, slots=True)
class MitigationEntry:
    """One `[[mitigation]]`. `options` are the kind's own keys."""

    kind: str
    title: str
    key: str
    on: str
    options: Mapping[str, Any]
    place: problems.Path


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole config, and the file it came from (None: nothing was found)."""

    incident: IncidentSettings = field(default_factory=IncidentSettings)
    hosts: Mapping[str, HostSettings] = field(default_factory=dict)
    schemes: Mapping[str, Scheme] = field(default_factory=lambda: SCHEMES)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    probes: tuple[ProbeEntry, ...] = ()
    logs: tuple[LogEntry, ...] = ()
    mitigations: tuple[MitigationEntry, ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    file: Path | None = None

    @property
    def scheme(self) -> Scheme:
        return self.schemes[self.incident.scheme]


def scheme_from(name: str, settings: SchemeSettings) -> Scheme:
    """A team's own scheme as the domain knows it."""
    levels = tuple(
        SeverityLevel(level.name, level.label, level.response, level.update, level.told)
        for level in settings.levels
    )
    return Scheme(name, levels)

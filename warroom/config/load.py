"""Reads a config file into `Settings`, or raises `ConfigError` that names everything wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from warroom.config import settings as s
from warroom.config.problems import ConfigError, Problem, nearest
from warroom.config.settings import Settings
from warroom.config.shape import duration_or_problem, shape
from warroom.domain.severity import SCHEMES, Scheme

_TABLES: Final = (
    "incident",
    "hosts",
    "schemes",
    "console",
    "journal",
    "probe",
    "log",
    "mitigation",
    "check",
)
_COMMON_PROBE: Final = ("kind", "name", "on", "every", "timeout")
_COMMON_MITIGATION: Final = ("kind", "title", "key", "on")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
MAX_BYTES: Final = 4 * 1024 * 1024


class Document:
    """A parsed config with its source, so that a problem found later still knows its place."""

    def __init__(
        self, file: Path, source: str, settings: Settings, problems: list[Problem]
    ) -> None:
        self.file, self.source, self.settings, self.problems = file, source, settings, problems

    def settled(self, more: list[Problem] | None = None) -> Settings:
        """The settings. Raises ConfigError with every problem, `more` among them."""
        problems = [*self.problems, *(more or [])]
        if problems:
            from warroom.config.positions import (
                describe,
            )  # the parser with positions: only on failure

            raise ConfigError(describe(self.file, self.source, problems))
        return self.settings


def read(file: Path) -> Document:
    """The config in `file`. Raises ConfigError when it cannot be read or is not TOML at all."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{file}: larger than 4 MiB: not a config")
        source = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from error
    return parse(source, file)


def parse(source: str, file: Path) -> Document:
    """The config in `source`; `file` is what messages call it."""
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax(file, str(error))) from error
    problems: list[Problem] = []
    return Document(file, source, _settings(table, file, problems), problems)


def _syntax(file: Path, message: str) -> str:
    match = re.fullmatch(
        r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL
    )
    if match is None or match[2] is None:
        return f"{file}: {message}"
    return f"{file}:{match[2]}:{match[3]}: not TOML: {match[1]}"


def _settings(table: Mapping[str, Any], file: Path, problems: list[Problem]) -> Settings:
    for key in table:
        if key not in _TABLES:
            problems.append(Problem((key,), "unknown section", nearest(key, _TABLES), at_key=True))
    schemes = _schemes(table.get("schemes", {}), problems)
    incident = shape(s.IncidentSettings, table.get("incident", {}), ("incident",), problems)
    if incident and incident.scheme not in schemes:
        hint = nearest(incident.scheme, schemes)
        problems.append(
            Problem(("incident", "scheme"), f'no scheme is called "{incident.scheme}"', hint)
        )
    hosts = _hosts(table.get("hosts", {}), problems)
    settings = Settings(
        incident=incident or s.IncidentSettings(),
        hosts=hosts,
        schemes=schemes,
        console=shape(s.ConsoleSettings, table.get("console", {}), ("console",), problems)
        or s.ConsoleSettings(),
        journal=shape(s.JournalSettings, table.get("journal", {}), ("journal",), problems)
        or s.JournalSettings(),
        probes=tuple(_probes(table.get("probe", []), problems)),
        logs=tuple(_logs(table.get("log", []), problems)),
        mitigations=tuple(_mitigations(table.get("mitigation", []), problems)),
        checks=tuple(table.get("check", [])),
        file=file,
    )
    _references(settings, problems)
    return settings


def _schemes(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, Scheme]:
    schemes = dict(SCHEMES)
    for name, value in table.items():
        shaped = shape(s.SchemeSettings, value, ("schemes", name), problems)
        if shaped and shaped.levels:
            schemes[name] = s.scheme_from(name, shaped)
        elif shaped:
            problems.append(Problem(("schemes", name), "a scheme has at least one level"))
    return schemes


def _hosts(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, s.HostSettings]:
    shaped = {
        name: shape(s.HostSettings, value, ("hosts", name), problems)
        for name, value in table.items()
    }
    return {name: host for name, host in shaped.items() if host}


def _probes(entries: list[Any], problems: list[Problem]) -> list[s.ProbeEntry]:
    found = []
    for index, entry in enumerate(entries):
        place = ("probe", index)
        if not _has_text(entry, "kind", place, problems):
            continue
        found.append(
            s.ProbeEntry(
                kind=entry["kind"],
                name=_name(entry, entry["kind"], place, problems),
                on=_text(entry, "on", place, problems),
                every=duration_or_problem(entry.get("every"), (*place, "every"), problems),
                timeout=duration_or_problem(entry.get("timeout"), (*place, "timeout"), problems),
                options={k: v for k, v in entry.items() if k not in _COMMON_PROBE},
                place=place,
            )
        )
    return found


def _logs(entries: list[Any], problems: list[Problem]) -> list[s.LogEntry]:
    shaped = (shape(s.LogEntry, entry, ("log", i), problems) for i, entry in enumerate(entries))
    return [log for log in shaped if log]


def _mitigations(entries: list[Any], problems: list[Problem]) -> list[s.MitigationEntry]:
    found = []
    for index, entry in enumerate(entries):
        place = ("mitigation", index)
        if not _has_text(entry, "kind", place, problems):
            continue
        found.append(
            s.MitigationEntry(
                kind=entry["kind"],
                title=_text(entry, "title", place, problems),
                key=_text(entry, "key", place, problems),
                on=_text(entry, "on", place, problems),
                options={k: v for k, v in entry.items() if k not in _COMMON_MITIGATION},
                place=place,
            )
        )
    return found


def _has_text(entry: Any, key: str, place: tuple[str, int], problems: list[Problem]) -> bool:
    if isinstance(entry, Mapping) and isinstance(entry.get(key), str):
        return True
    problems.append(Problem(place, f'"{key}" is missing or not text'))
    return False


def _text(
    entry: Mapping[str, Any], key: str, place: tuple[str, int], problems: list[Problem]
) -> str:
    value = entry.get(key, "")
    if isinstance(value, str):
        return value
    problems.append(Problem((*place, key), f"expected text, found {value}"))
    return ""


def _name(
    entry: Mapping[str, Any], default: str, place: tuple[str, int], problems: list[Problem]
) -> str:
    name = _text(entry, "name", place, problems) or default
    if not _NAME.fullmatch(name):
        problems.append(Problem((*place, "name"), "a name is 1 to 64 printable characters"))
    return name


def _references(settings: Settings, problems: list[Problem]) -> None:
    """Names must be unique, and `on` must name a host."""
    seen: dict[str, str] = {}
    for probe in settings.probes:
        if probe.name in seen:
            problems.append(
                Problem((*probe.place, "name"), f'"{probe.name}" names another probe already')
            )
        seen[probe.name] = probe.kind
    placed = [(p.place, p.on) for p in settings.probes] + [
        (m.place, m.on) for m in settings.mitigations
    ]
    placed += [(("log", i), log.on) for i, log in enumerate(settings.logs)]
    for place, on in placed:
        if on and on not in settings.hosts:
            hint = nearest(on, settings.hosts) or f"add [hosts.{on}]"
            problems.append(Problem((*place, "on"), f'no host is called "{on}"', hint))

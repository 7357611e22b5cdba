"""Reads a config file into `Settings`, or raises `ConfigError` that names everything wrong."""

from __future__ import annotations

import hashlib
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from warroom.config import entries
from warroom.config import settings as s
from warroom.config.checklist import check_sources
from warroom.config.problems import ConfigError, Problem, nearest
from warroom.config.scalars import named
from warroom.config.schemes import SchemeSettings, scheme_from
from warroom.config.settings import Settings
from warroom.config.shape import shape
from warroom.domain.severity import SCHEMES, Scheme
from warroom.domain.text import harmless

_TABLES: Final = ("incident", "hosts", "schemes", "console", "journal", "updates", "addresses")
_ARRAYS: Final = ("probe", "log", "mitigation", "check", "channel", "contact", "search")
MAX_BYTES: Final = 4 * 1024 * 1024


class Document:
    """A parsed config with its source, so that a problem found later still knows its place."""

    def __init__(
        self, file: Path, source: str, settings: Settings, problems: list[Problem]
    ) -> None:
        self.file, self.source, self.settings, self.problems = file, source, settings, problems

    def settled(self, more: list[Problem] | None = None) -> Settings:
        """The settings. Raises ConfigError with every problem, `more` among them.

        `more` are those of whoever knows the kinds: options of probes and mitigations, checks.
        """
        problems = [*self.problems, *(more or [])]
        if problems:
            from warroom.config.positions import (
                describe,
            )  # the parser with positions: only on failure

            raise ConfigError(describe(self.file, self.source, problems))
        return self.settings


def read(file: Path) -> Document:
    """The config in `file`. Raises ConfigError when it cannot be read or is not TOML at all."""
    return decode(content(file), file)


def content(file: Path) -> bytes:
    """What the file holds, 4 MiB at the most. Raises ConfigError."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise ConfigError(f"{file}: not a regular file")
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ConfigError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{file}: larger than 4 MiB: not a config")
    return data


def digest(data: bytes) -> str:
    """SHA-256 (hex) of a config's bytes: what trust is given to."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes, file: Path) -> Document:
    """The config in `data` (UTF-8, a byte order mark is let pass). Raises ConfigError."""
    try:
        return parse(data.decode("utf-8-sig"), file)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text (byte {error.start})") from error


def parse(source: str, file: Path) -> Document:
    """The config in `source`; `file` is what messages call it. Raises ConfigError when it is not
    TOML; everything else that is wrong waits in the document."""
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax(file, source, str(error))) from error
    except RecursionError as error:
        raise ConfigError(f"{file}:1:1: not TOML: nested too deeply") from error
    except ValueError as error:  # what int() and date() refuse comes through tomllib as it is
        raise ConfigError(f"{file}:1:1: not TOML: {error}") from error
    problems: list[Problem] = []
    return Document(file, source, _settings(table, file, problems), problems)


def _syntax(file: Path, source: str, message: str) -> str:
    match = re.fullmatch(
        r"(.*) \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)", message, re.DOTALL
    )
    if match is None:
        return f"{file}:1:1: not TOML: {harmless(message)}"
    lines = source.split("\n")
    line, column = match[2] or len(lines), match[3] or len(lines[-1]) + 1
    return f"{file}:{line}:{column}: not TOML: {harmless(match[1])}"


def _settings(table: Mapping[str, Any], file: Path, problems: list[Problem]) -> Settings:
    for key in table:
        if key not in (*_TABLES, *_ARRAYS):
            hint = nearest(key, (*_TABLES, *_ARRAYS))
            problems.append(Problem((key,), "unknown section", hint, at_key=True))
    tables = {name: _table(table, name, problems) for name in _TABLES}
    arrays = {name: _array(table, name, problems) for name in _ARRAYS}
    schemes = _schemes(tables["schemes"], problems)
    _scheme_exists(tables["incident"].get("scheme"), schemes, problems)
    settings = Settings(
        incident=shape(s.IncidentSettings, tables["incident"], ("incident",), problems)
        or s.IncidentSettings(),
        hosts=_hosts(tables["hosts"], problems),
        schemes=schemes,
        console=shape(s.ConsoleSettings, tables["console"], ("console",), problems)
        or s.ConsoleSettings(),
        journal=shape(s.JournalSettings, tables["journal"], ("journal",), problems)
        or s.JournalSettings(),
        probes=tuple(entries.probes(arrays["probe"], problems)),
        logs=tuple(entries.logs(arrays["log"], problems)),
        mitigations=tuple(entries.mitigations(arrays["mitigation"], problems)),
        checks=tuple(entries.checks(arrays["check"], problems)),
        updates=shape(s.UpdatesSettings, tables["updates"], ("updates",), problems)
        or s.UpdatesSettings(),
        channels=tuple(entries.channels(arrays["channel"], problems)),
        contacts=tuple(entries.contacts(arrays["contact"], problems)),
        searches=tuple(entries.searches(arrays["search"], problems)),
        addresses=shape(s.AddressSettings, tables["addresses"], ("addresses",), problems)
        or s.AddressSettings(),
        file=file,
    )
    entries.references(settings, arrays, tables["hosts"], problems)
    check_sources(settings.incident.checklist, [p.name for p in settings.probes], problems)
    return settings


def _table(table: Mapping[str, Any], name: str, problems: list[Problem]) -> Mapping[str, Any]:
    value = table.get(name, {})
    if isinstance(value, Mapping):
        return value
    example = f"[{name}.NAME]" if name in ("hosts", "schemes") else f"[{name}]"
    problems.append(
        Problem((name,), f"expected one table, found {named(value)}", f"write it as {example}")
    )
    return {}


def _array(table: Mapping[str, Any], name: str, problems: list[Problem]) -> list[Any]:
    value = table.get(name, [])
    if isinstance(value, list):
        return value
    problems.append(
        Problem(
            (name,),
            f"expected a list of tables, found {named(value)}",
            f"write each {name} under a heading of its own, [[{name}]]",
        )
    )
    return []


def _scheme_exists(wanted: object, schemes: Mapping[str, Scheme], problems: list[Problem]) -> None:
    """Asked of the plain table, so that another mistake in `[incident]` does not hide this one."""
    if isinstance(wanted, str) and wanted not in schemes:
        hint = nearest(wanted, schemes)
        problems.append(
            Problem(("incident", "scheme"), f"no scheme is called {named(wanted)}", hint)
        )


def _schemes(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, Scheme]:
    schemes = dict(SCHEMES)
    for name, value in table.items():
        entries.check_name(name, ("schemes", name), problems, at_key=True)
        shaped = shape(SchemeSettings, value, ("schemes", name), problems)
        # a scheme with mistakes exists all the same: nobody needs to hear that it does not
        schemes[name] = scheme_from(name, shaped) if shaped else Scheme(name, ())
    return schemes


def _hosts(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, s.HostSettings]:
    hosts = {}
    for name, value in table.items():
        entries.check_name(name, ("hosts", name), problems, at_key=True)
        shaped = shape(s.HostSettings, value, ("hosts", name), problems)
        if shaped:
            hosts[name] = shaped
    return hosts

"""The probes and mitigations of a config: each entry with its kind, its options shaped.

Their files are imported here and nowhere earlier, and only those of the kinds that are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

from warroom.config.entries import COMMON_MITIGATION, COMMON_PROBE
from warroom.config.load import Document, decode, read
from warroom.config.problems import Problem, nearest
from warroom.config.registry import UnknownMember, members
from warroom.config.settings import MitigationEntry, ProbeEntry, Settings
from warroom.config.shape import key_names, shape
from warroom.engine.channels import channel_members
from warroom.engine.checks import load_checks
from warroom.engine.log_formats import format_problems
from warroom.engine.log_searches import search_problems
from warroom.engine.templates import template_problems
from warroom.mitigations.base import MitigationSpec
from warroom.mitigations.base import spec as mitigation_spec
from warroom.probes.base import ProbeSpec
from warroom.probes.base import spec as probe_spec


@dataclass(frozen=True, slots=True)
class ProbeMember:
    """A probe that can be created: `spec.create(options, context)`."""

    entry: ProbeEntry
    spec: ProbeSpec
    options: Any


@dataclass(frozen=True, slots=True)
class MitigationMember:
    """A mitigation that can be created. `entry` has the probe's name and host filled in."""

    entry: MitigationEntry
    spec: MitigationSpec
    options: Any


Members = tuple[tuple[ProbeMember, ...], tuple[MitigationMember, ...]]


def load_settings(
    path: Path, content: bytes | None = None
) -> tuple[Settings, tuple[ProbeMember, ...], tuple[MitigationMember, ...]]:
    """The config in `path` with its members. Raises ConfigError with everything at once.

    `content` is what `trust.check` read and vouches for; without it the file is read here.
    """
    document = read(path) if content is None else decode(content, path)
    return settled(document)


def settled(
    document: Document,
) -> tuple[Settings, tuple[ProbeMember, ...], tuple[MitigationMember, ...]]:
    """A parsed config with its members. Raises ConfigError with everything at once."""
    (probes, mitigations), problems = shaped_members(document.settings)
    _, of_checks = load_checks(document.settings.checks)
    _, of_channels = channel_members(document.settings)
    of_template = template_problems(document.settings)
    of_logs = format_problems(document.settings.logs)
    of_searches = search_problems(document.settings)
    more = [*problems, *of_checks, *of_channels, *of_template, *of_logs, *of_searches]
    return document.settled(more), probes, mitigations


def shaped_members(settings: Settings) -> tuple[Members, list[Problem]]:
    """Every probe and mitigation whose kind is known and whose options are right, and what is
    wrong with the others."""
    problems: list[Problem] = []
    probes = [_probe(entry, problems) for entry in settings.probes]
    mitigations = [_mitigation(entry, settings, problems) for entry in settings.mitigations]
    found = tuple(p for p in probes if p), tuple(m for m in mitigations if m)
    return found, problems


def _probe(entry: ProbeEntry, problems: list[Problem]) -> ProbeMember | None:
    try:
        spec = probe_spec(entry.kind)
    except UnknownMember as error:
        problems.append(_unknown(entry.place, "probe", entry.kind, error.names))
        return None
    options: object | None = shape(
        spec.options, entry.options, entry.place, problems, also=COMMON_PROBE
    )
    return None if options is None else ProbeMember(entry, spec, options)


def _mitigation(
    entry: MitigationEntry, settings: Settings, problems: list[Problem]
) -> MitigationMember | None:
    try:
        spec = mitigation_spec(entry.kind)
    except UnknownMember:
        problems.append(_unknown(entry.place, "mitigation", entry.kind, mitigation_kinds()))
        return None
    allowed = key_names(spec.options)
    candidates = _candidates(entry, spec, settings)
    source = candidates[0] if len(candidates) == 1 else None
    lender = source if source is not None and source.kind == spec.acts_on else None
    lent = _lent(entry, lender, allowed)
    if source is None and len(candidates) > 1 and _lacks(spec, entry.options, candidates):
        names = ", ".join(probe.name for probe in candidates)
        message = f"which {spec.acts_on} probe does it act on?"
        problems.append(Problem(entry.place, message, f'write probe = "NAME", one of: {names}'))
        return None
    own: list[Problem] = []
    table = {**lent, **entry.options}
    options: object | None = shape(spec.options, table, entry.place, own, also=COMMON_MITIGATION)
    problems.extend(_told_at(own, entry, lender, lent, problems))
    if options is None:
        return None
    if source is not None:
        entry = replace(entry, probe=source.name, on=entry.on or (lender.on if lender else ""))
    return MitigationMember(entry, spec.fitted(options), options)


def _candidates(
    entry: MitigationEntry, spec: MitigationSpec, settings: Settings
) -> list[ProbeEntry]:
    """The probes whose options it may take: the named one, else all of the kind it acts on, on
    the same host when it names one."""
    if entry.probe:
        return [probe for probe in settings.probes if probe.name == entry.probe]
    found = [probe for probe in settings.probes if probe.kind == spec.acts_on]
    return [probe for probe in found if not entry.on or probe.on == entry.on]


def _lent(
    entry: MitigationEntry, source: ProbeEntry | None, allowed: Sequence[str]
) -> Mapping[str, Any]:
    if source is None:
        return {}
    return {k: v for k, v in source.options.items() if k in allowed and k not in entry.options}


def _told_at(
    own: list[Problem],
    entry: MitigationEntry,
    source: ProbeEntry | None,
    lent: Mapping[str, Any],
    told: list[Problem],
) -> Iterator[Problem]:
    """What is wrong with a lent option, at the probe where it stands, and only once."""
    depth = len(entry.place)
    places = {problem.path for problem in told}
    for problem in own:
        rest = problem.path[depth:]
        if source is None or not rest or rest[0] not in lent:
            yield problem
        elif (*source.place, *rest) not in places:
            yield replace(problem, path=(*source.place, *rest))


def _lacks(
    spec: MitigationSpec, options: Mapping[str, Any], candidates: Sequence[ProbeEntry]
) -> bool:
    """Whether something that it cannot do without is missing and some candidate has it."""
    required = {
        field.metadata.get("key", field.name)
        for field in fields(spec.options)
        if field.init and field.default is MISSING and field.default_factory is MISSING
    }
    return any(key in probe.options for probe in candidates for key in required - set(options))


def _unknown(place: tuple[str | int, ...], what: str, kind: str, names: list[str]) -> Problem:
    return Problem((*place, "kind"), f'no {what} is of kind "{kind[:40]}"', nearest(kind, names))


def mitigation_kinds() -> list[str]:
    """Every kind there is, such as `docker.restart`; imports every file of mitigations."""
    import warroom.mitigations as room
    from warroom.config.registry import member

    return sorted(spec.kind for name in members(room) for spec in member(room, name).SPECS)

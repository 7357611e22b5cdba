"""Severities of runbooks, as `[schemes.NAME]` of a config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from warroom.config.values import NAME_WIDTH
from warroom.domain.severity import SCHEMES
from warroom.domain.text import harmless, shorten
from warroom.engine.discover.findings import FoundLevel, FoundScheme
from warroom.runbooks.model import Runbook, SchemeLevel

_MOST_TOLD: Final = 200


def chosen(runbooks: Mapping[str, Runbook]) -> str:
    """The first scheme that they have; empty when they have none."""
    return next((_name(s.name) for r in runbooks.values() for s in r.schemes), "")


def own_schemes(runbooks: Mapping[str, Runbook]) -> Iterator[FoundScheme]:
    """Those that warroom does not come with, each once; those that it does come with are taken
    from the runbook whenever the room is opened."""
    seen = set(SCHEMES)
    for file, runbook in runbooks.items():
        for scheme in runbook.schemes:
            name = _name(scheme.name)
            if name not in seen:
                seen.add(name)
                yield FoundScheme(name, tuple(_level(file, level) for level in scheme.levels))


def _level(file: str, level: SchemeLevel) -> FoundLevel:
    said = {
        "name": _name(level.name),
        "label": shorten(harmless(level.label), NAME_WIDTH),
        "response": "" if level.response_s is None else written(level.response_s),
        "update": written(level.update_s) if level.update_s and level.update_s >= 1 else "",
        "told": shorten(harmless(level.told), _MOST_TOLD),
    }
    promise = "" if said["response"] else ": it promises no response time"
    why = f"{file}:{level.line}{promise}"
    return FoundLevel({key: value for key, value in said.items() if value}, why)


def _name(name: str) -> str:
    return shorten(harmless(name), NAME_WIDTH)


def written(seconds: float) -> str:
    """A duration as a config has it.

    >>> written(300), written(86400), written(90), written(0)
    ('5m', '24h', '90s', '0s')
    """
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"

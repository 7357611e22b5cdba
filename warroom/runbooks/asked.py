"""What a runbook's steps want filled in: each placeholder once, with what the file knows of it."""

from __future__ import annotations

import re
from typing import Final

from warroom.runbooks.model import Discovered, Placeholder, Runbook

_ASSIGNED: Final = re.compile(
    r"(?:^|[\s;&])(?:export\s+)?([A-Z][A-Z0-9_]{1,60})=[\"']?([^\s\"'$`;&<>()]{1,200})",
    re.MULTILINE,
)
_ABOUT: Final = (
    (("container", "service", "component", "app"), "containers"),
    (("host", "server", "node", "ip"), "hosts"),
    (("domain", "fqdn", "name"), "dns"),
    (("url", "endpoint"), "http"),
    (("log", "file", "path"), "logs"),
)
"""Words in a placeholder's name, and the kind of system that it then stands for."""
_MOST: Final = 12


def asked(runbook: Runbook) -> tuple[Placeholder, ...]:
    """The placeholders of every step that can be run, in the order of the file."""
    lines: dict[str, dict[int, None]] = {}
    values: dict[str, dict[str, None]] = {}
    for step in runbook.steps:
        if step.runnable or step.kind.value == "query":
            for name in step.placeholders:
                lines.setdefault(name, {})[step.line] = None
        for match in _ASSIGNED.finditer(step.command):
            values.setdefault(f"${match[1]}", {})[match[2]] = None
    return tuple(
        Placeholder(name, tuple(where), _offers(name, values, runbook.discovered))
        for name, where in lines.items()
    )


def _offers(
    name: str, values: dict[str, dict[str, None]], discovered: Discovered
) -> tuple[str, ...]:
    known = dict(values.get(name, {}))
    words = re.split(r"[^a-z]+", name.casefold())
    for about, kind in _ABOUT:
        if name.startswith("<") and set(about) & set(words):
            known.update((sighting.text, None) for sighting in getattr(discovered, kind))
            break
    return tuple(known)[:_MOST]

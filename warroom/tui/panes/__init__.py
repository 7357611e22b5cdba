"""A tile for each kind of source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from warroom.config.settings import Settings
from warroom.tui.panes.base import Pane
from warroom.tui.panes.docker import DockerPane
from warroom.tui.panes.generic import GenericPane
from warroom.tui.panes.health import HealthPane
from warroom.tui.panes.logs import LogsPane
from warroom.tui.panes.machine import MachinePane
from warroom.tui.panes.postgres import PostgresPane
from warroom.tui.panes.redis import RedisPane
from warroom.tui.panes.talkers import TalkersPane

_OWN: Sequence[tuple[str, type[Pane]]] = (
    ("health", HealthPane),
    ("docker", DockerPane),
    ("postgres", PostgresPane),
    ("redis", RedisPane),
    ("talkers", TalkersPane),
    ("logs", LogsPane),
    ("machine", MachinePane),
)
TALKERS_SOURCE = "top talkers"


def panes_for(settings: Settings, missing: Mapping[str, str] = MappingProxyType({})) -> list[Pane]:
    """The panes that a config calls for, in the order of their numbers.

    `missing` says, by pane, why there is nothing to show and what would help.
    """
    panes: list[Pane] = []
    for name, kind in _OWN:
        sources = [probe.name for probe in settings.probes if probe.kind in kind.kinds]
        if name in ("logs", "talkers"):
            sources = [TALKERS_SOURCE] if settings.logs and name == "talkers" else []
        if sources or (name == "logs" and settings.logs) or name in missing:
            panes.append(kind(name, sources))
            panes[-1].missing = missing.get(name, "")
    owned = frozenset(k for _, kind in _OWN for k in kind.kinds)
    for other in dict.fromkeys(probe.kind for probe in settings.probes if probe.kind not in owned):
        panes.append(GenericPane(other, [p.name for p in settings.probes if p.kind == other]))
    for number, pane in enumerate(panes, 1):
        pane.number = number if number < 10 else 0
    return panes

"""What the pane shows of containers: health, rows, summary and figures. Pure."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from warroom.domain.sample import Column, Health, Row
from warroom.hosts.docker_container import Container
from warroom.probes._docker_usage import Usage

HISTORY: Final = timedelta(days=1)
"""A container that ended longer ago than this before the first look is history: not judged."""

COLUMNS: Final = (
    Column("name", "name", priority=0, grow=True),
    Column("state", "state", priority=0),
    Column("health", "health", priority=1),
    Column("cpu", "cpu", "percent", priority=0),
    Column("mem", "mem", "bytes", priority=0),
    Column("mem_percent", "mem %", "percent", priority=2),
    Column("rx", "net in", "rate", priority=2),
    Column("tx", "net out", "rate", priority=2),
    Column("up", "up", "seconds", priority=1),
    Column("restarts", "restarts", "count", priority=1),
    Column("project", "project", priority=3),
    Column("service", "service", priority=3),
    Column("image", "image", priority=4),
)


@dataclass(frozen=True, slots=True)
class View:
    """All that is known at one instant. `stopped` are the ids of those that somebody stopped
    while we watched; `since` is when the watch began."""

    now: datetime
    since: datetime
    containers: Sequence[Container]
    usages: Mapping[str, Usage] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()


def judged(one: Container, view: View) -> tuple[Health | None, str]:
    """How a container is, and why in words.

    Running is OK unless its own health check says otherwise. One that ended with an error is
    down; one that ended with 0 has finished and is not judged, unless somebody stopped it while
    we watched (`docker stop redis` ends with 0 too).
    """
    match one.state:
        case "running":
            return _running(one)
        case "paused":
            return Health.DEGRADED, "paused: it holds its connections and answers nothing"
        case "restarting":
            return Health.DOWN, f"restarting after {_ending(one)}"
        case "exited" | "dead":
            return _ended(one, view)
        case "created" if one.error or one.exit_code:
            return Health.DOWN, one.error or "could not be started"
        case _:
            return None, ""


def _running(one: Container) -> tuple[Health, str]:
    if one.health == "unhealthy":
        return Health.DOWN, f"unhealthy: {one.health_output or 'its health check fails'}"
    if one.health == "starting":
        return Health.DEGRADED, "its health check has not passed yet"
    return Health.OK, "a process in it was OOM killed" if one.oom else ""


def _ended(one: Container, view: View) -> tuple[Health | None, str]:
    if one.id in view.stopped:
        return Health.DOWN, f"stopped by hand, {_ending(one)}"
    if one.finished_at is not None and one.finished_at < view.since - HISTORY:
        return None, f"{_ending(one)}, before we looked"
    if one.state == "exited" and not (one.exit_code or one.oom or one.error):
        return None, "finished"
    return Health.DOWN, _ending(one)


def _ending(one: Container) -> str:
    """How it ended: `OOM killed`, `SIGKILL (137)`, `exit code 3`."""
    if one.oom:
        return f"OOM killed ({one.exit_code})"
    if one.error:
        return one.error
    try:
        return f"{signal.Signals(one.exit_code - 128).name} ({one.exit_code})"
    except ValueError:
        return f"exit code {one.exit_code}"


def rows(view: View) -> tuple[Row, ...]:
    """A row for each container, by name."""
    ordered = sorted(view.containers, key=lambda one: (one.name, one.id))
    return tuple(_row(one, view) for one in ordered)


def _row(one: Container, view: View) -> Row:
    used = view.usages.get(one.id)
    health, note = judged(one, view)
    up = (view.now - one.started_at).total_seconds() if one.started_at else None
    cells = (
        one.name,
        one.words,
        one.health,
        used.cpu_percent if used else None,
        used.memory if used else None,
        used.memory_percent if used else None,
        used.received_rate if used else None,
        used.sent_rate if used else None,
        max(0.0, up) if up is not None and one.has_process else None,
        one.restarts,
        one.project,
        one.service,
        one.image,
    )
    return Row(one.id, one.name, cells, health, note, _data(one))


def _data(one: Container) -> Mapping[str, object]:
    return {
        "id": one.id,
        "started_at": one.started,
        "name": one.name,
        "state": one.state,
        "project": one.project,
        "service": one.service,
        "image": one.image,
    }


def metrics(view: View, shown: Sequence[Row]) -> dict[str, float]:
    """Counts by state, and the sums of what the running ones use.

    `failed` are those that ended and are down for it; `oom_killed` those among the ended ones that
    the kernel killed. The sums are left out until they are known of every running container.
    """
    states = [one.state for one in view.containers]
    down = {row.key for row in shown if row.health is Health.DOWN}
    ended = [one for one in view.containers if one.has_ended and one.id in down]
    figures = {
        "running": float(states.count("running")),
        "paused": float(states.count("paused")),
        "restarting": float(states.count("restarting")),
        "exited": float(states.count("exited") + states.count("dead")),
        "unhealthy": float(sum(_is_unhealthy(one) for one in view.containers)),
        "failed": float(len(ended)),
        "oom_killed": float(sum(one.oom for one in ended)),
        "restarts": float(sum(one.restarts for one in view.containers)),
    }
    alive = [one.id for one in view.containers if one.has_process]
    used = [view.usages[key] for key in alive if key in view.usages]
    if len(used) == len(alive):
        figures["memory_bytes"] = sum(each.memory for each in used)
        cpus = [each.cpu_percent for each in used if each.cpu_percent is not None]
        if len(cpus) == len(used):
            figures["cpu_percent"] = sum(cpus)
    return figures


def _is_unhealthy(one: Container) -> bool:
    return one.state == "running" and one.health == "unhealthy"


def summary(figures: Mapping[str, float]) -> str:
    """`12 up, 1 restarting, 1 unhealthy`.

    >>> summary({"running": 12.0, "restarting": 1.0, "failed": 0.0})
    '12 up, 1 restarting'
    """
    parts = [f"{figures.get('running', 0):.0f} up"]
    for name in ("restarting", "unhealthy", "failed", "paused"):
        if figures.get(name):
            parts.append(f"{figures[name]:.0f} {name}")
    return ", ".join(parts)


def source_health(shown: Sequence[Row]) -> Health:
    """An engine that answers is up; with an ill container it is degraded."""
    ill = any(row.health not in (None, Health.OK) for row in shown)
    return Health.DEGRADED if ill else Health.OK

"""What a container uses, by the docker CLI's arithmetic.

The source is the CLI's `cli/command/container/stats_helpers.go`; the fields are those of
`GET /containers/{id}/stats` (Docker Engine API: ContainerStats).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warroom.hosts.docker_container import instant


@dataclass(frozen=True, slots=True)
class Usage:
    """One reading. Memory in bytes without the page cache that can be given back; `limit` is the
    machine's memory where the container has no limit of its own; network in bytes since its start
    and in bytes a second; what takes two readings is None after the first."""

    read: datetime
    cpu_percent: float | None
    memory: float
    limit: float
    received: float
    sent: float
    received_rate: float | None = None
    sent_rate: float | None = None

    @property
    def memory_percent(self) -> float:
        return 100 * self.memory / self.limit if self.limit else 0.0


def usage(stats: Mapping[str, Any], before: Usage | None) -> Usage | None:
    """The reading in one object of the stream; None when the container does not run (then the
    engine sends objects without figures)."""
    read = instant(stats.get("read"))
    memory = _part(stats, "memory_stats")
    if read is None or "usage" not in memory:
        return None
    networks = [n for n in _part(stats, "networks").values() if isinstance(n, Mapping)]
    received = sum(_number(network, "rx_bytes") for network in networks)
    sent = sum(_number(network, "tx_bytes") for network in networks)
    seconds = (read - before.read).total_seconds() if before else 0.0
    return Usage(
        read=read,
        cpu_percent=cpu_percent(_part(stats, "cpu_stats"), _part(stats, "precpu_stats")),
        memory=memory_used(memory),
        limit=_number(memory, "limit"),
        received=received,
        sent=sent,
        received_rate=_rate(received, before.received, seconds) if before else None,
        sent_rate=_rate(sent, before.sent, seconds) if before else None,
    )


def cpu_percent(now: Mapping[str, Any], before: Mapping[str, Any]) -> float | None:
    """Percent of one CPU, so up to 100 times their number. None for the first object of a stream:
    there is nothing before it, and the engine's zeros would mean "since the machine started"."""
    if not _number(before, "system_cpu_usage"):
        return None
    now_used, used_before = _part(now, "cpu_usage"), _part(before, "cpu_usage")
    used = _number(now_used, "total_usage") - _number(used_before, "total_usage")
    system = _number(now, "system_cpu_usage") - _number(before, "system_cpu_usage")
    each = now_used.get("percpu_usage")
    cpus = _number(now, "online_cpus") or (len(each) if isinstance(each, list) else 0)
    return 100 * cpus * used / system if used > 0 and system > 0 else 0.0


def memory_used(memory: Mapping[str, Any]) -> float:
    """Usage less the inactive file cache: `total_inactive_file` of cgroup v1, `inactive_file` of
    cgroup v2, where it is the smaller."""
    used, stats = _number(memory, "usage"), _part(memory, "stats")
    total = stats.get("total_inactive_file")
    if isinstance(total, (int, float)) and total < used:
        return used - total
    inactive = _number(stats, "inactive_file")
    return used - inactive if inactive < used else used


def _rate(now: float, before: float, seconds: float) -> float | None:
    """None when the counter went back: the container was started again in between."""
    return (now - before) / seconds if seconds > 0 and now >= before else None


def _part(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _number(table: Mapping[str, Any], key: str) -> float:
    value = table.get(key)
    return float(value) if isinstance(value, (int, float)) else 0.0

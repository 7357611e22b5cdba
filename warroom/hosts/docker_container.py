"""What an engine says of one container, as plain harmless values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from warroom.domain.text import harmless, shorten

NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
"""What may name a container: `RestrictedNameChars` of the engine, which ids are made of too."""
PROJECT_LABEL: Final = "com.docker.compose.project"
SERVICE_LABEL: Final = "com.docker.compose.service"
DEPENDS_LABEL: Final = "com.docker.compose.depends_on"
_OUTPUT: Final = 200
_LONGEST: Final = 2000
"""Characters kept of any one text: a label may hold megabytes."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container at one instant. Texts are harmless; `id` is the full id.

    `state` is the engine's word: created, running, paused, restarting, removing, exited, dead.
    `started` is StartedAt exactly as the engine wrote it: with the id it names one run.
    `health` is empty without a health check, else starting, healthy or unhealthy.
    """

    id: str
    name: str
    image: str
    state: str
    exit_code: int = 0
    oom: bool = False
    error: str = ""
    started: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    restarts: int = 0
    policy: str = "no"
    health: str = ""
    health_output: str = ""
    project: str = ""
    service: str = ""
    depends_on: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    network_mode: str = ""
    tty: bool = False
    removed_when_ended: bool = False

    @property
    def short(self) -> str:
        """The id as the docker CLI shows it."""
        return self.id[:12]

    @property
    def has_process(self) -> bool:
        """Whether it lives: running, or paused."""
        return self.state in ("running", "paused")

    @property
    def has_ended(self) -> bool:
        return self.state in ("exited", "dead")

    @property
    def words(self) -> str:
        """The state in a column's width: `running`, `exited (137) OOM`."""
        if not self.has_ended:
            return self.state
        return f"{self.state} ({self.exit_code})" + (" OOM" if self.oom else "")


def container(inspected: Mapping[str, Any]) -> Container:
    """From `GET /containers/{id}/json` (Docker Engine API: ContainerInspect)."""
    state, config = _part(inspected, "State"), _part(inspected, "Config")
    host_config = _part(inspected, "HostConfig")
    labels = _part(config, "Labels")
    health, output = _health(_part(state, "Health"))
    return Container(
        id=_text(inspected, "Id"),
        name=_text(inspected, "Name").removeprefix("/"),
        image=_text(config, "Image"),
        state=_text(state, "Status"),
        exit_code=_number(state, "ExitCode"),
        oom=state.get("OOMKilled") is True,
        error=shorten(_text(state, "Error"), _OUTPUT),
        started=_text(state, "StartedAt"),
        started_at=instant(state.get("StartedAt")),
        finished_at=instant(state.get("FinishedAt")),
        restarts=_number(inspected, "RestartCount"),
        policy=_text(_part(host_config, "RestartPolicy"), "Name") or "no",
        health=health,
        health_output=output,
        project=_text(labels, PROJECT_LABEL),
        service=_text(labels, SERVICE_LABEL),
        depends_on=_depends_on(_text(labels, DEPENDS_LABEL)),
        ports=published(_part(_part(inspected, "NetworkSettings"), "Ports")),
        network_mode=_text(host_config, "NetworkMode"),
        tty=config.get("Tty") is True,
        removed_when_ended=host_config.get("AutoRemove") is True,
    )


def listed(item: Mapping[str, Any]) -> Container:
    """The little that `GET /containers/json` says, for one that does not answer an inspect."""
    names = item.get("Names") or ["/" + str(item.get("Id", ""))[:12]]
    labels = _part(item, "Labels")
    return Container(
        id=_text(item, "Id"),
        name=harmless(str(names[0])).removeprefix("/"),
        image=_text(item, "Image"),
        state=_text(item, "State"),
        project=_text(labels, PROJECT_LABEL),
        service=_text(labels, SERVICE_LABEL),
        depends_on=_depends_on(_text(labels, DEPENDS_LABEL)),
        network_mode=_text(_part(item, "HostConfig"), "NetworkMode"),
    )


def instant(text: object) -> datetime | None:
    """An engine's time (RFC 3339, nanoseconds) in UTC; None for "never" and what is no time."""
    try:
        at = datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):  # the zero time is before what other zones can hold
        return None
    return at if at.year > 1 else None


def published(ports: Mapping[str, Any]) -> tuple[str, ...]:
    """Published ports as `0.0.0.0:8080->80/tcp`, each once."""
    lines = []
    for inner, bindings in ports.items():
        for binding in bindings if isinstance(bindings, list) else ():
            address = _text(binding, "HostIp") or "*"
            address = f"[{address}]" if ":" in address else address
            lines.append(f"{address}:{_text(binding, 'HostPort')}->{harmless(str(inner))}")
    return tuple(dict.fromkeys(lines))


def _health(health: Mapping[str, Any]) -> tuple[str, str]:
    status = _text(health, "Status")
    log = health.get("Log")
    last = log[-1] if isinstance(log, list) and log else {}
    output = str(last.get("Output", "")).strip() if isinstance(last, Mapping) else ""
    return ("" if status == "none" else status), shorten(harmless(output), _OUTPUT)


def _depends_on(label: str) -> tuple[str, ...]:
    """Compose writes `db:service_healthy:false,cache:service_started:false`."""
    return tuple(part.partition(":")[0] for part in label.split(",") if part)


def dependants(one: Container, others: Iterable[Container]) -> tuple[Container, ...]:
    """Those that suffer with `one`: they share its network, or their compose service depends on
    it (within its project)."""
    found = []
    for other in others:
        shares = other.network_mode in (f"container:{one.id}", f"container:{one.name}")
        same_project = bool(one.project) and other.project == one.project
        if shares or (same_project and one.service and one.service in other.depends_on):
            found.append(other)
    return tuple(found)


def _part(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return "" if value is None else harmless(shorten(str(value), _LONGEST))


def _number(table: Mapping[str, Any], key: str) -> int:
    value = table.get(key)
    return value if isinstance(value, int) else 0

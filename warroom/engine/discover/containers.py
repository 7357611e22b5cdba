"""The Docker engine, and the containers whose logs are worth following."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from warroom.engine.discover.findings import Found, Look, Missing, plain_name
from warroom.hosts.base import Host, HostError

_MOST: Final = 8
"""Containers whose logs are followed from the start; the others are offered."""
_SERVICE: Final = "com.docker.compose.service"
_PROJECT: Final = "com.docker.compose.project"


async def look_at_docker(host: Host, environ: Mapping[str, str]) -> Look:
    """The engine as the docker CLI finds it, and the containers that run in it."""
    from warroom.hosts.docker import connect  # aiodocker comes with it

    try:
        engine = await connect(host, environ.get("DOCKER_HOST", ""), timeout=5.0)
    except HostError as error:
        return [Missing("docker", str(error))]
    try:
        running = await engine.containers(stopped=False)
        found: Look = [Found("probe", {"kind": "docker"}, f"{len(running)} containers run in it")]
        found.extend(_log(entry, rank) for rank, entry in enumerate(_in_order(running)))
        return found
    except HostError as error:
        return [Missing("docker", str(error))]
    finally:
        await engine.close()


def _in_order(running: Any) -> list[Mapping[str, Any]]:
    """Those of compose projects first, by project and service."""
    return sorted(running, key=lambda c: (not _label(c, _PROJECT), _label(c, _PROJECT), _name(c)))


def _log(container: Mapping[str, Any], rank: int) -> Found:
    name = _name(container)
    service, project = _label(container, _SERVICE), _label(container, _PROJECT)
    origin = f"service {service} of compose project {project}" if service else f"container {name}"
    table = {"name": plain_name(service or name), "container": name}
    return Found("log", table, origin, is_offer=rank >= _MOST)


def _name(container: Mapping[str, Any]) -> str:
    names = container.get("Names") or []
    return plain_name(str(names[0]).lstrip("/")) if names else str(container.get("Id", ""))[:12]


def _label(container: Mapping[str, Any], key: str) -> str:
    labels = container.get("Labels")
    return str(labels.get(key) or "") if isinstance(labels, Mapping) else ""

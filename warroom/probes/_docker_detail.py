"""What the detail view says of a container: the inspect, its health checks, its last lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from warroom.domain.sample import Detail, Section
from warroom.domain.text import harmless, harmless_bytes, shorten
from warroom.hosts.base import HostError
from warroom.hosts.containers import last_lines
from warroom.hosts.docker import Engine
from warroom.hosts.docker_container import Container, container, instant, published

LINES: Final = 20
HEALTH_CHECKS: Final = 5
_WIDTH: Final = 2000
_MANY: Final = 100
_MASK: Final = "••••"
_SECRET_NAME: Final = re.compile(
    r"pass(word|wd|phrase)?\b|pwd|secret|token|api[-_]?key|credential|auth|private", re.IGNORECASE
)
_ASSIGNED: Final = re.compile(
    r"((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|requirepass)[\"']?(?:=|:|\s)\s*)(\S+)",
    re.IGNORECASE,
)
_URL_PASSWORD: Final = re.compile(r"(://[^\s/:@]*:)[^\s/@]+(@)")


async def engine_detail(engine: Engine, _: str = "") -> Detail:
    """The engine itself."""
    pairs = (("version", engine.version), ("API", engine.api), ("address", engine.where))
    return Detail("Docker engine", (Section("engine", pairs),))


async def container_detail(engine: Engine, key: str) -> Detail:
    """The container of the id `key`. Raises HostError."""
    inspected = await engine.inspect(key)
    one = container(inspected)
    try:
        lines = [
            harmless_bytes(line, limit=_WIDTH) for line in await last_lines(engine, one, LINES)
        ]
    except HostError as error:  # a log driver that cannot be read: the rest is still worth seeing
        lines = [str(error)]
    return Detail(one.name, (*sections(inspected), Section("last lines", lines=tuple(lines))))


def sections(inspected: Mapping[str, Any]) -> tuple[Section, ...]:
    """Everything from the inspect; sections with nothing in them are left out."""
    config, host_config = _part(inspected, "Config"), _part(inspected, "HostConfig")
    network = _part(inspected, "NetworkSettings")
    one = container(inspected)
    made = (
        Section("state", _state(one, inspected)),
        Section("image and command", _command(inspected, config)),
        Section("health checks", lines=tuple(_checks(inspected))),
        Section("limits", tuple(_limits(host_config))),
        Section("ports", lines=published(_part(network, "Ports"))),
        Section("networks", tuple(_networks(network))),
        Section("mounts", lines=tuple(_mounts(inspected))),
        Section("labels", tuple(_labels(config))),
        Section("environment (values hidden)", lines=tuple(_environment(config))),
    )
    return tuple(section for section in made if section.pairs or section.lines)


def masked(text: str) -> str:
    """`text` without what looks like a secret in it.

    >>> masked("run --password=hunter2 postgres://app:hunter2@db/x")
    'run --password=•••• postgres://app:••••@db/x'
    """
    return _URL_PASSWORD.sub(rf"\1{_MASK}\2", _ASSIGNED.sub(rf"\1{_MASK}", text))


def _state(one: Container, inspected: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs = [
        ("state", one.words),
        ("id", one.id),
        ("health", one.health),
        ("error", one.error),
        ("created", _when(inspected.get("Created"))),
        ("started", _when(one.started)),
        ("finished", f"{one.finished_at:%Y-%m-%d %H:%M:%S} UTC" if one.finished_at else ""),
        ("exit code", str(one.exit_code) if one.has_ended else ""),
        ("OOM killed", "yes" if one.oom else ""),
        ("restarts", str(one.restarts)),
        ("restart policy", _policy(_part(_part(inspected, "HostConfig"), "RestartPolicy"))),
        ("compose", f"{one.project} / {one.service}" if one.project else ""),
    ]
    return tuple(pair for pair in pairs if pair[1])


def _when(text: object) -> str:
    at = instant(text)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _policy(policy: Mapping[str, Any]) -> str:
    name = harmless(str(policy.get("Name") or "no"))
    most = policy.get("MaximumRetryCount")
    return f"{name}, {most} times at most" if isinstance(most, int) and most else name


def _command(
    inspected: Mapping[str, Any], config: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    arguments = [str(part) for part in (inspected.get("Path"), *_list(inspected, "Args")) if part]
    return (
        ("image", _shown(config.get("Image"))),
        ("image id", _shown(inspected.get("Image"))),
        ("command", masked(_shown(" ".join(arguments)))),
    )


def _checks(inspected: Mapping[str, Any]) -> Iterator[str]:
    """The last five, newest first: when, exit code, how long, what it said."""
    log = _list(_part(_part(inspected, "State"), "Health"), "Log")
    for check in [entry for entry in log if isinstance(entry, Mapping)][: -HEALTH_CHECKS - 1 : -1]:
        start, end = instant(check.get("Start")), instant(check.get("End"))
        took = f"{(end - start).total_seconds():.2f} s" if start and end else "?"
        output = shorten(masked(_shown(str(check.get("Output", "")).strip())), 300)
        at = f"{start:%H:%M:%S} UTC" if start else "?"
        yield f"{at}  exit {_shown(check.get('ExitCode'))}  {took}  {output}"


def _limits(host_config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    memory, pids = host_config.get("Memory"), host_config.get("PidsLimit")
    nano, quota = host_config.get("NanoCpus"), host_config.get("CpuQuota")
    if isinstance(memory, int) and memory:
        yield "memory", f"{memory / 2**20:.0f} MiB"
    if isinstance(nano, int) and nano:
        yield "CPUs", f"{nano / 1e9:g}"
    elif isinstance(quota, int) and quota > 0:
        yield "CPUs", f"{quota / (host_config.get('CpuPeriod') or 100_000):g}"
    if isinstance(pids, int) and pids > 0:
        yield "processes", str(pids)


def _networks(network: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, item in _part(network, "Networks").items():
        address = item.get("IPAddress") if isinstance(item, Mapping) else ""
        yield _shown(name), _shown(address) or "no address"


def _mounts(inspected: Mapping[str, Any]) -> Iterator[str]:
    for mount in _list(inspected, "Mounts")[:_MANY]:
        if isinstance(mount, Mapping):
            mode = "" if mount.get("RW", True) else " (read-only)"
            source = mount.get("Name") or mount.get("Source") or mount.get("Type")
            yield f"{_shown(source)} → {_shown(mount.get('Destination'))}{mode}"


def _labels(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(_part(config, "Labels").items())[:_MANY]:
        hidden = _SECRET_NAME.search(name)
        yield _shown(name), _MASK if hidden else masked(_shown(value))


def _environment(config: Mapping[str, Any]) -> Iterator[str]:
    for entry in _list(config, "Env")[:_MANY]:
        yield _shown(str(entry).partition("=")[0])


def _shown(value: object) -> str:
    return "" if value is None else harmless(shorten(str(value), _WIDTH))


def _part(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _list(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []

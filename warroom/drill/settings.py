"""Writes the config of a drill, with every system of the stage in it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

_CHECKLIST: Final = ("Say who has it", "Find what changed", "Write down what you change")
_EVERY: Final = "1s"
_CHECKS: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": "shop.errors",
        "kind": "talkers",
        "metric": "error_percent_now",
        "warn": 10,
        "critical": 40,
        "clear": 5,
        "looks": 3,
        "message": "{value:.0f}% of the answers are errors of the shop (5xx)",
    },
    {
        "id": "shop.one-range",
        "kind": "talkers",
        "metric": "range_percent",
        "warn": 50,
        "clear": 40,
        "looks": 3,
        "message": "one network sends {value:.0f}% of what is let in",
    },
)
"""What only this shop's owners can know: how many errors are too many, how many clients share a
network."""


def write(
    folder: Path,
    services: Mapping[str, str],
    systems: Mapping[str, Mapping[str, Any]],
    logs: Mapping[str, Mapping[str, Any]],
    container: str,
    edge: Mapping[str, Any] | None = None,
) -> Path:
    """Writes `warroom.toml` and its runbook into `folder` and returns the config's path.

    `services` are name → health URL; `systems` are probe kind → its options; `logs` are name →
    where the log is; `edge` are options of the nginx kinds. Nobody else may write to either file,
    or the config would be refused.
    """
    import tomlkit

    runbook = folder / "runbook.md"
    shutil.copyfile(str(files("warroom.drill") / "runbook.md"), runbook)
    document = tomlkit.document()
    document.add(tomlkit.comment("A drill's stack. It ends with the drill."))
    document["incident"] = {
        "scheme": "P0-P3",
        "runbooks": [str(runbook)],
        "checklist": list(_CHECKLIST),
    }
    document["journal"] = {"path": str(folder / "journal.db")}
    document["probe"] = _tables([*_http(services), *_probes(systems)])
    document["log"] = _tables([{"name": name, **place} for name, place in logs.items()])
    if edge:
        document["check"] = _tables(list(_CHECKS))
    mitigations = _mitigations(systems, container, edge or {})
    if mitigations:
        document["mitigation"] = _tables(mitigations)
    config = folder / "warroom.toml"
    for path in (config, runbook):
        path.touch(mode=0o600)
        path.chmod(0o600)
    config.write_text(tomlkit.dumps(document), "utf-8")
    return config


def _tables(entries: list[dict[str, Any]]) -> Any:
    import tomlkit

    tables = tomlkit.aot()
    for entry in entries:
        table = tomlkit.table()
        table.update(entry)
        tables.append(table)
    return tables


def _http(services: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"kind": "http", "name": name, "url": url, "every": _EVERY}
        for name, url in services.items()
    ]


def _probes(systems: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"kind": kind, "every": _EVERY, **options} for kind, options in systems.items()]


def _mitigations(
    systems: Mapping[str, Mapping[str, Any]], container: str, edge: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One for each way in which the shop can be put right that is worth a key of its own."""
    found: list[dict[str, Any]] = []
    if container:
        restart = {"kind": "docker.restart", "title": "Restart the API", "key": "r"}
        found.append({**restart, "container": container, **systems["docker"]})
    if "redis" in systems:
        found.append(
            {"kind": "redis.flushdb", "title": "Flush the cache", "key": "f", **systems["redis"]}
        )
    if "postgres" in systems:
        idle = {"kind": "postgres.terminate_idle", "title": "End idle transactions", "key": "l"}
        found.append({**idle, "longer_than": "2s", **systems["postgres"]})
    if edge:
        block = {"kind": "nginx.block", "title": "Deny the client", "key": "d", "ttl": "15m"}
        found.append({**block, **edge})
    return found

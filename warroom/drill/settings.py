"""Writes the config of a drill, with every system of the stage in it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

_CHECKLIST = ("Say who has it", "Find who is blocking", "Write down what you change")


def write(
    folder: Path,
    services: Mapping[str, str],
    systems: Mapping[str, Mapping[str, Any]],
    logs: Mapping[str, Mapping[str, Any]],
    container: str,
) -> Path:
    """Writes `warroom.toml` and its runbook into `folder` and returns the config's path.

    `services` are name → health URL; `systems` are probe kind → its options; `logs` are name →
    where the log is. Nobody else may write to either file, or the config would be refused.
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
    mitigations = _mitigations(systems, container)
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
        {"kind": "http", "name": name, "url": url, "every": "2s"} for name, url in services.items()
    ]


def _probes(systems: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"kind": kind, "every": "2s", **options} for kind, options in systems.items()]


def _mitigations(systems: Mapping[str, Mapping[str, Any]], container: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if container:
        restart = {"kind": "docker.restart", "title": "Restart the API", "key": "r"}
        found.append({**restart, "container": container, **systems["docker"]})
    if "redis" in systems:
        found.append(
            {"kind": "redis.flushdb", "title": "Flush the cache", "key": "f", **systems["redis"]}
        )
    return found

"""`warroom check`: one pass over everything, for people and for monitoring."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from warroom.cli.common import build_room, chosen, config_option, fail, load, print_json
from warroom.config.problems import nearest
from warroom.domain.sample import Health, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warroom.engine.room import Room
    from warroom.probes.base import Probe

EXITS: Final = {Health.OK: 0, Health.DEGRADED: 1, Health.DOWN: 2, Health.UNKNOWN: 3}
"""The monitoring-plugin convention: ok, warning, critical, unknown."""
PATIENCE_S: Final = 3.0
"""How long a look waits for figures that the probe has promised; Docker's CPU takes 1 to 2 s."""
_SYMBOLS: Final = {Health.OK: "●", Health.DEGRADED: "▲", Health.DOWN: "✖", Health.UNKNOWN: "?"}
_COLOURS: Final = {
    Health.OK: "green",
    Health.DEGRADED: "yellow",
    Health.DOWN: "red",
    Health.UNKNOWN: "magenta",
}


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@config_option
def check(names: tuple[str, ...], as_json: bool, config: str | None) -> None:
    """Look once at every source, or at those NAMED.

    A check counts at once here, however many looks in a row it wants in the console. Exit status
    0 ok, 1 warning, 2 critical, 3 unknown.
    """
    loaded = load(chosen(config))
    room = build_room(loaded, observe=True)
    room.checks = tuple(replace(one, looks=1) for one in room.checks)
    known = [probe.entry.name for probe in loaded.probes]
    for name in names:
        if name not in known:
            fail(f'no probe is called "{name}"; {nearest(name, known)}')
    chosen_names = list(dict.fromkeys(names)) or known
    asyncio.run(_look(room, chosen_names))
    sources = [_source(room, name) for name in chosen_names]
    health = Health.worst(Health(source["health"]) for source in sources)
    if as_json:
        print_json({"at": room.clock.now().isoformat(), "health": health.value, "sources": sources})
    else:
        _print(sources)
    raise SystemExit(EXITS[health])


async def _look(room: Room, names: Sequence[str]) -> None:
    probes = {probe.name: probe for probe in room.monitor.probes}
    try:
        await asyncio.gather(*(_whole(room, probes[name]) for name in names))
    finally:
        await room.close()


async def _whole(room: Room, probe: Probe) -> None:
    """One look, and more while what it saw is partial and the probe's patience lasts."""
    end = time.monotonic() + PATIENCE_S
    await room.monitor.step(probe.name)
    while probe.changed is not None and room.monitor.latest[probe.name].partial:
        try:
            await asyncio.wait_for(probe.changed.wait(), end - time.monotonic())
        except TimeoutError:
            return
        probe.changed.clear()
        await room.monitor.step(probe.name)


def _source(room: Room, name: str) -> dict[str, Any]:
    sample = room.monitor.latest[name]
    entry = next(probe for probe in room.settings.probes if probe.name == name)
    return {
        "name": name,
        "kind": entry.kind,
        "host": entry.on,
        "health": room.health(name).value,
        "summary": sample.summary,
        # a server may say `nan`, for which JSON has no word
        "metrics": {key: value for key, value in sample.metrics.items() if math.isfinite(value)},
        "findings": [
            {"check": f.check, "level": f.level.value, "message": f.message}
            for f in room.findings(name)
        ],
        "error": sample.error,
    }


def _print(sources: list[dict[str, Any]]) -> None:
    width = max((len(source["name"]) for source in sources), default=0)
    for source in sources:
        health = Health(source["health"])
        lead = click.style(f"{_SYMBOLS[health]} {health.value:<8}", fg=_COLOURS[health])
        click.echo(f"{lead} {source['name']:<{width}}  {source['summary']}")
        for finding in source["findings"]:
            colour = "red" if finding["level"] == Level.CRITICAL.value else "yellow"
            click.echo(f"{'':11}{'':<{width}} {click.style(finding['message'], fg=colour)}")

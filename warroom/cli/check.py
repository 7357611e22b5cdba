"""`warroom check`: one pass over everything, for people and for monitoring."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import click

from warroom.cli.common import build_room, chosen, config_option, fail, load, print_json
from warroom.config.problems import nearest
from warroom.domain.sample import Health, Level

if TYPE_CHECKING:
    from warroom.engine.room import Room

EXITS: Final = {Health.OK: 0, Health.DEGRADED: 1, Health.DOWN: 2, Health.UNKNOWN: 3}
"""The monitoring-plugin convention: ok, warning, critical, unknown."""
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

    Exit status 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    loaded = load(chosen(config))
    room = build_room(loaded, observe=True)
    known = [probe.entry.name for probe in loaded.probes]
    for name in names:
        if name not in known:
            fail(f'no probe is called "{name}"; {nearest(name, known)}')
    asyncio.run(_look(room, list(names or known)))
    sources = [_source(room, name, loaded.settings) for name in names or known]
    health = Health.worst(Health(source["health"]) for source in sources)
    if as_json:
        print_json({"at": room.clock.now().isoformat(), "health": health.value, "sources": sources})
    else:
        _print(sources)
    raise SystemExit(EXITS[health])


async def _look(room: Room, names: list[str]) -> None:
    """One look at each; a second where a rate or a course needs two."""
    try:
        await asyncio.gather(*(room.monitor.step(name) for name in names))
    finally:
        await room.close()


def _source(room: Room, name: str, settings: Any) -> dict[str, Any]:
    sample = room.monitor.latest[name]
    entry = next(probe for probe in settings.probes if probe.name == name)
    findings = room.findings(name)
    return {
        "name": name,
        "kind": entry.kind,
        "host": entry.on,
        "health": room.health(name).value,
        "summary": sample.summary,
        "metrics": dict(sample.metrics),
        "findings": [
            {"check": f.check, "level": f.level.value, "message": f.message} for f in findings
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

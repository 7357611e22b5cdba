"""Asks every looker at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Final

from warroom.engine.discover.containers import look_at_docker
from warroom.engine.discover.databases import look_at_postgres, look_at_redis
from warroom.engine.discover.findings import Discovery, Found, Look, Missing, named_apart
from warroom.engine.discover.ports import look_at_ports
from warroom.engine.discover.searches import searches_for
from warroom.engine.discover.services import look_at_logs, look_at_pm2, look_at_units
from warroom.hosts.base import Host

PATIENCE: Final = 10.0
"""Seconds that a looker has, whatever it waits for."""


async def discover(host: Host, environ: Mapping[str, str], *, root: Path = Path("/")) -> Discovery:
    """What this machine has. `environ` is searched for names; a value goes nowhere but to the
    system that it belongs to. `root` is where `/var`, `/run`, `/etc` and `/proc` are.
    """
    lookers: dict[str, Awaitable[Look]] = {
        "http": look_at_ports(root),
        "docker": look_at_docker(host, environ),
        "postgres": look_at_postgres(environ, root),
        "redis": look_at_redis(environ, root),
        "logs": look_at_logs(root),
        "systemd": look_at_units(host, root),
        "pm2": look_at_pm2(environ),
    }
    looks = await asyncio.gather(*(_patiently(name, looker) for name, looker in lookers.items()))
    brought = [thing for look in looks for thing in look]
    found = [thing for thing in brought if isinstance(thing, Found)]
    machine = Found("probe", {"kind": "machine"}, "every machine has one")
    apart = named_apart([*found, machine])
    searches = await asyncio.to_thread(lambda: [*searches_for(apart)])
    return Discovery(
        (*apart, *searches),
        tuple(thing for thing in brought if isinstance(thing, Missing)),
    )


async def _patiently(name: str, looker: Awaitable[Look]) -> Look:
    try:
        async with asyncio.timeout(PATIENCE):
            return await looker
    except TimeoutError:
        return [Missing(name, f"did not answer within {PATIENCE:.0f} s")]

"""Whoever lost the right to act while a card was up acts on nothing, by any of these kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.commands import made, recorder
from tests.services.http_recorder import Endpoint
from tests.services.systemd_units import RUNS, Unit
from tests.support import pm2
from tests.support.pm2 import Pm2Server
from tests.support.services import running
from tests.support.systemd import Booted
from warroom.mitigations.base import MitigationRefused

LOST = "the right to act was lost"


def lost() -> None:
    raise MitigationRefused(LOST)


async def test_no_command_runs(tmp_path: Path) -> None:
    program = recorder(tmp_path)
    one = made("command.run", {"argv": [str(program.path)]}, fence=lost)
    with pytest.raises(MitigationRefused, match=LOST):
        await one.done()
    assert program.calls == []


async def test_no_request_is_sent() -> None:
    async with Endpoint() as endpoint:
        one = made("http.request", {"url": f"{endpoint.url}/x"}, fence=lost)
        with pytest.raises(MitigationRefused, match=LOST):
            await one.done()
        assert endpoint.connections == 0


@pytest.mark.service("systemd")
async def test_no_unit_is_touched(booted: Booted, unit: Unit, shop: str) -> None:
    booted.add(f"{shop}.service", f"{RUNS}\nExecReload=/bin/false")
    run = booted.get(shop, "InvocationID")
    for verb in ("restart", "reload", "stop"):
        with pytest.raises(MitigationRefused, match=LOST):
            await unit(verb, shop, fence=lost).done()
    assert booted.get(shop, "InvocationID") == run
    assert booted.get(shop, "ActiveState") == "active"


@pytest.fixture(scope="module")
def server(stack_folder: Path, pytestconfig: pytest.Config) -> Iterator[Pm2Server]:
    with running("pm2", pytestconfig, lambda: pm2.start(stack_folder / "fenced")) as started:
        yield started


async def test_no_process_is_replaced(server: Pm2Server) -> None:
    server.fresh("api", instances=2)
    before = server.pids("api")
    for verb, more in (("restart", {}), ("reload", {}), ("scale", {"by": 1})):
        table = {"app": "api", "home": str(server.home), **more}
        with pytest.raises(MitigationRefused, match=LOST):
            await made(f"pm2.{verb}", table, fence=lost).done()
    assert server.pids("api") == before

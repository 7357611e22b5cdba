"""The redis probe against real servers: its figures are those of redis-cli."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.services.redis_clients import Probes, another, cli, fault_of, told, wipe
from tests.support.waiting import comes_true
from warroom.domain.clock import ManualClock, SystemClock
from warroom.domain.sample import Health
from warroom.drill.stack.program import find
from warroom.drill.stack.redis import Redis
from warroom.probes.base import ProbeFault

pytestmark = pytest.mark.service("redis")


@pytest.fixture
async def probes() -> AsyncIterator[Probes]:
    async with Probes() as made:
        yield made


@pytest.fixture
def server(redis_server: Redis) -> Iterator[Redis]:
    """The shared server, empty before and after."""
    wipe(redis_server)
    yield redis_server
    wipe(redis_server)


async def test_figures_are_those_of_redis_cli(server: Redis, probes: Probes) -> None:
    clock = ManualClock(SystemClock().now())
    probe = probes(server.url, clock=clock)
    await probe.sample()
    cli(server, "MSET", "a", "1", "b", "2")
    cli(server, "-n", "3", "SET", "c", "3")
    for key in ("a", "a", "a", "nothing"):
        cli(server, "GET", key)
    clock.advance(10.0)

    seen = await probe.sample()

    assert seen.metrics["hit_percent"] == 75.0
    assert seen.metrics["hit_percent_now"] == 75.0
    assert seen.facts["keys"] == "db0 2 · db3 1"
    assert seen.metrics["keys"] == 3
    assert seen.metrics["memory_bytes"] == pytest.approx(
        float(told(server, "used_memory")), rel=0.2
    )
    assert seen.facts["version"] == told(server, "redis_version")
    assert seen.summary.startswith("hit 75%, ")
    assert seen.health is Health.OK
    assert "cmd=slowlog" in cli(server, "CLIENT", "LIST")
    assert "name=warroom" in cli(server, "CLIENT", "LIST")

    async def counted() -> bool:  # a client that has ended is counted until the server notices
        clients = float(told(server, "connected_clients")) - 1
        return (await probe.sample()).metrics["clients"] == clients

    assert await comes_true(counted)


async def test_memory_limit_policy_and_evictions_are_told(
    stack_folder: Path, probes: Probes
) -> None:
    settings = ("maxmemory 3mb", "maxmemory-policy allkeys-lru")
    async with another(stack_folder, "small", *settings) as small:
        probe = probes(small.url)
        await probe.sample()
        cli(
            small, "EVAL", "for i = 1, 5000 do redis.call('SET', i, string.rep('x', 1000)) end", "0"
        )
        first = await probe.sample()
        async with asyncio.timeout(30):  # what the script was not allowed to evict goes by and by
            while (seen := await probe.sample()).metrics["memory_percent"] > 110:
                await asyncio.sleep(0.02)
        assert seen.metrics["memory_max_bytes"] == 3 * 1024 * 1024
        assert seen.metrics["memory_percent"] > 50
        assert 0 < seen.metrics["evicted"] <= float(told(small, "evicted_keys"))
        assert max(first.metrics["evictions_per_s"], seen.metrics["evictions_per_s"]) > 0
        assert "of 3.0 MiB, allkeys-lru" in seen.facts["memory"]


async def test_memory_that_is_full_and_may_not_be_evicted_is_oom(
    stack_folder: Path, probes: Probes
) -> None:
    async with another(stack_folder, "full", "maxmemory 1mb") as full:
        cli(full, "EVAL", "for i = 1, 900 do redis.pcall('SET', i, string.rep('x', 1000)) end", "0")
        cli(full, "CONFIG", "SET", "maxmemory", "1000000")
        seen = await probes(full.url).sample()
        assert seen.summary.startswith("OOM: memory is full")
        assert seen.health is Health.DEGRADED
        assert "noeviction" in seen.facts["trouble"]


async def test_a_snapshot_that_fails_is_misconf(stack_folder: Path, probes: Probes) -> None:
    async with another(stack_folder, "misconf") as server:
        probe = probes(server.url)
        cli(server, "CONFIG", "SET", "save", "3600 1")
        cli(server, "SET", "a", "1")
        server.socket.parent.joinpath("dump.rdb").mkdir()
        cli(server, "BGSAVE")
        async with asyncio.timeout(30):
            while told(server, "rdb_last_bgsave_status") != "err":
                await asyncio.sleep(0.02)
        seen = await probe.sample()
        assert seen.summary.startswith("MISCONF: the last snapshot failed")
        assert seen.health is Health.DEGRADED
        assert "MISCONF" in cli(server, "SET", "a", "2"), "redis-cli gets the same name"
        cli(server, "CONFIG", "SET", "save", "")  # or it refuses to end


async def test_a_script_that_never_ends_is_busy(stack_folder: Path, probes: Probes) -> None:
    async with another(stack_folder, "busy", "busy-reply-threshold 10") as server:
        probe, late = probes(server.url), probes(server.url)
        await probe.sample()
        program = str(find("redis-cli", "apt install redis-tools"))
        looping = await asyncio.create_subprocess_exec(
            program, "-s", str(server.socket), "EVAL", "while true do end", "0", stdout=-3
        )
        try:
            async with asyncio.timeout(30):
                while "BUSY" not in cli(server, "GET", "a"):
                    await asyncio.sleep(0.02)
            for looking in (probe, late):
                fault = await fault_of(looking)
                assert "BUSY: a script blocks it; SCRIPT KILL ends" in str(fault)
                assert fault.down
        finally:
            cli(server, "SCRIPT", "KILL")
            await looping.wait()
        assert (await probe.sample()).health is Health.OK


async def test_a_server_that_reads_its_data_is_loading(stack_folder: Path, probes: Probes) -> None:
    settings = ("enable-debug-command yes", "loading-process-events-interval-bytes 1024")
    async with another(stack_folder, "loading", *settings) as server:
        cli(server, "DEBUG", "POPULATE", "3000", "key", "100")
        cli(server, "CONFIG", "SET", "key-load-delay", "1000")
        program = str(find("redis-cli", "apt install redis-tools"))
        reloading = await asyncio.create_subprocess_exec(
            program, "-s", str(server.socket), "DEBUG", "RELOAD", stdout=-3
        )
        probe = probes(server.url)
        async with asyncio.timeout(30):
            while not (seen := await probe.sample()).summary.startswith("LOADING: it is reading"):
                await asyncio.sleep(0.01)
        assert seen.health is Health.DOWN
        cli(server, "CONFIG", "SET", "key-load-delay", "0")
        await reloading.wait()
        assert (await probe.sample()).health is Health.OK


async def test_slow_commands_are_rows_with_a_detail(server: Redis, probes: Probes) -> None:
    cli(server, "EVAL", "for i = 1, 500000 do redis.call('PING') end", "0", "\x1b[2J[/x] \u202e")
    probe = probes(server.url)

    seen = await probe.sample()

    assert seen.metrics["slowlog_len"] == float(cli(server, "SLOWLOG", "LEN"))
    row = next(row for row in seen.rows if row.data["command"].startswith("EVAL"))
    cells = {c.key: cell for c, cell in zip(seen.columns, row.cells, strict=True)}
    assert str(cells["command"]).startswith('EVAL "for i = 1')
    assert "␛[2J[/x] ␦" in str(cells["command"])
    assert isinstance(cells["duration"], float)
    assert cells["duration"] >= 0.01
    assert row.key in cli(server, "SLOWLOG", "GET")
    detail = await probe.detail(row.key)
    assert detail.sections[1].lines[0].startswith('EVAL "for i')
    cli(server, "SLOWLOG", "RESET")
    with pytest.raises(ProbeFault, match="no longer in the slow log"):
        await probe.detail(row.key)


async def test_the_servers_detail_shows_info_clients_and_settings(
    server: Redis, probes: Probes
) -> None:
    told_ = await probes(server.url).detail("")
    titles = [section.title for section in told_.sections]
    assert {"clients by memory", "clients by idle time", "settings", "Memory"} <= set(titles)
    settings = dict(next(s for s in told_.sections if s.title == "settings").pairs)
    assert settings["maxmemory-policy"] == "noeviction"


async def test_a_replica_says_of_whom_and_how_far_behind(
    stack_folder: Path, server: Redis, probes: Probes
) -> None:
    cli(server, "SET", "a", "1")
    cli(server, "CONFIG", "SET", "repl-diskless-sync-delay", "0")
    async with another(stack_folder, "replica", f"replicaof 127.0.0.1 {server.port}") as replica:
        async with asyncio.timeout(30):
            while told(replica, "master_link_status") != "up":
                await asyncio.sleep(0.05)
        seen = await probes(replica.url).sample()
        assert seen.facts["replication"] == (
            f"replica of 127.0.0.1:{server.port}, read-only, link up"
        )
        assert 0 <= seen.metrics["replication_lag_s"] <= 10
        above = await probes(server.url).sample()
        assert above.metrics["replicas"] == 1
        assert above.facts["replication"].startswith("1 replica, lag ")

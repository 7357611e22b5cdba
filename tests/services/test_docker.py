"""The docker probe against a real engine, directly, through a tunnel and over SSH."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from tests.services.docker_tunnel import Tunnel
from tests.support.services import DockerEngine
from tests.support.sshd import SshServer
from warroom.domain.clock import SystemClock
from warroom.domain.sample import Health, Row, Sample
from warroom.domain.text import harmless
from warroom.hosts.docker import connect
from warroom.hosts.local import LocalHost
from warroom.hosts.ssh import SshHost
from warroom.probes import _docker_watch
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.docker import SPEC, DockerProbe, Options

pytestmark = pytest.mark.service("docker")

SLEEP: Final = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
HOSTILE: Final = "\x1b[31m[/x][@click=app.bell]x[/]\u202e\x9b2J"
_UNITS: Final = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_numbers = count()


class Watched:
    """A probe on some containers, that can be waited for until it shows something."""

    def __init__(self, probe: DockerProbe) -> None:
        self.probe = probe

    async def sample(self) -> Sample:
        return await self.probe.sample()

    async def until(self, holds: Callable[[Sample], Any], seconds: float = 15.0) -> Sample:
        """The first sample for which `holds`; looks again only when the probe says so."""
        async with asyncio.timeout(seconds):
            while True:
                sample = await self.probe.sample()
                if holds(sample):
                    return sample
                await self.pushed()

    async def until_down(self, words: str, seconds: float = 15.0) -> ProbeFault:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await self.probe.sample()
                except ProbeFault as fault:
                    if words in str(fault):
                        return fault
                await self.pushed()

    async def pushed(self) -> None:
        assert self.probe.changed is not None
        await self.probe.changed.wait()
        self.probe.changed.clear()


@asynccontextmanager
async def watching(
    socket: Path | str, host: Any = None, timeout: float = 5.0, **options: Any
) -> AsyncIterator[Watched]:
    context = ProbeContext("docker", host or LocalHost(), SystemClock(), timeout)
    probe = SPEC.create(Options(socket=str(socket), **options), context)
    assert isinstance(probe, DockerProbe)
    try:
        yield Watched(probe)
    finally:
        await probe.close()


@pytest.fixture
def name(docker_engine: DockerEngine) -> Iterator[str]:
    """A name of its own for a test's container, which is removed after it."""
    name = f"probe-{os.getpid()}-{next(_numbers)}"
    yield name
    if name in docker_engine.docker("ps", "-a", "--format", "{{.Names}}").split():
        docker_engine.docker("rm", "-f", name)


@pytest.fixture
async def tunnel(docker_engine: DockerEngine, tmp_path: Path) -> AsyncIterator[Tunnel]:
    async with Tunnel(tmp_path / "t.sock", docker_engine.socket) as tunnel:
        yield tunnel


@pytest.fixture
async def ssh_host(ssh_server: SshServer) -> AsyncIterator[SshHost]:
    host = SshHost("box", "box", str(ssh_server.config))
    yield host
    await host.close()


def cells(sample: Sample, name: str) -> dict[str, Any]:
    keys = [column.key for column in sample.columns]
    return dict(zip(keys, row(sample, name).cells, strict=True))


def row(sample: Sample, name: str) -> Row:
    return next(row for row in sample.rows if row.name == name)


def state(name: str, words: str) -> Callable[[Sample], bool]:
    return lambda sample: any(r.name == name and r.cells[1] == words for r in sample.rows)


async def run(engine: DockerEngine, *args: str) -> str:
    return await asyncio.to_thread(engine.docker, *args)


def in_bytes(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


async def test_memory_equals_the_docker_cli_with_a_page_cache_in_play(
    docker_engine: DockerEngine, name: str
):
    fill = "dd if=/dev/zero of=/tmp/f bs=1M count=30 2>/dev/null"  # once: read again it is active
    await run(
        docker_engine, "run", "-d", "--name", name, "-m", "64m", docker_engine.image,
        "sh", "-c", f"{fill}; while :; do sleep 1000; done",
    )  # fmt: skip
    async with watching(docker_engine.socket, names=(name,)) as watched:
        await watched.until(lambda s: (cells(s, name)["mem"] or 0) > 0)
        for _ in range(20):  # until both saw the same resting figure
            said = await run(
                docker_engine, "stats", "--no-stream", "--format",
                "{{.MemUsage}} {{.MemPerc}}", name,
            )  # fmt: skip
            used, _, limit, percent = said.split()
            seen = cells(await watched.sample(), name)
            if seen["mem"] == pytest.approx(in_bytes(used), rel=0.01):
                break
        assert seen["mem"] == pytest.approx(in_bytes(used), rel=0.01)
        assert in_bytes(limit) == 64 * 2**20
        assert seen["mem_percent"] == pytest.approx(float(percent.rstrip("%")), abs=0.1)
        raw = await raw_memory(docker_engine, name)
        assert raw > seen["mem"] + 10 * 2**20, "a page cache is there, and not counted"


async def raw_memory(engine: DockerEngine, name: str) -> float:
    """What the engine itself says is used, the cache included."""
    host = await connect(LocalHost(), str(engine.socket))
    try:
        async with host.objects(f"containers/{name}/stats", {"stream": "0"}) as stats:
            return float((await anext(stats))["memory_stats"]["usage"])
    finally:
        await host.close()


async def test_cpu_agrees_with_the_docker_cli_for_half_a_cpu(
    docker_engine: DockerEngine, name: str
):
    await run(
        docker_engine, "run", "-d", "--name", name, "--cpus", "0.4", docker_engine.image,
        "sh", "-c", "while :; do :; done",
    )  # fmt: skip
    async with watching(docker_engine.socket, names=(name,)) as watched:
        sample = await watched.until(lambda s: "cpu_percent" in s.metrics)
        said = await run(docker_engine, "stats", "--no-stream", "--format", "{{.CPUPerc}}", name)
        sample = await watched.sample()
        assert cells(sample, name)["cpu"] == pytest.approx(float(said.rstrip("%")), abs=12)
        assert sample.metrics["cpu_percent"] == cells(sample, name)["cpu"]


async def test_a_killed_container_is_seen_at_once_and_without_asking(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with watching(tunnel.socket, names=(name,)) as watched:
        sample = await watched.until(lambda s: "cpu_percent" in s.metrics)
        assert (row(sample, name).health, sample.summary) == (Health.OK, "1 up")
        quiet = len(tunnel.requests)
        for _ in range(3):
            await watched.sample()
        assert tunnel.requests[quiet:] == []
        await run(docker_engine, "kill", name)
        sample = await watched.until(state(name, "exited (137)"), seconds=2.0)
        assert sample.health is Health.DEGRADED
        assert (row(sample, name).health, row(sample, name).note) == (Health.DOWN, "SIGKILL (137)")
        assert cells(sample, name)["mem"] is None
        assert sample.summary == "0 up, 1 failed"
        assert {line.split()[0] for line in tunnel.requests} == {"GET"}


async def test_docker_stop_is_told_from_a_job_that_finished(docker_engine: DockerEngine, name: str):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with watching(docker_engine.socket, names=(name,)) as watched:
        await watched.until(state(name, "running"))
        await run(docker_engine, "stop", name)
        sample = await watched.until(lambda s: row(s, name).note.startswith("stopped by hand"))
        assert row(sample, name).health is Health.DOWN
        await run(docker_engine, "start", name)
        await watched.until(lambda s: row(s, name).health is Health.OK)
    async with watching(docker_engine.socket, names=(f"{name}*",)) as watched:
        await run(docker_engine, "run", "-d", "--name", f"{name}-job", docker_engine.image, "true")
        sample = await watched.until(state(f"{name}-job", "exited (0)"))
        assert row(sample, f"{name}-job").health is None
        await run(docker_engine, "rm", "-f", f"{name}-job")
        await watched.until(lambda s: [r.name for r in s.rows] == [name])


async def test_an_oom_kill_is_named(docker_engine: DockerEngine, name: str):
    eat = "dd if=/dev/zero of=/dev/null bs=100M"
    async with watching(docker_engine.socket, names=(name,)) as watched:
        await watched.sample()
        await run(
            docker_engine, "run", "-d", "--name", name, "-m", "8m", docker_engine.image,
            "sh", "-c", eat,
        )  # fmt: skip
        sample = await watched.until(state(name, "exited (137) OOM"))
        assert row(sample, name).note == "OOM killed (137)"
        assert sample.metrics["oom_killed"] == 1


async def test_a_crash_loop_counts_its_restarts(docker_engine: DockerEngine, name: str):
    async with watching(docker_engine.socket, names=(name,)) as watched:
        await watched.sample()
        await run(
            docker_engine, "run", "-d", "--name", name, "--restart", "always",
            docker_engine.image, "sh", "-c", "exit 3",
        )  # fmt: skip
        sample = await watched.until(
            lambda s: s.metrics["restarts"] >= 3 and s.metrics["restarting"]
        )
        assert row(sample, name).health is Health.DOWN
        assert row(sample, name).note == "restarting after exit code 3"
        assert "1 restarting" in sample.summary


async def test_pause_and_a_failing_health_check_with_hostile_output(
    docker_engine: DockerEngine, name: str
):
    check = r"printf '\033[31m[/x]\342\200\256\377'; exit 1"
    await asyncio.to_thread(docker_engine.run, name, *SLEEP, labels={"note": HOSTILE}, health=check)
    async with watching(docker_engine.socket, names=(name,)) as watched:
        sample = await watched.until(lambda s: s.metrics["unhealthy"] == 1)
        seen = row(sample, name)
        assert seen.health is Health.DOWN
        assert seen.note.startswith("unhealthy: ␛[31m[/x]␦")
        assert sample.summary == "1 up, 1 unhealthy"
        detail = await watched.probe.detail(seen.key)
        text = [line for section in detail.sections for line in section.lines]
        text += [part for s in detail.sections for pair in s.pairs for part in pair]
        assert any("exit 1" in line and "␛[31m" in line for line in text)
        assert harmless(HOSTILE) in text
        assert all(line == harmless(line) for line in text)
        await run(docker_engine, "pause", name)
        sample = await watched.until(state(name, "paused"))
        assert row(sample, name).health is Health.DEGRADED


async def test_a_rename_and_a_removal_are_followed(docker_engine: DockerEngine, name: str):
    key = await asyncio.to_thread(docker_engine.run, f"{name}-old", *SLEEP)
    async with watching(docker_engine.socket, names=(f"{name}*",)) as watched:
        sample = await watched.until(state(f"{name}-old", "running"))
        await run(docker_engine, "rename", f"{name}-old", name)
        sample = await watched.until(state(name, "running"))
        assert [r.key for r in sample.rows] == [key]
        await run(docker_engine, "rm", "-f", name)
        sample = await watched.until(lambda s: not s.rows)
        assert (sample.summary, sample.health) == ("0 up", Health.OK)


async def test_a_compose_project_and_running_ones_alone(docker_engine: DockerEngine, name: str):
    labels = {
        "com.docker.compose.project": f"p-{name}",
        "com.docker.compose.service": "api",
    }
    await asyncio.to_thread(docker_engine.run, name, *SLEEP, labels=labels)
    other = f"{name}-other"
    await asyncio.to_thread(docker_engine.run, other, "true", labels=labels)
    try:
        async with watching(docker_engine.socket, project=f"p-{name}") as watched:
            sample = await watched.until(state(other, "exited (0)"))
            assert sorted(r.name for r in sample.rows) == [name, other]
            assert cells(sample, name)["service"] == "api"
            assert sample.facts["project"] == f"p-{name}"
        async with watching(docker_engine.socket, project=f"p-{name}", all=False) as watched:
            assert [r.name for r in (await watched.sample()).rows] == [name]
            await run(docker_engine, "kill", name)
            await watched.until(lambda s: not s.rows)
    finally:
        await run(docker_engine, "rm", "-f", other)


async def test_more_containers_than_the_table_holds_are_counted_not_kept(
    docker_engine: DockerEngine, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_docker_watch, "MOST", 2)
    names = [f"{name}-{n}" for n in range(4)]
    for each in names:
        argv = SLEEP if each == names[0] else ("true",)
        await asyncio.to_thread(docker_engine.run, each, *argv)
    try:
        async with watching(docker_engine.socket, names=(f"{name}-*",)) as watched:
            sample = await watched.sample()
            assert len(sample.rows) == 2
            assert names[0] in [r.name for r in sample.rows], "running ones come first"
            assert sample.facts["not shown"] == "2 more containers"
    finally:
        await run(docker_engine, "rm", "-f", *names)


async def test_the_detail_names_the_environment_and_hides_its_values(
    docker_engine: DockerEngine, name: str
):
    await run(
        docker_engine, "run", "-d", "--name", name, "-e", "API_KEY=hunter2", docker_engine.image,
        "sh", "-c", "for i in $(seq 30); do echo line $i; done; while :; do sleep 1; done",
    )  # fmt: skip
    async with watching(docker_engine.socket, names=(name,)) as watched:
        sample = await watched.sample()
        detail = await watched.probe.detail(sample.rows[0].key)
        found = {section.title: section for section in detail.sections}
        assert "API_KEY" in found["environment (values hidden)"].lines
        assert "hunter2" not in repr(detail)
        assert found["last lines"].lines == tuple(f"line {n}" for n in range(11, 31))
        engine = (await watched.probe.detail("")).sections[0]
        assert dict(engine.pairs)["address"] == f"unix://{docker_engine.socket}"
        with pytest.raises(ProbeFault, match="No such container"):
            await watched.probe.detail("f" * 64)


async def test_no_engine_is_one_plain_line(tmp_path: Path):
    async with watching(tmp_path / "none.sock") as watched:
        with pytest.raises(ProbeFault) as fault:
            await watched.sample()
        assert str(fault.value) == f"no Docker engine at {tmp_path}/none.sock — is docker running?"
        assert fault.value.down


async def test_a_socket_we_may_not_use_says_what_to_do(docker_engine: DockerEngine):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101 - a Path here would be "blocking" to the linter
        async with Tunnel(Path(folder) / "t.sock", docker_engine.socket) as tunnel:
            tunnel.socket.chmod(0o400)
            with as_nobody():
                async with watching(tunnel.socket) as watched:
                    with pytest.raises(ProbeFault) as fault:
                        await watched.sample()
    assert re.search(r"may not use \S+ — add the user \w+ to group \w+", str(fault.value))
    assert not fault.value.down, "the engine may be well"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions do not hold for root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_service_that_is_no_engine_is_named_so(http_service: Callable[..., Any]):
    service = http_service()
    service.respond("/version", 200, "<html>hello</html>", {"Content-Type": "text/html"})
    async with watching(f"tcp://127.0.0.1:{service.port}") as watched:
        with pytest.raises(ProbeFault, match="is not a Docker engine"):
            await watched.sample()


@pytest.mark.service("redis")
async def test_another_protocol_is_named_so(redis_server: Any):
    async with watching(f"tcp://127.0.0.1:{redis_server.port}") as watched:
        with pytest.raises(ProbeFault, match=r"is not a Docker engine|broke the connection"):
            await watched.sample()


async def test_an_engine_that_is_too_old_says_what_is_needed(http_service: Callable[..., Any]):
    service = http_service()
    body = '{"Version": "1.6.2", "ApiVersion": "1.18"}'
    service.respond("/version", 200, body, {"Content-Type": "application/json"})
    service.respond("/v1.18/version", 200, body, {"Content-Type": "application/json"})
    async with watching(f"tcp://127.0.0.1:{service.port}") as watched:
        with pytest.raises(ProbeFault, match=r"1\.6\.2 .*too old: .*API 1\.18, needed is 1\.24"):
            await watched.sample()


async def test_an_engine_that_goes_away_is_down_and_comes_back_by_itself(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str
):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with watching(tunnel.socket, names=(name,)) as watched:
        await watched.until(state(name, "running"))
        tunnel.cut()
        fault = await watched.until_down("no Docker engine at")
        assert fault.down
        await run(docker_engine, "kill", name)  # nobody tells us
        await tunnel.open()
        async with asyncio.timeout(20):
            while True:
                await watched.pushed()
                try:
                    sample = await watched.sample()
                    break
                except ProbeFault:
                    continue
        assert cells(sample, name)["state"] == "exited (137)"


async def test_a_tunnel_that_hangs_is_noticed(
    docker_engine: DockerEngine, tunnel: Tunnel, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_docker_watch, "SILENCE_S", 0.3)
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with watching(tunnel.socket, names=(name,), timeout=1.0) as watched:
        await watched.until(state(name, "running"))
        tunnel.flowing.clear()
        fault = await watched.until_down("no answer from the Docker engine")
        assert fault.down


@pytest.mark.service("ssh")
async def test_the_same_over_ssh(docker_engine: DockerEngine, ssh_host: SshHost, name: str):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with watching(docker_engine.socket, ssh_host, names=(name,)) as watched:
        await watched.until(lambda s: "cpu_percent" in s.metrics)
        await run(docker_engine, "kill", name)
        sample = await watched.until(state(name, "exited (137)"))
        assert row(sample, name).health is Health.DOWN

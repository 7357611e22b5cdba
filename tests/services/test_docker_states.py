"""What becomes of containers on a real engine is seen at once, named and followed."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from tests.services.docker_tunnel import Tunnel
from tests.services.docker_watching import SLEEP, cells, row, run, state, watching
from tests.support.services import DockerEngine
from tests.support.waiting import comes_true
from warroom.domain.sample import Health
from warroom.domain.text import harmless
from warroom.hosts.ssh import SshHost
from warroom.probes import _docker_watch
from warroom.probes.base import ProbeFault

pytestmark = pytest.mark.service("docker")

HOSTILE: Final = "\x1b[31m[/x][@click=app.bell]x[/]\u202e\x9b2J"


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
        sample = await watched.until(state(name, "exited (137)"))
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
    """A busy engine misses one that comes before it listens, or after the container's end."""
    waits, lives = "until [ -e /go ]; do sleep 0.1; done", "while :; do sleep 0.1; done"
    eats = f"{waits}; dd if=/dev/zero of=/dev/null bs=100M; {lives}"
    past = ("events", "--since", "1h", "--until", "0s", "--filter", f"container={name}")
    async with watching(docker_engine.socket, names=(name,)) as watched:
        await watched.sample()
        await run(
            docker_engine, "run", "-d", "--name", name, "-m", "32m", docker_engine.image,
            "sh", "-c", eats,
        )  # fmt: skip
        await run(docker_engine, "exec", name, "touch", "/go")

        async def known() -> bool:
            return bool(await run(docker_engine, *past, "--filter", "event=oom"))

        assert await comes_true(known, within=60)
        await run(docker_engine, "kill", name)
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
    await run(docker_engine, "wait", *names[1:])
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

    async def said() -> bool:
        return "line 30" in await run(docker_engine, "logs", name)

    assert await comes_true(said)
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


@pytest.mark.service("ssh")
async def test_the_same_over_ssh(docker_engine: DockerEngine, host: SshHost, name: str):
    await asyncio.to_thread(docker_engine.run, name, *SLEEP)
    async with watching(docker_engine.socket, host, names=(name,)) as watched:
        await watched.until(lambda s: "cpu_percent" in s.metrics)
        await run(docker_engine, "kill", name)
        sample = await watched.until(state(name, "exited (137)"))
        assert row(sample, name).health is Health.DOWN

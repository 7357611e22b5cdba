"""The log engine on real files, commands, containers and servers."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import urllib.request
from pathlib import Path
from time import thread_time

import pytest

from tests.support.following import following, until
from tests.support.services import DockerEngine
from tests.support.sshd import SshServer
from warroom.config.settings import LogEntry
from warroom.config.values import Name
from warroom.drill.stack.nginx import Nginx
from warroom.hosts.ssh import SshHost
from warroom.logs.engine import LogEngine, SourceState
from warroom.logs.ring import LogRing
from warroom.logs.view import LogView

LINE = '{} - - [21/Nov/2026:14:35:02 +0000] "GET /cart HTTP/1.1" {} 157 "-" "curl/8.5.0"\n'


def shown(ring: LogRing, source: int | None = None) -> list[str]:
    lines = LogView(ring).window(ring.last, ring.count)
    return [line.text for line in lines if source in (None, line.source)]


def last_at(engine: LogEngine) -> float:
    last = engine.status()[0].last_at
    assert last is not None
    return last


async def until_last_is(engine: LogEngine, text: str) -> None:
    await until(engine, lambda: shown(engine.ring)[-1:] == [text])


async def caught_up(engine: LogEngine, path: Path) -> None:
    """Wait until what is in the file counts as having been there before."""
    await until(engine, lambda: engine.ring.last > 0)
    size = path.stat().st_size
    assert size
    await asyncio.sleep(0.7)  # longer than the half second that a backlog may take


async def test_files_and_commands_are_one_stream_with_the_name_of_each(tmp_path: Path):
    log = tmp_path / "app.log"
    log.write_text("one\ntwo\n")
    command = (sys.executable, "-uc", "print('from a command'); import time; time.sleep(60)")
    async with following(LogEntry("app", path=str(log)), LogEntry("job", argv=command)) as engine:
        await until(engine, lambda: engine.ring.last == 3)
        assert shown(engine.ring, 0) == ["one", "two"]
        assert shown(engine.ring, 1) == ["from a command"]
        assert engine.names == ("app", "job")
        with log.open("a") as file:
            file.write("three\r\nfour")
        await until(engine, lambda: engine.ring.last >= 4)
        assert shown(engine.ring, 0)[:3] == ["one", "two", "three"]


async def test_only_requests_that_arrive_are_counted_not_those_from_before(tmp_path: Path):
    log = tmp_path / "access.log"
    log.write_text(LINE.format("203.0.113.1", 200) * 50)
    async with following(LogEntry("edge", path=str(log))) as engine:
        await caught_up(engine, log)
        with log.open("a") as file:
            file.write(LINE.format("203.0.113.7", 502) * 3 + LINE.format("2001:db8::1", 200))
        await until(engine, lambda: engine.talkers.requests == 4)
        found = engine.talkers.ranking("ip", 5, now=last_at(engine))
        assert [(t.key, t.count) for t in found.talkers] == [("203.0.113.7", 3), ("2001:db8::1", 1)]
        assert found.by_status == {"2xx": 1, "5xx": 3}
        assert engine.ring.count == 54
        assert engine.status()[0].format == "combined"


async def test_a_log_that_says_it_is_no_access_log_is_not_counted(tmp_path: Path):
    log = tmp_path / "access.log"
    log.touch()
    async with following(LogEntry("edge", path=str(log), access=False)) as engine:
        await until(engine, lambda: engine.status()[0].state is SourceState.FOLLOWING)
        with log.open("a") as file:
            file.write(LINE.format("203.0.113.7", 200))
        await until(engine, lambda: engine.ring.last == 1)
        assert (engine.talkers.requests, engine.status()[0].format) == (0, "combined")


@pytest.mark.parametrize("style", ["rename", "copytruncate"])
async def test_no_line_is_lost_or_doubled_through_rotation(tmp_path: Path, style: str):
    log = tmp_path / "app.log"
    log.write_text("0\n")
    async with following(LogEntry("app", path=str(log))) as engine:
        for turn in range(1, 5):
            with log.open("a") as file:
                file.write("".join(f"{turn}.{n}\n" for n in range(100)))
            await until_last_is(engine, f"{turn}.99")
            if style == "rename":
                log.rename(tmp_path / f"app.log.{turn}")
                log.write_text(f"{turn} new\n")
            else:
                shutil.copy(log, tmp_path / f"app.log.{turn}")
                os.truncate(log, 0)
                with log.open("a") as file:
                    file.write(f"{turn} new\n")
            await until_last_is(engine, f"{turn} new")
        expected = ["0"]
        for turn in range(1, 5):
            expected += [*(f"{turn}.{n}" for n in range(100)), f"{turn} new"]
        assert shown(engine.ring) == expected


async def test_a_file_that_is_not_there_yet_is_waited_for_and_said(tmp_path: Path):
    log = tmp_path / "late.log"
    async with following(LogEntry("late", path=str(log))) as engine:
        await until(engine, lambda: bool(engine.status()[0].error))
        status = engine.status()[0]
        assert (status.state, status.error) == (SourceState.WAITING, f"{log}: not there yet")
        log.write_text("here\n")
        await until(engine, lambda: shown(engine.ring) == ["here"])
        await until(engine, lambda: engine.status()[0].state is SourceState.FOLLOWING)
        assert engine.status()[0].error == ""


async def test_what_several_logs_held_is_one_course_though_one_of_them_never_comes(
    tmp_path: Path,
) -> None:
    for name, seconds in {"edge": (1, 5, 9), "api": (2, 4, 6, 8)}.items():
        lines = (f"2026-11-21T14:35:0{second}Z {name} {second}\n" for second in seconds)
        (tmp_path / name).write_text("".join(lines))
    entries = [LogEntry(Name(n), path=str(tmp_path / n)) for n in ("edge", "api", "never")]
    async with following(*entries) as engine:
        await until(engine, lambda: engine.ring.count == 7)
        said = [text.split(" ", 1)[1] for text in shown(engine.ring)]
        assert said == ["edge 1", "api 2", "api 4", "edge 5", "api 6", "api 8", "edge 9"]
        with (tmp_path / "api").open("a") as file:
            file.write("2026-11-21T14:35:00Z written now\n")
        await until_last_is(engine, "2026-11-21T14:35:00Z written now")


async def test_a_source_that_fails_says_why_and_leaves_the_others_alone(tmp_path: Path):
    log = tmp_path / "app.log"
    log.write_text("fine\n")
    async with following(
        LogEntry("gone", argv=("no-such-program",)),
        LogEntry("app", path=str(log)),
        LogEntry("ends", argv=(sys.executable, "-c", "print('last words', end='')")),
    ) as engine:
        await until(engine, lambda: bool(engine.status()[0].error and engine.status()[2].error))
        await until(engine, lambda: shown(engine.ring, 1) == ["fine"])
        gone, app, ends = engine.status()
        assert "no-such-program" in gone.error
        assert "trying again every 1 s" in gone.error
        assert app.state is SourceState.FOLLOWING
        assert ends.error.startswith(f"the command {sys.executable} ended; it last said ")
        assert '"last words"; trying again' in ends.error
        assert shown(engine.ring, 2) == ["last words"]


async def test_what_a_command_said_before_it_ended_is_not_shown_again(tmp_path: Path):
    log = tmp_path / "spool"
    log.write_text("one\ntwo\n")
    tail = (sys.executable, "-c", f"print(open({str(log)!r}).read(), end='')")
    async with following(LogEntry("spool", argv=tail)) as engine:
        await until(engine, lambda: engine.status()[0].state is SourceState.FAULT)
        log.write_text("one\ntwo\nthree\n")
        await until(engine, lambda: engine.ring.last >= 3)
        assert shown(engine.ring) == ["one", "two", "three"]


async def test_a_command_that_failed_is_back_only_once_it_says_something(tmp_path: Path):
    script = tmp_path / "says.sh"
    script.write_text(
        f"cd {tmp_path}; [ -e second ] || {{ touch second; exit 1; }}\n"
        "touch runs; while [ ! -e go ]; do sleep 0.05; done; echo back; exec sleep 60\n"
    )
    async with following(LogEntry("kube", argv=("sh", str(script)))) as engine:
        await until(engine, lambda: engine.status()[0].state is SourceState.FAULT)
        async with asyncio.timeout(15):
            while not (tmp_path / "runs").exists():
                await asyncio.sleep(0.02)
        assert (engine.status()[0].state, engine.status()[0].again) == (SourceState.FAULT, None)
        (tmp_path / "go").touch()
        await until(engine, lambda: engine.status()[0].state is SourceState.FOLLOWING)
        assert engine.status()[0].again is not None


async def test_a_line_without_an_end_is_shown_while_it_waits():
    script = (
        "import sys, time; print('whole'); print('panic: no', end='', flush=True); time.sleep(60)"
    )
    async with following(LogEntry("app", argv=(sys.executable, "-c", script))) as engine:
        await until(engine, lambda: bool(engine.ring.tails))
        newest = LogView(engine.ring).window(None, 5)
        assert [(line.text, line.partial) for line in newest] == [
            ("whole", False),
            ("panic: no", True),
        ]


async def test_hostile_bytes_end_up_as_harmless_lines(tmp_path: Path):
    log = tmp_path / "hostile.log"
    hostile = b"\x1b[2J\x9b\x00\xff [/x][@click=app.bell]x[/] \xe2\x80\xae\n"
    log.write_bytes(hostile + b"y" * 10_000_000 + b"\nend\n")
    async with following(LogEntry("hostile", path=str(log))) as engine:
        await until_last_is(engine, "end")
        lines = shown(engine.ring)
        assert all(line.isprintable() for line in lines)
        assert "[@click=app.bell]x[/]" in lines[0]
        assert lines[1].endswith("y… (10,000,000 bytes)")
        assert engine.ring.size < 1_000_000


async def test_a_burst_is_taken_in_whole_without_holding_the_loop(tmp_path: Path):
    log = tmp_path / "burst.log"
    log.touch()
    async with following(LogEntry("edge", path=str(log))) as engine:
        await until(engine, lambda: engine.status()[0].state is SourceState.FOLLOWING)
        await asyncio.sleep(0.7)
        with log.open("a") as file:
            for block in range(40):
                file.write(
                    "".join(LINE.format(f"203.0.{block}.{n % 250}", 200) for n in range(1000))
                )
        longest = 0.0
        async with asyncio.timeout(60):
            while engine.talkers.requests < 40_000:
                turn = thread_time()  # the loop's own work: others may have the processor
                await asyncio.sleep(0)
                longest = max(longest, thread_time() - turn)
        assert engine.ring.received[0] == 40_000
        assert longest < 0.25, "other tasks must get their turn"


@pytest.mark.service("nginx")
async def test_requests_to_a_real_nginx_are_ranked(nginx_server: Nginx):
    def get() -> None:
        with urllib.request.urlopen(f"{nginx_server.url}/ranked.txt") as response:
            response.read()

    (nginx_server.root / "ranked.txt").write_text("x")
    await asyncio.to_thread(get)
    async with following(LogEntry("edge", path=str(nginx_server.access_log))) as engine:
        await caught_up(engine, nginx_server.access_log)
        for _ in range(5):
            await asyncio.to_thread(get)
        await until(engine, lambda: engine.talkers.requests == 5)
        found = engine.talkers.ranking("ip", 5, now=last_at(engine))
        assert [(t.key, t.count) for t in found.talkers] == [("127.0.0.1", 5)]


@pytest.mark.service("docker")
async def test_a_container_is_followed_by_its_name(docker_engine: DockerEngine):
    name = f"engine-log-{os.getpid()}"
    await asyncio.to_thread(
        docker_engine.run, name, "sh", "-c", "echo ERROR from a container; sleep 60"
    )
    try:
        entry = LogEntry("api", container=name, socket=str(docker_engine.socket))
        async with following(entry) as engine:
            await until(engine, lambda: shown(engine.ring) == ["ERROR from a container"])
    finally:
        await asyncio.to_thread(docker_engine.docker, "rm", "-f", name)


@pytest.mark.service("ssh")
async def test_files_and_commands_of_another_machine_are_followed(
    ssh_server: SshServer, tmp_path: Path
):
    log = tmp_path / "access.log"
    log.write_text(LINE.format("203.0.113.1", 200))
    far = SshHost("web1", "box", str(ssh_server.config))
    tail = ("tail", "-n", "+1", "-f", str(log))
    entries = LogEntry("edge", on="web1", path=str(log)), LogEntry("job", on="web1", argv=tail)
    async with following(*entries, at=far) as engine:
        await until(engine, lambda: engine.ring.received.keys() == {0, 1})
        await asyncio.sleep(0.7)
        with log.open("a") as file:
            file.write(LINE.format("203.0.113.7", 502))
        await until(engine, lambda: engine.ring.received == {0: 2, 1: 2})
        await until(engine, lambda: engine.talkers.requests >= 2)
        assert [status.host for status in engine.status()] == ["web1", "web1"]
        assert shown(engine.ring, 0) == shown(engine.ring, 1)


async def test_pm2_is_never_started_only_to_read_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PM2_HOME", str(tmp_path))
    async with following(LogEntry("api", pm2="api")) as engine:
        await until(engine, lambda: engine.status()[0].state is SourceState.FAULT)
        assert engine.status()[0].error.startswith("PM2 is not running there")
        assert not list(tmp_path.iterdir())

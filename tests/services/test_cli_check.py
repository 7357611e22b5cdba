"""`warroom check` on real servers: its figures are those of the servers' own tools."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from tests.services.postgres_clients import psql
from tests.support.cli import Answer, Shell, output_of, written
from tests.support.services import DockerEngine, HttpService, Loop
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.postgres import start as start_postgres
from warroom.drill.stack.program import free_port
from warroom.drill.stack.redis import Redis
from warroom.drill.stack.redis import start as start_redis

_UNITS: Final = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def source(answer: Answer, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(s for s in answer.json["sources"] if s["name"] == name)
    return found


def redis_cli(server: Redis, *words: str) -> str:
    return output_of(["redis-cli", "-p", str(server.port), *words])


def info(server: Redis, section: str, field: str) -> str:
    """One field of INFO, as redis-cli prints it."""
    match = re.search(rf"^{field}:(.*?)\r?$", redis_cli(server, "INFO", section), re.MULTILINE)
    assert match is not None
    return match[1]


PATIENT: Final = 'timeout = "60s"\n'
"""Others have the processors, too."""


def http(url: str, more: str = PATIENT) -> str:
    return f'[[probe]]\nkind = "http"\nname = "api"\nurl = "{url}"\n{more}'


def postgres(dsn: str, more: str = PATIENT) -> str:
    return f'[[probe]]\nkind = "postgres"\ndsn = "{dsn}"\n{more}'


def redis(url: str, more: str = PATIENT) -> str:
    return f'[[probe]]\nkind = "redis"\nurl = "{url}"\n{more}'


def docker(socket: Path, more: str = PATIENT) -> str:
    return f'[[probe]]\nkind = "docker"\nsocket = "{socket}"\n{more}'


@contextmanager
def connected(loop: Loop, dsn: str, count: int) -> Iterator[None]:
    """So many sessions on a PostgreSQL, the last of them idle in a transaction."""
    sessions = [loop.run(asyncpg.connect(dsn)) for _ in range(count)]
    loop.run(sessions[-1].execute("BEGIN"))
    try:
        yield
    finally:
        for session in sessions:
            loop.run(session.close())


def test_every_source_is_told_in_the_documented_shape(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    service = http_service()
    service.respond("/health", 200, "ok")
    answer = Shell(tmp_path, written(tmp_path, http(service.url + "/health")))("check", "--json")
    assert answer.err == ""
    told = answer.json
    assert list(told) == ["version", "at", "health", "sources"]
    assert (told["version"], told["health"]) == (1, "ok")
    assert datetime.fromisoformat(told["at"]).utcoffset() is not None
    (api,) = told["sources"]
    assert list(api) == [
        "name", "kind", "host", "health", "summary", "metrics", "findings", "error"
    ]  # fmt: skip
    assert (api["name"], api["kind"], api["host"], api["error"]) == ("api", "http", "", "")
    assert api["findings"] == []
    assert all(isinstance(value, float) for value in api["metrics"].values())


@pytest.mark.service("postgres")
def test_postgres_figures_are_those_of_psql(
    tmp_path: Path, postgres_server: Postgres, service_loop: Loop
) -> None:
    shell = Shell(tmp_path, written(tmp_path, postgres(postgres_server.dsn())))
    with connected(service_loop, postgres_server.dsn(), 3):
        metrics = source(shell("check", "--json"), "postgres")["metrics"]
        # psql is a client as well, in the place that `warroom check` has left
        used, idle_in_transaction = psql(
            postgres_server,
            "SELECT count(*), count(*) FILTER (WHERE state = 'idle in transaction')"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'",
        ).split("|")
    size = psql(postgres_server, "SELECT pg_database_size(current_database())")
    assert metrics["connections"] == float(used) == 4
    assert metrics["idle_in_transaction"] == float(idle_in_transaction) == 1
    assert metrics["connections_max"] == float(psql(postgres_server, "SHOW max_connections"))
    assert metrics["database_bytes"] == float(size)


@pytest.mark.service("redis")
def test_redis_figures_are_those_of_redis_cli(tmp_path: Path, redis_server: Redis) -> None:
    redis_cli(redis_server, "FLUSHALL")
    redis_cli(redis_server, "CONFIG", "SET", "maxmemory", "64mb")
    redis_cli(redis_server, "MSET", "a", "1", "b", "2")
    redis_cli(redis_server, "SETRANGE", "c", str(16 * 1024**2), "3")
    redis_cli(redis_server, "-n", "3", "SET", "d", "4")
    try:
        shell = Shell(tmp_path, written(tmp_path, redis(redis_server.url)))
        metrics = source(shell("check", "--json"), "redis")["metrics"]
        keys = sum(int(redis_cli(redis_server, "-n", str(db), "DBSIZE")) for db in range(16))
        assert metrics["keys"] == float(keys) == 4
        limit = redis_cli(redis_server, "CONFIG", "GET", "maxmemory").split()[1]
        assert metrics["memory_max_bytes"] == float(limit) == 64 * 1024**2
        # redis-cli is a client as well, in the place that `warroom check` has left
        assert metrics["clients"] == float(info(redis_server, "clients", "connected_clients"))
        assert metrics["clients_max"] == float(info(redis_server, "clients", "maxclients"))
        assert metrics["evicted"] == float(info(redis_server, "stats", "evicted_keys"))
        used = float(info(redis_server, "memory", "used_memory"))
        assert metrics["memory_bytes"] == pytest.approx(used, rel=0.02)
    finally:
        redis_cli(redis_server, "CONFIG", "SET", "maxmemory", "0")
        redis_cli(redis_server, "FLUSHALL")


@pytest.mark.service("docker")
def test_docker_figures_are_those_of_the_docker_cli(
    tmp_path: Path, docker_engine: DockerEngine
) -> None:
    names = ("check-api", "check-web")
    for name in names:
        docker_engine.run(name, "sleep", "3600")
    docker_engine.docker("restart", "-t", "0", "check-api")
    try:
        shell = Shell(tmp_path, written(tmp_path, docker(docker_engine.socket)))
        used, held_still = _memory(docker_engine), False
        while not held_still:  # what they use still changes a moment after they began
            metrics = source(shell("check", "--json"), "docker")["metrics"]
            before, used = used, _memory(docker_engine)
            held_still = used == before and "memory_bytes" in metrics
        running = docker_engine.docker("ps", "--quiet").splitlines()
        assert metrics["running"] == len(running) >= 2
        together, rounding = used
        assert metrics["memory_bytes"] == pytest.approx(together, abs=rounding)
        assert metrics["cpu_percent"] >= 0, "the first look waits for what takes the engine longer"
        every = docker_engine.docker("ps", "--all", "--quiet").splitlines()
        counts = docker_engine.docker("inspect", "--format", "{{.RestartCount}}", *every)
        assert metrics["restarts"] == sum(map(int, counts.split()))
    finally:
        docker_engine.docker("rm", "--force", *names)


def _memory(engine: DockerEngine) -> tuple[float, float]:
    """Bytes that all running containers use together by `docker stats`, and half its last digit
    for each."""
    total = rounding = 0.0
    lines = engine.docker("stats", "--no-stream", "--format", "{{.MemUsage}}").splitlines()
    for line in lines:
        match = re.match(r"([\d.]+)([A-Za-z]+) /", line)
        assert match is not None, line
        digits, unit = match[1], _UNITS[match[2]]
        total += float(digits) * unit
        decimals = len(digits.partition(".")[2])
        rounding += unit * 10.0**-decimals
    return total, rounding


def test_the_http_status_is_that_of_curl(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    service = http_service()
    shell = Shell(tmp_path, written(tmp_path, http(service.url + "/health")))
    for status, exit_status in ((200, 0), (503, 2), (404, 2)):
        service.respond("/health", status, "")
        code = output_of(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", service.url + "/health"]
        )
        api = source(shell("check", "--json", status=exit_status), "api")
        assert api["metrics"]["status"] == float(code) == status


def test_the_exit_status_is_that_of_a_monitoring_plugin(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    service = http_service()
    shell = Shell(tmp_path, written(tmp_path, http(service.url + "/health")))
    service.respond("/health", 200, '{"status": "UP"}', {"Content-Type": "application/json"})
    assert "ok" in shell("check", status=0).out
    service.respond("/health", 200, '{"status": "degraded"}', {"Content-Type": "application/json"})
    assert "degraded" in shell("check", status=1).out
    service.respond("/health", 200, '{"status": "DOWN"}', {"Content-Type": "application/json"})
    assert "down" in shell("check", status=2).out


@pytest.mark.service("postgres")
def test_what_cannot_be_told_ends_with_status_three(
    tmp_path: Path, postgres_server: Postgres
) -> None:
    dsn = f"postgresql://nobody-by-that-name@127.0.0.1:{postgres_server.port}/postgres"
    answer = Shell(tmp_path, written(tmp_path, postgres(dsn)))("check", "--json", status=3)
    assert source(answer, "postgres")["health"] == "unknown"


@pytest.mark.service("postgres")
def test_a_check_counts_at_the_first_look(
    tmp_path: Path, postgres_server: Postgres, service_loop: Loop
) -> None:
    """In the console a finding wants several looks in a row; a single pass has but one."""
    rule = '[[check]]\nid = "few"\nkind = "postgres"\nmetric = "connections"\nlooks = 5\n'
    rule += 'message = "{value:.0f} connections"\n'
    for threshold, level, status in (("warn", "warn", 1), ("critical", "critical", 2)):
        config = written(tmp_path, postgres(postgres_server.dsn()), rule, f"{threshold} = 3")
        with connected(service_loop, postgres_server.dsn(), 2):
            answer = Shell(tmp_path, config)("check", "--json", status=status)
            shown = Shell(tmp_path, config)("check", status=status)
        finding = {"check": "few", "level": level, "message": "3 connections"}
        assert source(answer, "postgres")["findings"] == [finding]
        assert "3 connections\n" in shown.out


@pytest.mark.service("redis")
def test_only_the_named_sources_are_looked_at(
    tmp_path: Path, redis_server: Redis, http_service: Callable[..., HttpService]
) -> None:
    service = http_service()
    shell = Shell(tmp_path, written(tmp_path, http(service.url), redis(redis_server.url)))
    told = shell("check", "redis", "--json").json
    assert [one["name"] for one in told["sources"]] == ["redis"]
    assert not service.requests
    wrong = shell("check", "rediss", status=2)
    assert (wrong.out, wrong.err) == (
        "",
        'no probe is called "rediss"; did you mean "redis"?\n',
    )


@pytest.mark.service("redis")
@pytest.mark.service("postgres")
def test_servers_that_stop_are_told_from_servers_that_run(
    tmp_path: Path, stack_folder: Path, http_service: Callable[..., HttpService]
) -> None:
    folder = stack_folder / "stopping"
    folder.mkdir(mode=0o711)
    database, cache = asyncio.run(start_postgres(folder)), asyncio.run(start_redis(folder))
    service = http_service()
    service.respond("/", 200, "ok")
    config = written(tmp_path, http(service.url + "/"), postgres(database.dsn()), redis(cache.url))
    try:
        assert Shell(tmp_path, config)("check", "--json").json["health"] == "ok"
    finally:
        asyncio.run(database.stop())
        asyncio.run(cache.stop())
    service.refuse()
    told = Shell(tmp_path, config)("check", "--json", status=2).json["sources"]
    assert {one["name"]: one["health"] for one in told} == dict.fromkeys(
        ("api", "postgres", "redis"), "down"
    )


def test_with_every_server_gone_it_answers_in_time_and_says_why(tmp_path: Path) -> None:
    port = free_port()
    config = written(
        tmp_path,
        http(f"http://127.0.0.1:{port}/"),
        postgres(f"postgresql://app@127.0.0.1:{port}/shop"),
        redis(f"redis://127.0.0.1:{port}/0"),
        docker(tmp_path / "no.sock"),
        f'[[probe]]\nkind = "tls"\nhost = "127.0.0.1"\nport = {port}\n{PATIENT}',
        f'[[probe]]\nkind = "dns"\nhost = "shop.invalid"\n{PATIENT}',
    )
    answer = Shell(tmp_path, config)("check", "--json", status=2)
    errors = {one["name"]: one["error"] for one in answer.json["sources"]}
    assert len(errors) == 6
    for name, error in errors.items():
        assert error and "\n" not in error and "Error" not in error, (name, error)
    for name in ("api", "postgres", "redis", "tls"):
        assert "connection refused" in errors[name], errors[name]
    assert "no.sock" in errors["docker"]
    assert "shop.invalid" in errors["dns"]
    lines = Shell(tmp_path, config)("check", status=2).out.splitlines()
    assert len(lines) == 6, "one plain line each"
    for line, error in zip(lines, errors.values(), strict=True):
        assert line.endswith(error)


async def test_servers_that_accept_and_say_nothing_do_not_hold_it_up(tmp_path: Path) -> None:
    here = at_once = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal here, at_once
        here += 1
        at_once = max(at_once, here)
        await reader.read()
        here -= 1
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    unix = await asyncio.start_unix_server(silent, tmp_path / "mute.sock")
    patience = 'timeout = "1s"\n'
    config = written(
        tmp_path,
        http(f"http://127.0.0.1:{port}/", patience),
        postgres(f"postgresql://app@127.0.0.1:{port}/shop", patience),
        redis(f"redis://127.0.0.1:{port}/0", patience),
        docker(tmp_path / "mute.sock", patience),
        f'[[probe]]\nkind = "tls"\nhost = "127.0.0.1"\nport = {port}\n{patience}',
    )
    answer = await asyncio.to_thread(Shell(tmp_path, config), "check", "--json", status=2)
    unix.close()
    server.close()
    assert at_once > 1, "not one after the other"
    told = {one["name"]: (one["health"], one["error"]) for one in answer.json["sources"]}
    assert {health for health, _ in told.values()} == {"down"}, told
    assert all(error and "\n" not in error for _, error in told.values()), told


def test_the_journal_is_left_alone(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    """Monitoring often runs as somebody who may write nowhere."""
    service = http_service()
    service.respond("/", 200, "ok")
    Shell(tmp_path, written(tmp_path, http(service.url + "/")))("check")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["warroom.toml"]

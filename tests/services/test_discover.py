"""`warroom init` finds what really runs here, and nothing secret leaves the environment."""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.services import DockerEngine, HttpService
from warroom.config.load import parse
from warroom.drill.stack.postgres import Postgres
from warroom.engine.discover import Discovery, discover, report, to_toml
from warroom.engine.discover.containers import look_at_docker
from warroom.engine.discover.databases import look_at_postgres, look_at_redis
from warroom.engine.discover.findings import Found, Look, Missing
from warroom.engine.discover.ports import listening, look_at_ports
from warroom.engine.discover.services import look_at_logs, look_at_pm2, look_at_units
from warroom.engine.members import settled
from warroom.hosts.local import LocalHost


def tables(look: Look) -> list[dict[str, object]]:
    return [dict(thing.table) for thing in look if isinstance(thing, Found)]


def reasons(look: Look) -> str:
    return "\n".join(f"{t.what}: {t.why}" for t in look if isinstance(t, Missing))


@asynccontextmanager
async def speaking(path: Path, answer: bytes = b"") -> AsyncIterator[None]:
    """A server at a unix socket that says `answer` to whoever comes."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    path.parent.mkdir(parents=True, exist_ok=True)
    server = await asyncio.start_unix_server(met, path)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


def with_listeners(root: Path, *ports: int) -> Path:
    """A root whose /proc/net lists this machine's own lines for `ports` alone."""
    folder = root / "proc" / "net"
    folder.mkdir(parents=True)
    head, *lines = Path("/proc/net/tcp").read_text().splitlines()
    wanted = [line for line in lines if int(line.split()[1].partition(":")[2], 16) in ports]
    (folder / "tcp").write_text("\n".join([head, *wanted]) + "\n")
    return root


async def test_a_local_port_that_answers_http_becomes_a_probe_of_its_health_path(
    http_service: Callable[..., HttpService], tmp_path: Path
):
    healthy, plain, lost = http_service(), http_service(), http_service()
    healthy.respond("/health", 200, b'{"status": "up"}')
    plain.respond("/health", 404)
    plain.respond("/", 200, b"<html>shop</html>")
    lost.respond("/health", 404)
    lost.respond("/", 404)
    look = await look_at_ports(with_listeners(tmp_path, healthy.port, plain.port, lost.port))
    urls = {str(table["url"]) for table in tables(look)}
    assert urls == {f"http://127.0.0.1:{healthy.port}/health", f"http://127.0.0.1:{plain.port}"}
    assert f"port {lost.port} answers /health and / with 404; name its own" in reasons(look)
    assert {request.path for request in healthy.requests} == {"/health"}, "one look is enough"


async def test_a_port_that_never_answers_does_not_hold_the_others_up(
    http_service: Callable[..., HttpService], tmp_path: Path
):
    slow, quick = http_service(), http_service()
    slow.respond("/health", 200, delay=120.0)
    quick.respond("/health", 200)
    root = with_listeners(tmp_path, slow.port, quick.port)
    async with asyncio.timeout(60):
        look = await look_at_ports(root)
    assert [table["name"] for table in tables(look)] == [f"port-{quick.port}"]


def test_listeners_that_loopback_does_not_reach_are_left_alone(tmp_path: Path):
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/tcp").write_text(
        "  sl  local_address rem_address   st\n"
        "   0: 0100007F:1F90 00000000:0000 0A\n"  # 127.0.0.1:8080 listens
        "   1: 0500000A:1F91 00000000:0000 0A\n"  # 10.0.0.5:8081 listens
        "   2: 00000000:1F92 00000000:0000 0A\n"  # 0.0.0.0:8082 listens
        "   3: 0100007F:1F93 0100007F:9999 01\n"  # 127.0.0.1:8083 is connected
        "   4: garbage\n   5: XYZ:1F94 0:0 0A\n"
    )
    (tmp_path / "proc/net/tcp6").write_text(
        "  sl  local_address rem_address   st\n"
        "   0: 00000000000000000000000001000000:1F95 0:0 0A\n"  # [::1]:8085
        "   1: 0000000000000000FFFF00000100007F:1F96 0:0 0A\n"  # ::ffff:127.0.0.1
        "   2: B80D0120000000000000000001000000:1F97 0:0 0A\n"  # 2001:db8::1
    )
    assert listening(tmp_path) == {8080, 8082, 8085, 8086}


@pytest.mark.service("docker")
async def test_running_containers_become_logs_named_after_their_compose_service(
    docker_engine: DockerEngine,
):
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "api"}
    docker_engine.run("found-api-1", "sleep", "300", labels=labels)
    docker_engine.run("found-plain", "sleep", "300")
    try:
        environ = {"DOCKER_HOST": f"unix://{docker_engine.socket}"}
        look = await look_at_docker(LocalHost(), environ)
    finally:
        docker_engine.docker("rm", "--force", "found-api-1", "found-plain")
    assert {"kind": "docker"} in tables(look)
    assert {"name": "api", "container": "found-api-1"} in tables(look)
    assert {"name": "found-plain", "container": "found-plain"} in tables(look)


async def test_without_an_engine_docker_is_missing_with_the_reason(tmp_path: Path):
    look = await look_at_docker(LocalHost(), {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert tables(look) == []
    assert f"{tmp_path}/none.sock" in reasons(look)


@pytest.mark.service("postgres")
async def test_a_postgres_socket_that_answers_is_found(postgres_server: Postgres, tmp_path: Path):
    look = await look_at_postgres({"PGHOST": str(postgres_server.socket_dir)}, tmp_path)
    folder, port = postgres_server.socket_dir, postgres_server.port
    assert {
        "kind": "postgres",
        "dsn": f"postgresql:///postgres?host={folder}&port={port}",
    } in tables(look)


async def test_a_socket_file_that_nobody_listens_at_is_not_found(tmp_path: Path):
    folder = tmp_path / "var/run/postgresql"
    folder.mkdir(parents=True)
    (folder / ".s.PGSQL.5432").touch()
    look = await look_at_postgres({}, tmp_path)
    assert tables(look) == []
    assert "no socket in /var/run/postgresql that answers" in reasons(look)


@pytest.mark.parametrize("folder", ["redis-server.sock", "redis.sock"])
async def test_a_redis_socket_is_found(tmp_path: Path, folder: str):
    path = tmp_path / "run/redis" / folder
    async with speaking(path):
        look = await look_at_redis({}, tmp_path)
    assert tables(look) == [{"kind": "redis", "url": f"unix://{path}"}]


async def test_the_environment_gives_names_and_never_a_value(tmp_path: Path):
    secret = "hunter2"
    environ = {
        "DATABASE_URL": f"postgresql+asyncpg://shop:{secret}@db.internal/shop?schema=public",
        "ORDERS_DB": f"jdbc:postgresql://orders:{secret}@db/orders",
        "REDIS_URL": f"rediss://:{secret}@cache:6380/1",
        "LEGACY_DB": f"mysql2://root:{secret}@old/shop",
        "PGHOST": f"{secret}.internal",
        "PGPASSWORD": secret,
        "API_TOKEN": secret,
    }
    looks = [*await look_at_postgres(environ, tmp_path), *await look_at_redis(environ, tmp_path)]
    discovery = Discovery(
        tuple(t for t in looks if isinstance(t, Found)),
        tuple(t for t in looks if isinstance(t, Missing)),
    )
    told = repr(discovery) + report(discovery)
    assert secret not in told
    assert 'dsn": "env:DATABASE_URL"' in told.replace("'", '"')
    assert {"kind": "postgres", "dsn": "env:ORDERS_DB"} in tables(list(discovery.found))
    assert {"kind": "redis", "url": "env:REDIS_URL"} in tables(list(discovery.found))
    assert "$LEGACY_DB is set" in report(discovery)


async def test_readable_web_server_logs_are_found_and_unreadable_ones_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "var/log/nginx"
    folder.mkdir(parents=True)
    (folder / "access.log").touch()
    (folder / "error.log").touch()
    real = os.access
    monkeypatch.setattr(  # the tests may run as root, who can read everything
        os, "access", lambda path, mode: "error" not in str(path) and real(path, mode)
    )
    look = await look_at_logs(tmp_path)
    assert tables(look) == [
        {"name": "nginx access", "path": str(folder / "access.log"), "access": True}
    ]
    assert "error.log is not readable by you; join its group" in reasons(look)


async def test_pm2_is_found_by_its_socket_and_logs_without_asking_it(tmp_path: Path):
    home = tmp_path / "pm2"
    (home / "logs").mkdir(parents=True)
    for name in ("api-out.log", "api-error.log", "worker-out-1.log", "worker-out-2.log"):
        (home / "logs" / name).touch()
    assert tables(await look_at_pm2({"PM2_HOME": str(home)})) == []
    async with speaking(home / "rpc.sock"):
        look = await look_at_pm2({"PM2_HOME": str(home)})
    assert [table["pm2"] for table in tables(look)] == ["api", "worker"]


async def test_units_of_known_servers_and_of_the_team_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/system/shop.service").write_text("[Service]\n")
    listing = (
        "nginx.service loaded active running x\n● shop.service loaded failed failed x\n"
        "cron.service loaded active running x\nevil\x1b[31m.service loaded active running x\n"
    )
    tool = tmp_path / "bin/systemctl"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncat <<'EOF'\n{listing}EOF\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    look = await look_at_units(LocalHost(), tmp_path)
    assert [table["unit"] for table in tables(look)] == ["nginx.service", "shop.service"]


async def test_a_whole_discovery_becomes_a_config_that_loads(
    http_service: Callable[..., HttpService], tmp_path: Path
):
    web = http_service()
    web.respond("/health", 200)
    root = with_listeners(tmp_path, web.port)
    for server in ("nginx", "apache2"):
        (root / "var/log" / server).mkdir(parents=True)
        (root / "var/log" / server / "access.log").touch()
    environ = {
        "DATABASE_URL": "postgresql://u:hunter2@db/shop",
        "SECOND_URL": "postgresql://u:hunter2@db/two",
        "REDIS_URL": "redis://:hunter2@cache",
        "DOCKER_HOST": f"unix://{tmp_path}/none.sock",
        "HOME": str(tmp_path),
    }
    discovery = await discover(LocalHost(), environ, root=root)
    text = to_toml(discovery)
    config, probes, _ = settled(parse(text, Path("warroom.toml")))
    assert {probe.entry.kind for probe in probes} == {"http", "postgres", "redis", "machine"}
    assert [p.entry.name for p in probes if p.entry.kind == "postgres"] == [
        "postgres",
        "postgres-2",
    ]
    assert [log.name for log in config.logs] == ["nginx access", "apache2 access"]
    assert "hunter2" not in text + report(discovery)
    assert "# Not found, or not usable" in text
    assert "not found  docker" in report(discovery)


def test_hostile_names_reach_neither_the_config_nor_the_report():
    hostile = "a\x1b[31m[/x][@click=app.bell]\u202e\x00\x9b\n[[probe]]"
    discovery = Discovery(
        (Found("log", {"name": "ok", "path": f"/var/log/{hostile}".replace("\0", "")}, hostile),),
        (Missing(hostile, hostile),),
    )
    told = report(discovery) + to_toml(discovery)
    assert not {"\x1b", "\u202e", "\x9b", "\0"} & set(told)
    assert "probe" not in tomllib.loads(to_toml(discovery))

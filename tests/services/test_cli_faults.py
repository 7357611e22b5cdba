"""What is wrong with a system reads as one plain line: on the command line, and in its pane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.services.http_speaker import Authority
from tests.services.postgres_clients import psql, tcp
from tests.support.cli import Shell, written
from tests.support.services import HttpService
from tests.tui.page import opened
from warroom.drill.stack import redis
from warroom.drill.stack.nginx import Nginx
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.program import free_port
from warroom.drill.stack.redis import Redis

SECRET: Final = "wrong-horse"
CLASSES: Final = ("Error", "Exception", "Traceback", "Errno", "<", "None")
"""What no plain line holds."""


@dataclass(frozen=True)
class Fault:
    """A probe that cannot see its system, and words that its line must hold."""

    name: str
    entry: str
    health: str
    words: tuple[str, ...]

    @property
    def config(self) -> str:
        return f'[[probe]]\nname = "{self.name}"\ntimeout = "60s"\n{self.entry}\n'


@pytest.fixture(scope="module")
def locked_redis(stack_folder: Path) -> Iterator[Redis]:
    """A Redis that wants a password."""
    folder = stack_folder / "locked-for-check"
    folder.mkdir(mode=0o711)
    server = asyncio.run(redis.start(folder, tcp=True, settings=("requirepass right-horse",)))
    yield server
    asyncio.run(server.stop())


@pytest.fixture
def faults(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres_server: Postgres,
    redis_server: Redis,
    locked_redis: Redis,
    nginx_server: Nginx,
    http_service: Callable[..., HttpService],
) -> list[Fault]:
    """One of every kind; the passwords are in the environment."""
    psql(postgres_server, "DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN PASSWORD 'right-horse'")
    monkeypatch.setenv("APP_WRONG", tcp(postgres_server, "app", SECRET))
    monkeypatch.setenv("REDIS_WRONG", f"redis://:{SECRET}@127.0.0.1:{locked_redis.port}/0")
    authority = Authority(tmp_path)
    expired = http_service(tls=authority.serving(days=-2.5))
    expired.respond("/", 200, "ok")
    gone, web, cache = free_port(), nginx_server.port, redis_server.port
    return [
        *_gone(f"127.0.0.1:{gone}", tmp_path / "no.sock"),
        *_shut_out(postgres_server, locked_redis),
        *_other_protocol(web, cache),
        *_without_a_name(),
        *_expired(f"127.0.0.1:{expired.port}", authority.file),
    ]


def _entry(kind: str, key: str, value: object) -> str:
    return f'kind = "{kind}"\n{key} = "{value}"'


def _gone(place: str, socket: Path) -> Iterator[Fault]:
    words = ("connection refused",)
    yield Fault("pg-gone", _entry("postgres", "dsn", f"postgresql://a@{place}/b"), "down", words)
    yield Fault("redis-gone", _entry("redis", "url", f"redis://{place}/0"), "down", words)
    yield Fault("http-gone", _entry("http", "url", f"http://{place}/"), "down", words)
    absent = ("no Docker engine", "no.sock")
    yield Fault("docker-gone", _entry("docker", "socket", socket), "down", absent)


def _shut_out(server: Postgres, cache: Redis) -> Iterator[Fault]:
    def pg(name: str, dsn: str, *words: str) -> Fault:
        return Fault(name, _entry("postgres", "dsn", dsn), "unknown", words)

    def rd(name: str, url: str, *words: str) -> Fault:
        return Fault(name, _entry("redis", "url", url), "unknown", words)

    yield pg("pg-password", "env:APP_WRONG", "wrong password", "app")
    yield pg("pg-no-password", tcp(server, "app"), "a password is wanted")
    yield pg("pg-database", server.dsn(database="shop"), "shop", "does not exist")
    yield rd("redis-password", "env:REDIS_WRONG", "wrong password")
    yield rd("redis-no-password", f"redis://127.0.0.1:{cache.port}/0", "it wants a password")


def _other_protocol(web: int, cache: int) -> Iterator[Fault]:
    def at(name: str, kind: str, key: str, value: str, health: str, *words: str) -> Fault:
        return Fault(name, _entry(kind, key, value), health, words)

    here = f"127.0.0.1:{web}"
    words = ("closed the connection without an answer",)
    yield at("http-at-redis", "http", "url", f"http://127.0.0.1:{cache}/", "down", *words)
    words = ("no Redis", "another protocol")
    yield at("redis-at-http", "redis", "url", f"redis://{here}/0", "down", *words)
    words = ("no PostgreSQL server", "another protocol")
    yield at("pg-at-http", "postgres", "dsn", f"postgresql://a@{here}/b", "down", *words)
    words = ("is not a Docker engine", "404")
    yield at("docker-at-http", "docker", "socket", f"tcp://{here}", "unknown", *words)
    shake = f'kind = "tls"\nhost = "127.0.0.1"\nport = {web}'
    yield Fault("tls-at-http", shake, "down", ("does not speak TLS",))


def _without_a_name() -> Iterator[Fault]:
    urls = {"postgres": "postgresql://a@shop.invalid/b", "redis": "redis://shop.invalid/0"}
    entries = {
        "http": _entry("http", "url", "http://shop.invalid/"),
        "pg": _entry("postgres", "dsn", urls["postgres"]),
        "redis": _entry("redis", "url", urls["redis"]),
        "dns": _entry("dns", "host", "shop.invalid"),
    }
    for kind, entry in entries.items():
        yield Fault(f"{kind}-name", entry, "down", ("shop.invalid", "DNS"))


def _expired(place: str, authority: Path) -> Iterator[Fault]:
    words = ("certificate expired 2 days ago",)
    host, _, port = place.partition(":")
    ca = f'ca = "{authority}"'
    yield Fault(
        "http-expired", f"{_entry('http', 'url', f'https://{place}/')}\n{ca}", "down", words
    )
    shake = f"{_entry('tls', 'host', host)}\nport = {port}\n{ca}"
    yield Fault("tls-expired", shake, "down", words)


@pytest.mark.service("postgres")
@pytest.mark.service("redis")
@pytest.mark.service("nginx")
def test_check_says_each_in_one_plain_line(tmp_path: Path, faults: list[Fault]) -> None:
    shell = Shell(tmp_path, written(tmp_path, *(fault.config for fault in faults)))
    answer = shell("check", status=2)
    assert answer.err == ""
    told = [line for line in answer.out.splitlines() if not line.startswith(" ")]  # no findings
    assert len(told) == len(faults), answer.out
    lines = dict(zip((f.name for f in faults), told, strict=True))
    for fault in faults:
        line = lines[fault.name]
        assert fault.name in line and fault.health in line, line
        assert all(word in line for word in fault.words), line
        assert not any(word in line for word in CLASSES), line
        assert SECRET not in line
        assert len(line) < 200, line


@pytest.mark.service("postgres")
@pytest.mark.service("redis")
@pytest.mark.service("nginx")
async def test_the_pane_says_each_in_one_plain_line(tmp_path: Path, faults: list[Fault]) -> None:
    config = written(tmp_path, *(fault.config for fault in faults))
    async with opened(config, size=(200, 60)) as room:
        for pane in room.app.room_screen.panes:
            await room.go(pane.key)
            await room.press("z")
            for fault in (one for one in faults if one.name in pane.sources):
                await room.sees(fault.name, *fault.words, pane=pane.key)
                about = [line for line in room.pane(pane.key).splitlines() if fault.name in line]
                assert any(all(word in line for word in fault.words) for line in about), about
                assert not any(word in line for line in about for word in CLASSES), about
            await room.press("z")
        assert SECRET not in room.text()

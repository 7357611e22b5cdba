"""PostgreSQL and Redis: by the names of variables in the environment, and by what listens here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from warroom.engine.discover.findings import Found, Look, Missing

_POSTGRES: Final = re.compile(r"(?:jdbc:)?(?:postgres(?:ql)?|pgsql|postgis)(?:\+\w+)?://", re.I)
_REDIS: Final = re.compile(r"(?:redis|rediss|valkey|valkeys)(?:\+\w+)?://", re.I)
_MYSQL: Final = re.compile(r"(?:jdbc:)?(?:mysql|mariadb)(?:\+\w+)?2?://", re.I)
_SOCKET: Final = re.compile(r"\.s\.PGSQL\.([0-9]{1,5})")
_PATIENCE: Final = 1.0
_REDIS_PORT: Final = 6379


async def look_at_postgres(environ: Mapping[str, str], root: Path) -> Look:
    """A URL in the environment wins: it knows the user and database that the team means."""
    found: Look = [
        Found("probe", {"kind": "postgres", "dsn": f"env:{name}"}, f"${name} is set")
        for name in _named(environ, _POSTGRES)
    ]
    found += [
        Missing("mysql", f"${name} is set, but there is no probe for MySQL yet")
        for name in _named(environ, _MYSQL)
    ]
    host = environ.get("PGHOST", "")
    if any(isinstance(thing, Found) for thing in found):
        return found
    for folder, port in _sockets(host, root):
        path = folder / f".s.PGSQL.{port}"
        if await listens(path):
            table = {"kind": "postgres", "dsn": f"postgresql:///postgres?host={folder}&port={port}"}
            found.append(Found("probe", table, f"a server listens at {path}"))
    if host and not host.startswith("/"):
        why = '$PGHOST is set; name the server: dsn = "postgresql://HOST/DATABASE"'
        return [*found, Missing("postgres", why)]
    if any(isinstance(thing, Found) for thing in found):
        return found
    why = "no $DATABASE_URL, no $PGHOST, no socket in /var/run/postgresql that answers"
    return [*found, Missing("postgres", why)]


async def look_at_redis(environ: Mapping[str, str], root: Path) -> Look:
    """A URL in the environment, else the usual port and socket of this machine."""
    found: Look = [
        Found("probe", {"kind": "redis", "url": f"env:{name}"}, f"${name} is set")
        for name in _named(environ, _REDIS)
    ]
    if found:
        return found
    for path in (root / "run/redis/redis-server.sock", root / "run/redis/redis.sock"):
        if await listens(path):
            return [Found("probe", {"kind": "redis", "url": f"unix://{path}"}, f"{path} listens")]
    answer = await _ping(_REDIS_PORT)
    if answer.startswith((b"+PONG", b"-LOADING", b"-BUSY")):
        url = f"redis://127.0.0.1:{_REDIS_PORT}"
        return [Found("probe", {"kind": "redis", "url": url}, "it answers at the usual port")]
    if answer.startswith((b"-NOAUTH", b"-DENIED", b"-ERR operation not permitted")):
        why = 'it answers at port 6379 but wants a password; set $REDIS_URL, url = "env:REDIS_URL"'
        return [Missing("redis", why)]
    return [Missing("redis", "no $REDIS_URL, and nothing at 127.0.0.1:6379 that speaks Redis")]


def _named(environ: Mapping[str, str], scheme: re.Pattern[str]) -> Iterator[str]:
    """Variables that hold such a URL: only their names leave here."""
    for name in sorted(environ):
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,80}", name) and scheme.match(environ[name]):
            yield name


def _sockets(folder: str, root: Path) -> Iterator[tuple[Path, int]]:
    folders = [Path(folder)] if folder else [root / "var/run/postgresql", root / "tmp"]
    for place in folders:
        try:
            names = sorted(path.name for path in place.iterdir())
        except OSError:  # not there, or not ours to list: then there is no socket for us either
            continue
        for name in names:
            match = _SOCKET.fullmatch(name)
            if match:
                yield place, int(match[1])


async def listens(path: Path) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_unix_connection(str(path))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _ping(port: int) -> bytes:
    """The first line that a Redis sends to an inline PING; empty when nothing answers."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"PING\r\n")
                return await reader.read(200)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""

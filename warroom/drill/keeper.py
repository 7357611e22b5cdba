"""The process that holds a drill together: servers, shop, traffic and what goes wrong.

It is a process of its own so that the console's figures are the console's own. It obeys lines on
its standard input (the name of a scenario), tells what became of them on its standard output (one
JSON object a line) and ends, with everything that it started, when its input ends: so a console
that is killed takes its drill along. Should this process be killed, the kernel ends its servers
(see `stack.program`), and the next drill removes what they left.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

from warroom.drill import settings
from warroom.drill.scenarios import MAX_CONNECTIONS, SCENARIOS, Stage
from warroom.drill.shop import PRODUCTS, ROUTES, SCHEMA, AppLog, Shop
from warroom.drill.stack import docker, nginx, postgres, program, redis
from warroom.drill.stack.traffic import Crowd, Visit

_RATE: Final = 40.0
_FLOOD_RATE: Final = 120.0
_LOG_LIMIT: Final = 64 * 1024 * 1024
_DATABASE: Final = (f"max_connections = {MAX_CONNECTIONS}", "superuser_reserved_connections = 1")
_CACHE: Final = ("maxmemory 16mb", "maxmemory-policy volatile-lru")
_ROLES: Final = f"""
CREATE ROLE shop LOGIN CONNECTION LIMIT {MAX_CONNECTIONS - 2};
CREATE ROLE oncall LOGIN;
GRANT pg_monitor, pg_signal_backend TO oncall;
"""
"""One slot is the superuser's, and one is left to whoever looks, with nothing to spare."""
_LOOP: Final = (
    "trap 'exit 0' TERM; n=0; touch /tmp/alive; while :; do n=$((n+1)); "
    'echo "level=info msg=\\"{message}\\" n=$n"; sleep {pause} & wait $!; done'
)
_CONTAINERS: Final = {
    "api": ("serving products", 1),
    "worker": ("sent a mail", 2),
    "cron": ("nothing to do", 5),
}
_PUT_RIGHT_S: Final = 5.0
S = TypeVar("S")


class Keeper:
    """One drill. `missing` says for each system that could not be had what to install."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owned = AsyncExitStack()
        self._playing: asyncio.Task[Any] | None = None
        self.missing: dict[str, str] = {}

    async def start(self) -> Path:
        """Brings everything up, nothing being wrong yet, and returns the config's path."""
        program.remove_orphans()
        self._home = program.new_folder()
        self._owned.callback(shutil.rmtree, self._home, ignore_errors=True)
        log = AppLog(self._home / "shop.log")
        self._shop = Shop(log, lambda name: self._home / f"{name}.access.log")
        await self._shop.start()
        self._owned.push_async_callback(self._shop.stop)
        routes = {prefix: self._shop.services[name].port for prefix, name in ROUTES.items()}
        self._nginx, self._redis, self._postgres, self._containers = await asyncio.gather(
            self._have("nginx", nginx.start(self._home, routes)),
            self._have("redis", redis.start(self._home, settings=_CACHE)),
            self._have("postgres", postgres.start(self._home, settings=_DATABASE)),
            self._run_containers(),
        )
        await self._fill()
        self._traffic()
        return settings.write(
            self._folder,
            {name: f"{web.url}/health" for name, web in self._shop.services.items()},
            self._systems(),
            self._logs(),
            self._containers[0] if self._containers else "",
            self._edge(),
        )

    async def play(self, name: str) -> None:
        """Ends the scenario under way, puts things right, and begins another."""
        await self._end_scenario()
        stage = Stage(
            self._shop, self._cache, self._postgres, self._engine, self._containers, self._flood
        )
        self._playing = asyncio.ensure_future(SCENARIOS[name].play(stage))
        self._playing.add_done_callback(self._tell_failure)

    async def _end_scenario(self) -> None:
        """A library may swallow a cancellation (redis does one of some dozens that meet it at
        work): what goes on is asked again, but not before it had time to put things right."""
        while self._playing and not self._playing.done():
            self._playing.cancel()
            await asyncio.wait((self._playing,), timeout=_PUT_RIGHT_S)

    async def stop(self) -> None:
        """Ends everything that was started, whatever became of it."""
        await self._end_scenario()
        await self._owned.aclose()

    def _tell_failure(self, playing: asyncio.Task[Any]) -> None:
        if not playing.cancelled() and playing.exception():
            print(f"the scenario ended: {playing.exception()!r}", file=sys.stderr)

    async def _have(self, name: str, start: Coroutine[Any, Any, S]) -> S | None:
        try:
            server = await start
        except (program.Missing, program.StartFailed) as why:
            self.missing[name] = str(why)
            return None
        self._owned.push_async_callback(server.stop)  # type: ignore[attr-defined]
        return server

    async def _fill(self) -> None:
        """The database, and the shop's connections."""
        import asyncpg
        from redis.asyncio import Redis

        pool = None
        if self._postgres:
            admin = await asyncpg.connect(self._postgres.dsn())
            await admin.execute(_ROLES)
            await admin.execute("CREATE DATABASE shop OWNER shop")
            await admin.close()
            owner = await asyncpg.connect(self._postgres.dsn(database="shop"))
            await owner.execute(SCHEMA % PRODUCTS)
            await owner.close()
            pool = await asyncpg.create_pool(
                self._postgres.dsn("shop", "shop"),
                min_size=2,
                max_size=6,
                server_settings={"application_name": "shop-checkout", "lock_timeout": "800ms"},
            )
            self._owned.callback(pool.terminate)
        self._cache = Redis.from_url(self._redis.url) if self._redis else None
        if self._cache:
            self._owned.push_async_callback(self._cache.aclose)
        self._shop.connect(self._cache, pool)
        await self._shop.warm()

    async def _run_containers(self) -> tuple[str, ...]:
        """At once, so that they are past their first health check when somebody looks."""
        self._engine = await self._have("docker", docker.start(self._home))
        if self._engine is None:
            return ()
        taken = set()
        for container, owner in (await self._engine.owned()).items():
            if program.alive(int(owner)):
                taken.add(owner)
            else:
                await self._engine.remove(container)
        suffix = f"-{os.getpid()}" if taken else ""  # another drill runs on this engine
        names = {role: f"warroom-drill-{role}{suffix}" for role in _CONTAINERS}
        await asyncio.gather(*(self._run(role, name) for role, name in names.items()))
        return tuple(names.values())

    async def _run(self, role: str, name: str) -> None:
        assert self._engine is not None
        message, pause = _CONTAINERS[role]
        argv = ["sh", "-c", _LOOP.format(message=message, pause=pause)]
        compose = "com.docker.compose"
        labels = {f"{compose}.project": "warroom-drill", f"{compose}.service": role}
        health = ("test", "-f", "/tmp/alive") if role == "worker" else ()
        await self._engine.run(name, argv, labels=labels, health=health)

    def _traffic(self) -> None:
        products = [
            (Visit("GET", f"/api/products/{n}"), max(1, 240 // n)) for n in range(1, PRODUCTS + 1)
        ]
        total = sum(weight for _, weight in products)
        others = {
            "GET /": 25,
            "GET /offers": 8,
            "POST /checkout": 25,
            "POST /pay": 14,
            "GET /wp-login.php": 2,
        }
        visits = products + [
            (Visit(*line.split(" ")), total * weight // 100) for line, weight in others.items()
        ]
        route: Callable[[str], int] = self._shop.port
        if self._nginx:
            port = self._nginx.port
            route = lambda _path: port  # noqa: E731
        usual = [f"198.18.{n % 5}.{n + 10}" for n in range(24)]
        flood = [f"203.0.113.{n}" for n in range(1, 41)]
        self._flood = Crowd(flood, [(Visit("GET", "/offers"), 1)], route, _FLOOD_RATE)
        crowd = Crowd(usual, visits, route, _RATE)
        for work in (crowd.run(), self._bound_logs()):
            task = asyncio.ensure_future(work)
            self._owned.callback(task.cancel)

    async def _bound_logs(self) -> None:
        """A forgotten drill does not fill the disk. Servers append, so a log may be cut."""
        while True:
            await asyncio.sleep(60)
            for log in self._home.rglob("*.log"):
                _cut(log)

    def _systems(self) -> Mapping[str, Mapping[str, Any]]:
        """Probe kind → options. A system that is missing is left to `missing`."""
        systems: dict[str, dict[str, Any]] = {}
        if self._engine:
            systems["docker"] = {"socket": str(self._engine.socket)}
        if self._postgres:
            systems["postgres"] = {"dsn": self._postgres.dsn("oncall", "shop")}
        if self._redis:
            systems["redis"] = {"url": self._redis.url}
        return systems | {"machine": {}}

    def _edge(self) -> Mapping[str, Any]:
        """How the nginx in front is told whom to block; nothing without one."""
        if self._nginx is None:
            return {}
        return {
            "nginx": list(self._nginx.argv),
            "include": str(self._nginx.include),
            "verify_url": f"{self._nginx.url}/nginx_status",
            "verify_header": "X-Forwarded-For",
        }

    def _logs(self) -> Mapping[str, Mapping[str, Any]]:
        logs: dict[str, dict[str, Any]] = {"shop": {"path": str(self._home / "shop.log")}}
        if self._nginx:
            logs["edge"] = {"path": str(self._nginx.access_log), "access": True}
            logs["nginx"] = {"path": str(self._nginx.error_log)}
        else:
            for name in self._shop.services:
                path = str(self._home / f"{name}.access.log")
                logs[f"{name} access"] = {"path": path, "access": True}
        if self._redis:
            logs["redis"] = {"path": str(self._redis.log)}
        if self._postgres:
            logs["postgres"] = {"path": str(self._postgres.log)}
        for name in self._containers:
            logs[name.removeprefix("warroom-drill-")] = {"container": name}
        return logs


async def main(folder: Path, scenario: str) -> None:
    """Keeps one drill until the standard input ends or a signal comes."""
    keeper = Keeper(folder)
    lines = await _lines()
    try:
        config = await keeper.start()
        await keeper.play(scenario)
        _say({"config": str(config), "missing": keeper.missing})
        while line := await lines.readline():
            await keeper.play(line.decode().strip())
            _say({"playing": line.decode().strip()})
    finally:
        await keeper.stop()


async def _lines() -> asyncio.StreamReader:
    """The standard input; it ends on SIGTERM, SIGINT and SIGHUP too."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    for kind in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(kind, reader.feed_eof)
    return reader


def _cut(log: Path) -> None:
    if log.stat().st_size > _LOG_LIMIT:
        os.truncate(log, 0)


def _say(message: Mapping[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

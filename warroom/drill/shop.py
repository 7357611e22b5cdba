"""The shop that a drill runs: four small services on the real Redis and PostgreSQL.

They fail for real reasons only: a checkout is refused because its row is locked or its pool is
empty, a product is slow because the cache lost it. Each answers `/health` in another of the
conventions found in the wild.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from warroom.drill.stack.web import Request, Response, Web, as_json

if TYPE_CHECKING:
    from asyncpg import Pool
    from redis.asyncio import Redis

PRODUCTS: Final = 400
SCHEMA: Final = """
CREATE TABLE stock (sku int PRIMARY KEY, name text NOT NULL, quantity int NOT NULL);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku int NOT NULL,
                     at timestamptz NOT NULL DEFAULT now());
INSERT INTO stock SELECT n, 'product ' || n, 1000000 FROM generate_series(1, %d) AS n;
GRANT ALL ON stock, orders TO shop;
GRANT SELECT ON stock, orders TO oncall;
"""
_CACHE_SECONDS: Final = 300
_POOL_WAIT: Final = 0.5
_HOT_SKUS: Final = 4
"""Most checkouts are for a few products, so a locked row is felt."""
_LAST: Final = 20
"""So many requests say whether a service is well."""
_PAGE_WORKERS: Final = 2
_PAGE_S: Final = 0.06
"""What a page takes, spent asleep: the processor belongs to the console."""
_PAGE_WAIT: Final = 0.15


class AppLog:
    """The services' own log: time, level, service, message."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", buffering=1)

    def write(self, level: str, service: str, message: str) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._file.write(f"{at} {level:<5} {service}: {message}\n")

    def close(self) -> None:
        self._file.close()


class Shop:
    """The four services. A backend that is not there (None) is left out of the answers."""

    def __init__(self, log: AppLog, access_log: Callable[[str], Path]) -> None:
        self.log = log
        self._cache: Redis | None = None
        self._stock: Pool | None = None
        self._outcomes: deque[str] = deque(maxlen=_LAST)
        self._lookups: deque[str] = deque(maxlen=_LAST)
        self._workers = asyncio.Semaphore(_PAGE_WORKERS)
        self._turned_away: deque[bool] = deque(maxlen=_LAST)
        self._dice = random.Random(11)
        handlers = {
            "web": self._web,
            "api": self._api,
            "checkout": self._checkout,
            "payments": self._payments,
        }
        self.services = {
            name: Web(name, handler, access_log=access_log(name))
            for name, handler in handlers.items()
        }

    def connect(self, cache: Redis | None, stock: Pool | None) -> None:
        """Gives the services what they stand on."""
        self._cache, self._stock = cache, stock

    async def warm(self) -> None:
        """Fills the cache as a shop's is that has been open for hours."""
        if self._cache:
            pipe = self._cache.pipeline(transaction=False)
            for sku in range(1, PRODUCTS + 1):
                pipe.set(f"product:{sku}", _described(sku, f"product {sku}"), ex=self._lifetime())
            await pipe.execute()

    async def start(self) -> None:
        await asyncio.gather(*(service.start() for service in self.services.values()))

    async def stop(self) -> None:
        await asyncio.gather(*(service.stop() for service in self.services.values()))
        self.log.close()

    def port(self, path: str) -> int:
        """The port of the service that a path belongs to."""
        for prefix, name in ROUTES.items():
            if path.startswith(prefix):
                return self.services[name].port
        return self.services["web"].port

    async def _web(self, request: Request) -> Response:
        if request.path == "/health":
            return self._web_health()
        if request.path not in ("/", "/offers", "/cart"):
            return Response(404, b"not found\n")
        served = await self._page()
        self._turned_away.append(not served)
        if not served:
            return Response(503, b"too many visitors\n")
        return Response(200, b"<h1>The shop</h1>\n" * 40, {"Content-Type": "text/html"})

    async def _page(self) -> bool:
        """Whether a worker got round to it before the visitor was turned away."""
        try:
            async with asyncio.timeout(_PAGE_WAIT):
                await self._workers.acquire()
        except TimeoutError:
            return False
        try:
            await asyncio.sleep(_PAGE_S)
        finally:
            self._workers.release()
        return True

    def _web_health(self) -> Response:
        """As plain text."""
        away, of = sum(self._turned_away), len(self._turned_away)
        if away and away * 10 >= of:
            self.log.write("ERROR", "web", f"{away} of the last {of} visitors were turned away")
            return Response(503, f"{away} of the last {of} visitors turned away\n".encode())
        return Response(200, b"ok\n")

    async def _api(self, request: Request) -> Response:
        if request.path == "/health":
            return self._api_health()
        try:
            sku = int(request.path.rpartition("/")[2])
        except ValueError:
            return as_json({"error": "no such product"}, 404)
        try:
            body = await self._product(sku)
        except _troubles() as error:
            self._lookups.append(str(error) or type(error).__name__)
            self.log.write("ERROR", "api", f"product {sku}: {self._lookups[-1]}")
            return as_json({"error": "try again"}, 503)
        self._lookups.append("")
        return Response(200, body, {"Content-Type": "application/json"})

    def _api_health(self) -> Response:
        """As @nestjs/terminus answers."""
        failed = [outcome for outcome in self._lookups if outcome]
        if failed and len(failed) * 10 >= len(self._lookups):
            share = f"{len(failed)} of the last {len(self._lookups)} products failed"
            down = {"products": {"status": "down", "message": f"{failed[-1]} ({share})"}}
            return as_json({"status": "error", "info": {}, "error": down, "details": down}, 503)
        state = {"products": {"status": "up"}}
        return as_json({"status": "ok", "info": state, "error": {}, "details": state})

    async def _product(self, sku: int) -> bytes:
        """From the cache, else from the database; raises what `_troubles` names."""
        key = f"product:{sku}"
        cached = await self._cache.get(key) if self._cache else None
        if isinstance(cached, bytes):
            return cached
        name = f"product {sku}"
        if self._stock:
            async with self._stock.acquire(timeout=_POOL_WAIT) as db:
                name = await db.fetchval("SELECT name FROM stock WHERE sku = $1", sku) or name
        body = _described(sku, name)
        if self._cache:
            await self._cache.set(key, body, ex=self._lifetime())
        return body

    def _lifetime(self) -> int:
        """Seconds in the cache; not all the same, or products would expire together."""
        return self._dice.randint(_CACHE_SECONDS, 3 * _CACHE_SECONDS)

    async def _checkout(self, request: Request) -> Response:
        if request.path == "/health":
            return self._checkout_health()
        hot = self._dice.random() < 0.6
        sku = self._dice.randint(1, _HOT_SKUS if hot else PRODUCTS)
        outcome = await self._order(sku) if self._stock else ""
        self._outcomes.append(outcome)
        if outcome:
            self.log.write("ERROR", "checkout", f"order for sku {sku} failed: {outcome}")
            return as_json({"error": outcome}, 503)
        return as_json({"ordered": sku}, 201)

    async def _order(self, sku: int) -> str:
        """Orders one piece; returns why that failed, or nothing."""
        assert self._stock is not None
        try:
            async with self._stock.acquire(timeout=_POOL_WAIT) as db, db.transaction():
                await db.execute("UPDATE stock SET quantity = quantity - 1 WHERE sku = $1", sku)
                await db.execute("INSERT INTO orders (sku) VALUES ($1)", sku)
        except TimeoutError:
            return f"no database connection within {_POOL_WAIT:g} s"
        except _troubles() as error:
            return str(error)
        return ""

    def _checkout_health(self) -> Response:
        """As Spring Boot's actuator answers."""
        failed = [outcome for outcome in self._outcomes if outcome]
        orders: dict[str, Any] = {"status": "UP"}
        if len(failed) * 10 >= len(self._outcomes) and failed:
            share = f"{len(failed)} of the last {len(self._outcomes)} orders failed"
            orders = {"status": "DOWN", "details": {"error": failed[-1], "orders": share}}
        status = orders["status"]
        body = {"status": status, "components": {"orders": orders, "ping": {"status": "UP"}}}
        return as_json(body, 200 if status == "UP" else 503)

    async def _payments(self, request: Request) -> Response:
        if request.path == "/health":
            return as_json({"status": "pass", "version": "1", "checks": {}})
        await asyncio.sleep(self._dice.uniform(0.02, 0.09))  # the bank at the other end
        return as_json({"paid": True})


def _described(sku: int, name: str) -> bytes:
    return json.dumps({"sku": sku, "name": name, "text": "lorem ipsum " * 40}).encode()


def _troubles() -> tuple[type[Exception], ...]:
    """What the backends' clients raise when a backend is in trouble."""
    from asyncpg import InterfaceError, PostgresError
    from redis.exceptions import RedisError

    return (PostgresError, InterfaceError, RedisError, OSError, TimeoutError)


ROUTES: Final = {
    "/api/": "api",
    "/checkout": "checkout",
    "/pay": "payments",
    "/": "web",
}
"""Path prefix → service, the longest first."""

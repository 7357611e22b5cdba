"""What goes wrong in a drill. A scenario runs until it is cancelled and then puts things right.

Every one can be ended from the console as a real incident would be: restart the container, delete
what fills the cache, terminate who holds the lock or the connections, block the range that floods;
and the shop recovers by itself.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from warroom.drill.shop import Shop

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from warroom.drill.stack.docker import Engine
    from warroom.drill.stack.postgres import Postgres
    from warroom.drill.stack.traffic import Crowd

MAX_CONNECTIONS: Final = 30
_CART: Final = b"x" * 4096
_HOLD: Final = 3600.0


@dataclass(frozen=True)
class Stage:
    """What a scenario may break. None for a system that this machine does not have."""

    shop: Shop
    cache: Redis | None
    postgres: Postgres | None
    engine: Engine | None
    containers: tuple[str, ...]
    flood: Crowd


@dataclass(frozen=True)
class Scenario:
    """`title` says in one line what happens."""

    title: str
    play: Callable[[Stage], Awaitable[None]]


async def calm(stage: Stage) -> None:
    """Nothing is wrong."""


async def checkout(stage: Stage) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_lock_chain(stage))
        group.create_task(_leak_connections(stage, until=18))
        group.create_task(_slow_reports(stage))


async def service_down(stage: Stage) -> None:
    web = stage.shop.services["web"]
    engine, name = stage.engine, stage.containers[0] if stage.containers else ""
    try:
        if engine:
            await engine.kill(name)
        web.faults.status, web.faults.body = 502, b"bad gateway\n"
        stage.shop.log.write("ERROR", "web", "upstream shop-api is gone")
        while engine is None or not await engine.running(name):  # noqa: ASYNC110 - not ours to tell
            await asyncio.sleep(0.5)
        stage.shop.log.write("INFO", "web", "upstream shop-api is back")
    finally:
        web.faults.clear()
        if engine and not await engine.running(name):
            await engine.restart(name)


async def cache_failure(stage: Stage) -> None:
    """Carts without an expiry fill the cache: what may expire, the products, is evicted for them,
    until nothing is left to evict and little more is taken."""
    if stage.cache is None:
        return
    stage.shop.log.write("INFO", "carts", "keeping abandoned carts in the cache from now on")
    carts = itertools.count(1)
    try:
        while await _kept(stage, itertools.islice(carts, 25)):  # noqa: ASYNC110 - not ours to tell
            await asyncio.sleep(0.01)
        while True:  # a trickle from here on: to fill it again takes ten minutes
            await _kept(stage, itertools.islice(carts, 1))
            await asyncio.sleep(0.2)
    finally:
        await stage.cache.flushdb()
        await stage.shop.warm()


async def _kept(stage: Stage, numbers: Iterable[int]) -> bool:
    """Whether the cache took these carts."""
    from redis.exceptions import OutOfMemoryError

    assert stage.cache is not None
    pipe = stage.cache.pipeline(transaction=False)
    for number in numbers:
        pipe.set(f"cart:{number:05}", _CART)
    try:
        await pipe.execute()
    except OutOfMemoryError as error:
        stage.shop.log.write("ERROR", "carts", f"a cart could not be kept: {error}")
        return False
    return True


async def pool_exhausted(stage: Stage) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_lock_chain(stage))
        group.create_task(_leak_connections(stage, until=MAX_CONNECTIONS - 1))


async def traffic_flood(stage: Stage) -> None:
    await stage.flood.run()


SCENARIOS: Final = {
    "checkout": Scenario("checkouts fail on a locked row while connections leak", checkout),
    "service-down": Scenario("a container is killed and the shop answers 502", service_down),
    "cache-failure": Scenario(
        "carts that never expire fill the cache until it takes nothing more", cache_failure
    ),
    "pool-exhausted": Scenario(
        "leaked transactions take the database's connections", pool_exhausted
    ),
    "traffic-flood": Scenario(
        "one network floods the shop, whose visitors are turned away", traffic_flood
    ),
    "calm": Scenario("nothing is wrong", calm),
}


async def _connect(stage: Stage, name: str) -> Any:
    import asyncpg

    assert stage.postgres is not None
    dsn = stage.postgres.dsn("shop", "shop")
    return await asyncpg.connect(dsn, server_settings={"application_name": name})


async def _lock_chain(stage: Stage) -> None:
    """An import keeps row 1 locked and idles; three others wait for it, one behind the other."""
    if stage.postgres is None:
        return
    take = "UPDATE stock SET quantity = quantity - 1 WHERE sku = $1"
    async with AsyncExitStack() as stack:
        importer, billing, mailer, search = [
            await _opened(stage, stack, name)
            for name in ("shop-import", "shop-billing", "shop-mailer", "shop-search")
        ]
        for db in (importer, billing):
            await db.execute("BEGIN")
        await importer.execute(take, 1)
        await billing.execute(take, 2)
        waits = ((billing, 1), (mailer, 2), (search, 1))
        await asyncio.gather(*(_wait_for_row(stage, db, take, sku) for db, sku in waits))
        await _until_ended(importer)


async def _opened(stage: Stage, stack: AsyncExitStack, name: str) -> Any:
    db = await _connect(stage, name)
    stack.callback(db.terminate)
    return db


async def _wait_for_row(stage: Stage, db: Any, take: str, sku: int) -> None:
    """Takes the row when it is free; a backend that was terminated meanwhile is simply gone."""
    import asyncpg

    try:
        await db.execute(take, sku)
        if db.is_in_transaction():
            await db.execute("COMMIT")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        stage.shop.log.write("WARN", "worker", f"gave up on sku {sku}: {error}")


async def _until_ended(db: Any) -> None:
    """Returns when the server has ended the connection."""
    while not db.is_closed():  # noqa: ASYNC110 - asyncpg has no event for it
        await asyncio.sleep(0.5)


async def _leak_connections(stage: Stage, until: int) -> None:
    """Transactions that are begun and never ended, until the server has `until` clients."""
    import asyncpg

    if stage.postgres is None:
        return
    count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    async with AsyncExitStack() as stack:
        try:
            db = await _opened(stage, stack, "shop-checkout")
            while await db.fetchval(count) < until:
                leaked = await _opened(stage, stack, "shop-checkout")
                await leaked.execute("BEGIN")
                await leaked.execute("SELECT quantity FROM stock WHERE sku = 3")
                await asyncio.sleep(0.05)
        except (asyncpg.PostgresError, OSError) as error:
            stage.shop.log.write("ERROR", "checkout", f"no more connections: {error}")
        await asyncio.sleep(_HOLD)


async def _slow_reports(stage: Stage) -> None:
    """One report after the other, each running for half a minute."""
    import asyncpg

    if stage.postgres is None:
        return
    query = "SELECT count(*), pg_sleep(30) FROM orders WHERE at > now() - interval '1 day'"
    async with AsyncExitStack() as stack:
        db = await _opened(stage, stack, "shop-report")
        while not db.is_closed():
            try:
                await db.fetch(query, timeout=60)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                stage.shop.log.write("WARN", "report", f"report ended: {error}")
            await asyncio.sleep(2.0)

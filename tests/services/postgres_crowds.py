"""Mitigations of many backends for a test, and the shop whose sessions they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from tests.services.postgres_clients import Crowd, pid, psql, until
from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.drill.stack.postgres import Postgres
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import Card, MitigationContext, spec

NOTHING: Mapping[str, Any] = {}


class Many:
    """Makes a mitigation of a kind, of who is older than a second unless it is said otherwise."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._made: list[Any] = []

    def __call__(
        self, act: str, dsn: str = "", context: Mapping[str, Any] = NOTHING, **given: Any
    ) -> Any:
        kind = spec(f"postgres.{act}")
        if act != "terminate_blockers":
            given = {"longer_than": 1.0} | given
        options = kind.options(dsn=Secret(dsn or self._server.dsn()), **given)
        one = kind.create(options, MitigationContext(LocalHost(), SystemClock(), **context))
        self._made.append(one)
        return one

    async def close(self) -> None:
        for one in self._made:
            await one.close()


@pytest.fixture
async def many(postgres_server: Postgres) -> AsyncIterator[Many]:
    made = Many(postgres_server)
    yield made
    await made.close()


@pytest.fixture
def shop(postgres_server: Postgres) -> Iterator[None]:
    psql(postgres_server, "CREATE ROLE shop LOGIN; CREATE TABLE jobs (id int PRIMARY KEY, n int)")
    psql(postgres_server, "INSERT INTO jobs VALUES (1, 0), (2, 0); GRANT ALL ON jobs TO shop")
    yield
    sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'shop'"
    psql(postgres_server, sql)
    psql(postgres_server, "DROP TABLE jobs; DROP OWNED BY shop; DROP ROLE shop")


@pytest.fixture
async def crowd(postgres_server: Postgres) -> AsyncIterator[Crowd]:
    async with Crowd(postgres_server) as people:
        yield people


async def client(crowd: Crowd, server: Postgres, app: str = "shop", user: str = "shop") -> Any:
    return await crowd.connect(server.dsn(user), app=app)


async def idler(
    crowd: Crowd, server: Postgres, *statements: str, app: str = "shop", user: str = "shop"
) -> Any:
    """A client that idles in a transaction."""
    connection = await client(crowd, server, app, user)
    for statement in ("BEGIN", *statements):
        await connection.execute(statement)
    return connection


async def aged(server: Postgres, *clients: Any) -> None:
    """Until each has been doing what it does for longer than a second."""
    numbers = ", ".join(str(pid(one)) for one in clients)
    sql = (
        f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({numbers}) AND CASE WHEN "
        "state = 'active' THEN query_start ELSE state_change END"
        " < clock_timestamp() - interval '1 s'"
    )

    async def old() -> int:
        return int(await asyncio.to_thread(psql, server, sql))

    await asyncio.sleep(1.0)
    await until(old, lambda count: count == len(clients))


def alive(server: Postgres, one: Any) -> bool:
    return psql(server, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid(one)}") == "1"


def texts(card: Card) -> list[str]:
    """Everything that stands on a card."""
    return [*card.command, *card.warnings, card.undo, *(text for hit in card.hits for text in hit)]

"""What frees connection slots needs none: it borrows the connection of who looks on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from tests.services.postgres_clients import Crowd, pid, psql
from tests.services.postgres_crowds import aged, alive, crowd, idler, shop
from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.drill.stack.postgres import Postgres
from warroom.hosts.local import LocalHost
from warroom.hosts.postgres import PostgresFault, PostgresSession
from warroom.mitigations.base import MitigationContext, MitigationRefused, spec

__all__ = ["crowd", "shop"]
pytestmark = [pytest.mark.service("postgres"), pytest.mark.usefixtures("shop", "oncall")]


@pytest.fixture
def oncall(postgres_server: Postgres) -> Iterator[None]:
    psql(postgres_server, "CREATE ROLE oncall LOGIN CONNECTION LIMIT 1")
    psql(postgres_server, "GRANT pg_monitor, pg_signal_backend TO oncall")
    yield
    psql(postgres_server, "DROP ROLE oncall")


@pytest.fixture
async def observer(postgres_server: Postgres) -> AsyncIterator[PostgresSession]:
    session = PostgresSession(Secret(postgres_server.dsn("oncall")), LocalHost(), timeout=5.0)
    async with session.use():
        pass
    yield session
    await session.close()


async def test_idlers_are_ended_over_the_observers_connection_when_no_slot_is_left(
    postgres_server: Postgres, crowd: Crowd, observer: PostgresSession
) -> None:
    leaked = await idler(crowd, postgres_server)
    await aged(postgres_server, leaked)
    with pytest.raises(asyncpg.TooManyConnectionsError):
        await crowd.connect(postgres_server.dsn("oncall"), app="second")
    kind = spec("postgres.terminate_idle")
    options = kind.options(dsn=Secret(postgres_server.dsn("oncall")), longer_than=1.0)
    mitigation = kind.create(options, MitigationContext(observer._host, SystemClock()))
    done = await mitigation.perform(await mitigation.preview(None))
    await mitigation.close()
    assert done.evidence["ended"] == [pid(leaked)]
    assert not alive(postgres_server, leaked)
    async with observer.use() as connection:
        assert await connection.fetchval("SHOW default_transaction_read_only") == "on"


async def test_nothing_is_borrowed_from_another_role_or_by_who_does_not_ask(
    postgres_server: Postgres, observer: PostgresSession
) -> None:
    host = observer._host
    plain = PostgresSession(Secret(postgres_server.dsn("oncall")), host, timeout=5.0, writes=True)
    with pytest.raises(PostgresFault, match="no connection slot left"):
        async with plain.use():
            pass
    psql(postgres_server, "ALTER ROLE shop CONNECTION LIMIT 0")
    kind = spec("postgres.terminate_idle")
    options = kind.options(dsn=Secret(postgres_server.dsn("shop")), longer_than=1.0)
    mitigation = kind.create(options, MitigationContext(host, SystemClock()))
    with pytest.raises(MitigationRefused, match="no connection slot left"):
        await mitigation.preview(None)
    await mitigation.close()

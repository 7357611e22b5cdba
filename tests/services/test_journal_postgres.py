"""PostgreSQL as a journal for several machines: what every store promises, and more."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest

from tests.services.postgres_clients import psql
from tests.support.journal_contract import JournalContract
from tests.unit.chains import BEGIN
from warroom.domain.clock import ManualClock
from warroom.drill.stack.postgres import Postgres
from warroom.journal.postgres import PostgresJournal

pytestmark = pytest.mark.service("postgres")

_numbers = itertools.count()


@pytest.fixture
def database(postgres_server: Postgres) -> str:
    """A new, empty database."""
    name = f"journal_{next(_numbers)}"
    psql(postgres_server, f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGIN)


@pytest.fixture
async def journal(
    postgres_server: Postgres, database: str, clock: ManualClock
) -> AsyncIterator[PostgresJournal]:
    journal = PostgresJournal(postgres_server.dsn(database=database), clock)
    yield journal
    await journal.close()


class TestPostgres(JournalContract):
    """See `tests.support.journal_contract`."""

"""What a writer could forge in a shared journal, past warroom, has no effect on others."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.services.shared_journal import Shared, open_one
from warroom.drill.stack.postgres import Postgres
from warroom.journal.base import JournalError
from warroom.journal.postgres import PostgresJournal

pytestmark = pytest.mark.service("postgres")


@pytest.fixture
def shared(postgres_server: Postgres) -> Shared:
    """A new, empty database."""
    return Shared.made(postgres_server)


@pytest.fixture
async def journal(shared: Shared) -> AsyncIterator[PostgresJournal]:
    journal = PostgresJournal(shared.dsn())
    yield journal
    await journal.close()


async def test_what_a_writer_forged_hides_no_other_incident(
    journal: PostgresJournal, shared: Shared
) -> None:
    """Nobody could take it away again: the journal is append-only."""
    incident = await open_one(journal)
    shared.sql(
        "INSERT INTO warroom.incident (id, day, of_day, sealed_as) VALUES ('INC-X', '', 1, 'X')"
    )
    shared.sql(
        "INSERT INTO warroom.event SELECT number, 1, 'x', now(), now(), 'mallory', 1, '', "
        "'severity', '', '[[', false, false, '', 'x' FROM warroom.incident WHERE id = 'INC-X'"
    )
    forged, own = await journal.headings()
    assert (forged.id, forged.fault[:15]) == ("INC-X", "cannot be read:")
    assert (own.id, own.fault) == (incident, "")
    assert await journal.current() == incident


@pytest.mark.parametrize("metrics", ["[1]", '{"a": null}', "{"])
async def test_figures_that_are_none_are_an_error_in_words(
    journal: PostgresJournal, shared: Shared, metrics: str
) -> None:
    incident = await open_one(journal)
    shared.sql(
        f"INSERT INTO warroom.reading SELECT number, 'redis', 1, now(), '{metrics}' "
        f"FROM warroom.incident WHERE id = '{incident}'"
    )
    with pytest.raises(JournalError, match=f"the figures of {incident} cannot be read: redis"):
        await journal.readings(incident)

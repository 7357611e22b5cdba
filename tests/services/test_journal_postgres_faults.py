"""Servers that die, networks that fail, locks that stay: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.services.own_postgres import OwnServer
from tests.services.partition import Partition
from tests.services.shared_journal import Shared, open_one
from tests.support.waiting import comes_true
from tests.unit.chains import BEGIN, ONCALL, draft
from warroom.domain.events import Draft, Kind, broken, event_id
from warroom.drill.stack import program
from warroom.drill.stack.postgres import Postgres
from warroom.journal.base import JournalError, NotSaved
from warroom.journal.postgres import PostgresJournal

pytestmark = pytest.mark.service("postgres")

PATIENCE_S = 30.0
NEVER_S = 600.0
"""Within this a person knows that something is not saved."""


@pytest.fixture
def shared(postgres_server: Postgres) -> Shared:
    return Shared.made(postgres_server)


@pytest.fixture
async def network(postgres_server: Postgres, stack_folder: Path) -> AsyncIterator[Partition]:
    folder = program.new_folder()
    async with Partition(folder, postgres_server) as network:
        yield network


@pytest.fixture
async def journal(shared: Shared, network: Partition) -> AsyncIterator[PostgresJournal]:
    """A console's, by way of the network."""
    journal = PostgresJournal(network.dsn(shared.database))
    yield journal
    await journal.close()


@pytest.fixture
async def other(shared: Shared) -> AsyncIterator[PostgresJournal]:
    """Another console's, which nothing happens to."""
    journal = shared.journal()
    yield journal
    await journal.close()


def named(text: str) -> Draft:
    return replace(draft(Kind.NOTE, text), id=event_id(BEGIN))


async def texts(journal: PostgresJournal, incident: str) -> list[str]:
    events = await journal.events(incident)
    assert broken(events) == 0
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return [event.text for event in events[1:]]


async def refused(journal: PostgresJournal, incident: str, made: Draft) -> str:
    """Why a draft is not saved; it is said while somebody still waits for it."""
    with pytest.raises(NotSaved) as error:
        async with asyncio.timeout(PATIENCE_S):
            await journal.append(incident, made)
    return str(error.value)


async def test_a_pulled_cable_is_said_within_three_seconds_and_mended_when_it_is_back(
    journal: PostgresJournal, network: Partition
) -> None:
    incident = await open_one(journal)
    network.silence()
    made = named("into nowhere")
    said = await refused(journal, incident, made)
    assert "no answer within 2 s" in said
    network.heal()
    await journal.append(incident, made)
    assert await texts(journal, incident) == ["into nowhere"]


async def test_what_was_stored_while_its_answer_was_lost_is_stored_once(
    journal: PostgresJournal, network: Partition, other: PostgresJournal
) -> None:
    incident = await open_one(journal)
    await journal.append(incident, named("first"))
    made = named("stored?")
    network.word = b"COMMIT"
    (event,) = await journal.append(incident, made)
    assert network.cuts == 1
    assert event.seq == 3
    await journal.append(incident, made)
    assert await texts(other, incident) == ["first", "stored?"]


async def test_answers_that_do_not_arrive_leave_nothing_doubled(
    journal: PostgresJournal, network: Partition, other: PostgresJournal
) -> None:
    incident = await open_one(journal)
    made = named("heard, not answered")
    network.mute = True
    await refused(journal, incident, made)
    await other.append(incident, named("meanwhile"))
    network.heal()
    await journal.append(incident, made)
    assert sorted(await texts(other, incident)) == ["heard, not answered", "meanwhile"]


async def test_an_idle_connection_that_was_cut_is_nobodys_business(
    journal: PostgresJournal, network: Partition, shared: Shared
) -> None:
    incident = await open_one(journal)
    network.cut()
    await journal.append(incident, named("after a cut"))
    await shared.asql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'warroom' AND datname = current_database()"
    )
    await journal.append(incident, named("after an administrator"))
    assert await texts(journal, incident) == ["after a cut", "after an administrator"]


async def test_a_server_that_lets_nobody_in_is_said_in_words(
    journal: PostgresJournal, network: Partition
) -> None:
    incident = await open_one(journal)
    network.refuse = True
    network.cut()
    said = await refused(journal, incident, named("no"))
    assert str(network._folder) in said
    with pytest.raises(JournalError, match=str(network._folder)):
        await journal.events(incident)


async def test_a_table_that_somebody_locks_is_said_and_waited_for(
    journal: PostgresJournal, other: PostgresJournal
) -> None:
    incident = await open_one(journal)
    async with other._writer.connected(create=True) as connection:
        await connection.execute("BEGIN; LOCK TABLE warroom.event IN EXCLUSIVE MODE")
        said = await refused(journal, incident, named("waits"))
        assert "no answer within" in said or "another console is holding" in said
        soon = asyncio.create_task(journal.append(incident, named("lands")))
        await asyncio.sleep(0.3)
        await connection.execute("ROLLBACK")
        await soon
    assert await texts(journal, incident) == ["lands"]


async def test_a_statement_that_the_server_ends_is_not_saved_and_can_be_tried_again(
    journal: PostgresJournal, shared: Shared
) -> None:
    incident = await open_one(journal)
    await shared.asql(
        "CREATE FUNCTION warroom.slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE INSERT ON warroom.event FOR EACH ROW "
        "EXECUTE FUNCTION warroom.slow();"
    )
    patient = shared.journal(save_s=10.0)
    made = [named(f"{n}") for n in range(5)]
    with pytest.raises(NotSaved, match="statement timeout"):
        await patient.append(incident, *made)
    await shared.asql("DROP TRIGGER slow ON warroom.event")
    await patient.append(incident, *made)
    assert await texts(journal, incident) == ["0", "1", "2", "3", "4"]
    await patient.close()


async def test_a_line_around_the_world_is_slow_to_open_and_then_good(
    shared: Shared, network: Partition, other: PostgresJournal
) -> None:
    incident = await open_one(other)
    network.delay = 0.15  # 300 ms there and back
    far = PostgresJournal(network.dsn(shared.database))
    made = named("from far away")
    said = await refused(far, incident, made)
    assert "no answer within" in said
    assert await comes_true(lambda: _saved(far, incident, made))
    await far.append(incident, named("and on"))
    assert await texts(other, incident) == ["from far away", "and on"]
    await far.close()


async def _saved(journal: PostgresJournal, incident: str, made: Draft) -> bool:
    try:
        await journal.append(incident, made)
    except NotSaved:
        return False
    return True


async def test_an_append_that_is_cancelled_stops_at_once_and_may_be_made_again(
    journal: PostgresJournal, network: Partition
) -> None:
    incident = await open_one(journal)
    made = named("cancelled")
    network.silence()
    task = asyncio.create_task(journal.append(incident, made))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    network.heal()
    await journal.append(incident, made)
    assert await texts(journal, incident) == ["cancelled"]


# What wakes ----------------------------------------------------------------------------------


async def hears(journal: PostgresJournal, doing: Any) -> None:
    """Wait until `changed` after `doing`."""
    journal.changed.clear()
    await doing
    await asyncio.wait_for(journal.changed.wait(), PATIENCE_S)


async def quiet(journal: PostgresJournal, seconds: float = 0.5) -> bool:
    """Wait until nothing has set `changed` for a while."""
    for _ in range(20):
        journal.changed.clear()
        try:
            await asyncio.wait_for(journal.changed.wait(), seconds)
        except TimeoutError:
            return True
    return False


async def test_a_lost_listener_is_replaced_and_nothing_in_between_is_missed(
    journal: PostgresJournal, other: PostgresJournal, network: Partition
) -> None:
    incident = await open_one(journal)
    journal._watcher._poll_s = NEVER_S
    journal.watch()
    assert await quiet(journal)
    network.cut()
    await hears(journal, other.append(incident, named("while it was deaf")))
    assert await quiet(journal, 2.0)
    await hears(journal, other.append(incident, named("it listens again")))


async def test_a_listener_whose_cable_was_pulled_hears_again_within_seconds(
    journal: PostgresJournal, other: PostgresJournal, network: Partition
) -> None:
    incident = await open_one(journal)
    journal.watch()
    assert await quiet(journal)
    network.silence()
    await other.append(incident, named("while it was deaf"))
    await asyncio.sleep(0.3)
    network.heal()
    await asyncio.wait_for(journal.changed.wait(), PATIENCE_S)
    assert await comes_true(lambda: _has(journal, incident, "while it was deaf"))


async def _has(journal: PostgresJournal, incident: str, text: str) -> bool:
    return text in [event.text for event in await journal.events(incident)]


async def test_a_wake_up_call_that_is_swallowed_costs_a_few_seconds(
    journal: PostgresJournal, other: PostgresJournal, shared: Shared
) -> None:
    incident = await open_one(journal)
    journal.watch()
    await shared.asql("ALTER TABLE warroom.event DISABLE TRIGGER event_wakes")
    assert await quiet(journal)
    await hears(journal, other.append(incident, named("unannounced")))


async def test_behind_a_pooler_that_keeps_no_session_all_of_it_works(
    network: Partition, shared: Shared, other: PostgresJournal
) -> None:
    pooled = PostgresJournal(network.dsn(shared.database, more="&pgbouncer=true"))
    incident = await open_one(pooled)
    await pooled.append(incident, named("one"), named("two"))
    pooled.watch()
    assert await quiet(pooled)
    await hears(pooled, other.append(incident, named("three")))
    assert await texts(pooled, incident) == ["one", "two", "three"]
    assert len(await pooled.beat(incident, "console", ONCALL)) == 1
    await pooled.close()


# A server of our own --------------------------------------------------------------------------


@pytest.fixture
async def own(stack_folder: Path) -> AsyncIterator[OwnServer]:
    own = await OwnServer.started(program.new_folder())
    yield own
    await own.kill()


async def test_a_server_that_dies_again_and_again_loses_and_doubles_nothing(
    own: OwnServer,
) -> None:
    shared = Shared.made(own.server)
    consoles = [shared.journal() for _ in range(3)]
    incident = await open_one(consoles[0])
    acknowledged: list[str] = []
    done = asyncio.Event()

    async def write(journal: PostgresJournal, who: str) -> None:
        number = 0
        while not done.is_set():
            made, number = named(f"{who}/{number}"), number + 1
            while True:
                try:
                    await journal.append(incident, made)
                    break
                except NotSaved:
                    await asyncio.sleep(0.05)
            acknowledged.append(made.text)

    writing = [asyncio.create_task(write(j, f"{n}")) for n, j in enumerate(consoles)]
    for _ in range(3):
        count = len(acknowledged)
        assert await comes_true(lambda count=count: len(acknowledged) > count + 20)
        await own.kill()
        await own.start()
    count = len(acknowledged)
    assert await comes_true(lambda: len(acknowledged) > count + 20)
    done.set()
    await asyncio.gather(*writing)
    stored = await texts(consoles[0], incident)
    assert sorted(stored) == sorted(acknowledged)
    for who in "012":
        mine = [text for text in stored if text.startswith(f"{who}/")]
        assert mine == [f"{who}/{n}" for n in range(len(mine))]
    for journal in consoles:
        await journal.close()


async def test_after_a_restart_a_console_listens_again(own: OwnServer) -> None:
    shared = Shared.made(own.server)
    journal, other = shared.journal(poll_s=NEVER_S), shared.journal()
    incident = await open_one(journal)
    journal.watch()
    await own.kill()
    said = await refused(journal, incident, named("no"))
    assert str(own.server.socket_dir) in said
    await own.start()
    await other.append(incident, named("after the restart"))
    assert await comes_true(lambda: _has(journal, incident, "after the restart"))
    assert await quiet(journal, 2.5), "once it listens again there is nothing to hear"
    await hears(journal, other.append(incident, named("heard")))
    await journal.close()
    await other.close()

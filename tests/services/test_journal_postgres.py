"""PostgreSQL as a journal for several machines: what every store promises, and more."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.services.shared_journal import Shared, open_one
from tests.support.hostile import SEQUENCES
from tests.support.journal_contract import JournalContract
from tests.unit.chains import BEGIN, ONCALL, draft, opening
from warroom.domain.clock import ManualClock, SystemClock
from warroom.domain.events import Author, Draft, Kind, broken
from warroom.drill.stack.postgres import Postgres
from warroom.journal import _postgres_schema
from warroom.journal.base import PRESENT_S, JournalError, NewerSchema, NoIncident, NotSaved
from warroom.journal.postgres import PostgresJournal, schema_sql

pytestmark = pytest.mark.service("postgres")


@pytest.fixture
def shared(postgres_server: Postgres) -> Shared:
    """A new, empty database."""
    return Shared.made(postgres_server)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGIN)


@pytest.fixture
async def journal(shared: Shared, clock: ManualClock) -> AsyncIterator[PostgresJournal]:
    journal = PostgresJournal(shared.dsn(), clock)
    yield journal
    await journal.close()


@pytest.fixture
async def connect(shared: Shared) -> AsyncIterator[Callable[..., PostgresJournal]]:
    """`connect(user)`: another console's journal."""
    made: list[PostgresJournal] = []

    def connect(user: str = "postgres") -> PostgresJournal:
        made.append(PostgresJournal(shared.dsn(user), SystemClock()))
        return made[-1]

    yield connect
    for one in made:
        await one.close()


class TestPostgres(JournalContract):
    """See `tests.support.journal_contract`."""


def note(text: str, **data: Any) -> Draft:
    return draft(Kind.NOTE, text, **data)


def refusal(shared: Shared, statement: str, user: str) -> str:
    """What the server says to somebody who may not."""
    with pytest.raises(AssertionError) as refused:
        shared.sql(statement, user)
    return str(refused.value)


# Texts, times, data --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [*SEQUENCES.values(), "[/x]", "a'b\"c\\d$1$$;--", "\\x00", "\u0000", "🚨" * 1000]
)
async def test_every_text_comes_back_as_it_was_sealed(journal: PostgresJournal, text: str) -> None:
    incident = await open_one(journal)
    made = Draft(Kind.NOTE, BEGIN, Author(text, 7, text), text, {text: [text, None, 1.5]})
    (event,) = await journal.append(incident, made)
    assert list(await journal.events(incident, after=1)) == [event]
    assert await journal.verify(incident) == 0


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 21, 13, 30, 0, 1, tzinfo=UTC),
        datetime(3, 1, 1, tzinfo=UTC),
        datetime(9997, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 11, 1, 5, 59, 59, 999999, tzinfo=UTC),
    ],
)
async def test_times_are_exact_to_the_microsecond(journal: PostgresJournal, at: datetime) -> None:
    incident = await open_one(journal)
    await journal.append(incident, draft(Kind.NOTE, "then", at))
    (event,) = await journal.events(incident, after=1)
    assert (event.at, event.at.tzinfo) == (at, UTC)
    assert await journal.verify(incident) == 0


async def test_a_change_behind_warrooms_back_is_found(
    journal: PostgresJournal, shared: Shared
) -> None:
    incident = await open_one(journal)
    await journal.append(incident, note("one"), note("two"), note("three"))
    shared.sql("ALTER TABLE warroom.event DISABLE TRIGGER event_stays")
    shared.sql("UPDATE warroom.event SET text = 'nothing' WHERE seq = 3")
    assert await journal.verify(incident) == 3
    shared.sql("UPDATE warroom.event SET kind = 'no such kind' WHERE seq = 2")
    assert await journal.verify(incident) == 2
    with pytest.raises(JournalError, match=f"entry 2 of {incident} cannot be read"):
        await journal.events(incident)


async def test_more_events_than_one_answer_holds_come_whole_and_in_order(
    journal: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warroom.journal.postgres._PAGE", 7)
    incident = await open_one(journal)
    await journal.append(incident, *(note(f"{n}") for n in range(40)))
    assert [e.seq for e in await journal.events(incident)] == list(range(1, 42))


# Sequences -----------------------------------------------------------------------------------


async def test_whoever_reads_while_many_write_never_sees_a_hole(
    connect: Callable[..., PostgresJournal],
) -> None:
    consoles = [connect() for _ in range(4)]
    reader = connect()
    incident = await open_one(consoles[0])
    writing = [
        asyncio.create_task(_written(console, incident, f"{n}", 25))
        for n, console in enumerate(consoles)
    ]
    looks = 0
    while not all(task.done() for task in writing):
        seen = [event.seq for event in await reader.events(incident)]
        assert seen == list(range(1, len(seen) + 1))
        looks += 1
    await asyncio.gather(*writing)
    events = await reader.events(incident)
    assert looks > 1
    assert (len(events), broken(events)) == (101, 0)


async def _written(journal: PostgresJournal, incident: str, who: str, count: int) -> None:
    for number in range(count):
        await journal.append(incident, note(f"{who}/{number}"))


async def test_consoles_that_open_at_the_same_time_open_two_incidents(
    connect: Callable[..., PostgresJournal],
) -> None:
    opened = await asyncio.gather(*(open_one(connect()) for _ in range(4)))
    assert len(set(opened)) == 4


async def test_a_console_that_stops_in_the_middle_holds_up_the_others_for_two_seconds(
    connect: Callable[..., PostgresJournal], shared: Shared
) -> None:
    journal = connect()
    incident = await open_one(journal)
    hold = _postgres_schema.statement("hold")
    stopped = connect()
    async with stopped._writer.connected(create=True) as connection:
        await connection.execute("BEGIN")
        await connection.fetchrow(hold, incident)
        before = asyncio.get_running_loop().time()
        while True:
            try:
                await journal.append(incident, note("goes on"))
                break
            except NotSaved as error:
                assert "another console is holding the incident" in str(error) or (
                    "no answer within" in str(error)
                )
        assert asyncio.get_running_loop().time() - before < 4.0
        connection.terminate()


# Rights --------------------------------------------------------------------------------------

CHANGES = [
    "UPDATE warroom.event SET text = 'x'",
    "DELETE FROM warroom.event",
    "TRUNCATE warroom.event",
    "UPDATE warroom.incident SET id = 'x'",
    "DELETE FROM warroom.incident",
    "TRUNCATE warroom.incident CASCADE",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_writer_may_append_and_nothing_else(
    journal: PostgresJournal,
    shared: Shared,
    connect: Callable[..., PostgresJournal],
    change: str,
) -> None:
    incident = await open_one(journal)
    role = shared.writer()
    await journal.grant(role)
    writer = connect(role)
    await writer.append(incident, note("from a writer"))
    await writer.beat(incident, "console", ONCALL)
    assert await open_one(writer) != incident
    assert "permission denied" in refusal(shared, change, role)
    assert [e.text for e in await writer.events(incident, after=1)] == ["from a writer"]


@pytest.mark.parametrize("change", CHANGES)
async def test_not_even_the_owner_changes_an_event(
    journal: PostgresJournal, shared: Shared, change: str
) -> None:
    await open_one(journal)
    said = refusal(shared, change, "postgres")
    assert "the journal is append-only" in said
    always = f"SET session_replication_role = replica; {change}"
    assert "the journal is append-only" in refusal(shared, always, "postgres")


async def test_a_hand_that_writes_by_itself_gets_no_other_place_in_the_chain(
    journal: PostgresJournal, shared: Shared
) -> None:
    await open_one(journal)
    await journal.grant(shared.writer())
    insert = (
        "INSERT INTO warroom.event SELECT incident, {seq}, 'x', at, recorded_at, login, uid, "
        "origin, kind, text, data, starred, internal, {previous}, 'd' FROM warroom.event"
    )
    for values in ({"seq": 3, "previous": "digest"}, {"seq": 2, "previous": "''"}):
        said = refusal(shared, insert.format(**values), shared.writer())
        assert "an event takes the next sequence of its incident" in said


async def test_a_role_without_rights_is_told_what_to_run(
    shared: Shared, connect: Callable[..., PostgresJournal], journal: PostgresJournal
) -> None:
    shared.role("war_nobody")
    nobody = connect("war_nobody")
    assert list(await nobody.headings()) == []
    with pytest.raises(NotSaved, match=r"permission denied for database .*`warroom journal migr"):
        await open_one(nobody)
    incident = await open_one(journal)
    with pytest.raises(NotSaved, match=r"run `warroom journal grant war_nobody`"):
        await nobody.append(incident, note("no"))
    with pytest.raises(JournalError, match=r"run `warroom journal grant war_nobody`"):
        await nobody.events(incident)
    await journal.grant("war_nobody")
    await nobody.append(incident, note("yes"))


# The schema ----------------------------------------------------------------------------------


async def test_looking_at_an_empty_database_leaves_it_empty(
    journal: PostgresJournal, shared: Shared
) -> None:
    assert await journal.current() is None
    with pytest.raises(NoIncident):
        await journal.readings("INC-1")
    assert shared.sql("SELECT to_regnamespace('warroom') IS NULL") == "t"


async def test_consoles_that_come_first_together_make_one_schema(
    connect: Callable[..., PostgresJournal], shared: Shared
) -> None:
    reached = await asyncio.gather(*(connect().prepare() for _ in range(5)))
    assert set(reached) == {len(_postgres_schema.migrations())}
    assert shared.sql("SELECT count(*) FROM warroom.version") == str(reached[0])


async def test_an_older_schema_is_migrated_wholly_or_not_at_all(
    journal: PostgresJournal,
    connect: Callable[..., PostgresJournal],
    shared: Shared,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    incident = await open_one(journal)
    now = _postgres_schema.migrations()
    monkeypatch.setattr(
        _postgres_schema,
        "migrations",
        lambda: (*now, "CREATE TABLE warroom.more (n int); SELECT 1 / 0;"),
    )
    with pytest.raises(NotSaved, match="division by zero"):
        await connect().append(incident, note("no"))
    assert shared.sql("SELECT max(number) FROM warroom.version") == str(len(now))
    assert shared.sql("SELECT to_regclass('warroom.more') IS NULL") == "t"
    monkeypatch.setattr(
        _postgres_schema, "migrations", lambda: (*now, "CREATE TABLE warroom.more (n int);")
    )
    await connect().append(incident, note("yes"))
    assert shared.sql("SELECT max(number) FROM warroom.version") == str(len(now) + 1)


async def test_a_newer_schema_is_read_and_not_written(
    journal: PostgresJournal, connect: Callable[..., PostgresJournal], shared: Shared
) -> None:
    incident = await open_one(journal)
    shared.sql("INSERT INTO warroom.version (number) VALUES (99)")
    old = connect()
    with pytest.raises(NewerSchema, match=r"newer warroom \(schema 99, .*upgrade warroom"):
        await old.append(incident, note("no"))
    assert [e.seq for e in await old.events(incident)] == [1]


async def test_another_programs_schema_of_that_name_is_left_alone(
    journal: PostgresJournal, shared: Shared
) -> None:
    shared.sql("CREATE SCHEMA warroom; CREATE TABLE warroom.soldiers (name text)")
    with pytest.raises(JournalError, match='its schema "warroom" is not a journal'):
        await open_one(journal)
    assert shared.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'warroom'") == "1"


async def test_a_database_that_cannot_hold_every_text_is_refused(
    postgres_server: Postgres, shared: Shared
) -> None:
    shared.sql(f"CREATE DATABASE {shared.database}_l TEMPLATE template0 ENCODING 'LATIN1'")
    journal = PostgresJournal(postgres_server.dsn(database=f"{shared.database}_l"))
    with pytest.raises(JournalError, match="holds LATIN1 text: make one with ENCODING 'UTF8'"):
        await open_one(journal)
    await journal.close()


async def test_the_printed_sql_makes_the_same_journal_as_warroom_itself(
    shared: Shared, connect: Callable[..., PostgresJournal]
) -> None:
    shared.role("war_odd")
    argv = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", shared.dsn()]
    done = await asyncio.to_thread(
        subprocess.run, argv, input=schema_sql(["war_odd"]), text=True, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    writer = connect("war_odd")
    incident = await open_one(writer)
    await writer.append(incident, note("appended"))
    assert await writer.prepare() == len(_postgres_schema.migrations())


# Beside the record ---------------------------------------------------------------------------


async def test_a_console_that_went_silent_or_left_is_not_here(
    connect: Callable[..., PostgresJournal], shared: Shared
) -> None:
    alice, bob, carol = connect(), connect(), connect()
    incident = await open_one(alice)
    for name, journal in (("a", alice), ("b", bob), ("c", carol)):
        here = await journal.beat(incident, name, ONCALL)
    assert [one.console for one in here] == ["a", "b", "c"]
    ago = f"clock_timestamp() - interval '{PRESENT_S + 1} seconds'"
    shared.sql(f"UPDATE warroom.presence SET seen_at = {ago} WHERE console = 'b'")
    await carol.close()
    assert [one.console for one in await alice.beat(incident, "a", ONCALL)] == ["a"]


async def test_presence_goes_by_the_servers_clock(
    shared: Shared, connect: Callable[..., PostgresJournal]
) -> None:
    journal = connect()
    incident = await open_one(journal)
    wrong = PostgresJournal(shared.dsn(), ManualClock(BEGIN.replace(year=2001)))
    await wrong.beat(incident, "years behind", ONCALL)
    assert len(await journal.beat(incident, "here", ONCALL)) == 2
    await wrong.close()


async def test_an_opening_is_first(journal: PostgresJournal) -> None:
    with pytest.raises(NotSaved, match="opened once"):
        await journal.append("INC-1", opening())

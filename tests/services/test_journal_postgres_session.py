"""Consoles on a shared journal: notes cross over, wait while it is away, and land once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.services.console_child import console
from tests.services.own_postgres import OwnServer
from tests.services.partition import Partition
from tests.services.shared_journal import Shared
from tests.support.waiting import comes_true
from warroom.domain.events import broken
from warroom.drill.stack import program
from warroom.drill.stack.postgres import Postgres
from warroom.engine.session import Session
from warroom.journal.base import NotSaved
from warroom.journal.postgres import PostgresJournal

pytestmark = pytest.mark.service("postgres")

Opener = Callable[..., Session]


@pytest.fixture
def shared(postgres_server: Postgres) -> Shared:
    return Shared.made(postgres_server)


@pytest.fixture
async def network(postgres_server: Postgres, stack_folder: Path) -> AsyncIterator[Partition]:
    async with Partition(program.new_folder(), postgres_server) as network:
        yield network


@pytest.fixture
async def consoles(tmp_path: Path) -> AsyncIterator[Opener]:
    """`consoles(dsn, "alice")`: a console that runs until the test is over."""
    made: list[Session] = []

    def opened(dsn: str, who: str) -> Session:
        session = console(dsn, tmp_path / "outbox", who)
        session.journal.watch()
        session.start()
        made.append(session)
        return session

    yield opened
    for session in made:
        await session.stop()
        await session.journal.close()


def texts(session: Session) -> list[str]:
    return [event.text for event in session.events[1:]]


async def seen(session: Session, text: str) -> None:
    """Wait until a text is on a console's timeline."""
    moved = asyncio.Event()
    session.subscribe(moved.set)
    while text not in texts(session):
        moved.clear()
        await asyncio.wait_for(moved.wait(), 30)


async def test_anothers_note_is_on_my_screen_because_the_server_says_so(
    shared: Shared, consoles: Opener
) -> None:
    alice, bob = consoles(shared.dsn(), "alice"), consoles(shared.dsn(), "bob")
    for each in (alice, bob):
        assert isinstance(each.journal, PostgresJournal)
        each.journal._watcher._poll_s = 600.0
    await alice.begin("it burns", "P1")
    assert await comes_true(lambda: bob.incident is not None)
    for number in range(20):
        writer, reader = (alice, bob) if number % 2 else (bob, alice)
        await writer.note(f"{number}")
        await seen(reader, f"{number}")
    assert texts(alice) == texts(bob)


async def test_both_see_who_is_here_and_who_left(
    shared: Shared, consoles: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warroom.engine.session.BEAT_S", 0.5)
    alice, bob = consoles(shared.dsn(), "alice"), consoles(shared.dsn(), "bob")
    await alice.begin("it burns", "P1")
    assert await comes_true(lambda: len(alice.present) == 2 == len(bob.present))
    await bob.stop()
    await bob.journal.close()
    assert await comes_true(lambda: [p.author.login for p in alice.present] == ["alice"])


async def test_notes_wait_here_while_the_journal_is_away_and_each_lands_once_in_order(
    shared: Shared, network: Partition, consoles: Opener
) -> None:
    alice = consoles(network.dsn(shared.database), "alice")
    bob = consoles(shared.dsn(), "bob")
    await alice.begin("it burns", "P1")
    await alice.note("before")
    network.silence()
    with pytest.raises(NotSaved, match="no answer within"):
        await alice.note("one")
    assert alice.away
    assert alice.backlog.kept == 1
    for word in ("two", "three"):
        with pytest.raises(NotSaved, match="before it wait"):
            await alice.note(word)
    await bob.note("meanwhile")
    network.heal()
    assert await comes_true(lambda: not alice.unsaved)
    assert await comes_true(lambda: texts(alice) == texts(bob))
    assert [t for t in texts(bob) if t != "meanwhile"] == ["before", "one", "two", "three"]
    assert broken(bob.events) == 0
    assert await comes_true(lambda: not alice.away)


async def test_a_journal_that_goes_while_nobody_writes_is_said_within_seconds(
    shared: Shared, network: Partition, consoles: Opener
) -> None:
    alice = consoles(network.dsn(shared.database), "alice")
    await alice.begin("it burns", "P1")
    assert await comes_true(lambda: len(alice.present) == 1)
    network.refuse = True
    network.cut()
    assert await comes_true(lambda: bool(alice.away))
    assert alice.present == ()
    network.heal()
    assert await comes_true(lambda: not alice.away)


@pytest.fixture
async def own(stack_folder: Path) -> AsyncIterator[OwnServer]:
    own = await OwnServer.started(program.new_folder())
    yield own
    await own.kill()


class Child:
    """A console in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def started(cls, dsn: str, folder: Path, who: str) -> Child:
        child = cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.services.console_child",
                dsn,
                str(folder),
                who,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[2],
            )
        )
        assert await child.says() == "ready"
        return child

    async def notes(self, text: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())
        return await self.says()

    async def says(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 30)
        return line.decode().strip()

    async def killed(self) -> None:
        self._process.kill()
        await self._process.wait()


async def test_what_a_killed_console_queued_is_delivered_once_by_the_next(
    own: OwnServer, consoles: Opener, tmp_path: Path
) -> None:
    shared = Shared.made(own.server)
    alice = consoles(shared.dsn(), "alice")
    await alice.begin("it burns", "P1")
    child = await Child.started(shared.dsn(), tmp_path / "outbox", "bob")
    assert await child.notes("saved") == "saved saved"
    await own.kill()
    assert await child.notes("one") == "queued one 1"
    assert await child.notes("two") == "queued two 2"
    await child.killed()
    await own.start()
    assert await comes_true(lambda: texts(alice) == ["saved", "one", "two"])
    assert {event.author.login for event in alice.events[1:]} == {"bob"}
    assert await comes_true(lambda: not list((tmp_path / "outbox").iterdir()))
    assert broken(alice.events) == 0


async def test_a_console_that_opens_while_the_journal_is_away_takes_the_incident_up_later(
    own: OwnServer, consoles: Opener
) -> None:
    shared = Shared.made(own.server)
    alice = consoles(shared.dsn(), "alice")
    await alice.begin("it burns", "P1")
    await own.kill()
    late = consoles(shared.dsn(), "late")
    assert await comes_true(lambda: bool(late.away))
    assert late.incident is None
    await own.start()
    assert await comes_true(lambda: late.incident == alice.incident)
    await late.note("here now")
    await seen(alice, "here now")

"""A console on a journal that several machines share: who is here, and what when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.services.console_child import console
from tests.services.partition import Partition
from tests.services.shared_journal import Shared
from tests.support.cli import CALM
from tests.support.waiting import comes_true
from tests.tui.page import opened
from warroom.domain.events import Kind
from warroom.drill.stack import program
from warroom.drill.stack.postgres import Postgres
from warroom.engine.session import Session
from warroom.journal.base import NotSaved

pytestmark = pytest.mark.service("postgres")

SIZE = (140, 40)


@pytest.fixture
def shared(postgres_server: Postgres) -> Shared:
    return Shared.made(postgres_server)


@pytest.fixture
async def network(postgres_server: Postgres, stack_folder: Path) -> AsyncIterator[Partition]:
    async with Partition(program.new_folder(), postgres_server) as network:
        yield network


@pytest.fixture
def config(
    tmp_path: Path, network: Partition, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A console's config; its way to the journal is `network`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("WARROOM_JOURNAL", network.dsn(shared.database))
    file = tmp_path / "warroom.toml"
    probe = '[[probe]]\nkind = "machine"\nevery = "1s"'
    file.write_text(f'[journal]\ndsn = "env:WARROOM_JOURNAL"\n{probe}\n{CALM}')
    file.chmod(0o600)
    return file


@pytest.fixture
def lively(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consoles say more often that they are here."""
    monkeypatch.setattr("warroom.engine.session.BEAT_S", 0.5)


@pytest.fixture
async def bob(shared: Shared, tmp_path: Path) -> AsyncIterator[Session]:
    """Somebody at another console, whom nothing happens to."""
    session = console(shared.dsn(), tmp_path / "bobs", "bob")
    session.journal.watch()
    session.start()
    yield session
    await session.stop()
    await session.journal.close()


def texts(session: Session) -> list[str]:
    return [event.text for event in session.events if event.kind.value == "note"]


async def test_a_console_opens_although_the_journal_is_away_and_takes_the_incident_up_later(
    config: Path, network: Partition, bob: Session
) -> None:
    await bob.begin("it burns", "P1")
    network.refuse = True
    async with opened(config, size=SIZE) as room:
        await room.sees("journal away, trying again", "the journal cannot be", "cut at once")
        await room.sees("cpu", pane="machine")
        await room.press("n")
        await room.says("no incident is open")
        network.heal()
        await room.sees("it burns")
        await room.loses("journal away")
        await room.press("n")
        await room.types("here now")
        assert await comes_true(lambda: texts(bob) == ["here now"])


async def test_notes_queue_here_while_the_journal_is_away_and_the_header_says_so(
    config: Path, network: Partition, bob: Session
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        network.silence()
        await room.press("n")
        await room.types("into the queue")
        await room.sees("journal away: 1 queued here")
        await room.says("NOT SAVED")
        await room.press("n")
        await room.types("behind it")
        await room.sees("journal away: 2 queued here")
        network.heal()
        await room.loses("journal away")
        assert await comes_true(lambda: texts(bob) == ["into the queue", "behind it"])


async def test_whoever_leaves_while_notes_queue_is_told_where_they_are(
    config: Path, network: Partition, bob: Session, tmp_path: Path
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        network.silence()
        await room.press("n")
        await room.types("left behind")
        await room.sees("journal away: 1 queued here")
        app = room.app
    folder = tmp_path / "state" / "warroom" / "outbox"
    assert f"kept in {folder}: the next console" in app.parting
    assert "left behind" in app.parting
    network.heal()
    async with opened(config, size=SIZE):
        assert await comes_true(lambda: texts(bob) == ["left behind"])
        assert await comes_true(lambda: not list(folder.iterdir()))


async def test_nothing_acts_while_the_journal_is_away(config: Path, network: Partition) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        network.silence()
        with pytest.raises(NotSaved):
            await room.room.session.record_or_nothing(Kind.REQUESTED, "restart", {"target": "x"})
        assert room.room.session.unsaved == []
        network.heal()


@pytest.mark.usefixtures("lively")
async def test_the_header_counts_responders_and_the_sidebar_names_them(
    config: Path, bob: Session
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        await room.sees("2 responders", "here", "bob")
        await bob.stop()
        await bob.journal.close()
        await room.loses("2 responders")


async def test_figures_of_two_consoles_are_kept_once(config: Path, shared: Shared) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(opened(config, size=SIZE))
        other = await stack.enter_async_context(opened(config, size=SIZE))
        await one.opens("it burns")
        await other.sees("it burns")
        await one.until(lambda: "machine" in one.room.monitor.latest, "nobody looks")
        await other.until(lambda: "machine" in other.room.monitor.latest, "nobody looks")
        session = one.room.session
        await asyncio.gather(one.room.course.keep(), other.room.course.keep())
        assert session.incident is not None
        kept = await session.journal.readings(session.incident.id)
        assert kept
        assert {reading.source for reading in kept} == {"machine"}
        assert len({reading.at for reading in kept}) == len(kept)
        assert all(reading.at.second % 15 == 0 for reading in kept)
        assert kept[-1].metrics

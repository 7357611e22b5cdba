"""No audit, no action: with a journal that is full, read-only, locked, newer or away nothing is
done, however often somebody tries; and once it is back, one try acts once.

AUDIT_TRIES=200 tries every one of them so often; without it those that take long are tried less.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import pytest

from tests.services.shared_journal import Shared
from tests.support.disk import full_disk
from tests.torture.acting import action
from tests.torture.children import Child, Store
from tests.torture.kills import opened
from warroom.domain.clock import SteadyClock
from warroom.domain.events import Author
from warroom.domain.severity import SCHEMES
from warroom.drill.stack.postgres import Postgres
from warroom.engine.executor import Executor, State
from warroom.engine.session import Session
from warroom.journal._postgres_schema import grant as granting
from warroom.journal.base import JournalError

OFTEN: Final = int(os.environ.get("AUDIT_TRIES", "200"))
SELDOM: Final = int(os.environ.get("AUDIT_TRIES", "4"))
NOBODY: Final = 65534


class Responder:
    """Somebody who tries, and a target that writes down what was done to it."""

    def __init__(self, store: Store, incident: str, folder: Path) -> None:
        self._store, self._incident, self.file = store, incident, folder / "acts"

    async def __aenter__(self) -> Responder:
        self.session = Session(
            self._store.journal(), SteadyClock(), Author("alice", 1000), SCHEMES["P0-P3"]
        )
        await self.session.resume(self._incident)
        self.executor = Executor(self.session, SteadyClock())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.executor.stop()
        await self.session.journal.close()

    async def tries(self, count: int) -> list[str]:
        """What was not refused for want of a record, in words."""
        wrong = []
        for number in range(count):
            armed = await self.executor.arm(action(f"target {number}", self.file))
            outcome = await self.executor.run(armed)
            if outcome.state is not State.REFUSED or not outcome.text.startswith("NOT RUN"):
                wrong.append(f"{number}: {outcome.state}: {outcome.text}")
        return wrong

    @property
    def acts(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []

    async def acts_once_it_is_back(self) -> None:
        assert self.acts == []
        async with Responder(self._store, self._incident, self.file.parent) as again:
            await again.session.sign()
            outcome = await again.executor.run(await again.executor.arm(action("now", self.file)))
        assert (outcome.state, self.acts) == (State.DONE, ["now"]), outcome.text


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store("sqlite", str(tmp_path / "journal.db"))


@contextmanager
def full(store: Store) -> Iterator[None]:
    """Nobody can write anything more into its files."""
    with full_disk():
        yield


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Another program holds the file and does not let go."""
    holder = sqlite3.connect(store.place)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


@contextmanager
def newer(store: Store) -> Iterator[None]:
    """A newer warroom wrote it: it can be read but not written."""
    connection = sqlite3.connect(store.place)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute("PRAGMA user_version = 99")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()


@pytest.mark.parametrize(
    ("fault", "count"), [(full, OFTEN), (newer, OFTEN), (locked, SELDOM)],
    ids=["full", "newer", "locked"],
)  # fmt: skip
async def test_with_a_file_that_takes_nothing_nothing_is_done(
    store: Store, tmp_path: Path, fault: object, count: int
) -> None:
    incident = await asyncio.to_thread(opened, store)
    async with Responder(store, incident, tmp_path) as alice:
        with fault(store):  # type: ignore[operator]
            assert await alice.tries(count) == []
        await alice.acts_once_it_is_back()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_with_a_file_that_may_only_be_read_nobody_comes_as_far_as_a_card(
    store: Store, tmp_path: Path
) -> None:
    incident = opened(store)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    for file in tmp_path.glob("journal.db*"):
        file.chmod(0o444)
    (said,) = Child(_as_nobody, store, incident, str(tmp_path)).ended()
    assert "it may not be written: look at the rights of the file" in said
    assert not (tmp_path / "acts").exists()


def _as_nobody(store: Store, incident: str, folder: str, pipe: Connection) -> None:
    async def nobody() -> None:
        try:
            async with Responder(store, incident, Path(folder)) as alice:
                await alice.tries(1)
        except JournalError as error:
            pipe.send(str(error))

    os.setuid(NOBODY)
    asyncio.run(nobody())


@pytest.mark.service("postgres")
@pytest.mark.parametrize("fault", ["away", "read-only"])
async def test_with_a_server_that_is_away_or_read_only_nothing_is_done(
    postgres_server: Postgres, tmp_path: Path, fault: str
) -> None:
    shared = Shared.made(postgres_server)
    incident = await asyncio.to_thread(opened, Store("postgres", shared.dsn()))
    role, admin = shared.writer(), Shared(postgres_server, "postgres")
    await asyncio.to_thread(shared.sql, granting(role))
    broken, mended = {
        "away": (
            f"ALTER DATABASE {shared.database} WITH ALLOW_CONNECTIONS false",
            f"ALTER DATABASE {shared.database} WITH ALLOW_CONNECTIONS true",
        ),
        "read-only": (f"REVOKE INSERT ON warroom.event FROM {role}", granting(role)),
    }[fault]
    where = admin if fault == "away" else shared
    async with Responder(Store("postgres", shared.dsn(role)), incident, tmp_path) as alice:
        await asyncio.to_thread(where.sql, broken)
        await asyncio.to_thread(
            admin.sql,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{shared.database}'",
        )
        try:
            assert await alice.tries(SELDOM) == []
        finally:
            await asyncio.to_thread(where.sql, mended)
        await alice.acts_once_it_is_back()

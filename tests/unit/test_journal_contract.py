"""What every store promises, asked of the two that need no server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.journal_contract import JournalContract
from tests.unit.chains import BEGIN
from warroom.domain.clock import ManualClock
from warroom.journal.base import Journal
from warroom.journal.memory import MemoryJournal
from warroom.journal.sqlite import SqliteJournal


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGIN)


@pytest.fixture(params=["memory", "sqlite"])
async def journal(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Journal]:
    stores: dict[str, Journal] = {
        "memory": MemoryJournal(clock),
        "sqlite": SqliteJournal(tmp_path / "journal.db", clock, save_s=30.0),
    }
    yield stores[request.param]
    await stores[request.param].close()


class TestJournals(JournalContract):
    """See `tests.support.journal_contract`."""

"""`make torture` in short: kills and a crowd whose lines break, on PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.torture import kills
from tests.torture.children import Result
from tests.torture.crowd import crowds
from tests.torture.kills import kill_cycles
from tests.torture.stores import Databases, Server

pytestmark = pytest.mark.service("postgres")


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast it is, `make torture` says; here others have the processors, too."""
    monkeypatch.setattr(kills, "REOPEN_S", 60.0)


@pytest.fixture
def databases(postgres_server: Server) -> Iterator[Databases]:
    """In a folder with a short name: a socket's path has 107 bytes (unix(7))."""
    with tempfile.TemporaryDirectory(prefix="warroom-") as folder:
        yield Databases(Path(folder), postgres_server, f"t{uuid4().hex[:8]}_")


def held(result: Result) -> Result:
    assert result.wrong == [], result.figures
    return result


def quietly(text: str) -> None:
    pass


def test_three_writers_killed_at_any_moment_lose_nothing_acknowledged(databases: Databases) -> None:
    assert "8 cycles, 24 kills" in held(kill_cycles(databases.store, 8, 7, quietly)).figures


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_four_responders_of_whom_one_is_killed_cut_off_or_paused_agree_on_everything(
    databases: Databases, seed: int
) -> None:
    result = held(crowds(databases.place, range(seed, seed + 1), 60, quietly))
    assert ("1 killed", "1 cut off", "1 paused")[seed] in result.figures

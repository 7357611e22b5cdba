"""`make torture` in short: kills, faults and a crowd, on SQLite."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture import faults, kills
from tests.torture.children import Result
from tests.torture.crowd import crowds
from tests.torture.kills import kill_cycles
from tests.torture.stores import Files


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast it is, `make torture` says; here others have the processors, too."""
    monkeypatch.setattr(faults, "SAID_S", 60.0)
    monkeypatch.setattr(kills, "REOPEN_S", 60.0)


@pytest.fixture
def files() -> Iterator[Files]:
    """Journals on a disk."""
    with tempfile.TemporaryDirectory() as name:
        yield Files(Path(name))


def held(result: Result) -> Result:
    assert result.wrong == [], result.figures
    return result


def quietly(text: str) -> None:
    pass


def test_three_writers_killed_at_any_moment_lose_nothing_acknowledged(files: Files) -> None:
    result = held(kill_cycles(files.store, 30, 7, quietly))
    assert "30 cycles, 90 kills" in result.figures
    assert " 0 acknowledged" not in result.figures


@pytest.mark.parametrize("fault", faults.NAMES)
def test_a_fault_is_said_and_then_everything_is_saved_once(
    fault: str,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # one of them is met as another user
        result = held(faults.sqlite_fault(fault, folder))
    if result.figures.startswith("not possible here"):
        pytest.skip(result.figures)


@pytest.mark.parametrize("seed", [0, 1])
def test_four_responders_of_whom_one_is_killed_or_paused_agree_on_everything(
    files: Files, seed: int
) -> None:
    result = held(crowds(files.place, range(seed, seed + 1), 60, quietly))
    assert ("1 killed", "1 paused")[seed] in result.figures

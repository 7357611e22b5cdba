"""Whoever presses, and whatever dies: what was asked for once is done once, and the record never
says that something happened that did not. The full rounds are `make torture`'s."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torture import acting
from tests.torture.acting import MODES, cuts, rounds
from tests.torture.children import Store
from tests.torture.stores import Databases, Files
from warroom.drill.stack.postgres import Postgres


def files(folder: Path) -> Callable[[], Store]:
    return Files(folder).store


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast it is, `make torture` says; here others have the processors, too."""
    monkeypatch.setattr(acting, "ENDED_S", 120.0)


@pytest.fixture
def databases(tmp_path: Path, postgres_server: Postgres) -> Callable[[], Store]:
    return Databases(tmp_path, postgres_server, f"acting{abs(hash(tmp_path)) % 10**9}").store


def quiet(_: str) -> None:
    """Nobody watches."""


def test_of_up_to_eight_consoles_that_press_at_once_one_acts_in_a_file(tmp_path: Path) -> None:
    assert rounds(files(tmp_path), 12, 1, tmp_path, quiet).wrong == []


@pytest.mark.service("postgres")
def test_of_up_to_eight_consoles_that_press_at_once_one_acts_on_a_server(
    tmp_path: Path, databases: Callable[[], Store]
) -> None:
    assert rounds(databases, 12, 1, tmp_path, quiet).wrong == []


def test_a_console_cut_off_anywhere_leaves_no_false_word_in_a_file(tmp_path: Path) -> None:
    assert cuts(files(tmp_path), 1, MODES, tmp_path, 1, quiet).wrong == []


@pytest.mark.service("postgres")
def test_a_console_cut_off_anywhere_leaves_no_false_word_on_a_server(
    tmp_path: Path, databases: Callable[[], Store]
) -> None:
    assert cuts(databases, 1, ("kill", "stop"), tmp_path, 1, quiet).wrong == []

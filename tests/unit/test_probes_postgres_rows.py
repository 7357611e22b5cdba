"""Backends as rows: the lock tree, the words, and texts that mean harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.effort import at_most
from warroom.probes._postgres_rows import COLUMNS, lock_tree, rows_of

START = datetime(2026, 11, 21, 3, 0, 0, 123456, UTC)
HOSTILE = "\x1b[2J\x1b]0;x\x07 [/x] [@click=app.bell]x[/] \u202eabc \x00 \x9b31m \ud800 \ufffd"
PIDS = st.integers(1, 12)


def backend(pid: int, **fields: Any) -> dict[str, Any]:
    """A record as activity.sql gives it, of an active client unless told otherwise."""
    record: dict[str, Any] = {
        "pid": pid,
        "user": "shop",
        "database": "orders",
        "app": "api",
        "client": "10.0.0.7",
        "client_port": 40000,
        "state": "active",
        "backend_type": "client backend",
        "backend_start": START,
        "wait_event_type": None,
        "wait_event": None,
        "blocked_by": [],
        "query_s": 2.5,
        "transaction_s": 3.5,
        "state_s": 1.5,
        "query": "SELECT 1",
    }
    return record | fields


def cells(row: Any) -> dict[str, Any]:
    return {column.key: cell for column, cell in zip(COLUMNS, row.cells, strict=True)}


def test_a_chain_is_shown_from_who_must_go_first() -> None:
    assert lock_tree({7: [5], 5: [3], 3: [], 9: [7]}) == [(3, 0), (5, 1), (7, 2), (9, 3)]


def test_one_with_two_blockers_stands_once_under_the_deepest() -> None:
    assert lock_tree({1: [], 2: [1], 3: [1, 2]}) == [(1, 0), (2, 1), (3, 2)]


def test_the_other_of_two_blockers_stands_just_before_the_tree_of_the_victim() -> None:
    assert lock_tree({1: [], 2: [], 3: [1, 2]}) == [(2, 0), (1, 0), (3, 1)]


def test_the_blocker_of_most_comes_first() -> None:
    tree = lock_tree({1: [], 2: [1], 10: [], 11: [10], 12: [10]})
    assert [pid for pid, depth in tree if depth == 0] == [10, 1]


def test_a_deadlock_that_nobody_has_found_yet_still_has_a_tree() -> None:
    tree = lock_tree({1: [3], 2: [1], 3: [2], 4: [2]})
    assert sorted(pid for pid, _ in tree) == [1, 2, 3, 4]
    assert sum(depth == 0 for _, depth in tree) == 1


def test_who_waits_for_a_prepared_transaction_or_an_unseen_backend_is_shown() -> None:
    assert lock_tree({4: [0], 5: [999], 6: []}) == [(4, 0), (5, 0)]
    (row,) = rows_of([backend(4, blocked_by=[0], wait_event_type="Lock", wait_event="relation")])
    assert cells(row)["blocked_by"] == "prepared tx"


@given(st.dictionaries(PIDS, st.lists(PIDS, max_size=4), max_size=12))
def test_any_graph_becomes_a_forest(blocked_by: Mapping[int, Sequence[int]]) -> None:
    tree = lock_tree(blocked_by)
    pids = [pid for pid, _ in tree]
    assert len(pids) == len(set(pids)), "each once"
    involved = {pid for pid, blockers in blocked_by.items() if blockers}
    involved |= {b for blockers in blocked_by.values() for b in blockers if b in blocked_by}
    assert set(pids) == involved, "all that block or are blocked, and no others"
    for place, (pid, depth) in enumerate(tree):
        if depth:
            above = next(p for p, d in reversed(tree[:place]) if d == depth - 1)
            assert above in blocked_by[pid], "a row stands under one of its blockers"


def test_a_thousand_deep_chain_does_not_exhaust_the_stack() -> None:
    tree = lock_tree({pid: [pid - 1] if pid else [] for pid in range(5000)})
    assert tree[-1] == (4999, 4999)


def test_a_row_says_who_it_blocks_and_by_whom_it_is_blocked() -> None:
    blocker = backend(1, state="idle in transaction")
    victim = backend(2, blocked_by=[1], wait_event_type="Lock", wait_event="transactionid")
    first, second = rows_of([victim, blocker])
    assert (first.name, first.note, cells(first)["state"]) == ("1", "blocks 1", "idle in tx")
    assert (second.name, second.note, cells(second)["pid"]) == ("2", "waits", "└ 2")
    assert cells(second)["blocked_by"] == "1"
    assert cells(second)["wait"] == "Lock:transactionid"
    assert second.data["blocked_by"] == [1]
    assert (first.data["depth"], second.data["depth"]) == (0, 1)


def test_a_row_is_named_by_pid_and_start_to_the_microsecond() -> None:
    (row,) = rows_of([backend(42)])
    assert row.key == "42:2026-11-21T03:00:00.123456+00:00"
    assert (row.data["pid"], row.data["backend_start"]) == (42, START.isoformat())


def test_an_active_backend_counts_its_query_and_an_idle_one_its_idling() -> None:
    active, idle = rows_of([backend(1), backend(2, state="idle in transaction")])
    assert cells(active)["duration"] == 2.5
    assert cells(idle)["duration"] == 1.5


@pytest.mark.parametrize("kind", ["autovacuum worker", "walsender", "logical replication worker"])
def test_what_is_no_client_is_called_by_what_it_is(kind: str) -> None:
    (row,) = rows_of([backend(1, backend_type=kind)])
    assert cells(row)["state"] == kind.removesuffix(" worker")
    assert row.data["backend_type"] == kind


def test_a_backend_that_the_role_may_not_see_says_so() -> None:
    unseen = {"state": None, "backend_type": None, "backend_start": None, "state_s": None}
    (row,) = rows_of([backend(9, **unseen, query="<insufficient privilege>")])
    assert cells(row)["state"] == "hidden"
    assert cells(row)["query"] == "(not visible for this role)"
    assert row.key == "9:"


@pytest.mark.parametrize("name", ["user", "database", "app", "client", "query", "wait_event"])
def test_no_foreign_text_moves_the_terminal(name: str) -> None:
    (row,) = rows_of([backend(1, wait_event_type="Lock") | {name: HOSTILE}])
    texts = [cell for cell in row.cells if isinstance(cell, str)]
    texts += [value for value in row.data.values() if isinstance(value, str)]
    assert all(text.replace("\n", "").isprintable() for text in texts)
    assert any("[@click=app.bell]x[/]" in text for text in texts), "markup stays as it was written"


def test_a_query_of_ten_megabytes_is_cut_for_its_cell_and_costs_little() -> None:
    with at_most(2.0):
        (row,) = rows_of([backend(1, query="SELECT '" + "x" * 10_000_000 + "'")])
        assert len(str(cells(row)["query"])) == 500


def test_a_query_over_many_lines_is_one_line_in_its_cell() -> None:
    (row,) = rows_of([backend(1, query="SELECT *\n  FROM orders\r\n\t WHERE id = 1")])
    assert cells(row)["query"] == "SELECT * FROM orders WHERE id = 1"
    assert row.data["query"].splitlines()[1] == "  FROM orders␍"

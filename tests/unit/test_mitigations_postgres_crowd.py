"""Who is left alone when many backends are ended, and what a card says of the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.hostile import CORPUS
from warroom.mitigations._postgres_crowd import Backend, hits, pids, reasons, sorted_out, spared
from warroom.mitigations._postgres_ways import ACTIVE, BLOCKERS, IDLE, Tally, why_spared

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def record(number: int = 1, **other: Any) -> dict[str, Any]:
    """A shop's session that idles in a transaction, as crowd.sql has it."""
    return {
        "pid": number,
        "backend_start": NOON,
        "xact_start": NOON,
        "query_start": NOON,
        "state_change": NOON,
        "backend_type": "client backend",
        "state": "idle in transaction",
        "user": "shop",
        "database": "shop",
        "app": "api",
        "client": "10.0.0.7",
        "query_s": 400.0,
        "state_s": 390.0,
        "has_written": False,
        "query": "SELECT 1",
        "blocks": 0,
        "ours": False,
        "superuser": False,
        "may_signal": True,
        "grantable": True,
        "role": "oncall",
    } | other


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, ""),
        ({"backend_type": None, "state": None}, "not visible for this role: GRANT pg_monitor"),
        ({"backend_start": None}, "not visible for this role"),
        ({"backend_type": "walsender", "app": "standby1"}, "the server's own walsender"),
        ({"backend_type": "autovacuum worker", "app": ""}, "the server's own autovacuum worker"),
        ({"backend_type": "logical replication worker"}, "the server's own logical replication"),
        ({"backend_type": "parallel worker"}, "the server's own parallel worker"),
        ({"backend_type": "background worker"}, "the server's own background worker"),
        ({"backend_type": "walsender", "app": "pg_basebackup"}, "a backup"),
        ({"app": "pg_dump"}, "a backup"),
        ({"app": "pgBackRest [backup]"}, "a backup"),
        ({"app": "barman_backup"}, ""),
        ({"app": "barman receive"}, "a backup"),
        ({"app": "pg_dump_viewer"}, ""),
        ({"query": "select PG_BACKUP_START ('nightly')"}, "a backup"),
        ({"query": "SELECT pg_start_backup('nightly')"}, "a backup"),
        ({"app": "warroom"}, "a warroom session"),
        ({"ours": True}, "a warroom session"),
        ({"may_signal": False}, "role oncall may not end sessions of shop: GRANT pg_signal"),
        ({"may_signal": False, "grantable": False}, "a superuser: that takes a superuser"),
        ({"superuser": True}, "a superuser's session: superusers = true"),
        ({"app": None, "query": None, "user": None}, ""),
    ],
)
def test_whoever_must_not_be_ended_is_left_alone_with_the_reason(
    other: dict[str, Any], reason: str
) -> None:
    said = spared(record(**other), superusers=False)
    assert (reason in said) if reason else said == ""


def test_a_superusers_session_is_ended_where_the_config_says_so() -> None:
    assert spared(record(superuser=True), superusers=True) == ""


def test_those_left_alone_are_grouped_by_the_reason() -> None:
    found = [record(1), record(2, app="pg_dump"), record(3, app="warroom"), record(4, app="wal-g")]
    ended, left = sorted_out(found, superusers=False)
    assert [one["pid"] for one in ended] == [1]
    assert reasons(left) == "2, 4 (a backup); 3 (a warroom session)"


def test_a_card_names_the_first_and_counts_the_rest_by_who_they_are() -> None:
    found = [record(n, app="api" if n % 2 else "batch", has_written=n < 3) for n in range(1, 31)]
    said = hits(found, {"a backup": [99]})
    assert said[0] == ("backends", "30: shop@shop api 15 · shop@shop batch 15")
    assert said[1] == ("have written", "2 of them: that is rolled back")
    assert ("and", "18 more: shop@shop api 9 · shop@shop batch 9") in said
    assert said[-1] == ("left alone", "99: a backup")
    assert sum(1 for name, _ in said if name.startswith("pid ")) == 12


@pytest.mark.parametrize("field", ["user", "database", "app", "client", "state", "query"])
@pytest.mark.parametrize("name", CORPUS)
def test_every_text_of_the_server_is_harmless_and_short(field: str, name: str) -> None:
    for text in (CORPUS[name], CORPUS[name] * 10_000):
        said = hits([record(1, **{field: text})], {})
        assert all(line.isprintable() and len(line) < 800 for _, line in said)
        why = spared(record(1, **{field: text, "may_signal": False}), superusers=False)
        assert why.isprintable()


def test_a_backend_is_the_same_after_the_record_kept_it() -> None:
    for mark in (NOON, None):
        one = Backend(7, NOON, mark)
        assert Backend.of(one.as_list()) == one


def test_few_pids_are_named_and_many_are_counted() -> None:
    assert pids([3, 1]) == "3, 1"
    assert pids(range(300)).endswith(", 19 and 280 more")


def test_the_tally_says_exactly_who_ended_and_who_was_spared_and_why() -> None:
    tally = Tally(ended=[1, 2], cancelled=[3], spared={4: "had gone", 5: "had gone", 6: "was not"})
    assert str(tally) == (
        "2 ended: pid 1, 2; 1 cancelled: pid 3; 3 spared: pid 4, 5 had gone, pid 6 was not"
    )
    assert str(Tally()) == ""


def test_why_one_was_spared_is_read_from_what_it_does_now() -> None:
    one = Backend(7, NOON, NOON)
    later = NOON + timedelta(seconds=1)
    idle = {"state": "idle", "xact_start": None, "query_start": NOON, "state_change": later}
    busy = idle | {"state": "active", "xact_start": NOON}
    assert why_spared(IDLE, one, None) == "had gone"
    assert why_spared(IDLE, one, idle) == "had ended its transaction"
    assert why_spared(IDLE, one, busy) == "had gone on working"
    assert why_spared(ACTIVE, one, idle) == "had ended that query"
    assert why_spared(BLOCKERS, one, idle) == "was in another transaction"
    assert why_spared(BLOCKERS, one, busy) == "stood in nobody's way any more"

"""One look at a Redis as figures and words, from what servers really answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.sample import Health
from warroom.hosts.redis_info import clients, keyspace, parse_info, replicas, slow_calls
from warroom.probes import _redis_view as view

HOSTILE = b"\x1b[2J[/x][@click=app.bell]x[/]\xe2\x80\xae\xff\x00\r\n\x9b31m"
PRIMARY = {"role": "master", "connected_slaves": "0", "run_id": "abc"}


def seen(info: dict[str, str], **before: Any) -> dict[str, float]:
    """The metrics of a look at `info`, ten seconds after one with these counters."""
    now = view.totals(info, 20.0)
    earlier = view.totals({**info, **before}, 10.0) if before else None
    return view.metrics(info, now, earlier, 0)


def test_the_hit_rate_of_now_is_that_between_two_looks() -> None:
    info = PRIMARY | {"keyspace_hits": "1020", "keyspace_misses": "1080"}
    values = seen(info, keyspace_hits="1000", keyspace_misses="1000")
    assert values["hit_percent"] == pytest.approx(100 * 1020 / 2100)
    assert values["hit_percent_now"] == pytest.approx(20.0)


def test_without_lookups_there_is_no_hit_rate() -> None:
    values = seen(PRIMARY | {"keyspace_hits": "0", "keyspace_misses": "0"})
    assert "hit_percent" not in values
    assert view.facts(PRIMARY, values, (), ())["hit rate"] == "no lookups yet"


@pytest.mark.parametrize("change", [{"run_id": "other"}, {"keyspace_hits": "5000"}])
def test_a_restart_or_a_reset_of_the_counters_gives_no_rate(change: dict[str, str]) -> None:
    info = PRIMARY | {"keyspace_hits": "10", "keyspace_misses": "10", "evicted_keys": "3"}
    values = seen(info, **change)
    assert "hit_percent_now" not in values
    assert "evictions_per_s" not in values


def test_evictions_are_told_by_the_second() -> None:
    info = PRIMARY | {"evicted_keys": "500"}
    values = seen(info, evicted_keys="100")
    assert values["evictions_per_s"] == 40.0
    assert view.facts(info, values, (), ())["evictions"] == "40.0/s, 500 in all"


@pytest.mark.parametrize(
    ("fields", "name", "health"),
    [
        ({"loading": "1", "loading_loaded_perc": "43.2"}, "LOADING", Health.DOWN),
        ({"rdb_last_bgsave_status": "err"}, "MISCONF", Health.DEGRADED),
        ({"aof_last_write_status": "err"}, "MISCONF", Health.DEGRADED),
        ({"aof_last_bgrewrite_status": "err"}, "AOF", Health.DEGRADED),
        (
            {"used_memory": "101", "maxmemory": "100", "maxmemory_policy": "noeviction"},
            "OOM",
            Health.DEGRADED,
        ),
        ({"role": "slave", "master_link_status": "down"}, "MASTERDOWN", Health.DEGRADED),
    ],
)
def test_a_trouble_has_the_servers_own_name(
    fields: dict[str, str], name: str, health: Health
) -> None:
    info = PRIMARY | fields
    (trouble,) = view.troubles(info)
    assert (trouble.name, trouble.health) == (name, health)
    assert view.summary(info, {}, [trouble]).startswith(f"{name}: ")


def test_memory_that_may_be_evicted_is_no_trouble() -> None:
    info = PRIMARY | {"used_memory": "101", "maxmemory": "100", "maxmemory_policy": "allkeys-lru"}
    assert view.troubles(info) == []
    assert seen(info)["memory_percent"] == 101.0


def test_keys_are_told_by_database() -> None:
    info = parse_info(
        b"# Keyspace\r\ndb10:keys=7,expires=0\r\ndb0:keys=1204,expires=9,avg_ttl=1\r\n"
    )
    assert keyspace(info) == {0: 1204, 10: 7}
    assert view.facts(info, seen(info), (), ())["keys"] == "db0 1,204 · db10 7"


def test_replication_is_told_from_both_ends() -> None:
    primary = PRIMARY | {
        "connected_slaves": "2",
        "slave0": "ip=10.0.0.2,port=6379,state=online,offset=10,lag=1",
        "slave1": "ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=7",
    }
    assert len(replicas(primary)) == 2
    assert view.lag(primary) == 7.0
    assert view.facts(primary, {}, (), ())["replication"] == "2 replicas, lag 7s, 1 not online"
    replica = {"role": "slave", "master_host": "10.0.0.1", "master_port": "6379"}
    replica |= {"master_link_status": "down", "master_link_down_since_seconds": "42"}
    assert view.lag(replica) == 42.0
    assert view.facts(replica, {}, (), ())["replication"] == (
        "replica of 10.0.0.1:6379, read-only, link down"
    )


def test_no_foreign_bytes_move_the_terminal() -> None:
    (call,) = slow_calls([[7, 1700000000, 12345, [b"SET", HOSTILE, b"a b", b""], HOSTILE, HOSTILE]])
    assert call.duration == pytest.approx(0.012345)
    assert '"a b" ""' in call.command
    for text in (call.command, call.client, call.name):
        assert text.isprintable()
        assert "[@click=app.bell]x[/]" in text
    (row,) = view.rows([call], 1700000060.0)
    assert row.cells[1] == 60.0
    info = parse_info(b"redis_version:" + HOSTILE.replace(b"\r\n", b"") + b"\r\nx:y")
    assert all(name.isprintable() and value.isprintable() for name, value in info.items())
    (client,) = clients(b"id=3 addr=1.2.3.4:5 name=\x1b[2J cmd=get\n")
    assert client["name"] == "␛[2J"


def test_a_slow_command_of_ten_megabytes_is_cut() -> None:
    (call,) = slow_calls([[1, 0, 1, [b"SET", b"x" * 10_000_000]]])
    assert len(call.command) < 3000
    assert "(10,000,000 bytes)" in call.command


@given(st.binary(max_size=400))
def test_any_answer_is_read(raw: bytes) -> None:
    info = parse_info(raw)
    values = view.metrics(info, view.totals(info, 1.0), None, None)
    troubles = view.troubles(info)
    texts = [view.summary(info, values, troubles), *view.facts(info, values, troubles, ()).values()]
    assert all(text.isprintable() for text in texts)
    assert all(isinstance(client, dict) for client in clients(raw))

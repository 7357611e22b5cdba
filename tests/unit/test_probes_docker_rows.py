"""How containers are judged and put into rows, words and figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from warroom.domain.sample import Health
from warroom.hosts.docker_container import Container
from warroom.probes._docker_rows import (
    COLUMNS,
    View,
    judged,
    metrics,
    rows,
    source_health,
    summary,
)
from warroom.probes._docker_usage import Usage

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RUNNING = Container(
    id="a" * 64,
    name="shop-api",
    image="shop:1",
    state="running",
    started="2026-11-21T11:00:00.000000001Z",
    started_at=NOW - timedelta(hours=1),
)
ENDED = replace(RUNNING, state="exited", finished_at=NOW - timedelta(minutes=5))


def view(*containers: Container, **more: object) -> View:
    return View(NOW, NOW - timedelta(minutes=10), containers, **more)  # type: ignore[arg-type]


def used(cpu: float | None = 12.5, memory: float = 50.0) -> Usage:
    return Usage(NOW, cpu, memory, 200.0, 10, 20, 1.0, 2.0)


@pytest.mark.parametrize(
    ("container", "health", "word"),
    [
        (RUNNING, Health.OK, ""),
        (replace(RUNNING, health="healthy"), Health.OK, ""),
        (replace(RUNNING, health="starting"), Health.DEGRADED, "not passed yet"),
        (
            replace(RUNNING, health="unhealthy", health_output="no route"),
            Health.DOWN,
            "unhealthy: no route",
        ),
        (replace(RUNNING, state="paused"), Health.DEGRADED, "paused"),
        (replace(RUNNING, state="restarting", exit_code=3), Health.DOWN, "after exit code 3"),
        (replace(ENDED, exit_code=137, oom=True), Health.DOWN, "OOM killed (137)"),
        (replace(ENDED, exit_code=137), Health.DOWN, "SIGKILL (137)"),
        (replace(ENDED, exit_code=143), Health.DOWN, "SIGTERM (143)"),
        (replace(ENDED, exit_code=255), Health.DOWN, "exit code 255"),
        (replace(ENDED, exit_code=127, error="no such file"), Health.DOWN, "no such file"),
        (replace(ENDED, state="dead", exit_code=1), Health.DOWN, "exit code 1"),
        (ENDED, None, "finished"),
        (replace(RUNNING, state="created"), None, ""),
        (replace(RUNNING, state="created", error="port taken"), Health.DOWN, "port taken"),
        (replace(RUNNING, state="removing"), None, ""),
    ],
)
def test_a_container_is_judged_by_how_it_lives_or_ended(
    container: Container, health: Health | None, word: str
):
    seen, note = judged(container, view(container))
    assert seen is health
    assert word in note


def test_what_somebody_stopped_while_we_watched_is_down_even_with_exit_code_0():
    seen, note = judged(ENDED, view(ENDED, stopped=frozenset({ENDED.id})))
    assert (seen, note) == (Health.DOWN, "stopped by hand, exit code 0")


def test_what_failed_long_before_we_looked_is_history():
    old = replace(ENDED, exit_code=137, finished_at=NOW - timedelta(days=3))
    assert judged(old, view(old))[0] is None


def test_a_row_has_a_cell_for_each_column_and_what_is_compared_before_an_action():
    (row,) = rows(view(RUNNING, usages={RUNNING.id: used()}))
    cells = dict(zip((column.key for column in COLUMNS), row.cells, strict=True))
    assert row.key == RUNNING.id
    assert row.data["id"] == RUNNING.id
    assert row.data["started_at"] == RUNNING.started
    assert cells["cpu"] == 12.5
    assert cells["mem_percent"] == 25.0
    assert cells["up"] == 3600.0


def test_a_narrow_pane_keeps_name_state_cpu_and_memory():
    assert [c.key for c in COLUMNS if c.priority == 0] == ["name", "state", "cpu", "mem"]


def test_what_has_ended_shows_its_code_and_no_uptime_nor_figures():
    (row,) = rows(view(replace(ENDED, exit_code=137, oom=True)))
    cells = dict(zip((column.key for column in COLUMNS), row.cells, strict=True))
    assert cells["state"] == "exited (137) OOM"
    assert cells["up"] is cells["cpu"] is cells["mem"] is None


def test_counts_and_sums():
    other = replace(RUNNING, id="b" * 64, name="db", health="unhealthy")
    loops = replace(RUNNING, id="c" * 64, name="loop", state="restarting", restarts=7)
    killed = replace(ENDED, id="d" * 64, name="oom", exit_code=137, oom=True)
    job = replace(ENDED, id="e" * 64, name="job")
    seen = view(RUNNING, other, loops, killed, job, usages={RUNNING.id: used(), other.id: used()})
    figures = metrics(seen, rows(seen))
    assert figures == {
        "running": 2, "paused": 0, "restarting": 1, "exited": 2, "unhealthy": 1, "failed": 1,
        "oom_killed": 1, "restarts": 7, "memory_bytes": 100.0, "cpu_percent": 25.0,
    }  # fmt: skip
    assert summary(figures) == "2 up, 1 restarting, 1 unhealthy, 1 failed"


def test_a_sum_with_a_hole_in_it_is_left_out():
    other = replace(RUNNING, id="b" * 64)
    one = view(RUNNING, other, usages={RUNNING.id: used()})
    assert not {"cpu_percent", "memory_bytes"} & set(metrics(one, rows(one)))
    both = view(RUNNING, other, usages={RUNNING.id: used(), other.id: used(cpu=None)})
    assert metrics(both, rows(both))["memory_bytes"] == 100.0
    assert "cpu_percent" not in metrics(both, rows(both))


def test_an_engine_that_answers_is_never_down_whatever_its_containers_do():
    assert source_health(rows(view(replace(RUNNING, health="unhealthy")))) is Health.DEGRADED
    assert source_health(rows(view(RUNNING, ENDED))) is Health.OK
    assert source_health(()) is Health.OK

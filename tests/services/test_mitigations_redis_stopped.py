"""A long removal is stopped from the console: the record says UNKNOWN, and how many keys went."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.redis_mitigations import fill, server, size
from tests.support.cli import written
from tests.support.events import ALICE
from tests.support.waiting import comes_true
from warroom.domain.clock import SystemClock
from warroom.domain.events import Kind
from warroom.drill.stack.redis import Redis
from warroom.engine.executor import State
from warroom.engine.members import load_settings
from warroom.engine.room import Room
from warroom.journal.memory import MemoryJournal

__all__ = ["server"]
pytestmark = pytest.mark.service("redis")

CONFIG = """
[[probe]]
kind = "redis"
name = "cache"
url = "{url}"

[[mitigation]]
kind = "redis.delete_pattern"
settle = "200ms"
"""


@pytest.fixture
async def room(server: Redis, tmp_path: Path) -> AsyncIterator[Room]:
    config = written(tmp_path, CONFIG.format(url=server.url))
    settings, probes, mitigations = load_settings(config)
    journal = MemoryJournal(SystemClock())
    opened = Room(settings, probes, mitigations, (), journal, ALICE, clock=SystemClock())
    await opened.open(watch=False)
    await opened.session.begin("Carts are mixed up", "P1")
    yield opened
    await opened.close()


async def test_stopped_in_the_middle_it_is_unknown_and_the_count_is_written(
    server: Redis, room: Room
) -> None:
    fill(server, 0, 300_000)
    action = next(a for a in room.actions if a.id == "config:0")
    armed = await room.executor.arm(action, None, {"pattern": "sess:*"})
    run = room.launch(armed, armed.word)
    assert await comes_true(lambda: run.output.count > 0)
    counted = armed.card.context["expected"]  # for as long as a card may take
    assert f"of about {counted:,} keys removed" in run.output.lines[0]

    run.cancel("alice")

    assert await comes_true(lambda: run.outcome is not None)
    assert run.outcome is not None
    assert run.outcome.state is State.UNKNOWN
    assert run.outcome.text.startswith("stopped by alice: ")
    removed = int(run.outcome.text.split(": ")[1].partition(" ")[0].replace(",", ""))
    assert 0 < removed < 300_000
    assert 300_000 - removed - 500 <= size(server) <= 300_000 - removed
    (ended,) = [e for e in room.session.events if e.kind is Kind.OUTCOME]
    assert ended.data["state"] == "UNKNOWN"
    assert f"{removed:,} keys were removed" in ended.text


async def test_what_was_removed_is_seen_to_have_worked(server: Redis, room: Room) -> None:
    fill(server, 0, 2000)
    for _ in range(3):
        await room.monitor.step()
    action = next(a for a in room.actions if a.id == "config:0")
    armed = await room.executor.arm(action, None, {"pattern": "sess:*"})
    assert (await room.run(armed, armed.word)).state is State.DONE
    await room.executor.settle()
    (effect,) = [e for e in room.session.events if e.kind is Kind.EFFECT]
    assert effect.data["verdict"] == "worked"
    assert "keys 2000 → 0" in effect.text

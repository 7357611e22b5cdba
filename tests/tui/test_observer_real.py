"""An observer changes nothing of real systems: before the engine, Redis and PostgreSQL stand ears
that pass everything on and know what reads from what changes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.services.docker_doing import SLEEP
from tests.services.postgres_clients import Crowd
from tests.support.cli import output_of, written
from tests.support.ears import (
    Ear,
    Frontend,
    Http,
    Resp,
    http_changes,
    redis_changes,
    relay,
    sql_changes,
)  # fmt: skip
from tests.support.every_kind import keys_of
from tests.support.services import DockerEngine
from tests.tui.observer_stage import Stage
from tests.tui.page import RoomPage, opened
from warroom.cli.root import warroom
from warroom.domain.events import Kind
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.redis import Redis
from warroom.engine.actions import PANE_ACTIONS
from warroom.engine.executor import Armed, State
from warroom.engine.members import mitigation_kinds
from warroom.mitigations import _docker_wait
from warroom.mitigations.base import Card, MitigationRefused, Output, Risk, Target, unfenced
from warroom.tui.screens import card as card_screen

pytestmark = [pytest.mark.service(name) for name in ("docker", "postgres", "redis")]
SIZE = (160, 48)
WHY = "observer mode"
DB = 9
KINDS = [kind for kind in mitigation_kinds() if kind.split(".")[0] in PANE_ACTIONS]
_numbers = count()


@dataclass
class Systems:
    """Three real systems with an ear before each; `shop` is a container in which others live."""

    docker: Ear
    redis: Ear
    postgres: Ear
    shop: str
    folder: Path
    engine: DockerEngine
    postgres_port: int
    redis_port: int

    @property
    def ears(self) -> dict[str, Ear]:
        return {"docker": self.docker, "redis": self.redis, "postgres": self.postgres}

    @property
    def changing(self) -> dict[str, list[str]]:
        return {name: ear.changing for name, ear in self.ears.items() if ear.changing}

    def options(self, kind: str) -> str:
        """The keys of a `[[mitigation]]` of that kind."""
        family = kind.partition(".")[0]
        if family == "redis":
            more = '\npattern = "cart:*"' if kind == "redis.delete_pattern" else ""
            return f"{self.probe('redis')}{more}"
        if family == "postgres":
            many = kind.endswith(("_idle", "_active"))
            return self.probe("postgres") + (
                '\nlonger_than = "1s"\nsuperusers = true' if many else ""
            )
        shop = {
            "docker.prune": '\nwhat = "containers"\nolder = "0s"',
            "docker.bulk": f'\nverb = "restart"\ncontainers = ["{self.shop}"]',
        }.get(kind, f'\ncontainer = "{self.shop}"')
        network = '\nnetwork = "bridge"' if "connect" in kind else ""
        scale = "\nby = 1" if kind == "docker.scale" else ""
        return f"{self.probe('docker')}{shop}{network}{scale}"

    def probe(self, kind: str) -> str:
        """The keys of a `[[probe]]` of that kind."""
        folder = self.postgres.socket.parent if isinstance(self.postgres.socket, Path) else ""
        return {
            "docker": f'socket = "{self.docker.socket}"',
            "redis": f'url = "redis://127.0.0.1:{self.redis.socket}/{DB}"',
            "postgres": f'dsn = "postgresql://postgres@/postgres?host={folder}&port={self.postgres_port}"',
        }[kind]

    def config(self, *more: str) -> Path:
        """Every probe, and a mitigation of every kind of theirs."""
        probes = [
            f'[[probe]]\nkind = "{one}"\nevery = "1s"\n{self.probe(one)}' for one in self.ears
        ]
        keys = keys_of(mitigation_kinds())
        kinds = [
            f'[[mitigation]]\nkind = "{kind}"\nkey = "{keys[kind]}"\ntitle = "{kind}"\n'
            f"{self.options(kind)}"
            for kind in KINDS
        ]
        return written(self.folder, *more, *probes, *kinds)

    def keys(self) -> int:
        argv = ["redis-cli", "-p", str(self.redis_port), "-n", str(DB), "dbsize"]
        return int(output_of(argv))


@pytest.fixture
async def systems(
    docker_engine: DockerEngine,
    redis_server: Redis,
    postgres_server: Postgres,
    stack_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Systems]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = stack_folder / f"ears{next(_numbers)}"  # a socket's path is bounded
    place.mkdir()
    project = f"ears-{os.getpid()}-{place.name}"
    shop, labels = f"{project}-api-1", {"project": project, "service": "api",
                                        "oneoff": "False", "container-number": "1"}  # fmt: skip
    labels = {f"com.docker.compose.{key}": value for key, value in labels.items()}
    docker_engine.run(shop, *SLEEP, labels=labels)
    output_of(["redis-cli", "-p", str(redis_server.port), "-n", str(DB), "mset", "cart:1", "a"])
    sql = f".s.PGSQL.{postgres_server.port}"
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        made = Systems(
            await enter(relay(Ear(place / "d", http_changes), docker_engine.socket, Http)),
            await enter(relay(Ear(0, redis_changes), redis_server.port, Resp)),
            await enter(
                relay(Ear(place / sql, sql_changes), postgres_server.socket_dir / sql, Frontend)
            ),
            shop, tmp_path, docker_engine, postgres_server.port, redis_server.port,
        )  # fmt: skip
        yield made
    mine = docker_engine.docker("ps", "-aq", "--filter", f"name={project}").split()
    docker_engine.docker("rm", "--force", *mine)


@pytest.fixture
async def room(systems: Systems) -> AsyncIterator[RoomPage]:
    """An observer, who sees all three, in an incident with a change that has expired."""
    config = systems.config()
    async with opened(config, size=SIZE) as page:
        await page.opens("it burns")
        await leave_a_change(page, systems)
    async with opened(config, size=SIZE, observe=True) as page:
        await page.sees("OBSERVER", systems.shop, f"keys db{DB} 1")
        yield page


async def leave_a_change(page: RoomPage, systems: Systems) -> None:
    """As if somebody had filled the cache an hour ago, to be emptied again by itself."""
    page.room.ledger.expired = tuple  # type: ignore[method-assign]  # or this console does it
    session = page.room.session
    asked = await session.record(
        Kind.REQUESTED, "Warm the cache", {"title": "Warm the cache", "host": "", "kind": "x",
        "target": {"id": "cache", "label": "cache"}, "auto_undo": True, "limit_s": 30,
        "source": "redis"},
    )  # fmt: skip
    undo = {"kind": "redis.flushdb", "title": "Empty it again", "host": "",
            "options": {"url": f"redis://127.0.0.1:{systems.redis.socket}/{DB}"}}  # fmt: skip
    expired = (session.now() - timedelta(minutes=1)).isoformat()
    data = {"request": asked.seq, "state": "done", "undo": undo, "expires_at": expired}
    await session.record(Kind.OUTCOME, "Warm the cache: done", data)


def watched(systems: Systems) -> None:
    """Every system was looked at, and nothing was asked of it that changes."""
    assert [name for name, ear in systems.ears.items() if not ear.heard] == []
    assert systems.changing == {}


async def test_an_observers_keys_palette_and_mouse_change_nothing(
    room: RoomPage, systems: Systems
) -> None:
    screen = room.app.room_screen
    keys = keys_of(mitigation_kinds())
    for kind in KINDS:
        screen.keys.clear()
        await room.press(keys[kind])
        await room.says(WHY)
    for action in room.room.actions:
        screen.keys.clear()
        screen.arm(action)  # what the palette and a click do
        await room.says(WHY)
    watched(systems)


async def test_an_observers_keys_in_a_pane_change_nothing(room: RoomPage, systems: Systems) -> None:
    for pane, offered in PANE_ACTIONS.items():
        await room.select(pane, systems.shop) if pane == "docker" else await room.go(pane)
        for key, _ in offered:
            room.app.room_screen.keys.clear()
            await room.press(key)
            await room.says(WHY)
    watched(systems)


async def test_an_observers_cards_and_undos_change_nothing(
    room: RoomPage, systems: Systems
) -> None:
    for action in room.room.actions:
        mitigation = action.create(Output(), unfenced)
        target = Target("id", "shop")
        card = Card(action.spec.kind, "x", "", target, ("x",), (), "", Risk.CHANGE)
        outcome = await room.room.run(Armed(action, card, mitigation))
        assert (outcome.state, outcome.text[: len(WHY)]) == (State.REFUSED, WHY)
    (change,) = room.room.ledger.expired()
    with pytest.raises(MitigationRefused, match=WHY):
        await room.room.ledger.arm(change)
    await room.room.session.sign()
    await room.room.ledger.step()
    await room.press("M")
    await room.sees("Warm the cache", "EXPIRED")
    await room.press("enter")
    await room.says(WHY)
    watched(systems)
    assert systems.keys() == 1


def answers(config: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(warroom, ["--config", str(config), *words])
    return result.exit_code, result.output


async def test_an_observers_command_line_changes_nothing(systems: Systems) -> None:
    config = systems.config("[console]\nobserve = true")
    await asyncio.to_thread(answers, config, "incident", "new", "it burns", "--severity", "P1")
    await asyncio.to_thread(answers, config, "check")
    for kind in KINDS:
        status, words = await asyncio.to_thread(
            answers, config, "run", kind, "--yes", "--type", "x"
        )
        asks_first = status == 2 and "wants a value" in words
        assert asks_first or (status, WHY in words) == (1, True), (kind, words)
    watched(systems)


# The same paths for who may act: nothing above holds only because nobody was heard ----------------


@pytest.fixture
async def acting(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RoomPage]:
    """A responder, whose cards are taken as read at once."""
    monkeypatch.setattr(card_screen, "DEAF_S", 0.0)
    async with opened(systems.config(), size=SIZE) as page:
        await page.sees(systems.shop, f"keys db{DB} 1")
        await page.opens("it burns")
        yield page


async def test_a_key_a_pane_and_an_undo_of_who_may_act_are_heard(
    acting: RoomPage, systems: Systems
) -> None:
    await acting.press(keys_of(mitigation_kinds())["redis.flushdb"])
    await acting.sees("FLUSHDB", "esc cancel")
    await acting.press(*f"db{DB}", "enter")
    await acting.sees("enter close")
    assert systems.changing == {"redis": ["FLUSHDB"]}
    await acting.press("enter")
    await acting.closes()
    await acting.select("docker", systems.shop)
    await acting.press("S")
    await acting.sees(f"Stop {systems.shop}", "esc cancel")
    await acting.press(*systems.shop, "enter")
    await acting.sees(f"Start {systems.shop} again")
    (stopped,) = systems.changing["docker"]
    assert "/stop" in stopped
    await acting.press("u")  # what takes it back
    await acting.sees(f"Start {systems.shop}", "esc cancel")
    await acting.press("enter")
    await acting.until(lambda: len(systems.changing["docker"]) == 2, "it is not started again")


async def test_the_command_line_of_who_may_act_is_heard(systems: Systems) -> None:
    config = systems.config()
    await asyncio.to_thread(answers, config, "incident", "new", "it burns", "--severity", "P1")
    status, words = await asyncio.to_thread(answers, config, "run", "docker.restart", "--yes")
    assert status == 0, words
    assert any("/restart" in one for one in systems.changing.pop("docker"))
    run = ("run", "redis.flushdb", "--yes", "--type", f"db{DB}")
    status, words = await asyncio.to_thread(answers, config, *run)
    assert (status, systems.changing["redis"]) == (0, ["FLUSHDB"]), words


@pytest.mark.parametrize("family", PANE_ACTIONS)
async def test_every_kind_that_changes_is_heard_when_who_may_act_runs_it(
    acting: RoomPage,
    systems: Systems,
    postgres_server: Postgres,
    family: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_docker_wait, "STEADY_S", 0.1)
    ear, ends = systems.ears[family], {}
    async with Crowd(postgres_server) as crowd:
        stage = Stage(acting, systems.engine, systems.shop, crowd, systems.redis_port, DB)
        for kind in [one for one in KINDS if one.startswith(f"{family}.")]:
            row, inputs = await stage.ready(kind)
            before = len(ear.changing)
            action = next(one for one in acting.room.actions if one.spec.kind == kind)
            armed = await acting.room.executor.arm(action, row, inputs)
            assert len(ear.changing) == before, f"a preview of {kind} only reads"
            outcome = await acting.room.executor.run(armed, typed=armed.word)
            ends[kind] = (outcome.state, len(ear.changing) > before)
    silent = [kind for kind, end in ends.items() if end != (State.DONE, True)]
    only_reads = ["docker.logs"] if family == "docker" else []
    assert (silent, len(ends) > 4) == (only_reads, True), ends

"""Each of the drill's four scenarios is ended from the keyboard alone, and what is written down by
then tells somebody who was not there what happened: broken, seen, tried, helped, over."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import tomlkit

from tests.support.services import Loop
from tests.support.waiting import comes_true
from tests.tui.page import RoomPage, opened
from tests.tui.timeline import timeline_of
from warroom.domain.sample import Health
from warroom.drill import run
from warroom.drill.run import Drill
from warroom.engine import room as engine_room
from warroom.engine import talkers
from warroom.engine.running import Action
from warroom.tui.screens import card

pytestmark = [pytest.mark.service(name) for name in ("docker", "postgres", "redis", "nginx")]
WITHIN: Final = 90.0
"""Seconds that a sick shop has to get well on a machine that others use, too."""
RESOLVED: Final = "status investigating → resolved"


class Stage:
    """A running drill, which something goes wrong with."""

    def __init__(self, loop: Loop, drill: Drill) -> None:
        self._loop, self._drill = loop, drill

    async def plays(self, scenario: str) -> None:
        await asyncio.to_thread(self._loop.run, self._drill.scenario(scenario))

    def config(self, folder: Path) -> Path:
        """The drill's, with a journal of its own, looks in a hurry, and no look at this machine,
        which may have other work."""
        document = tomlkit.parse(self._drill.config_path.read_text())
        document["journal"] = {"path": "journal.db"}
        probes = [dict(probe) for probe in document["probe"]]
        hurried = [{**one, "every": "500ms"} for one in probes if one["kind"] != "machine"]
        document["probe"] = tomlkit.item(hurried)
        config = folder / "warroom.toml"
        config.write_text(tomlkit.dumps(document))
        config.chmod(0o600)
        return config


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    loop = Loop()
    drill = loop.run(run.start(tmp_path_factory.mktemp("drill"), "calm"))
    yield Stage(loop, drill)
    loop.run(drill.stop())
    loop.close()


class Responder:
    """Somebody at three in the morning, with nothing but keys."""

    def __init__(self, room: RoomPage, folder: Path) -> None:
        self.room, self._folder = room, folder
        self.strikes = room.strikes

    async def sees(self, *wanted: str, pane: str = "") -> None:
        await self.room.sees(*wanted, pane=pane, within=WITHIN)

    async def opens(self, title: str, *broken: str) -> None:
        """An incident, of the second severity; and wait until what is broken is told in it."""
        await self.strikes("i")
        await self.room.asked()
        await self.strikes(*title, "enter")
        await self.sees("severity (")
        await self.strikes("1")
        await self.room.closes()
        for text in (title, *broken):
            await self.finds(text)

    async def goes(self, pane: str) -> None:
        """To the pane, by its number."""
        number = next(p.number for p in self.room.app.room_screen.panes if p.key == pane)
        await self.strikes(str(number))
        await self.room.until(lambda: self.room.here == pane, f"not in {pane}")

    async def arms(self, *keys: str, card: tuple[str, ...]) -> None:
        """Press keys until a card is there, and read on it what will be hit."""
        await self.strikes(*keys)
        await self.sees("esc cancel", *card)

    async def confirms(self, *keys: str) -> None:
        """Confirm what the card says, and wait for what it says of the effect."""
        await self.strikes(*keys, "enter")
        await self.sees("done:")
        await self.sees("worked:")
        await self.strikes("enter")
        await self.room.closes()

    async def finds(self, text: str) -> None:
        """Wait until it is written down."""
        session = self.room.room.session
        told = await comes_true(lambda: any(says(one.text, text) for one in session.events), WITHIN)
        assert told, f"not told: {text!r} in {[event.text for event in session.events]}"

    async def stands_on(self, row: str) -> None:
        """Wait until the cursor of the active pane is on that row."""
        table = self.room.app.room_screen.table
        assert table is not None
        assert await comes_true(
            lambda: table.selected is not None and table.selected.row.name == row, WITHIN
        ), self.room.text()

    async def watches(self, source: str, looks: int = 3) -> None:
        """Look for a moment: what has only just begun is not told from a figure's own noise."""
        latest = self.room.room.monitor.latest
        seen = {latest[source].at}

        def enough() -> bool:
            seen.add(latest[source].at)
            return len(seen) > looks

        assert await comes_true(enough, WITHIN)

    async def idled(self, seconds: float) -> None:
        """Wait until transactions have idled for that long."""
        latest = self.room.room.monitor.latest
        metric = "longest_idle_in_transaction_s"
        assert await comes_true(lambda: latest["postgres"].metrics[metric] > seconds, WITHIN)

    async def resolves(self) -> None:
        """Once nothing is down any more, or the console would ask."""
        room = self.room.room
        names = tuple(room.monitor.latest)
        assert await comes_true(
            lambda: all(room.health(one) is not Health.DOWN for one in names), WITHIN
        ), self.room.text()
        await self.strikes("u")
        await self.sees("5   resolved")
        await self.strikes("5")
        await self.room.closes()
        await self.finds(RESOLVED)

    async def reads(self) -> list[str]:
        """What the timeline's own screen says, from top to bottom."""
        timeline = await timeline_of(self.room)
        texts = timeline.texts
        await self.strikes("escape")
        await self.room.closes()
        return texts

    async def exports(self) -> list[str]:
        """The timeline of the post-mortem, a line an entry."""
        await self.strikes("e")
        await self.sees("enter write")
        await self.strikes("enter")
        await self.sees("post-mortem written to")
        (file,) = self._folder.glob("*-post-mortem.md")
        told = file.read_text().replace("\\", "").partition("## Timeline")[2]
        return told.partition("\n## ")[0].splitlines()


@pytest.fixture
async def oncall(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Responder]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    monkeypatch.setattr(Action, "settle_s", 2.0)
    monkeypatch.setattr(talkers, "NOW_S", 1.5)
    monkeypatch.setattr(engine_room, "EVERY_S", 0.5)
    async with opened(stage.config(tmp_path), size=(150, 44)) as room:
        await room.sees("4 ok", "3 up", "/30 connections", "hit 100%", within=WITHIN)
        yield Responder(room, tmp_path)
    await stage.plays("calm")


def tells(
    lines: list[str], *, broken: tuple[str, ...], title: str, act: tuple[str, str, str], well: str
) -> None:
    """What broke, that somebody took it on, what was tried, that it helped, that it is over."""
    asked, done, worked = act
    in_order(lines, broken[0], title, asked)
    for fault in broken:
        in_order(lines, fault, asked)
    in_order(lines, asked, done, worked, RESOLVED)
    in_order(lines, asked, well, RESOLVED)


def in_order(lines: list[str], *wanted: str) -> None:
    """Each is said, one after the other."""
    rest = iter(lines)
    for text in wanted:
        assert any(says(line, text) for line in rest), f"{text!r} in its place of {lines}"


def says(line: str, text: str) -> bool:
    """Whether `text` is in `line`, with anything in place of its dots: the last figure that was
    too large is one of many."""
    return re.search(".*".join(map(re.escape, text.split("…"))), line) is not None


async def test_a_container_that_died_is_restarted(stage: Stage, oncall: Responder) -> None:
    await stage.plays("service-down")
    await oncall.sees("✖ web       502", pane="health")
    await oncall.sees("1 container(s) ended", "exited (137)", pane="docker")
    broken = ("warroom-drill-api down: SIGKILL (137)", "web down: 502 Bad Gateway")
    await oncall.opens("The shop answers 502", *broken)
    await oncall.goes("docker")
    await oncall.stands_on("warroom-drill-api")
    await oncall.watches("docker")
    await oncall.arms("r", card=("Restart warroom-drill-api", "state: exited (137)"))
    await oncall.confirms()
    await oncall.finds("web ok: 200")
    await oncall.resolves()
    for lines in (await oncall.reads(), await oncall.exports()):
        tells(
            lines,
            broken=broken,
            title="The shop answers 502",
            act=("Restart warroom-drill-api: POST", "done: restarted", "worked: failed "),
            well="web ok: 200",
        )


async def test_a_cache_that_is_full_of_carts_is_rid_of_them(
    stage: Stage, oncall: Responder
) -> None:
    await stage.plays("cache-failure")
    await oncall.sees("of maxmemory", "hits   ░░░░", pane="redis")
    await oncall.sees("✖ api       503", pane="health")
    broken = ("% of maxmemory is in use", "api down: 503")
    await oncall.opens("Products cannot be read", *broken)
    await oncall.goes("redis")
    await oncall.watches("redis")
    await oncall.strikes("X")
    await oncall.room.types("cart:*")
    await oncall.arms(card=("cart:0", "never expire: they may be more than a cache"))
    await oncall.confirms(*"cart:*")
    await oncall.finds("api ok: 200")
    relieved = "redis: no longer so: …% of maxmemory is in use"
    await oncall.finds(relieved)
    await oncall.resolves()
    for lines in (await oncall.reads(), await oncall.exports()):
        for well in (relieved, "api ok: 200"):
            tells(
                lines,
                broken=broken,
                title="Products cannot be read",
                act=("SCAN MATCH cart:*", "done: 3,", "worked: keys 3"),
                well=well,
            )


async def test_leaked_transactions_are_ended_although_no_connection_is_left(
    stage: Stage, oncall: Responder
) -> None:
    await stage.plays("pool-exhausted")
    await oncall.sees("% of the connection slots", "29/30 connections", pane="postgres")
    await oncall.sees("✖ checkout  503", pane="health")
    broken = ("% of the connection slots are taken", "checkout down: 503")
    await oncall.opens("Nobody can buy", *broken)
    await oncall.idled(2.0)
    await oncall.watches("postgres")
    await oncall.arms("l", card=("wait for them", "that is rolled back"))
    (count,) = re.findall(r"or type (\d+) backends and", oncall.room.text())
    await oncall.confirms(*f"{count} backends")
    await oncall.finds("checkout ok: 200")
    await oncall.finds("postgres: no longer so:")
    await oncall.resolves()
    for lines in (await oncall.reads(), await oncall.exports()):
        for well in ("postgres: no longer so:", "checkout ok: 200"):
            tells(
                lines,
                broken=broken,
                title="Nobody can buy",
                act=("pg_terminate_backend", f"done: {count} ended: pid ", "worked: waiting "),
                well=well,
            )


async def test_a_network_that_floods_the_shop_is_denied(stage: Stage, oncall: Responder) -> None:
    await stage.plays("traffic-flood")
    await oncall.sees("✖ web       503", pane="health")
    await oncall.sees("one network sends", "range 203.0.113.0/24", pane="talkers")
    broken = ("top talkers: one network sends", "web down: 503")
    await oncall.opens("Visitors are turned away", *broken)
    await oncall.goes("talkers")
    await oncall.room.says("b group by")
    await oncall.watches(talkers.TALKERS)
    await oncall.strikes("b")
    await oncall.sees("by range", pane="talkers")
    await oncall.stands_on("203.0.113.0/24")
    await oncall.arms("d", card=("+ deny 203.0.113.0/24;", "addresses: 256", "share of traffic"))
    await oncall.confirms()
    await oncall.finds("web ok: 200")
    await oncall.sees("M temporary", "Block 203")
    await oncall.resolves()
    for lines in (await oncall.reads(), await oncall.exports()):
        tells(
            lines,
            broken=broken,
            title="Visitors are turned away",
            act=("+ deny 203.0.113.0/24;", "is blocked until", "worked: error "),
            well="web ok: 200",
        )

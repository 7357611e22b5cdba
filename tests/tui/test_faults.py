"""What is wrong with a system is said in its own pane, in words, and holds up no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.support.services import HttpService
from tests.tui.page import RoomPage, opened
from warroom.domain.clock import ManualClock
from warroom.drill.stack.redis import Redis

SIZE = (120, 40)


def probe(name: str, url: str, more: str = "") -> str:
    return f'[[probe]]\nkind = "http"\nname = "{name}"\nurl = "{url}"\nevery = "0.2s"\n{more}'


def answering(service: HttpService) -> HttpService:
    """`service`, which is well."""
    service.respond("/", 200, "ok")
    return service


async def looked_again(room: RoomPage, source: str, times: int = 3) -> None:
    """Wait until a source was looked at that many times more."""
    history = room.room.monitor._watches[source].history
    wanted = len(history) + times
    await room.until(lambda: len(history) >= wanted, f"{source} is not looked at any more")


@pytest.mark.service("redis")
async def test_a_system_that_hangs_holds_up_none_of_its_neighbours(
    tmp_path: Path, http_service: Callable[..., HttpService], redis_server: Redis
) -> None:
    hanging, well = http_service(), answering(http_service())
    hanging.faults.hang = True
    config = written(
        tmp_path,
        probe("hangs", hanging.url, 'timeout = "60s"'),
        probe("well", well.url),
        f'[[probe]]\nkind = "redis"\nurl = "{redis_server.url}"\nevery = "0.2s"',
    )
    async with opened(config, size=SIZE) as room:
        await room.until(lambda: "redis" in room.room.monitor.latest, "redis is held up")
        await looked_again(room, "well")
        await looked_again(room, "redis")
        assert "hangs" not in room.room.monitor.latest
        await room.sees("1 ok", pane="health")


async def test_a_system_that_does_not_answer_in_time_is_down_and_says_so(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    hanging = http_service()
    hanging.faults.hang = True
    config = written(tmp_path, probe("hangs", hanging.url, 'timeout = "0.5s"'))
    async with opened(config, size=SIZE) as room:
        await room.sees("1 down", "timeout", pane="health")


async def test_keys_answer_while_a_system_hangs(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    hanging = http_service()
    hanging.faults.hang = True
    config = written(tmp_path, probe("hangs", hanging.url, 'timeout = "60s"'))
    async with opened(config, size=SIZE) as room:
        await room.sees("looking…", pane="health")
        await room.opens("it burns")
        await room.press("n")
        await room.types("nothing answers")
        await room.sees("nothing answers")


async def test_a_system_that_goes_away_keeps_its_last_rows_and_says_how_old_they_are(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    service = answering(http_service())
    config = written(tmp_path, probe("api", service.url))
    async with opened(config, size=SIZE) as room:
        await room.sees("1 ok", "200", pane="health")
        service.refuse()
        await room.sees("1 down", "refused", pane="health")
        service.accept()
        await room.sees("1 ok", pane="health")


@pytest.mark.parametrize(
    ("part", "pane", "said"),
    [
        (probe("api", "http://no-such-host.invalid/"), "health", "no-such-host.invalid"),
        (probe("api", "http://127.0.0.1:9/"), "health", "refused"),
        ('[[probe]]\nkind = "redis"\nurl = "redis://127.0.0.1:9/0"', "redis", "refused"),
        (
            '[[probe]]\nkind = "postgres"\ndsn = "postgresql://me@127.0.0.1:9/shop"',
            "postgres",
            "refused",
        ),
        ('[[probe]]\nkind = "docker"\nsocket = "/no/such.sock"', "docker", "/no/such.sock"),
        ('[[log]]\nname = "edge"\npath = "/no/such.log"', "logs", "/no/such.log"),
        ('[[log]]\nname = "edge"\nargv = ["/no/such/program"]', "logs", "/no/such/program"),
    ],
)
async def test_what_is_not_there_is_one_plain_line_in_its_pane(
    tmp_path: Path, part: str, pane: str, said: str
) -> None:
    async with opened(written(tmp_path, part), size=(160, 48)) as room:
        await room.sees(said, pane=pane)
        lines = [line for line in room.pane(pane).splitlines() if said in line]
        assert len(lines) <= 2, "once as the fault, at most once more as the row's note"
        assert "Traceback" not in room.pane(pane)
        assert "Error" not in lines[0]


async def test_the_age_of_data_grows_while_nothing_comes_and_is_marked_when_it_is_old(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    service = answering(http_service())
    config = written(tmp_path, probe("api", service.url, 'timeout = "60s"'))
    async with opened(config, size=SIZE) as room:
        await room.sees("200", " now ", pane="health")
        service.faults.hang = True
        await room.until(lambda: len(service.requests) > 1, "nobody asks")
        room.room.clock = ManualClock(datetime.now(UTC) + timedelta(minutes=2))
        await room.sees("2m", " old ", pane="health")
        assert "200" in room.pane("health")


async def test_a_missing_system_of_a_drill_says_what_to_install(tmp_path: Path) -> None:
    missing = {"docker": "apt install docker.io [/x]"}
    async with opened(written(tmp_path), size=SIZE, missing=missing) as room:
        await room.sees("not on this machine", "docker.io [/x]", pane="docker")


async def test_a_journal_that_cannot_be_opened_is_said_and_the_console_can_be_left(
    tmp_path: Path,
) -> None:
    (tmp_path / "journal.db").write_text("this is no database at all " * 100)
    async with opened(written(tmp_path), size=SIZE, wait=False) as room:
        await room.sees("the room could not be opened", "journal.db", "not a database")
        await room.press("escape")
        await room.closes()
        await room.press("n", "i", "m")
        assert room.app.screen is room.app.room_screen
        await room.press("q")
        await room.until(lambda: room.app._exit, "q does not leave")


async def test_what_is_left_of_a_damaged_journal_is_read_by_a_key_and_gone_on_with(
    tmp_path: Path,
) -> None:
    config, path = written(tmp_path), tmp_path / "journal.db"
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        await room.room.session.note("the pool is full")
    damaged = bytes(4096) + path.read_bytes()[4096:]
    path.write_bytes(damaged)
    async with opened(config, size=SIZE, wait=False) as room:
        await room.sees("the room could not be opened", "is damaged", "s reads what is left")
        await room.press("s")
        await room.sees("what is left of the journal", "the chain holds", "s goes on with it")
        await room.press("escape")
        await room.closes()
        assert path.read_bytes() == damaged
    async with opened(config, size=SIZE, wait=False) as room:
        await room.sees("s reads what is left")
        await room.press("s")
        await room.sees("journal.salvaged-2.db", "s goes on with it")
        await room.press("s")
        await room.sees("it burns", "the pool is full")
        await room.closes()
        kept = [aside / "journal.db" for aside in tmp_path.glob("journal.db.damaged-*")]
        assert [file.read_bytes() for file in kept] == [damaged, damaged]
        await room.press("n")
        await room.types("it goes on")
        await room.sees("it goes on")


async def test_of_a_journal_with_nothing_left_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("this is no database at all " * 100)
    async with opened(written(tmp_path), size=SIZE, wait=False) as room:
        await room.sees("s reads what is left")
        await room.press("s")
        await room.sees("nothing was salvaged", "no entry of any incident can be read")
        assert not (tmp_path / "journal.salvaged.db").exists()

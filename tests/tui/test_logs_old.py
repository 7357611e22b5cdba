"""What rotation put away is opened in the place of what is followed, and left again."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.tui.page import RoomPage, opened

YESTERDAY = f"{datetime.now(UTC) - timedelta(days=1):%d/%b/%Y}"
LINE = f"203.0.113.7 - - [{YESTERDAY}" + ':{:02}:{:02}:00 +0000] "GET /{} HTTP/1.1" {} 7 "-" "x"\n'


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "access.log.1": bytes,
    "access.log.2.gz": gzip.compress,
    "access.log.3.bz2": bz2.compress,
    "access.log.4.xz": lzma.compress,
    "access.log.5.zst": zstd,
}


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[RoomPage]:
    log = tmp_path / "access.log"
    log.write_text(LINE.format(14, 35, "now", 200))
    for hour, (name, pack) in enumerate(PACKED.items(), 1):
        lines = (
            LINE.format(14 - hour, n, f"{name}-{n}", 502 if n == 7 else 200) for n in range(60)
        )
        (tmp_path / name).write_bytes(pack("".join(lines).encode()))
    (tmp_path / "other.log.1").write_text("not of it\n")
    config = written(tmp_path, f'[[log]]\nname = "edge"\npath = "{log}"')
    async with opened(config, size=(120, 40)) as room:
        await room.go("logs")
        await room.sees("GET /now", pane="logs")
        yield room


async def test_rotated_files_are_offered_newest_first_and_opened(room: RoomPage) -> None:
    await room.press("ctrl+o")
    await room.sees("open an old log", *PACKED)
    text = room.text()
    places = [text.index(name) for name in PACKED]
    assert places == sorted(places)
    assert "other.log" not in text
    await room.press("j", "enter")
    await room.sees("access.log.2.gz-59", "an old log: esc goes back", pane="logs")
    assert "GET /now" not in room.pane("logs")
    await room.press("escape")
    await room.sees("GET /now", pane="logs")
    assert "an old log" not in room.pane("logs")


@pytest.mark.parametrize("name", PACKED)
async def test_a_file_is_opened_by_name_filtered_and_gone_through_by_time(
    room: RoomPage, name: str
) -> None:
    hour = f"{13 - list(PACKED).index(name):02}"
    await room.press("colon")
    await room.types(f"open {name}")
    await room.sees(f"{name} (combined)", f"{name}-59", "an old log: esc", pane="logs")
    await room.sees(f"{hour}:59:00", pane="logs")  # lines stand at the time that they say
    await room.press("colon")
    await room.types(f"find {name}-7")
    await room.sees(f"{hour}:07:00", pane="logs")
    await room.press("colon")
    await room.types(f"at {hour}:40")
    await room.sees(f"{hour}:40:00", pane="logs")
    await room.press("colon")
    await room.types("filter status:502")
    await room.sees("1 of 60", pane="logs")
    await room.press("escape", "escape", "escape")
    await room.sees("GET /now", pane="logs")


async def test_a_filter_that_was_set_is_there_again(room: RoomPage) -> None:
    await room.press("colon")
    await room.types("filter now")
    await room.sees("/now", "1 of 1", pane="logs")
    await room.press("colon")
    await room.types("open access.log.1")
    await room.sees("access.log.1-59", pane="logs")
    await room.loses("1 of 1", pane="logs")
    await room.press("escape")
    await room.sees("1 of 1", "GET /now", pane="logs")


async def test_what_cannot_be_opened_is_said_in_its_place(room: RoomPage, tmp_path: Path) -> None:
    await room.press("colon")
    await room.types("open access.log.9.gz")
    await room.sees("▲ access.log.9.gz", "No such file", pane="logs")
    (tmp_path / "access.log.8.gz").write_bytes(b"GIF89a")
    await room.press("colon")
    await room.types("open access.log.8.gz")
    await room.sees("not in gzip format", pane="logs")
    await room.press("escape")
    await room.sees("GET /now", pane="logs")


async def test_the_command_line_goes_to_a_text_a_time_and_hides(room: RoomPage) -> None:
    for line, wanted in (("find now", '"now: n N'), ("hide curl", "!curl")):
        await room.press("colon")
        await room.types(line)
        await room.sees(wanted, pane="logs")
    await room.press("colon")
    await room.types("at noonish")
    await room.says("not understood: try 14:35")
    await room.press("colon")
    await room.types("at 1m ago")
    await room.says("no line has come since")
    await room.press("colon")
    await room.types("at 9 days ago")
    await room.says("the oldest line kept is of 20")
    await room.sees("PAUSED", pane="logs")


async def test_a_path_is_completed_while_it_is_typed(room: RoomPage, tmp_path: Path) -> None:
    await room.press("colon")
    line = await room.asked()
    for typed, whole in {
        "open acc": "open access.log",
        "OPEN access.log.2": "open access.log.2.gz",
        f"open {tmp_path}/oth": f"open {tmp_path}/other.log.1",
    }.items():
        line.value = typed
        line.cursor_position = len(typed)
        await room.until(lambda whole=whole: line._suggestion == whole, "nothing is suggested")  # type: ignore[misc]
        await room.press("tab")
        assert line.value == whole
    line.value = f"open {tmp_path}/nowhere/a"
    await room.until(
        lambda: "cannot complete: No such file or directory" in room.painted(), "nothing is said"
    )
    line.value = f"open {tmp_path}/access.log.3.b"
    await room.until(lambda: line._suggestion.endswith(".bz2"), "nothing is suggested")
    assert "cannot complete" not in room.painted()
    line.cursor_position = len(line.value)
    await room.press("right", "enter")
    await room.sees("access.log.3.bz2-59", "an old log: esc goes back", pane="logs")

"""The logs pane in a flood: what is folded, counted, marked, found, and when it came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.cli import written
from tests.tui.page import RoomPage, opened
from tests.tui.test_logs import Desk

TRACE = (
    "ERROR pay failed", "Traceback (most recent call last):", '  File "shop.py", line 3, in pay',
    "    charge()", "ValueError: no card",
)  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The logs alone on a small terminal."""
    log = tmp_path / "api.log"
    log.write_text("INFO start\nINFO served /cart\n")
    config = written(tmp_path, f'[[log]]\nname = "api"\npath = "{log}"')
    async with opened(config, size=(80, 24)) as room:
        await room.go("logs")
        await room.sees("served /cart", pane="logs")
        yield Desk(room, log)


async def test_a_stack_trace_is_one_row_until_it_is_opened(desk: Desk) -> None:
    desk.writes(*TRACE, "INFO after it")
    await desk.sees("pay failed  +4 lines", "after it")
    assert "charge()" not in desk.room.pane("logs")
    await desk.room.press("left_square_bracket", "right")
    await desk.sees("charge()", "ValueError: no card", "PAUSED")
    await desk.room.press("j", "left")
    await desk.sees("pay failed  +4 lines")
    await desk.room.press("right")
    await desk.sees("charge()")
    await desk.room.press("left", "minus")
    await desk.sees("charge()", "unfolded")
    await desk.room.press("minus")
    await desk.loses("charge()")


async def test_the_whole_trace_is_in_its_sheet_and_in_what_is_copied(desk: Desk) -> None:
    desk.writes(*TRACE)
    await desk.sees("+4 lines")
    await desk.room.press("enter")
    await desk.room.sees("With 4 more lines", "ValueError: no card")
    await desk.room.press("escape")
    pane = desk.room.app.room_screen.pane
    assert pane is not None
    assert pane.picked() == ("api", "\n".join(TRACE))


async def test_a_line_that_comes_again_is_counted_and_can_be_shown_each_time(desk: Desk) -> None:
    desk.writes(*(f"2026-11-21 14:35:{n % 60:02d} WARN pool full" for n in range(412)))
    await desk.sees("WARN pool full  ×412")
    assert desk.room.pane("logs").count("pool full") == 1
    await desk.room.press("equals_sign")
    await desk.loses("×412")
    assert desk.room.pane("logs").count("pool full") > 5
    await desk.room.press("equals_sign")
    await desk.sees("×412")


async def test_lines_and_errors_over_time_stand_above_the_lines(desk: Desk) -> None:
    await desk.room.until(lambda: _begun(desk), "the log is not followed")
    desk.writes("INFO a", "ERROR b", '::1 - - [t] "GET / HTTP/1.1" 502 5')
    await desk.sees("now lines, most 18/min", "errors, most 12/min", "█")
    await desk.room.press("vertical_line")
    await desk.loses("errors, most")


def _begun(desk: Desk) -> bool:
    """Whether what comes from now on counts as new."""
    source = desk.room.room.logs._sources[0]
    return source._before == 0 and source._again is None


async def test_marked_lines_are_gone_to_in_both_directions(desk: Desk) -> None:
    desk.writes("WARN first", *(f"INFO filler {n}" for n in range(60)), "WARN second", "INFO end")
    await desk.sees("INFO end")
    await desk.room.press("k", "asterisk")
    await desk.sees("◆", "1 marked")
    await desk.room.press("quotation_mark")
    await desk.room.types("first")
    await desk.sees("WARN first")
    await desk.room.press("asterisk")
    await desk.sees("2 marked")
    await desk.room.press("right_curly_bracket")
    await desk.room.press("right_curly_bracket")
    await desk.room.says("no further mark below")
    assert desk.room.pane("logs").count("◆") == 1
    await desk.room.press("left_curly_bracket")
    await desk.sees("WARN first")
    await desk.room.press("asterisk")
    await desk.room.says("not marked any more")


async def test_a_text_stands_out_and_is_gone_to_without_hiding_the_rest(desk: Desk) -> None:
    desk.writes("WARN slow one", *(f"INFO filler {n}" for n in range(60)), "WARN slow two", "x")
    await desk.sees("slow two")
    await desk.room.press("quotation_mark")
    await desk.room.types("slow")
    await desk.sees('"slow: n N', "filler 59", "PAUSED")
    await desk.room.press("N")
    await desk.sees("slow one")
    await desk.room.press("n")
    await desk.sees("slow two")
    await desk.room.press("n")
    await desk.room.says('no further "slow" below')
    await desk.room.press("escape")
    await desk.loses('"slow')
    await desk.room.press("n")
    await desk.room.says("no incident is open")


async def test_levels_are_narrowed_and_widened_by_key(desk: Desk) -> None:
    desk.writes("DEBUG d", "WARN w", *TRACE)
    await desk.sees("DEBUG d")
    await desk.room.press("greater_than_sign")
    await desk.loses("DEBUG d")
    await desk.sees("INFO start", "level info")
    await desk.room.press("greater_than_sign", "greater_than_sign")
    await desk.sees("level error", "pay failed  +4 lines", "3 of")
    await desk.room.press("less_than_sign")
    await desk.sees("WARN w", "level warn")
    await desk.room.press("escape")
    await desk.sees("DEBUG d")


async def test_a_time_is_gone_to_by_arrival_and_before_that_by_what_lines_say(
    tmp_path: Path,
) -> None:
    log = tmp_path / "api.log"
    lines = [f"2026-01-02 03:{n:02d}:00 INFO job {n}" for n in range(60)]
    log.write_text("".join(f"{line}\n" for line in lines))
    config = written(tmp_path, f'[[log]]\nname = "api"\npath = "{log}"')
    async with opened(config, size=(80, 24)) as room:
        await room.go("logs")
        await room.sees("job 59", pane="logs")
        await room.press("at")
        await room.types("2026-01-02 03:07")
        await room.sees("job 7", "PAUSED", pane="logs")
        pane = room.app.room_screen.pane
        assert pane is not None
        assert pane.picked()[1].endswith("job 7")
        await room.press("at")
        await room.types("2026-01-02 03:99")
        await room.says("03:99 is no time of day")
        await room.press("at")
        await room.types("2026-01-01 00:00")
        await room.until(lambda: pane.picked()[1].endswith("job 0"), "not at the oldest line")
        await room.press("at")
        await room.types("now")
        await room.says("no line has come since")
        await room.loses("PAUSED", pane="logs")


KEYS = (
    "quotation_mark", "semicolon", "comma", "at", "asterisk", "left_curly_bracket", "minus",
    "equals_sign", "vertical_line", "greater_than_sign", "right", "left",
)  # fmt: skip


async def test_keys_of_the_logs_say_elsewhere_whose_they_are(tmp_path: Path) -> None:
    config = written(tmp_path, '[[probe]]\nkind = "machine"')
    async with opened(config, size=(80, 24)) as room:
        for key in KEYS:
            await room.press(key)
            await room.says("that is for the logs pane")
            room.app.room_screen.keys.clear()


async def test_a_saved_search_shows_its_rate_and_writes_a_finding_into_the_timeline(
    tmp_path: Path,
) -> None:
    log = tmp_path / "auth.log"
    log.write_text("INFO start\n")
    config = written(
        tmp_path,
        f'[[log]]\nname = "auth"\npath = "{log}"\n[[search]]\nname = "authentication failure"\n'
        'find = "authentication failure"\nwarn = 5\n[[search]]\nname = "quiet"\nfind = "nothing"',
    )
    async with opened(config, size=(80, 24)) as room:
        desk = Desk(room, log)
        await room.opens("it burns")
        await room.go("logs")
        await desk.sees("INFO start", "authentication failure 0/min  quiet 0/min")
        await room.until(lambda: _begun(desk), "the log is not followed")
        desk.writes(*(f"sshd[{n}]: authentication failure" for n in range(7)))
        await desk.sees("▲ authentication failure 7/min")
        await room.until(lambda: "finding" in room.kinds, "no finding in the timeline")
        (finding,) = [e for e in room.room.session.events if e.kind.value == "finding"]
        assert finding.text == "saved searches: authentication failure: 7 lines a minute"


async def test_rows_stand_as_they_were_written_when_that_is_wanted(desk: Desk) -> None:
    desk.writes("2026-01-02T03:00:05Z five", "2026-01-02T03:00:03Z three")
    await desk.sees("five", "three")
    text = desk.room.pane("logs")
    assert text.index("five") < text.index("three")
    await desk.room.press("tilde")
    await desk.sees("by time", "03:00:03 three")
    text = desk.room.pane("logs")
    assert text.index("three") < text.index("five")
    await desk.room.press("tilde")
    await desk.loses("by time")


async def test_silence_is_said_between_the_lines(desk: Desk) -> None:
    desk.writes("2026-01-02T03:00:05Z one", "2026-01-02T03:00:47Z two", "2026-01-02T04:30:47Z 3")
    await desk.sees("Z 3")
    await desk.room.press("tilde")
    await desk.sees("— 42 s without a line —", "— 1 h 30 min without a line —")


async def test_a_log_that_is_gone_and_back_is_told_of_in_words(tmp_path: Path) -> None:
    log = tmp_path / "late.log"
    config = written(tmp_path, f'[[log]]\nname = "late"\npath = "{log}"')
    async with opened(config, size=(80, 24)) as room:
        await room.go("logs")
        await room.sees("▲ late: ", pane="logs")
        log.write_text("INFO here\n")
        await room.sees("INFO here", "late is read again since", pane="logs")
        await room.loses("▲ late: ", pane="logs")


async def test_what_was_there_before_stands_at_its_own_time_and_new_lines_below_a_rule(
    tmp_path: Path,
) -> None:
    edge, api = tmp_path / "edge.log", tmp_path / "api.log"
    edge.write_text('::1 - - [01/Jan/2025:13:35:01 +0100] "GET /old HTTP/1.1" 200 5 "-" "x"\n')
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0)
    api.write_text(f"2025-01-01 00:00:01 somewhere\n{today:%Y-%m-%dT%H:%M:%SZ} midnight\n")
    logs = "".join(f'[[log]]\nname = "{log.stem}"\npath = "{log}"\n' for log in (edge, api))
    async with opened(written(tmp_path, logs), size=(100, 30)) as room:
        await room.go("logs")
        await room.sees("Jan 2025 edge", "[01/Jan/2025:13:35:01 +0100]", pane="logs")
        await room.sees("before   api", "2025-01-01 00:00:01 somewhere", pane="logs")
        await room.sees("00:00:00 api", "midnight", pane="logs")
        await room.until(lambda: _all_begun(room), "the logs are not followed")
        assert "followed from here on" not in room.pane("logs")
        with edge.open("a") as file:
            file.write('::1 - - [01/Jan/2025:13:35:01 +0100] "GET /new HTTP/1.1" 200 5 "-" "x"\n')
        await room.sees("followed from here on", "/new", pane="logs")
        assert f"{datetime.now(UTC):%H:}" in room.pane("logs").split("from here on", 1)[1]
        await room.press("k", "k", "enter")
        await room.sees("before this console followed its log")


def _all_begun(room: RoomPage) -> bool:
    return not any(source._before for source in room.room.logs._sources)


async def test_lines_are_filtered_by_any_field_of_theirs(desk: Desk) -> None:
    desk.writes(*(f'{{"level":"info","msg":"paid {n}","order":{n}}}' for n in range(60)))
    await desk.sees('"paid 59"')
    await desk.room.press("colon")
    await desk.room.types("filter order:7")
    await desk.sees("1 of 62", '"paid 7"')
    await desk.room.press("colon")
    await desk.room.types("filter order:1* level:info")
    await desk.sees("11 of 62", '"paid 19"')

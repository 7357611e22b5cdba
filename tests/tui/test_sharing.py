"""A shared screen shows no address and no secret, and takes both back when it is not shared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import written
from tests.tui.page import opened

LINES = (
    '203.0.113.7 - - [21/Nov/2026:14:00:00 +0000] "GET /pay?token=sesame HTTP/1.1" 502 17\n'
    "WARN mail to ann@example.com from 2001:db8::7 password=hunter2 at 14:35:02\n"
)
SECRETS = ("203.0.113.7", "sesame", "ann@example.com", "2001:db8::7", "hunter2")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    log = tmp_path / "edge.log"
    log.write_text(LINES)
    return written(tmp_path, f'[[log]]\nname = "edge"\npath = "{log}"')


async def test_share_masks_what_a_call_must_not_see_in_panes_sheets_and_the_timeline(
    config: Path,
) -> None:
    async with opened(config, sharing=True) as room:
        await room.sees("502", "14:35:02", pane="logs")
        await room.until(lambda: "•••" in room.painted(), "nothing is masked")
        await room.opens("asked by 203.0.113.7")
        await room.go("logs")
        await room.press("k", "p")
        await room.says("pinned")
        await room.sees("done: Keep logs")  # what ticks itself comes a moment later
        for keys in ((), ("enter",), ("t", "k")):
            await room.press(*keys)
            await room.until(lambda: "14:35:02" in room.painted(), "a clock is no address")
            painted = room.painted()
            assert not [secret for secret in SECRETS if secret in painted], keys
            await room.press("escape")


async def test_masking_is_turned_on_and_off_by_key_and_the_journal_keeps_the_truth(
    config: Path,
) -> None:
    async with opened(config) as room:
        await room.opens("asked by 203.0.113.7")
        assert "203.0.113.7" in room.painted()
        await room.press("ctrl+x")
        await room.says("screen sharing: addresses and secrets are masked")
        await room.until(lambda: "203.0.113.7" not in room.painted(), "still to be seen")
        await room.press("ctrl+x")
        await room.until(lambda: "203.0.113.7" in room.painted(), "still masked")
        assert room.room.session.events[0].text == "asked by 203.0.113.7"

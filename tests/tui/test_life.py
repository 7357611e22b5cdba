"""What goes on after a card was confirmed: watched, stopped, left alone, verified, taken back, and
confirmed by somebody else. The systems are small programs that write down what was done to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual import events

from tests.support.cli import CALM, written
from tests.tui.page import RoomPage, opened
from tests.tui.timeline import timeline_of
from warroom.domain.events import Kind
from warroom.tui import attention
from warroom.tui.screens import card, standing

SIZE = (130, 42)


def program(folder: Path, name: str, *lines: str) -> Path:
    """A script that writes its name into `done` and then does what `lines` say."""
    file = folder / name
    file.write_text("\n".join(["#!/bin/sh", f'echo {name} >> "{folder}/done"', *lines]) + "\n")
    file.chmod(0o755)
    return file


def done(folder: Path) -> list[str]:
    file = folder / "done"
    return file.read_text().split() if file.exists() else []


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    monkeypatch.setattr(standing, "QUIET_S", 0.0)
    slow = program(tmp_path, "slow", "echo step one", "echo step two", "sleep 60")
    on, off = program(tmp_path, "on"), program(tmp_path, "off")
    check = tmp_path / "check"
    check.write_text("#!/bin/sh\necho it is half done\n")
    check.chmod(0o755)
    kind = '[[mitigation]]\nkind = "command.run"'
    return written(
        tmp_path,
        '[[probe]]\nkind = "machine"',
        CALM,
        f'{kind}\nkey = "f"\ntitle = "Rebuild"\nargv = ["{slow}"]\nverify = ["{check}"]',
        f'{kind}\nkey = "d"\ntitle = "Maintenance on"\nargv = ["{on}"]\nexpires = "15m"\n'
        f'target = "shop"\nundo = {{ argv = ["{off}"], title = "Maintenance off" }}',
        f'{kind}\nkey = "E"\ntitle = "Drop the queue"\nargv = ["{on}"]\nrisk = "destroy"\n'
        'target = "queue"\napprovals = 2',
    )


@pytest.fixture
async def room(config: Path) -> AsyncIterator[RoomPage]:
    async with opened(config, size=SIZE) as page:
        await page.opens("it burns")
        yield page


async def confirmed(room: RoomPage, key: str, *seen: str) -> None:
    await room.press(key)
    await room.sees("esc cancel", *seen)
    await room.press("enter")


# Running -------------------------------------------------------------------------------------


def verdicts(room: RoomPage) -> list[str]:
    """What looking again said, in order."""
    return [event.text for event in room.room.session.events if event.kind is Kind.VERIFIED]


async def test_its_words_are_read_while_it_runs_and_x_twice_stops_it(
    room: RoomPage, tmp_path: Path
) -> None:
    await confirmed(room, "f", "Rebuild")
    await room.sees("running…", "step one", "step two", "x stop it")
    await room.press("x")
    await room.sees("press x again to stop it")
    await room.press("x")
    await room.sees("UNKNOWN:", "stopped by", "v verify")
    await room.press("v")
    await room.sees("verified:")
    assert verdicts(room)[-1].endswith("it is half done")
    assert done(tmp_path) == ["slow"]


async def test_what_is_left_alone_goes_on_and_its_key_leads_back_to_it(room: RoomPage) -> None:
    await confirmed(room, "f", "Rebuild")
    await room.sees("step two")
    await room.press("escape")
    await room.closes()
    await room.sees("Rebuild …running")
    await room.press("f")
    await room.sees("running…", "step two")
    await room.press("x", "x")
    await room.sees("UNKNOWN:")


async def test_what_nobody_knows_of_stands_in_the_list_and_can_be_verified_there(
    room: RoomPage,
) -> None:
    await confirmed(room, "f", "Rebuild")
    await room.sees("step two")
    await room.press("x", "x")
    await room.sees("UNKNOWN:")
    await room.press("enter")
    await room.closes()
    await room.press("M")
    await room.sees("nobody knows whether it happened", "Rebuild", "v verifies")
    await room.press("v")
    await room.until(lambda: bool(verdicts(room)), "it was not verified")
    assert verdicts(room)[-1].endswith("it is half done")


async def test_what_nobody_knows_of_is_verified_from_its_entry_in_the_timeline(
    room: RoomPage,
) -> None:
    await confirmed(room, "f", "Rebuild")
    await room.sees("step two")
    await room.press("x", "x")
    await room.sees("UNKNOWN:")
    await room.press("enter")
    await room.closes()
    timeline = await timeline_of(room)
    await timeline.select("it burns")
    await room.press("v")
    await timeline.says("only what nobody knows of is verified")
    assert verdicts(room) == []
    await timeline.select("Rebuild: UNKNOWN")
    await room.sees("v looks whether it happened")
    await room.press("v")
    await timeline.says("verified: ")
    assert verdicts(room)[-1].endswith("it is half done")
    assert any("it is half done" in text for text in timeline.texts)


# Taken back ----------------------------------------------------------------------------------


async def test_u_on_the_card_takes_it_back_through_a_card_of_its_own(
    room: RoomPage, tmp_path: Path
) -> None:
    await confirmed(room, "d", "Maintenance on")
    await room.sees("done:", "u Maintenance off")
    await room.press("u")
    await room.sees("Maintenance off", f"{tmp_path}/off", "esc cancel")
    assert done(tmp_path) == ["on"]
    await room.press("enter")
    await room.until(lambda: done(tmp_path) == ["on", "off"], "not taken back")
    await room.sees("done:")
    await room.press("enter")
    await room.closes()
    await room.press("M")
    await room.sees("nothing stands that was changed from here")


async def test_what_is_temporary_is_always_in_view_and_closing_says_so(room: RoomPage) -> None:
    await confirmed(room, "d", "Maintenance on")
    await room.sees("done:")
    await room.press("enter")
    await room.closes()
    await room.sees("1 temporary: Maintenance on: shop, 15 min left", "M temporary")
    await room.press("u", "6")
    await room.sees("close?", "still in place and temporary: Maintenance on")
    await room.press("escape")


async def test_what_has_expired_is_offered_with_its_card_on_every_console_and_at_the_next_start(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(config, size=SIZE) as room:
        await room.opens("it burns")
        await confirmed(room, "d", "Maintenance on")
        await room.sees("done:")
        await room.press("enter")
        await room.closes()
        later = room.room.clock.now() + timedelta(minutes=16)
        monkeypatch.setattr(room.room.clock, "now", lambda: later)
        await room.sees("Maintenance off", "esc cancel", "EXPIRED")
        await room.press("escape")
        await room.closes()
        assert done(tmp_path) == ["on"], "nothing is taken back silently"
    monkeypatch.setattr("warroom.domain.clock.SteadyClock.now", lambda self: later)
    async with opened(config, size=SIZE) as room:
        await room.sees("Maintenance off", "esc cancel", "EXPIRED")
        await room.press("enter")
        await room.until(lambda: done(tmp_path) == ["on", "off"], "not taken back")


# Another person ------------------------------------------------------------------------------


async def test_another_person_confirms_on_a_console_of_their_own(
    room: RoomPage, config: Path, tmp_path: Path
) -> None:
    await room.press("E")
    await room.sees("then 1 more must confirm", "esc cancel")
    await room.press(*"queue", "enter")
    await room.sees("waiting for another person to confirm")
    async with opened(config, size=SIZE) as other:
        session = other.room.session
        session.author = replace(session.author, login="bob", uid=4242)
        await other.sees("1 to confirm: M")
        await other.press("M")
        await other.sees("another person must confirm", "Drop the queue: queue")
        await other.press("enter")
        await other.sees("asks you to confirm this", f"{tmp_path}/on", "type queue")
        assert done(tmp_path) == []
        await other.press(*"queue", "enter")
        await other.closes()
    await room.sees("done:")
    assert done(tmp_path) == ["on"]


async def test_nobody_confirms_for_themselves(room: RoomPage, config: Path, tmp_path: Path) -> None:
    await room.press("E")
    await room.sees("esc cancel")
    await room.press(*"queue", "enter")
    await room.sees("waiting for another person")
    async with opened(config, size=SIZE) as other:
        await other.press("M")
        await other.sees("another person must confirm")
        await other.press("enter")
        await other.says("asked for it: another person must confirm")
    await room.press("escape")
    await room.sees("refused:", "withdrawn")
    assert done(tmp_path) == []


# Not meant -----------------------------------------------------------------------------------


async def test_a_paste_a_held_key_and_a_stopped_console_confirm_nothing(
    room: RoomPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "DEAF_S", 0.05)
    monkeypatch.setattr(card, "HOLD_S", 120.0)  # so slowly a busy machine may repeat it
    monkeypatch.setattr(attention, "STILL_S", 60.0)
    await room.press("d")
    await room.sees("esc cancel")
    await asyncio.sleep(0.1)
    room.app.post_message(events.Paste("\n\n"))
    await room.sees(attention.PIECE)
    await room.press("enter", "enter", "enter")
    await room.sees(attention.HELD)
    screen = room.app.screen
    assert isinstance(screen, card.CardScreen)
    assert screen._confirming is None, "letting it go confirms"
    monkeypatch.setattr(card, "HOLD_S", 0.05)
    monkeypatch.setattr(card, "DEAF_S", 60.0)  # so late a busy machine may hand the key on
    screen._attention._ticked -= 61  # as after SIGSTOP and SIGCONT
    await room.press("enter")
    await room.sees(attention.STOOD)
    assert done(tmp_path) == []
    monkeypatch.setattr(card, "DEAF_S", 0.05)
    await asyncio.sleep(0.1)
    await room.press("enter")
    await room.sees("done:")


async def test_a_name_that_was_pasted_does_not_confirm(room: RoomPage, tmp_path: Path) -> None:
    await room.press("E")
    await room.sees("esc cancel")
    room.app.post_message(events.Paste("queue"))
    await room.press("enter")
    await room.sees("esc cancel")
    assert done(tmp_path) == []
    assert room.kinds.count("approval") == 0


async def test_with_dry_run_every_card_is_shown_and_nothing_runs(
    room: RoomPage, tmp_path: Path
) -> None:
    room.room.executor.dry_run = True
    await confirmed(room, "d", "Maintenance on")
    await room.sees("refused:", "dry run: this is what would run", "DRY RUN")
    assert done(tmp_path) == []


async def test_a_security_incident_dims_what_destroys(room: RoomPage, tmp_path: Path) -> None:
    await room.press("Z")
    await room.sees("security incident?")
    await room.press("y")
    await room.sees("LOCKED")
    await room.press("E")
    await room.says("locked: a security incident: evidence first")
    await room.press("Z")
    await room.types("the disk image is taken")
    await room.loses("LOCKED")
    await room.press("E")
    await room.sees("Drop the queue", "esc cancel")

"""An observer changes nothing: no kind, by no path. Every target writes down whatever reaches it,
even a look, and nothing does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.every_kind import Targets, keys_of, targets
from tests.tui.page import RoomPage, opened
from warroom.cli.root import warroom
from warroom.domain.events import Kind
from warroom.engine.executor import Armed, State
from warroom.engine.members import mitigation_kinds
from warroom.engine.playbook import entries
from warroom.mitigations.base import Card, MitigationRefused, Output, Risk, Target, unfenced

SIZE = (140, 44)
WHY = "observer mode: this console changes nothing"


@pytest.fixture
async def aim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Targets]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with targets(tmp_path) as made:
        monkeypatch.setenv("PATH", f"{made.path}:/usr/bin:/bin")
        yield made


@pytest.fixture
async def room(aim: Targets) -> AsyncIterator[RoomPage]:
    """An observer in an incident with a change that has expired."""
    config = aim.config()
    async with opened(config, size=SIZE) as page:
        await page.opens("it burns")
        await leave_a_change(page)
    async with opened(config, size=SIZE, observe=True) as page:
        await page.sees("OBSERVER")
        yield page


async def leave_a_change(page: RoomPage) -> None:
    """As if somebody had switched the maintenance page on an hour ago, to be taken back by
    itself."""
    page.room.ledger.expired = tuple  # type: ignore[method-assign]  # or this console does it
    session = page.room.session
    asked = await session.record(
        Kind.REQUESTED, "Maintenance on", {"title": "Maintenance on", "host": "", "kind": "x",
        "target": {"id": "shop", "label": "shop"}, "auto_undo": True, "limit_s": 30},
    )  # fmt: skip
    undo = {"kind": "command.run", "title": "Maintenance off", "host": "",
            "options": {"argv": ["kubectl", "apply"], "verbatim": True}}  # fmt: skip
    expired = (session.now() - timedelta(minutes=1)).isoformat()
    data = {"request": asked.seq, "state": "done", "undo": undo, "expires_at": expired}
    await session.record(Kind.OUTCOME, "Maintenance on: done", data)


def mutations(page: RoomPage) -> list[str]:
    """Beside the change that was left: its request and its outcome."""
    return [kind for kind in page.kinds if kind.startswith("mitigation")][2:]


async def test_no_key_reaches_anything(room: RoomPage, aim: Targets) -> None:
    for key in keys_of(mitigation_kinds()).values():
        room.app.room_screen.keys.clear()
        await room.press(key)
        await room.says(WHY)
    assert (aim.reached, mutations(room)) == ([], [])


async def test_neither_list_nor_palette_nor_mouse_reach_anything(
    room: RoomPage, aim: Targets
) -> None:
    screen = room.app.room_screen
    for action in room.room.actions:
        screen.keys.clear()
        screen.arm(action)  # what the palette and a click do
        await room.says(WHY)
    await room.press("m")
    await room.sees("act on", "observer mode")
    await room.press("enter")
    assert "act on" in room.text(), "what is dimmed cannot be chosen"
    assert (aim.reached, mutations(room)) == ([], [])


async def test_a_card_that_was_armed_all_the_same_does_not_run(
    room: RoomPage, aim: Targets
) -> None:
    for action in room.room.actions:
        mitigation = action.create(Output(), unfenced)
        target = Target("id", "shop")
        card = Card(action.spec.kind, "x", "", target, ("x",), (), "", Risk.CHANGE)
        outcome = await room.room.run(Armed(action, card, mitigation))
        assert (outcome.state, outcome.text[: len(WHY)]) == (State.REFUSED, WHY)
    assert (aim.reached, mutations(room)) == ([], [])


async def test_no_step_of_a_runbook_reaches_anything(aim: Targets) -> None:
    book = aim.folder / "book.md"
    book.write_text(
        "# Book\n## Playbook: it burns\n```bash\nkubectl get pods\nkubectl delete pods x\n```\n"
    )
    book.chmod(0o600)
    config = aim.config('[incident]\nrunbooks = ["book.md"]')
    async with opened(config, size=SIZE) as page:
        await page.opens("it burns")
    async with opened(config, size=SIZE, observe=True) as page:
        await page.sees("OBSERVER")
        steps, (known,) = page.room.steps, page.room.shelf.books
        (playbook,) = known.runbook.playbooks
        tasks = [entry for entry in entries(known, playbook) if entry.is_runnable]
        made = [steps.action(steps.settled(known, playbook, entry)) for entry in tasks]
        actions = [*made, steps.reads(known, playbook, tasks)]
        assert len(actions) == 3
        for action in actions:
            assert page.room.executor.refusal(action) == page.room.executor.observe != ""
            card = Card(action.spec.kind, "x", "", Target("x", "x"), ("x",), (), "", Risk.READ)
            armed = Armed(action, card, action.create(Output(), unfenced))
            outcome = await page.room.run(armed)
            assert (outcome.state, outcome.text[: len(WHY)]) == (State.REFUSED, WHY)
        assert "mitigation requested" not in page.kinds
    assert aim.reached == []


async def test_nothing_is_taken_back_neither_by_key_nor_by_itself(
    room: RoomPage, aim: Targets
) -> None:
    (change,) = room.room.ledger.expired()
    with pytest.raises(MitigationRefused, match="observer mode"):
        await room.room.ledger.arm(change)
    await room.room.session.sign()
    await room.room.ledger.step()
    await room.press("M")
    await room.sees("temporary", "Maintenance on", "EXPIRED")
    await room.press("enter")
    await room.says("observer mode")
    await room.closes()
    assert (aim.reached, mutations(room)) == ([], [])


async def test_nothing_is_unlocked_confirmed_or_told(room: RoomPage, aim: Targets) -> None:
    events = len(room.room.session.events)
    room.app.room_screen.lock_said("security", "")
    await room.says(WHY)
    room.app.room_screen.keys.clear()
    await room.press("U")
    await room.says(WHY)
    kinds = [event.kind for event in room.room.session.events[events:]]
    assert not {Kind.LOCK, Kind.APPROVAL, Kind.UPDATE} & set(kinds)
    assert aim.reached == []


@pytest.mark.parametrize("said", ["option", "config"])
async def test_the_command_line_reaches_nothing(aim: Targets, said: str) -> None:
    more = ["[console]\nobserve = true"] if said == "config" else []
    config = str(aim.config(*more))
    before = ["--observe"] if said == "option" else []

    def answers(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(warroom, ["--config", config, *before, *words])
        return result.exit_code, result.output

    await asyncio.to_thread(answers, "incident", "new", "it burns", "--severity", "P1")
    for kind in mitigation_kinds():
        status, words = await asyncio.to_thread(answers, "run", kind, "--yes", "--type", "shop")
        asks_first = status == 2 and "wants a value" in words
        assert asks_first or (status, WHY in words) == (1, True), (kind, words)
    for line in ("undo 2 --yes", "approve 2 --type x", "approve 2 --no"):
        status, _ = await asyncio.to_thread(answers, *line.split())
        assert status == 1, line
    assert aim.reached == []


async def test_who_may_act_does_reach_the_targets(aim: Targets) -> None:
    """So that nothing above holds only because nobody could be reached."""
    async with opened(aim.config(), size=SIZE) as room:
        await room.opens("it burns")
        for kind in ("docker.restart", "redis.flushdb", "postgres.terminate_idle", "systemd.stop"):
            action = next(a for a in room.room.actions if a.spec.kind == kind)
            before = len(aim.reached)
            with suppress(MitigationRefused):
                await room.room.executor.disarm(await room.room.executor.arm(action))
            assert len(aim.reached) > before, kind

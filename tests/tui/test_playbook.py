"""A playbook beside the panes: found, read, run, answered, ticked off, and every mark on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cli import CALM, written
from tests.tui.page import RoomPage, opened
from warroom.domain.events import Kind
from warroom.engine.playbook import State
from warroom.tui.screens import card
from warroom.tui.screens.playbook import PlaybookScreen

BOOK = """# Harbour

## Playbook: the tide is out

**Symptoms:** ships lie dry

**Investigation:** (0-5 min)
1. Is it the moon?
2. Look at the gauge

```bash
# how deep
echo deep water
echo FOLDER; false
cat <gauge-file>
```

**Mitigation:**

```bash
mkdir FOLDER/sluice
rm -r FOLDER/dam
```

```text
Tell the pilots: [Your Name]
```

**Verification:**

```bash
tail -f FOLDER/gauge
vim FOLDER/gauge
```

## Playbook: fog

**Symptoms:** nothing is seen

```bash
echo horn
```
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "gauge").write_text("ebb\n")
    (tmp_path / "dam").mkdir()
    file = tmp_path / "harbour.md"
    file.write_text(BOOK.replace("FOLDER", str(tmp_path)))
    file.chmod(0o600)
    return file


def config_of(book: Path) -> Path:
    found = f'[incident]\nrunbooks = ["{book}"]'
    return written(book.parent, found, '[[probe]]\nkind = "machine"', CALM)


@pytest.fixture
async def room(book: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RoomPage]:
    """A console with an open incident and the playbook beside its panes."""
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    monkeypatch.chdir(book.parent)
    async with opened(config_of(book), size=(150, 44)) as page:
        await page.opens("the harbour is dry")
        await opens_playbook(page, "tide")
        yield page


async def opens_playbook(page: RoomPage, words: str) -> None:
    await page.press("ctrl+r")
    await page.sees("type to find")
    await page.types(words)
    await page.sees("all reads")


def screen(page: RoomPage) -> PlaybookScreen:
    found = page.app.screen
    assert isinstance(found, PlaybookScreen)
    return found


async def goes_to(page: RoomPage, text: str) -> None:
    """Put the cursor on the entry with this text."""
    await page.press("g")
    for _ in range(30):
        entry = screen(page).entry
        if entry is not None and text in entry.text:
            return
        await page.press("j")
    raise AssertionError(f"no entry {text!r}\n{page.text()}")


def states(page: RoomPage) -> dict[str, State]:
    """How far each task is, by its text."""
    known = page.room.steps.standings()
    found = screen(page).entries
    return {e.text.split("\n")[0]: known[e.key].state for e in found if e.key in known}


async def test_it_stands_beside_the_panes_with_its_phases_and_the_risk_of_each_step(
    room: RoomPage,
) -> None:
    await room.sees("Investigation", "now, ", "? Is it the moon?", "how deep")
    await room.sees("R read    echo deep water", "C change  mkdir", "D DESTROY rm -r")
    assert room.app.room_screen.docked == 67
    assert "machine" in room.shown
    await room.press("escape")
    await room.closes()
    assert room.app.room_screen.docked == 0


async def test_a_step_runs_through_its_card_and_its_output_is_evidence(room: RoomPage) -> None:
    await goes_to(room, "echo deep water")
    await room.press("enter")
    await room.sees("harbour.md:13", "step: harbour.md:13, Playbook: the tide", "by: bash -c")
    assert "mitigation requested" not in room.kinds
    await room.press("enter")
    await room.sees("harbour.md:13: done", "deep water", "done exit 0")
    requested = next(e for e in room.room.session.events if e.kind is Kind.REQUESTED)
    (exhibit,) = room.room.timeline().exhibits
    assert exhibit.entry == requested.seq
    assert exhibit.evidence.text == "deep water"
    assert exhibit.evidence.query == "echo deep water"
    assert "Playbook: the tide is out, harbour.md:13: exit code 0" in exhibit.evidence.title


async def test_what_destroys_wants_its_name_typed(room: RoomPage, book: Path) -> None:
    await goes_to(room, "rm -r")
    await room.press("enter")
    await room.sees("or type harbour.md:22 and enter", "rm takes away for good")
    await room.press("enter")
    await room.sees('"" is not "harbour.md:22"')
    assert (book.parent / "dam").exists()
    await room.types("harbour.md:22")
    await room.sees("done: exit code 0")
    assert not (book.parent / "dam").exists()


async def test_a_placeholder_is_asked_for_once_and_then_known(room: RoomPage, book: Path) -> None:
    await goes_to(room, "cat <gauge-file>")
    await room.press("enter")
    await room.types(f"{book.parent}/gauge")
    await room.sees(f"cat {book.parent}/gauge", "esc cancel")
    await room.press("enter")
    await room.sees("harbour.md:15: done", "ebb")
    await room.press("enter")
    await room.sees("esc cancel")
    await room.press("escape")
    await room.loses("esc cancel")
    assert room.room.steps.values() == {"<gauge-file>": f"{book.parent}/gauge"}
    await room.press("f")
    await room.sees("<gauge-file> is", str(book.parent)[:30], "another value")
    await room.press("o")
    await room.types("/no such file")
    await room.sees("filled in: <gauge-file>")
    assert room.room.steps.values() == {"<gauge-file>": "/no such file"}


async def test_every_read_runs_at_once_past_failures_and_says_what_it_left_out(
    room: RoomPage,
) -> None:
    await room.press("a")
    await room.sees("every step that only looks", "2 steps, one after the other")
    await room.sees(
        "left out: line 15: <gauge-file> is not filled in", "it goes on until it is stopped"
    )
    await room.press("enter")
    await room.sees("FAILED exit 1", "done: 1 of 2 worked; not: harbour.md:14")
    await room.until(lambda: room.kinds.count("mitigation outcome") == 1, "one outcome")
    assert len(room.room.timeline().exhibits) == 1
    assert set(states(room).values()) == {State.DONE, State.FAILED}
    await room.sees("1/8")  # what failed is not behind us


async def test_marks_answers_and_reasons_are_on_record_and_can_be_taken_back(
    room: RoomPage,
) -> None:
    await goes_to(room, "Is it the moon")
    await room.press("enter")
    await room.types("no, it is new")
    await room.sees("answered", "no, it is new")
    await goes_to(room, "mkdir")
    await room.press("s")
    await room.types("the sluice is there")
    await room.sees("skipped", "the sluice is there")
    await goes_to(room, "Look at the gauge")
    await room.press("d")
    await room.sees("done by hand")
    assert room.kinds.count("step") == 3
    await room.press("u")
    await room.loses("done by hand")
    texts = [e.text for e in room.room.session.events if e.kind is Kind.STEP]
    assert texts[1].endswith("/sluice (the sluice is there)")
    assert list(states(room).values()).count(State.OPEN) == 1


async def test_what_goes_on_is_stopped_by_a_key_and_that_is_no_failure(room: RoomPage) -> None:
    await goes_to(room, "tail -f")
    await room.press("enter")
    await room.sees("until it is stopped, at most 30s")
    await room.press("enter")
    await room.sees("running", "x stops it", "ebb")
    await room.press("x")
    await room.sees("done: stopped after")


async def test_what_changes_something_is_stopped_only_when_it_is_asked_for_twice(
    room: RoomPage, book: Path
) -> None:
    (book.parent / "sluice").mkdir()
    book.write_text(book.read_text().replace("mkdir ", "sleep 900; mkdir "))
    await room.press("v")
    await room.sees("read it anew")
    await room.press("y")
    await goes_to(room, "sleep 900")
    await room.press("enter")
    await room.sees("esc cancel", "sleep 900; mkdir")
    await room.press("enter")
    await room.sees("running", "x stops it")
    await room.press("x")
    await room.sees("x again stops it")
    await room.press("x")
    await room.sees("UNKNOWN: stopped by", "it may have happened in part")


async def test_what_takes_the_terminal_or_is_no_command_says_so(room: RoomPage) -> None:
    await goes_to(room, "vim")
    await room.press("enter")
    await room.sees("your terminal, until it ends")
    await room.press("enter")
    await room.sees("this terminal cannot be left to a program")
    await goes_to(room, "Tell the pilots")
    await room.press("enter")
    await room.sees("a text to fill in and send: copy it")
    await room.press("c")
    await room.sees("copied")
    assert room.app.clipboard == "Tell the pilots: [Your Name]"


async def test_a_file_that_changed_on_disk_runs_nothing_until_it_is_confirmed(
    room: RoomPage, book: Path
) -> None:
    book.write_text(book.read_text().replace("deep water", "shallow water"))
    await goes_to(room, "echo deep water")
    await room.press("enter")
    await room.sees("changed on disk")
    assert "mitigation requested" not in room.kinds
    await room.press("v")
    await room.sees("-echo deep water", "+echo shallow water", "read it anew")
    await room.press("y")
    await room.sees("R read    echo shallow water")
    await goes_to(room, "echo shallow water")
    await room.press("enter")
    await room.sees("esc cancel", "echo shallow water")


async def test_on_a_small_screen_it_has_all_of_it_and_the_mouse_works(room: RoomPage) -> None:
    await room.resize(80, 24)
    await room.until(lambda: room.app.room_screen.docked == 0, "the panes give way")
    body = screen(room).body
    row = next(
        y for y in range(24)
        if "echo deep" in "".join(s.text for s in body.render_line(y))
    )  # fmt: skip
    await room.pilot.click(body, offset=(20, row))
    await room.until(
        lambda: "echo deep" in (screen(room).entry or screen(room).entries[0]).text, "on"
    )
    await room.pilot.click(body, offset=(20, row))
    await room.sees("esc cancel", "echo deep water")


async def test_others_see_how_far_it_is_and_so_does_who_comes_back(
    room: RoomPage, book: Path
) -> None:
    await goes_to(room, "echo deep water")
    await room.press("d")
    await room.sees("done by hand")
    async with opened(config_of(book), size=(150, 44)) as other:
        await other.sees("the harbour is dry")
        await opens_playbook(other, "tide")
        await other.sees("done by hand")


async def every_key_says(page: RoomPage, why: str) -> None:
    """Whatever would run or mark something says why it does not."""
    await goes_to(page, "echo deep water")
    for key in "radsT":
        screen(page).tell("")
        await page.press(key)
        await page.sees(why)
    assert not {"step", "mitigation requested"} & set(page.kinds)


async def test_without_an_incident_nothing_runs_and_nothing_is_marked(book: Path) -> None:
    async with opened(config_of(book), size=(150, 44)) as page:
        await opens_playbook(page, "tide")
        await every_key_says(page, "open an incident first")


async def test_an_observer_runs_nothing_and_marks_nothing(room: RoomPage, book: Path) -> None:
    async with opened(config_of(book), size=(150, 44), observe=True) as page:
        await page.sees("OBSERVER")
        await opens_playbook(page, "tide")
        await every_key_says(page, "observer mode: this console changes nothing")


async def test_in_a_dry_run_the_card_is_shown_and_nothing_runs(room: RoomPage, book: Path) -> None:
    room.room.executor.dry_run = True
    await goes_to(room, "mkdir")
    await room.press("enter")
    await room.sees("esc cancel", "C change  mkdir")
    await room.press("enter")
    await room.sees("refused: dry run: this is what would run; nothing was done")
    assert not (book.parent / "sluice").exists()
    assert "mitigation requested" not in room.kinds


async def test_without_a_runbook_it_says_how_to_name_one(tmp_path: Path) -> None:
    config = written(tmp_path, '[[probe]]\nkind = "machine"', CALM)
    async with opened(config, size=(120, 40)) as page:
        await page.press("ctrl+r")
        await page.says("no runbook: name one with --runbook FILE")


async def test_hostile_text_of_a_runbook_is_text(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "[@click=app.bell]x[/] [/x] \x1b[31mred \u202eback \x9b"
    book.write_text(
        f"# A\n## Playbook: {evil}\n**Symptoms:** {evil}\n1. {evil}?\n\n```bash\n# {evil}\n"
        f"echo '[/x] [@click=app.bell]y[/]'\necho '{evil}'\n```\n"
    )
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    async with opened(config_of(book), size=(150, 44)) as page:
        await page.opens("evil")
        await opens_playbook(page, "app.bell")
        assert not set(page.painted()) & set("\x1b\u202e\x9b")
        await goes_to(page, "click=app.bell]y")
        await page.press("enter")
        await page.sees("esc cancel", "echo '[/x] [@click=app.bell]y[/]'")
        await page.press("enter")
        await page.sees("[/x] [@click=app.bell]y[/]", "done exit 0")
        await goes_to(page, "red")
        for _ in range(8):
            if (entry := screen(page).entry) and entry.why_not:
                break
            await page.press("j")
        await page.press("enter")
        await page.sees("it holds what cannot be shown: nothing runs")

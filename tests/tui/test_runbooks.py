"""The team's runbooks in the room: suggested, searched, linked, answered, and changed meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.cli import CALM, written
from tests.support.services import HttpService
from tests.tui.page import RoomPage, opened
from warroom.tui.panes.base import TablePane
from warroom.tui.screens import card
from warroom.tui.screens.linking import at, links
from warroom.tui.screens.playbook import PlaybookScreen

BOOK = """# Harbour

See [the cranes](cranes.md#a-crane-hangs), [outside](../../outside.md),
[the wiki](https://wiki.example/harbour) and [a map](map.md).

## Playbook: the web service is down

**Symptoms:**
- 502 errors

**Investigation:**

```bash
tail -n 20 LOG

echo looked
```

## Playbook: a crane stands still

```bash
echo crane
```

## Checklist before sailing

- [ ] lines are cast off
"""
CRANES = """# Cranes

## Playbook: no power

```bash
echo power
```

## A crane hangs

```bash
echo hangs
```
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "harbour.md": BOOK.replace("LOG", str(tmp_path / "web.log")),
        "deep/cranes.md": CRANES,
        "cranes.md": CRANES,
        "map.md": "# Map\n\nNorth is up.\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "web.log").write_text("INFO start\n")
    (tmp_path / "crane.log").write_text("INFO turning\n")
    return tmp_path


@pytest.fixture
async def room(folder: Path, http_service: Callable[..., HttpService]) -> AsyncIterator[RoomPage]:
    service = http_service()
    service.respond("/health", status=502)
    config = written(
        folder,
        '[incident]\nrunbooks = ["harbour.md"]',
        f'[[probe]]\nkind = "http"\nname = "web"\nurl = "{service.url}/health"\nevery = "200ms"',
        f'[[log]]\nname = "web"\npath = "{folder}/web.log"',
        f'[[log]]\nname = "crane"\npath = "{folder}/crane.log"',
        CALM,
    )
    async with opened(config, size=(150, 40)) as page:
        yield page


def book_of(room: RoomPage) -> PlaybookScreen:
    screen = room.app.screen
    assert isinstance(screen, PlaybookScreen)
    return screen


async def opens(room: RoomPage) -> PlaybookScreen:
    """The playbook that is suggested, by its keys."""
    await room.sees("ctrl+r playbook", "the web service is")
    await room.strikes("ctrl+r")
    await room.sees(
        "type to find", "● Playbook: the web service is down", '502 Bad Gateway; title "'
    )
    await room.strikes("enter")
    await room.sees("all reads")
    return book_of(room)


async def test_what_is_wrong_names_its_playbook_which_opens_first(room: RoomPage) -> None:
    screen = await opens(room)
    assert screen.playbook.title == "Playbook: the web service is down"


async def test_a_step_is_found_in_the_palette_and_opens_where_it_stands(room: RoomPage) -> None:
    await room.press("ctrl+p")
    await room.asked()
    await room.press(*"step echo crane")
    await room.until(lambda: "harbour.md:" in room.painted(), "not in the palette")
    await room.press("enter")
    await room.until(lambda: isinstance(room.app.screen, PlaybookScreen), "no playbook opens")
    screen = book_of(room)
    assert screen.entry is not None
    assert screen.entry.text == "echo crane"


async def test_the_palette_knows_playbooks_steps_and_checklists_and_lists_few(
    room: RoomPage,
) -> None:
    offered = {c.title: c.discover for c in room.app.get_system_commands(room.app.screen)}
    assert offered["playbook: the web service is down"]
    assert not offered["step: echo looked"]
    assert "checklist: Checklist before sailing" in offered


async def test_a_step_that_a_pane_answers_leads_there(room: RoomPage) -> None:
    screen = await opens(room)
    while screen.entry is None or "tail" not in screen.entry.text:
        await room.press("j")
    await room.sees("the logs pane follows web: p goes there")
    await room.strikes("p")
    await room.until(lambda: room.here == "logs", "not in the logs")
    await room.sees("INFO start", pane="logs")
    await room.loses("INFO turning", pane="logs")


async def test_the_cursor_stands_on_the_row_that_the_step_is_about(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    service = http_service()
    probes = [
        f'[[probe]]\nkind = "http"\nname = "{name}"\nurl = "{service.url}/{name}"'
        for name in ("bow", "stern")
    ]
    book = tmp_path / "ship.md"
    book.write_text(f"# Ship\n## Playbook: leak\n```bash\ncurl {service.url}/stern\n```\n")
    book.chmod(0o600)
    config = written(tmp_path, '[incident]\nrunbooks = ["ship.md"]', *probes, CALM)
    async with opened(config, size=(150, 40)) as page:
        await page.sees("bow", "stern", pane="health")
        await page.press("/")
        await page.types("bow")
        await page.loses("stern", pane="health")
        await page.press("ctrl+r")
        await page.sees("type to find")
        await page.press("enter")
        await page.sees("the health pane shows stern: p goes there")
        await page.strikes("p")
        await page.sees("stern", pane="health")
        pane = next(one for one in page.app.room_screen.panes if one.key == "health")
        assert isinstance(pane, TablePane)
        await page.until(lambda: bool(pane.selected and pane.selected.source == "stern"), "on it")


async def test_a_changed_file_runs_nothing_until_it_was_seen(room: RoomPage, folder: Path) -> None:
    await room.opens("The web is down")
    screen = await opens(room)
    while screen.entry is None or "echo looked" not in screen.entry.text:
        await room.press("j")
    file = folder / "harbour.md"
    file.write_text(file.read_text().replace("echo looked", "echo looked twice"))
    await room.strikes("enter")
    await room.sees("changed on disk: look at what changed")
    assert "mitigation requested" not in room.kinds
    await room.strikes("v")
    await room.sees("-echo looked", "+echo looked twice", "y confirm")
    await room.strikes("y")
    await room.sees("read anew", "echo looked twice")
    assert [one.text.count("twice") for one in room.room.shelf.books] == [1]


async def test_a_file_that_changes_under_its_card_runs_nothing_either(
    room: RoomPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "DEAF_S", 0.0)
    await room.opens("The web is down")
    screen = await opens(room)
    while screen.entry is None or "echo looked" not in screen.entry.text:
        await room.press("j")
    await room.strikes("enter")
    await room.sees("esc cancel", "echo looked")
    file = folder / "harbour.md"
    file.write_text(file.read_text() + "\nmore\n")
    await room.strikes("enter")
    await room.sees("changed on disk: look at what changed")
    assert room.kinds.count("mitigation requested") == 1
    session = room.room.session
    await room.until(
        lambda: any(e.data.get("state") == "refused" for e in session.events), "not refused"
    )
    (refused,) = [e for e in session.events if e.data.get("state") == "refused"]
    assert "changed on disk" in refused.text


async def test_a_link_opens_the_file_beside_and_the_playbook_that_it_names(
    room: RoomPage,
) -> None:
    await opens(room)
    await room.strikes("L")
    await room.sees("links of harbour.md", "the cranes", "the wiki")
    await room.strikes("enter")
    await room.until(
        lambda: (
            isinstance(room.app.screen, PlaybookScreen)
            and room.app.screen.playbook.title == "A crane hangs"
        ),
        "the linked playbook does not open",
    )
    assert [book.name for book in room.room.shelf.books] == ["harbour.md", "cranes.md"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("outside", "is not there"), ("the wiki", "https://wiki.example/harbour"),
     ("a map", "North is up.")],
)  # fmt: skip
async def test_other_links_are_refused_copied_or_read(room: RoomPage, name: str, said: str) -> None:
    await opens(room)
    await room.strikes("L")
    await room.sees("links of harbour.md")
    steps = ["the cranes", "outside", "the wiki", "a map"].index(name)
    await room.strikes(*(["down"] * steps), "enter")
    await room.sees(said)


def test_a_line_leads_to_the_playbook_around_it(folder: Path) -> None:
    from warroom.engine.shelf import read_book

    book = read_book(folder / "harbour.md", folder)
    down, crane, *_ = book.runbook.playbooks
    assert at(book, crane.line + 3) == crane
    assert at(book, 1) == down
    assert [link.text for link in links(book, down)] == [
        "the cranes", "outside", "the wiki", "a map",
    ]  # fmt: skip

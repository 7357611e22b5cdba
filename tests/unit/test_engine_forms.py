"""A team's own texts are filled in from the incident; what nobody knows stays as they wrote it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.duties import NOON, Rooms
from tests.support.hostile import CORPUS
from warroom.channels.base import Stage
from warroom.domain.incident import Incident, Role, Status
from warroom.engine.forms import filled, fitting
from warroom.engine.shelf import Shelf, read_book
from warroom.reports.updates import Facts
from warroom.runbooks.model import Template
from warroom.runbooks.parse import parse

BOOK = """# Harbour

## Templates

### Initial notification
```
ALERT P[SEVERITY]
Status: INVESTIGATING
Started: [TIME]
Impact: [USER IMPACT]
Services: [LIST]
Commander: @[NAME of commander]
Next update: [TIME + 30min]
Channel: #incident-YYYY-MM-DD-NNN
```

### Status page update
```
We know of trouble with [service/feature].
Status: Investigating
Last updated: [timestamp]
```

### Resolution notice
```
It was the database, for 37 minutes. [link]
```

### Post-mortem update
```
[Title] [Summary]
```
"""
UTC = ZoneInfo("UTC")


def facts(title: str = "Cranes stand still", **fields: str) -> Facts:
    begun = NOON - timedelta(minutes=42)
    incident = Incident(
        "INC-1", title, "P0-P3", "P1", Status.IDENTIFIED, begun, NOON, NOON,
        roles={Role.COMMANDER: ("alice",)}, fields=fields,
    )  # fmt: skip
    later = NOON + timedelta(minutes=30)
    return Facts(incident, "High", NOON, begun, later, (), (), (), "#inc-1")


def forms() -> tuple[Template, ...]:
    return parse(BOOK).templates


def test_what_is_known_is_filled_in_and_the_rest_is_named() -> None:
    form = fitting(forms(), "chat", "initial")
    assert form is not None
    text, gaps = filled(form, facts(impact="nothing is unloaded"), UTC)
    assert text == (
        "ALERT P1\nStatus: IDENTIFIED\nStarted: 11:18 UTC\nImpact: nothing is unloaded\n"
        "Services: [LIST]\nCommander: @alice\nNext update: 12:30 UTC\nChannel: #inc-1\n"
    )
    assert gaps == ("[LIST]",)


def test_the_public_is_told_only_by_what_is_meant_for_it() -> None:
    assert fitting(forms(), "status page", "initial") is None
    form = fitting(forms(), "status page", "update")
    assert form is not None
    assert form.title == "Status page update"
    text, gaps = filled(form, facts(services_affected="the cranes"), UTC)
    assert text.splitlines() == [
        "We know of trouble with the cranes.", "Status: Identified", "Last updated: 12:00 UTC",
    ]  # fmt: skip
    assert gaps == ()


def test_an_example_of_another_night_and_a_post_mortem_are_no_update() -> None:
    assert fitting(forms(), "chat", "resolved") is None
    assert fitting(forms(), "chat", "update") is None


@pytest.mark.parametrize("hostile", CORPUS.values(), ids=CORPUS)
def test_a_value_stays_one_line_in_which_nothing_begins(hostile: str) -> None:
    form = fitting(forms(), "chat", "initial")
    assert form is not None
    text, _ = filled(form, facts(impact=hostile), UTC)
    assert len(text.splitlines()) == 8
    assert all(char.isprintable() or char == "\n" for char in text)


@pytest.fixture
async def rooms() -> AsyncIterator[Rooms]:
    made = Rooms()
    yield made
    await made.close()


async def test_a_draft_is_as_the_runbook_has_it_and_says_what_is_missing(
    rooms: Rooms, tmp_path: Path
) -> None:
    room = rooms()
    await room.open(watch=False)
    await room.session.begin("Cranes stand still", "P1")
    built_in = room.teller.draft("chat", Stage.INITIAL)
    assert (built_in.said, built_in.gaps) == ("", ())
    file = tmp_path / "harbour.md"
    file.write_text(BOOK)
    file.chmod(0o600)
    room.shelf = Shelf((read_book(file, tmp_path),), tmp_path)
    made = room.teller.draft("chat", Stage.INITIAL)
    assert made.text.startswith("ALERT P1\nStatus: INVESTIGATING\n")
    assert made.said.startswith("as harbour.md:6 has it; fill in: [USER IMPACT]")
    assert room.teller.draft("chat", Stage.RESOLVED).form == ""

"""A long incident: how soon its timeline is there, how fast its filter answers, how long the
exports take."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Row, median, valued
from tests.benchmarks.process import run
from tests.benchmarks.stack import WARROOM, private
from tests.benchmarks.subjects import console
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Draft, Kind
from warroom.journal.sqlite import SqliteJournal

OPEN_AIM: Final = 1000.0
KEY_AIM: Final = 50.0
EXPORT_AIM: Final = 2000.0
SHARE_AIM: Final = 500.0
_TITLE: Final = "Checkout answers 503"
_WORDS: Final = (
    "pool", "exhausted", "checkout", "answers", "503", "restarting", "api", "deploy", "rollback",
    "connection", "waits", "redis", "evicts", "postgres", "locks", "queue", "drains", "import",
    "cron", "disk", "fills", "certificate", "expires",
)  # fmt: skip
_KEYS: Final = tuple(
    key
    for word in ("poo", "red", "con", "loc", "exh", "rol", "wai")
    for key in (*word, "\x7f", "\x7f", "\x7f")
)
"""Each narrows or widens what is shown."""
_COUNT: Final = (1, 120, 2, 160)
"""Where the number of entries stands."""
_AT_ONCE: Final = 5_000
_FORMATS: Final = ("md", "html", "json", "csv", "bundle")


def incident(folder: Path, count: int) -> Path:
    """A config whose journal has one open incident of `count` events over some days."""
    path = folder / "long.db"
    asyncio.run(_written(path, count))
    return private(folder / "long.toml", f'[journal]\npath = "{path}"\n')


async def _written(path: Path, count: int) -> None:
    dice, begin = random.Random(7), datetime.now(UTC) - timedelta(seconds=3 * count)
    journal = SqliteJournal(path, ManualClock(begin))
    authors = [Author(name, uid, "192.0.2.10") for uid, name in enumerate(("alice", "bob"), 1000)]
    data = {"scheme": "P0-P3", "severity": "P1"}
    opened = await journal.open_incident(Draft(Kind.OPENED, begin, authors[0], _TITLE, data))
    drafts = []
    for number in range(1, count):
        kind = dice.choice((Kind.NOTE, Kind.NOTE, Kind.HEALTH, Kind.FINDING, Kind.RECOVERED))
        at = begin + timedelta(seconds=3 * number - dice.random() * 60)
        text = f"{number} {' '.join(dice.choices(_WORDS, k=9))}"
        drafts.append(Draft(kind, at, dice.choice(authors), text, {"source": "api"}))
    for start in range(0, len(drafts), _AT_ONCE):
        await journal.append(opened.incident, *drafts[start : start + _AT_ONCE])
    await journal.close()


def editing(folder: Path, count: int, runs: int, keys: int) -> list[Row]:
    """The timeline's screen on `count` events."""
    config = incident(folder, count)
    name = f"{count // 1000}k events"
    opened, screens, known = [], [], True
    for _ in range(runs):
        rig = console(config, _TITLE).start()
        try:
            room = rig.wait(_TITLE, 60)
            paint = (rig.first_paint or rig.t0) - rig.t0
            rig.send("t")
            screen = rig.wait(r"[\d,]{6,} entries.*in the post-mortem", 60)
            known = known and room is not None and screen is not None
            if room is not None and screen is not None:
                opened.append((room - paint + screen) * 1000)
                screens.append(screen * 1000)
        finally:
            rig.close()
    rows = [
        valued(f"timeline, {name}, after first paint", median(opened), most=OPEN_AIM),
        valued(f"timeline, {name}, after its key", median(screens)),
    ]
    if not known:
        rows.append(Row(f"timeline, {name}", "does not open", wrong=True))
    return rows + _filtered(config, name, keys)


def _filtered(config: Path, name: str, keys: int) -> list[Row]:
    """From a key in the filter to another count of entries; narrower, then wider again."""
    rig = console(config, _TITLE).start()
    try:
        rig.wait(_TITLE, 60)
        rig.send("t")
        rig.wait("in the post-mortem", 60)
        rig.sleep(2)
        rig.send("/")
        rig.wait("words, all of them", 10)
        found = rig.latency(_KEYS, keys, region=_COUNT)
    finally:
        rig.close()
    rows = [
        valued(f"filter key, {name}, {p}", found[f"{p}_ms"], most=KEY_AIM) for p in ("p50", "p95")
    ]
    if found["missed"]:
        rows.append(Row("filter key, unanswered", f"{found['missed']} of {keys}", wrong=True))
    return rows


def sharing(folder: Path, notes: int) -> list[Row]:
    """From one console's Enter to the note on the screen of another, on the same journal."""
    config = private(folder / "shared.toml", f'[journal]\npath = "{folder / "shared.db"}"\n')
    writer = console(config, "no incident").start()
    took, reader = [], None
    try:
        writer.wait("i open one", 20)
        for keys, answer in (("i", "in a few words"), (f"{_TITLE}<ENTER>", "enter choose")):
            writer.send(keys)
            writer.wait(answer, 10)
        writer.send("1")
        writer.wait("opened", 20)
        reader = console(config, _TITLE).start()
        reader.wait(_TITLE, 20)
        for number in range(notes):
            writer.send("n")
            writer.sleep(0.3 + 0.37 * (number * 0.618 % 1))  # at any phase of the reader's looks
            writer.send(f"seen-{number:03d}")
            writer.wait(f"seen-{number:03d}", 5)
            reader.send("")
            writer.send("<ENTER>")
            seconds = reader.wait(f"seen-{number:03d}", 5)
            took += [] if seconds is None else [seconds * 1000]
    finally:
        writer.close()
        if reader is not None:
            reader.close()
    rows = [valued("another's note on the screen, p50", median(took), most=SHARE_AIM)]
    longest = max(took, default=None)
    rows.append(valued("another's note, longest", longest, most=SHARE_AIM))
    if len(took) < notes:
        missed = f"{notes - len(took)} of {notes}"
        rows.append(Row("another's note, not seen", missed, wrong=True))
    return rows


def exporting(folder: Path, count: int) -> list[Row]:
    """Each format of `count` events, as a command of its own."""
    config = folder / "long.toml"
    if not config.exists():
        config = incident(folder, count)
    rows = []
    for form in _FORMATS:
        target = folder / f"long.{form}"
        argv = [WARROOM, "export", "--config", str(config), "--format", form, "-o", str(target)]
        cost = run(argv)
        what = f"export {form}, {count // 1000}k events"
        rows.append(valued(what, cost.wall * 1000, most=EXPORT_AIM))
    return rows

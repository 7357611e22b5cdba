"""A console without a screen, in a process of its own that a test may kill.

`python -m tests.services.console_child DSN FOLDER WHO`: takes up the open incident, then writes
every line of its input down as a note, and prints `saved TEXT` or `queued TEXT` for each.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path

from warroom.config.settings import JournalSettings, Settings
from warroom.config.values import Secret
from warroom.domain.clock import SteadyClock
from warroom.domain.events import Author
from warroom.domain.severity import SCHEMES
from warroom.engine.outbox import Outbox
from warroom.engine.session import Session
from warroom.journal import name_of, open_journal
from warroom.journal.base import NotSaved


def console(dsn: str, folder: Path, who: str) -> Session:
    """As the room makes it."""
    settings = Settings(journal=JournalSettings(dsn=Secret(dsn)))
    name = partial(name_of, settings)
    author = Author(who, 1000, "192.0.2.7")
    return Session(
        open_journal(settings), SteadyClock(), author, SCHEMES["P0-P3"],
        outbox=lambda own: Outbox(name, own, folder),
    )  # fmt: skip


async def main(dsn: str, folder: str, who: str) -> None:
    session = console(dsn, Path(folder), who)
    await session.resume()
    session.journal.watch()
    session.start()
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        text = line.strip()
        try:
            await session.note(text)
        except NotSaved:
            print(f"queued {text} {session.backlog.kept}", flush=True)
        else:
            print(f"saved {text}", flush=True)
    await session.stop()
    await session.journal.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

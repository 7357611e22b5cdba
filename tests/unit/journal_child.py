"""A console in a process of its own, for tests: `python -m tests.unit.journal_child ACT PATH ...`.

  append INCIDENT LOGIN COUNT [FILE_LIMIT]   appends notes, prints "acknowledged SEQ" after each
  read INCIDENT                              prints how many events there are
Whatever goes wrong is printed as "TYPE: message" and ends it with 3.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from warroom.domain.events import Author, Draft, Kind
from warroom.journal.base import JournalError
from warroom.journal.sqlite import SqliteJournal


async def append(journal: SqliteJournal, incident: str, login: str, count: int) -> None:
    for number in range(count):
        now = datetime.now(UTC)
        note = Draft(Kind.NOTE, now, Author(login, os.getuid()), f"{login} {number}")
        (event,) = await journal.append(incident, note)
        print("acknowledged", event.seq, note.text, flush=True)


async def become(uid: int) -> None:
    """Give root's rights up, once everything is imported: Python itself may be in root's home."""
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal.db")
        opening = Draft(Kind.OPENED, datetime.now(UTC), Author("", 0), "")
        incident = (await journal.open_incident(opening)).incident
        await journal.append(incident, Draft(Kind.NOTE, opening.at, opening.author, ""))
        await journal.events(incident)
        await journal.close()
    os.setuid(uid)


async def main(act: str, path: str, incident: str, *rest: str) -> int:
    user = os.environ.get("AS_UID")
    if user:
        await become(int(user))
    if len(rest) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(rest[2]), resource.RLIM_INFINITY))
    journal = SqliteJournal(Path(path), save_s=10)
    try:
        if act == "append":
            await append(journal, incident, rest[0], int(rest[1]))
        else:
            print(len(await journal.events(incident)))
    except JournalError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 3
    finally:
        await journal.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))

"""What a disk and its other users do to an SQLite journal: each is said within a second, and what
was to be saved then is saved once when it is over."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from signal import SIGKILL
from typing import Final

from tests.torture.children import Child, Result, Store, look
from tests.torture.kills import faults, opened
from tests.torture.syncs import Disk, Syncs, Unsupported
from warroom.domain.events import Author, Draft, Kind, derived_id
from warroom.journal.base import NotSaved
from warroom.journal.sqlite import SqliteJournal

Act = Callable[[str, str, Connection], None]

BEGIN: Final = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)
NOBODY: Final = 65534
SAID_S: Final = 1.0
"""NOT SAVED must be said by then."""
TRIES: Final = 3
OVER_S: Final = 30.0
"""How long after a fault everything must be saved."""


def sqlite_faults(folder: Path, tell: Callable[[str], None]) -> list[Result]:
    """Each fault on a journal of its own below `folder`."""
    results = []
    for name in NAMES:
        tell(f"fault: {name}")
        results.append(sqlite_fault(name, folder))
    return results


def sqlite_fault(name: str, folder: Path) -> Result:
    """One of NAMES."""
    place = Path(tempfile.mkdtemp(dir=folder))
    with _disk(place, small="full disk" in name):
        return _result(name, place, _FAULTS[name])


def _result(name: str, place: Path, acts: Sequence[Act]) -> Result:
    store = Store("sqlite", str(place / "journal.db"))
    incident = opened(store)
    if os.geteuid() == 0:
        for path in (place, *place.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        place.chmod(0o700)
    said = [word for act in acts for word in Child(act, store.place, incident).ended()]
    unable = [text for kind, *text in said if kind == "unable"]
    if unable:
        return Result(name, f"not possible here: {unable[0][0]}")
    refusals = [(seconds, text) for kind, seconds, text in said if kind == "refused"]
    acknowledged = {id: seq for kind, seq, id in said if kind == "saved"}
    _, wrong, events = look(store, incident)
    wrong += faults(events, acknowledged)
    wrong += [f"NOT SAVED only after {late:.2f} s" for late, _ in refusals if late > SAID_S]
    if len(refusals) < TRIES:
        wrong.append(f"refused {len(refusals)} times only: {said}")
    if len(acknowledged) != 2 + TRIES:
        wrong.append(f"{len(acknowledged)} of {2 + TRIES} saved: {said}")
    if len(events) != 1 + len(acknowledged):
        wrong.append(f"{len(events) - 1} stored, {len(acknowledged)} acknowledged")
    slowest = max((late for late, _ in refusals), default=0)
    reason = refusals[0][1].replace(str(place), "…") if refusals else ""
    return Result(name, f"NOT SAVED within {slowest * 1000:.0f} ms ({reason})", wrong)


async def _through(
    path: str,
    incident: str,
    pipe: Connection,
    begin: Callable[[], object],
    end: Callable[[], object],
    *,
    anew: bool = False,
) -> None:
    """A note before, three while it lasts, each tried again after it, and one that follows.

    `anew`: the fault is such that it shows only to who opens the file.
    """
    journal = SqliteJournal(Path(path))
    before, *during, after = [_note(path, n) for n in range(2 + TRIES)]
    (event,) = await journal.append(incident, before)
    pipe.send(("saved", event.seq, event.id))
    begin()
    if anew:
        await journal.close()
        journal = SqliteJournal(Path(path))
    for draft in during:
        started = time.perf_counter()
        try:
            await journal.append(incident, draft)
        except NotSaved as error:
            pipe.send(("refused", time.perf_counter() - started, str(error)))
    end()
    for draft in (*during, *during, after):
        until = time.monotonic() + OVER_S
        while time.monotonic() < until:
            try:
                (event,) = await journal.append(incident, draft)
            except NotSaved:
                await asyncio.sleep(0.05)
            else:
                pipe.send(("saved", event.seq, event.id))
                break
    await journal.close()


def _note(path: str, number: int) -> Draft:
    """The same for whoever writes to that journal."""
    author, name = Author("torture", 0), derived_id(BEGIN, path, str(number))
    return Draft(Kind.NOTE, BEGIN, author, f"{number} " + "x" * 30_000, id=name)


def _nothing() -> None:
    pass


def _full_disk(path: str, incident: str, pipe: Connection) -> None:
    ballast = Path(path).with_name("ballast")

    def fill() -> None:
        with ballast.open("wb", buffering=0) as stream, suppress(OSError):
            while True:
                stream.write(b"x" * 512)

    if shutil.disk_usage(ballast.parent).total > 4 * 2**20:
        pipe.send(("unable", "a small file system needs root"))
        return
    asyncio.run(_through(path, incident, pipe, fill, ballast.unlink))


def _size_limit(path: str, incident: str, pipe: Connection) -> None:
    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    begin, end = partial(limit, 50_000), partial(limit, resource.RLIM_INFINITY)
    asyncio.run(_through(path, incident, pipe, begin, end))


def _syncing(disk: Disk, path: str, incident: str, pipe: Connection) -> None:
    syncs = _answered(pipe)
    if syncs is not None:
        begin, end = partial(syncs.become, disk), partial(syncs.become, Disk.WELL)
        asyncio.run(_through(path, incident, pipe, begin, end))


def _dying(path: str, incident: str, pipe: Connection) -> None:
    """What was refused stands in the log, whole, and nobody is left who knows that it failed."""
    syncs = _answered(pipe)
    if syncs is not None:
        begin, end = partial(syncs.become, Disk.FAILS), partial(os.kill, os.getpid(), SIGKILL)
        asyncio.run(_through(path, incident, pipe, begin, end))


def _following(path: str, incident: str, pipe: Connection) -> None:
    """The next console, with the same drafts."""
    asyncio.run(_through(path, incident, pipe, _nothing, _nothing))


def _answered(pipe: Connection) -> Syncs | None:
    try:
        return Syncs()
    except Unsupported as error:
        pipe.send(("unable", str(error)))
        return None


def _held(path: str, incident: str, pipe: Connection) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    begin, end = partial(holder.execute, "BEGIN IMMEDIATE"), partial(holder.execute, "ROLLBACK")
    asyncio.run(_through(path, incident, pipe, begin, end))
    holder.close()


def _read_only(path: str, incident: str, pipe: Connection) -> None:
    if os.geteuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    folder = Path(path).parent

    def rights(of_files: int, of_folder: int) -> None:
        folder.chmod(0o700)
        for file in folder.iterdir():
            file.chmod(of_files)
        folder.chmod(of_folder)

    begin, end = partial(rights, 0o400, 0o500), partial(rights, 0o600, 0o700)
    asyncio.run(_through(path, incident, pipe, begin, end, anew=True))


_FAULTS: Final = {
    "a full disk": (_full_disk,),
    "a limit on the size of files": (_size_limit,),
    "EIO when syncing": (partial(_syncing, Disk.FAILS),),
    "EIO when syncing, then killed": (_dying, _following),
    "a disk that hangs": (partial(_syncing, Disk.HANGS),),
    "a store that another holds": (_held,),
    "a store that may only be read": (_read_only,),
}

NAMES: Final = tuple(_FAULTS)


@contextmanager
def _disk(place: Path, *, small: bool) -> Iterator[None]:
    """A file system of one megabyte in `place`, where this user may mount one."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not small or os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        yield
        return
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)

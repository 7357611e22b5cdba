"""A SQLite journal's file as one thread holds it: opened, made, migrated, and plainly spoken of.

Durability: WAL with `synchronous=FULL`, so every commit is on disk before it returns
(https://sqlite.org/pragma.html#pragma_synchronous). The file is created 0600, a folder that is
not there 0700; those that exist keep the rights that somebody gave them. The file is never
opened but by SQLite: closing any other descriptor of it would drop SQLite's locks
(https://sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.journal._sqlite_schema import NotAJournal, migrate, migrations, version
from warroom.journal.base import JournalError, NewerSchema, NotSaved

if TYPE_CHECKING:
    import sqlite3

_Inode = tuple[int, int]

_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_REASONS: Final = {
    "SQLITE_BUSY": "another process is holding it; try again",
    "SQLITE_LOCKED": "another process is holding it; try again",
    "SQLITE_FULL": "the disk is full: make room and try again",
    "SQLITE_READONLY": "it may not be written: look at the rights of the file and its folder",
    "SQLITE_PERM": "it may not be opened: look at the rights of the file and its folder",
    "SQLITE_CANTOPEN": "it cannot be opened: look at the rights of the file and its folder",
    "SQLITE_IOERR": "input/output error: look at the disk, its space and its limits",
}


class JournalFile:
    """One connection, opened when it is first needed, for the thread that uses it.

    `busy_s`: how long a look waits for another process. A file that is not `durable` gives up
    the newest commits when the power fails, which is right for what is no part of the record.
    """

    def __init__(self, path: Path, *, busy_s: float, durable: bool = True) -> None:
        self.path, self._busy_s, self._durable = path.absolute(), busy_s, durable
        self.opened = 0
        """How often."""
        self._connection: sqlite3.Connection | None = None
        self._inode: _Inode = (0, 0)
        self._version = 0
        self._doubtful = False

    @contextmanager
    def saving(self, until: float) -> Iterator[sqlite3.Connection]:
        """A transaction that is durable when the block has been left, or has not happened.

        After `until` (an instant of `time.monotonic`) nothing is committed any more.
        Raises NotSaved, NewerSchema.
        """
        with self._plainly(NotSaved):
            self._in_time(until)
            connection = self._connected(until)
            assert connection is not None
            self._still_there()
            if self._version > len(migrations()):
                raise NewerSchema(
                    f"{self.path} was written by a newer warroom (schema {self._version}, known "
                    f"here: {len(migrations())}): it can be read but not written; upgrade warroom"
                )
            self._wait(connection, until)
            if self._doubtful:
                self._settle(connection)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                self._in_time(until)
                self._doubtful = True
                connection.execute("COMMIT")
                self._doubtful = False
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """The connection; None while there is no file. One statement is one consistent look."""
        with self._plainly(JournalError):
            yield self._connected(None)

    def figures(self) -> dict[str, int]:
        """In bytes: the file with its log, and the room that its disk has for us. And the schema's
        version, with the newest one known here. Raises OSError."""
        log = self.path.with_name(f"{self.path.name}-wal")
        size = sum(file.stat().st_size for file in (self.path, log) if file.exists())
        folder = next(each for each in self.path.parents if each.exists())
        disk = os.statvfs(folder)
        return {
            "size_bytes": size,
            "free_bytes": disk.f_bavail * disk.f_frsize,
            "schema": self._version,
            "newest_schema": len(migrations()),
        }

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _plainly(self, refusal: type[JournalError]) -> Iterator[None]:
        """Whatever SQLite or the system says, as one plain line; the connection is opened anew
        after anything but a busy file."""
        import sqlite3

        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if not name.startswith(_BUSY):
                self._give_up()
            refused = refusal(self._reason(name, str(error), refusal))
            refused.damaged = self.path if name.startswith(_DAMAGED) else None
            raise refused from error
        except NotAJournal as error:
            self._give_up()
            raise refusal(f"{self.path} is not a journal but another database") from error
        except OSError as error:
            self._give_up()
            raise refusal(f"{self.path}: {error.strerror or error}") from error
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            act = "stored" if refusal is NotSaved else "read"
            raise refusal(f"{self.path}: this cannot be {act}: {error}") from error

    def _reason(self, name: str, message: str, refusal: type[JournalError]) -> str:
        if name.startswith(_DAMAGED):
            return (
                f"{self.path} is damaged ({message}); nothing in it was changed: "
                f"`warroom journal salvage {self.path}` reads what is left into a new journal"
            )
        code = "_".join(name.split("_")[:2])
        reason = _REASONS.get(code, message)
        if self._version > len(migrations()) and refusal is JournalError:
            return f"{self.path} was written by a newer warroom: upgrade to read it"
        if code == "SQLITE_READONLY" and 0 < self._version < len(migrations()):
            reason += "; it was written by an older warroom, so it must be changed to be read"
        return f"{self.path}: {reason}"

    def _give_up(self) -> None:
        import sqlite3

        with contextlib.suppress(sqlite3.Error):  # it is of no use any more, whatever it says
            self.close()
        self._connection = None

    def _connected(self, until: float | None) -> sqlite3.Connection | None:
        """The connection, for writing `until` then, or for reading; None when there is no file to
        read."""
        if self._connection is None:
            if until is None and not os.path.lexists(self.path):
                return None
            self._connect(time.monotonic() + self._busy_s if until is None else until)
        return self._connection

    def _connect(self, until: float) -> None:
        import sqlite3

        self._create()
        connection = sqlite3.connect(self.path, timeout=_left(until), isolation_level=None)
        try:
            self._version = version(connection)  # before anything that could write
            if self._version <= len(migrations()):
                self._wait(connection, until)
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
                connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
            connection.execute("PRAGMA recursive_triggers = ON")  # so that REPLACE is a delete
            connection.execute("PRAGMA foreign_keys = ON")
            if self._version < len(migrations()):
                self._wait(connection, until)
                migrate(connection, migrations())
                self._version = version(connection)
        except BaseException:
            connection.close()
            raise
        found = self.path.stat()
        self._connection, self._inode = connection, (found.st_dev, found.st_ino)
        self.opened += 1

    def _settle(self, connection: sqlite3.Connection) -> None:
        """After a commit that failed: what was said not to be saved may stand in the log all the
        same, and an event that is there already counts as saved. But the kernel forgets what it
        failed to sync, so syncing the log again proves nothing: what it holds is written anew,
        into the file itself.

        While another connection is open the log's end is as that one knows it, which is without
        what failed; then nothing needs to be settled, and that SQLite may be too busy to do it.
        """
        if self._durable:
            connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        self._doubtful = False

    def _wait(self, connection: sqlite3.Connection, until: float) -> None:
        """From now on another process is waited for until then, and a moment at least."""
        connection.execute(f"PRAGMA busy_timeout = {int(_left(until) * 1000)}")

    def _in_time(self, until: float) -> None:
        if time.monotonic() > until:
            raise NotSaved(f"{self.path}: the disk does not keep up; try again")

    def _create(self) -> None:
        """For its owner only; in a folder that was made a group's (`chmod 2770`) for that group, so
        that responders with logins of their own share it. SQLite gives its other files the same.
        """
        missing = [folder for folder in self.path.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
        rights = self.path.parent.stat().st_mode
        groups = rights & stat.S_ISGID and rights & stat.S_IWGRP and not rights & stat.S_IWOTH
        try:
            file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        except FileExistsError:
            return
        if groups:
            os.fchmod(file, 0o660)
        os.close(file)

    def _still_there(self) -> None:
        """SQLite goes on writing to a file that was moved or removed: all of it would be lost."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            found = None
        if found is None or (found.st_dev, found.st_ino) != self._inode:
            raise NotSaved(f"{self.path} was moved or removed while open: put it back")


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.005)

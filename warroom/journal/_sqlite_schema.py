"""The versions of a SQLite journal, and how one becomes the next.

The version is the file's `user_version`, the number of the last file of `sql/sqlite/NNN_*.sql`
that was run on it; `application_id` tells a journal from any other database (SQLite's file
format, section 1.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID: Final = 0x57524F4D
""""WROM"."""

_STATE: Final = """
SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)
FROM pragma_user_version, pragma_application_id
"""
"""In one look: between two, another console may make the journal."""
_SQL: Final = Path(__file__).parent / "sql" / "sqlite"


class NotAJournal(Exception):
    """The file is some other program's database."""


@cache
def statement(name: str) -> str:
    """The text of `sql/sqlite/NAME.sql`."""
    return (_SQL / f"{name}.sql").read_text("utf-8")


@cache
def migrations() -> tuple[str, ...]:
    """The texts of `NNN_*.sql` in order; the first makes version 1 of an empty file."""
    names = sorted(item.stem for item in _SQL.iterdir() if re.match(r"[0-9]{3}_", item.name))
    return tuple(statement(name) for name in names)


def version(connection: sqlite3.Connection) -> int:
    """The schema version; 0 for an empty file. Raises NotAJournal."""
    found, application, objects = connection.execute(_STATE).fetchone()
    if application == APPLICATION_ID or (application, found, objects) == (0, 0, 0):
        return int(found)
    raise NotAJournal


def migrate(connection: sqlite3.Connection, steps: tuple[str, ...]) -> None:
    """Bring the file to version `len(steps)` in one transaction: wholly or not at all.

    The version is read again inside it: another console may have done the same just now.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, step in enumerate(steps[version(connection) :], start=version(connection) + 1):
            for part in _statements(step):
                connection.execute(part)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _statements(script: str) -> Iterator[str]:
    """One at a time: sqlite3's `executescript` would commit before it begins."""
    import sqlite3

    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""

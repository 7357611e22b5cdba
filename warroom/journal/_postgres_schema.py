"""The versions of a PostgreSQL journal, how one becomes the next, and who may do what with it.

Everything stands in a schema of its own, `warroom`; its table `version` has a row for each file of
`sql/postgres/NNN_*.sql` that was run.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

from warroom.hosts.postgres import PostgresFault
from warroom.journal.base import JournalError

_LOCK: Final = 0x57524F4D
""""WROM": whoever migrates holds this advisory lock until its transaction ends."""
_DENIED: Final = "42501"


@cache
def statement(name: str) -> str:
    """The text of `sql/postgres/NAME.sql`."""
    return files("warroom.journal").joinpath("sql", "postgres", f"{name}.sql").read_text("utf-8")


@cache
def migrations() -> tuple[str, ...]:
    """The texts of `NNN_*.sql` in order; the first makes version 1 of an empty schema."""
    folder = files("warroom.journal").joinpath("sql", "postgres")
    names = sorted(item.name for item in folder.iterdir() if re.match(r"[0-9]{3}_", item.name))
    return tuple(statement(name.removesuffix(".sql")) for name in names)


async def version(connection: Any) -> int:
    """The schema's version, 0 where there is none. Raises JournalError for what is no journal."""
    found = await connection.fetchrow(statement("version"))
    if found["encoding"] != "UTF8":
        raise JournalError(
            f"the database holds {found['encoding']} text: make one with ENCODING 'UTF8'"
        )
    if found["known"]:
        reached: int = await connection.fetchval(statement("reached"))
        return reached
    if found["taken"]:
        raise JournalError('its schema "warroom" is not a journal: name another database')
    return 0


async def migrate(connection: Any, steps: tuple[str, ...]) -> None:
    """Bring the schema to version `len(steps)` in one transaction: wholly or not at all.

    The version is read again inside it: another console may have done the same just now.
    """
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.execute("SET LOCAL statement_timeout = 0")
        known = await version(connection)
        if known == 0:
            await connection.execute(statement("schema"))
        for number, step in enumerate(steps[known:], start=known + 1):
            await connection.execute(step)
            await connection.execute(statement("insert_version"), number)


def script(steps: tuple[str, ...]) -> str:
    """What makes the newest version in an empty database, for somebody with the right to."""
    made = [statement("schema")]
    for number, step in enumerate(steps, start=1):
        made += [step, statement("insert_version").replace("$1", str(number))]
    return "\n".join(["BEGIN;\n", *made, "COMMIT;\n"])


def grant(role: str) -> str:
    """What lets `role` read the journal and append to it, and nothing else.

    >>> 'TO "a""b";' in grant('a"b')
    True
    """
    quoted = '"' + role.replace('"', '""') + '"'
    return statement("grant").replace("{role}", quoted)


def denied(fault: PostgresFault, user: str, known: int) -> str:
    """What to do when the server says that a role may not; empty for any other fault."""
    if fault.sqlstate != _DENIED:
        return ""
    role = user or "ROLE"
    if known < len(migrations()):
        return (
            f"{fault}; have the database's owner run `warroom journal migrate` and then "
            f"`warroom journal grant {role}`"
        )
    return f"{fault}; have the journal's owner run `warroom journal grant {role}`"

"""SQL from files: one for each purpose, more where a server version needs another text."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

OLDEST: Final = 10
"""The oldest major version whose views these statements know."""


@cache
def statement(room: str, purpose: str, version: int) -> str:
    """The text for a server of major `version` from `<room>/sql/postgres/`.

    `PURPOSE.sql` is for the newest servers; `PURPOSE-13.sql` for those up to and including 13.
    Of several that fit, the oldest fits best. Raises LookupError for a purpose nobody wrote.

    >>> "waitstart" in statement("warroom.probes", "locks", 15)
    True
    """
    folder = files(room) / "sql" / "postgres"
    names = [entry.name.removesuffix(".sql") for entry in folder.iterdir()]
    older = [name.rpartition("-") for name in names if name.startswith(f"{purpose}-")]
    limits = sorted(int(limit) for stem, _, limit in older if stem == purpose and limit.isdigit())
    name = next((f"{purpose}-{limit}" for limit in limits if version <= limit), purpose)
    if name not in names:
        raise LookupError(f"no statement for {purpose}")
    return (folder / f"{name}.sql").read_text("utf-8")

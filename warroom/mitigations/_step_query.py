"""A query of a runbook on warroom's own connection: read-only, bounded, shown as a table."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from warroom.config.values import Secret
from warroom.domain.evidence import EvidenceKind
from warroom.domain.text import harmless, shorten
from warroom.hosts.base import Host, HostError
from warroom.hosts.postgres import PostgresFault, PostgresSession
from warroom.mitigations._step import Ran
from warroom.mitigations.base import MitigationRefused, Output

ROWS: Final = 200
_CELL: Final = 60
_CONNECT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class QueryRun:
    """Each statement in a transaction of its own that can only read, within the observer's limits
    (3 s, a second for a lock); of its rows the first ROWS."""

    dsn: Secret = field(repr=False)
    host: Host
    queries: tuple[str, ...]

    async def __call__(self, output: Output) -> Ran:
        """See `Runner`."""
        session = PostgresSession(self.dsn, self.host, timeout=_CONNECT_S, borrows=True)
        told: list[str] = []
        try:
            for query in self.queries:
                told.append(await self._asked(session, query, output))
        except PostgresFault as fault:
            output.say(str(fault))
            return Ran(False, "the server said no")
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        except asyncio.CancelledError:
            return Ran(False, "stopped")
        finally:
            await session.close()
        return Ran(True, ", then ".join(told), 0, EvidenceKind.ROWS)

    async def _asked(self, session: PostgresSession, query: str, output: Output) -> str:
        async with session.use() as connection, connection.transaction(readonly=True):
            prepared = await connection.prepare(query)
            names = [attribute.name for attribute in prepared.get_attributes()]
            cursor = await prepared.cursor()
            rows = await cursor.fetch(ROWS + 1)
        for line in table(names, [[_cell(value) for value in row.values()] for row in rows[:ROWS]]):
            output.say(line)
        count = f"the first {ROWS} rows" if len(rows) > ROWS else f"{len(rows)} rows"
        return "1 row" if len(rows) == 1 else count


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Names and cells in columns, each as wide as its widest.

    >>> list(table(["pid", "state"], [["7", "idle"]]))
    ['pid  state', '7    idle']
    """
    heads = [shorten(harmless(name), _CELL) for name in names]
    widths = [
        max(len(head), *(len(row[i]) for row in rows)) if rows else len(head)
        for i, head in enumerate(heads)
    ]
    for row in (heads, *rows):
        yield "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return shorten(harmless(text), _CELL)

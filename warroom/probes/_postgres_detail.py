"""All about one backend, or about the server: fetched when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from warroom.domain.clock import span
from warroom.domain.sample import Detail, Section
from warroom.domain.text import harmless, shorten
from warroom.hosts.postgres import server_version, statement, tolerant
from warroom.probes import _postgres_rows as rows
from warroom.probes._postgres_view import WRAPAROUND
from warroom.probes._size import size
from warroom.probes.base import ProbeFault

_ROOM: Final = "warroom.probes"
_CELL: Final = 60
_QUERY_LINE: Final = 160

Pairs = tuple[tuple[str, str], ...]


async def of_backend(connection: Any, key: str) -> Detail:
    """The backend of a row's key: its query, times, locks and who stands in its way.

    Raises ProbeFault when it is gone.
    """
    version = server_version(connection)
    pid, _, start = key.partition(":")
    found = await connection.fetchrow(statement(_ROOM, "backend", version), int(pid))
    if found is None or (found["backend_start"] and found["backend_start"].isoformat() != start):
        raise ProbeFault(f"backend {pid} is gone")
    locks = await connection.fetch(statement(_ROOM, "locks", version), int(pid))
    chain = []
    if found["blocked_by"]:
        chain = await connection.fetch(statement(_ROOM, "blockers", version), int(pid))
    query = harmless(rows.query_text(found), lines=True)
    sections = [
        Section("query", lines=tuple(query.split("\n"))),
        Section("backend", _backend_pairs(found)),
    ]
    if chain:
        sections.append(Section("blocked by", lines=tuple(_blocker(one) for one in chain)))
    if locks:
        sections.append(Section("locks", lines=tuple(_lock(one) for one in locks)))
    return Detail(f"backend {pid}", tuple(sections))


def _backend_pairs(found: Mapping[str, Any]) -> Pairs:
    pairs = (
        ("user", _text(found["user"])),
        ("database", _text(found["database"])),
        ("app", _text(found["app"])),
        ("client", rows.client_text(found)),
        ("type", _text(found["backend_type"])),
        ("state", _text(found["state"])),
        ("in this state for", _span(found["state_s"])),
        ("query started", _ago(found["query_s"])),
        ("transaction started", _ago(found["transaction_s"])),
        ("connected", _ago(found["connected_s"])),
        ("waits for", rows.wait_text(found)),
        ("blocked by", rows.blockers_text(found["blocked_by"] or ())),
        ("transaction id", _text(found["xid"])),
        (
            "holds back vacuum by",
            f"{found['xmin_age']:,} transactions" if found["xmin_age"] else "",
        ),
    )
    return tuple(pair for pair in pairs if pair[1])


def _blocker(one: Mapping[str, Any]) -> str:
    indent = "  " * (one["depth"] - 1)
    if one["pid"] == rows.PREPARED:
        return f"{indent}a prepared transaction: see pg_prepared_xacts"
    words = [str(one["pid"]), _text(one["user"]), _text(one["app"]), _text(one["state"])]
    if one["transaction_s"] is not None:
        words.append(f"transaction of {_span(one['transaction_s'])}")
    query = shorten(harmless(" ".join((one["query"] or "").split())), _QUERY_LINE)
    return f"{indent}{' · '.join(word for word in words if word)}: {query}"


def _lock(one: Mapping[str, Any]) -> str:
    state = "holds" if one["granted"] else "WAITS"
    since = f" for {_span(one['waiting_s'])}" if one["waiting_s"] is not None else ""
    return f"{state}{since}  {one['mode'].removesuffix('Lock'):<22} {_text(one['target'])}"


async def of_server(connection: Any, name: str, queries: Mapping[str, str], limit: int) -> Detail:
    """The server: the team's own queries, databases, standbys, slots and settings."""
    version = server_version(connection)
    sections = [await _own(connection, title, sql, limit) for title, sql in queries.items()]
    tables: tuple[tuple[str, str, Sequence[str]], ...] = (
        ("databases", "databases", ("database", "connections", "size", "xid age", "deadlocks")),
        ("standbys", "standbys", ("name", "client", "state", "sync", "lag", "behind")),
        ("replication slots", "slots", ("name", "kind", "active", "held back")),
    )
    for title, purpose, heads in tables:
        records = await _tolerated(connection, statement(_ROOM, purpose, version))
        if isinstance(records, str):
            sections.append(Section(title, lines=(records,)))
        elif records:
            cells = [_CELLS[purpose](record) for record in records]
            sections.append(Section(title, lines=tuple(aligned(heads, cells))))
    settings = await connection.fetch(statement(_ROOM, "server", version))
    pairs = tuple((_text(one["name"]), _text(one["value"])) for one in settings)
    return Detail(name, (*sections, Section("settings", pairs)))


async def _own(connection: Any, title: str, sql: str, limit: int) -> Section:
    """One of the team's queries: its first rows, or why there are none."""
    title = harmless(title)
    records = await _tolerated(connection, sql.strip().rstrip(";"), limit)
    if isinstance(records, str):
        return Section(title, lines=(records,))
    if not records:
        return Section(title, lines=("no rows",))
    heads = [harmless(str(key)) for key in records[0].keys()]  # noqa: SIM118 - a record iterates values
    lines = aligned(heads, [[_text(value) for value in record.values()] for record in records])
    more = ("… more rows are not shown",) if len(records) == limit else ()
    return Section(title, lines=(*lines, *more))


async def _tolerated(connection: Any, sql: str, limit: int = 50) -> list[Any] | str:
    """The first records of a statement in a read-only transaction, or one line that says why not.

    A cursor takes exactly one statement that gives rows, and no more rows than are shown.
    """
    import asyncpg

    try:
        async with tolerant(connection), connection.transaction(readonly=_free(connection)):
            cursor = await connection.cursor(sql)
            records: list[Any] = await cursor.fetch(limit)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return harmless(f"not shown: {' '.join(str(error).split())}")
    return records


def _free(connection: Any) -> bool:
    """Whether a transaction of our own can still be declared read-only (not inside another)."""
    return not connection.is_in_transaction()


def aligned(heads: Sequence[str], cells: Iterable[Sequence[str]]) -> list[str]:
    """A small table as lines, each column as wide as it needs to be (60 at most)."""
    table = [[shorten(cell, _CELL) for cell in row] for row in (heads, *cells)]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _database(one: Mapping[str, Any]) -> list[str]:
    share = 100 * one["xid_age"] / WRAPAROUND
    return [
        _text(one["database"]),
        str(one["connections"]),
        size(one["bytes"]) if one["bytes"] is not None else "—",
        f"{share:.0f}% used",
        f"{one['deadlocks'] or 0:,}",
    ]


def _standby(one: Mapping[str, Any]) -> list[str]:
    lag = _span(one["lag_s"]) if one["lag_s"] is not None else "—"
    behind = size(one["lag_bytes"]) if one["lag_bytes"] is not None else "—"
    words = [_text(one[name]) for name in ("name", "client", "state", "sync_state")]
    return [*words, lag, behind]


def _slot(one: Mapping[str, Any]) -> list[str]:
    kept = size(one["retained_bytes"]) if one["retained_bytes"] is not None else "—"
    return [_text(one["name"]), _text(one["kind"]), "yes" if one["active"] else "no", kept]


_CELLS: Final = {"databases": _database, "standbys": _standby, "slots": _slot}


def _span(seconds: float | None) -> str:
    return "" if seconds is None else span(max(0.0, seconds))


def _ago(seconds: float | None) -> str:
    return "" if seconds is None else f"{_span(seconds)} ago"


def _text(value: object) -> str:
    return "" if value is None else harmless(str(value))

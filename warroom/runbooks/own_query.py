"""Queries of a runbook as warroom may ask them on its own connection: single, and only reading.

A transaction that can only read does not keep a function from ending a session, so whatever may
call one that acts is refused by its name, wherever it stands: also in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from warroom.runbooks.fill import Unfillable
from warroom.runbooks.model import Risk
from warroom.runbooks.placeholders import placeholders
from warroom.runbooks.sql import sql_risk

_ASKS: Final = frozenset({"select", "with", "show", "explain", "table", "values"})
_ACTS: Final = re.compile(
    r"pg_(?:terminate|cancel|reload|rotate|promote|switch|drop|create|copy|log_|wal_replay"
    r"|replication|start_backup|stop_backup|backup_st|advisory|try_advisory|notify|logical"
    r"|import|export|file_(?:write|rename|unlink|sync)|stat_\w*reset|prewarm|sleep|read_binary)"
    r"|\blo_\w+|\bdblink|\bset_config|\bsetval|\bnextval|_reset\b|\bcopy\b|\bu&\s*[\"']",
    re.IGNORECASE,
)
"""Functions of PostgreSQL that act, lock or write when they are selected (manual, 9.28), and ways
to write a name so that it is not seen."""
_PIECE: Final = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|\$(\w{0,30})\$.*?\$\1\$|;", re.DOTALL
)
_VALUE: Final = re.compile(r"[A-Za-z0-9_.:@]+")


class NotOwn(Exception):
    """It is not asked on warroom's own connection, and why."""


def own_queries(text: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """The statements of `text`, each alone, with the values in it. Raises NotOwn, Unfillable.

    >>> own_queries("SELECT 1; SELECT ';';", {})
    ('SELECT 1', "SELECT ';'")
    """
    whole = _filled(text, values)
    found = tuple(piece.strip() for piece in _pieces(whole) if piece.strip())
    if not found:
        raise NotOwn("there is no statement in it")
    for query in found:
        bare = re.sub(r"^(?:\s|--[^\n]*\n|/\*.*?\*/)+", "", query, flags=re.DOTALL)
        verb = re.match(r"[a-z]*", bare.casefold())
        acts = _ACTS.search(query)
        judged = sql_risk(query)
        if (verb and verb[0] not in _ASKS) or judged.risk is not Risk.READ:
            why = judged.why if judged.risk is not Risk.READ else f"{bare.split()[0]}"
            raise NotOwn(f"warroom's own connection only reads ({why}): copy it")
        if acts:
            raise NotOwn(f"{acts[0]} may act, and warroom's own connection only reads: copy it")
    return found


def _pieces(text: str) -> list[str]:
    pieces, start = [], 0
    for match in _PIECE.finditer(text):
        if match[0] == ";":
            pieces.append(text[start : match.start()])
            start = match.end()
    return [*pieces, text[start:]]


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name in placeholders(text):
        if name.startswith("$"):
            continue
        if name not in values:
            raise Unfillable(f"{name} is not filled in")
        if not _VALUE.fullmatch(values[name]):
            raise Unfillable(f"{name}: only letters, digits and _ . : @ go into a query")
        text = text.replace(name, values[name])
    return text

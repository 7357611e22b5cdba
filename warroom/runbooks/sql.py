"""What a piece of SQL does, told by the verbs of its statements."""

from __future__ import annotations

import re
from typing import Final

from warroom.runbooks.model import Assessment, Risk
from warroom.runbooks.verbs import word_set

_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*\*/")
_WORD: Final = re.compile(r"[A-Za-z_]+")
_READS: Final = word_set("""
    select show explain describe desc use values table with fetch set begin commit rollback
    start help status analyze
""")
_DESTROYS: Final = word_set("drop truncate purge shutdown")
VERBS: Final = (
    _READS
    | _DESTROYS
    | word_set("""
    insert update delete merge replace alter create grant revoke kill repair optimize vacuum
    reindex cluster lock call do copy load refresh cancel flush reset
""")
)
"""First words of statements that are taken for SQL."""
_ACTS: Final = (
    "pg_terminate_backend", "pg_cancel_backend", "pg_reload_conf", "pg_rotate_logfile",
    "pg_promote", "pg_switch_wal", "pg_drop_replication_slot", "setval", "lo_unlink",
    "pg_stat_reset", "pg_advisory_unlock_all", "dblink_exec",
)  # fmt: skip
"""Functions of PostgreSQL that change something when selected (manual, 9.28)."""


def sql_risk(text: str) -> Assessment:
    """The worst of the statements; what is not known counts as a change.

    >>> sql_risk("SELECT 1").risk, sql_risk("select pg_terminate_backend(7)").risk
    (<Risk.READ: 'read'>, <Risk.CHANGE: 'change'>)
    >>> sql_risk("DELETE FROM carts").why
    'DELETE without WHERE'
    """
    found = [_statement_risk(statement) for statement in statements(text)]
    return max(found, key=lambda f: f.risk.rank, default=Assessment(Risk.READ, "no statement"))


def statements(text: str) -> list[str]:
    """SQL statements, in lower case, their quoted texts and comments emptied."""
    return [part.strip() for part in _QUOTED.sub("''", text).lower().split(";") if part.strip()]


def looks_like_sql(text: str) -> bool:
    """Whether the first word is a statement's and more follows."""
    match = _WORD.match(text.lstrip())
    return match is not None and match[0].lower() in VERBS and len(text.split(None, 2)) > 1


def _statement_risk(statement: str) -> Assessment:
    if statement.startswith("\\"):  # psql's own commands list things, but for these
        shell = statement.startswith(("\\!", "\\copy", "\\o", "\\i"))
        return Assessment(Risk.CHANGE if shell else Risk.READ, f"psql's {statement.split()[0]}")
    found = _WORD.findall(statement)
    if not found:
        return Assessment(Risk.READ, "only reads")
    verb = found[0]
    if verb in _DESTROYS or (verb == "alter" and "drop" in found):
        return Assessment(Risk.DESTROY, verb.upper())
    if verb in ("delete", "update") and "where" not in found:
        return Assessment(Risk.DESTROY, f"{verb.upper()} without WHERE")
    if verb not in _READS:
        return Assessment(Risk.CHANGE, verb.upper())
    acts = next((name for name in _ACTS if name in found), "")
    if acts:
        return Assessment(Risk.CHANGE, f"calls {acts}")
    writes = next((w for w in ("insert", "update", "delete", "into", "merge") if w in found), "")
    if writes and verb in ("with", "explain", "select"):
        return Assessment(Risk.CHANGE, f"{verb.upper()} with {writes.upper()}")
    if verb == "set" and "global" in found:
        return Assessment(Risk.CHANGE, "SET GLOBAL")
    return Assessment(Risk.READ, f"{verb.upper()} only reads")

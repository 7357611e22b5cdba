"""Terminating backends: who is hit, and who is missed."""

from __future__ import annotations

from collections.abc import Iterator

from warroom.runbooks.model import LintFinding, Step
from warroom.runbooks.rules import catalogue as rule


def of_step(step: Step) -> Iterator[LintFinding]:
    texts = [
        (part.line + program.line, " ".join((*program.argv, program.stdin)))
        for part in step.parts
        for program in part.programs
    ] or [(step.line, step.command)]
    for line, text in texts:
        query = text.casefold()
        if "pg_terminate_backend" in query and "pg_stat_activity" in query:
            yield from _terminate(line, query)


def _terminate(line: int, query: str) -> Iterator[LintFinding]:
    """pg_stat_activity lists walsenders and background workers too (PostgreSQL manual, 27.2.3)."""
    lacks, guards = [], []
    if "backend_type" not in query:
        lacks.append("hits replication and workers")
        guards.append("AND backend_type = 'client backend'")
    if "pg_backend_pid" not in query:
        lacks.append("may hit its own session")
        guards.append("AND pid <> pg_backend_pid()")
    if "idle in transaction" not in query and "state" in query:
        lacks.append("misses those idle in transaction, which hold locks")
        guards.append("state IN ('active', 'idle in transaction')")
    if "datname" not in query and "usename" not in query:
        lacks.append("hits every database")
        guards.append("AND datname = current_database()")
    if lacks:
        why = "terminates too much and too little: " + ", ".join(lacks)
        yield rule.TERMINATE_UNGUARDED.at(line, why, " ".join(guards))

"""A journal in a database of its own, as several consoles and its owner see it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.services.postgres_clients import psql
from tests.unit.chains import opening
from warroom.drill.stack.postgres import Postgres
from warroom.journal.base import Journal
from warroom.journal.postgres import PostgresJournal

_DATABASE = "journal"
WRITER = "war_writer"


@dataclass(frozen=True)
class Shared:
    """`sql` runs a statement as a role, the database's owner when not said."""

    server: Postgres
    database: str

    @classmethod
    def made(cls, server: Postgres) -> Shared:
        """Without a journal. One database for all tests: to make and remove many takes long."""
        if psql(server, f"SELECT 1 FROM pg_database WHERE datname = '{_DATABASE}'") != "1":
            psql(server, f"CREATE DATABASE {_DATABASE}")
        shared = cls(server, _DATABASE)
        shared.sql("SET client_min_messages = error; DROP SCHEMA IF EXISTS warroom CASCADE")
        return shared

    def dsn(self, user: str = "postgres") -> str:
        return self.server.dsn(user, self.database)

    def tcp(self, port: int) -> str:
        """By way of a proxy on `port`, where the server's own sees a connection over TCP."""
        return f"postgresql://war:secret@127.0.0.1:{port}/{self.database}?sslmode=disable"

    def sql(self, statement: str, user: str = "postgres") -> str:
        return psql(self.server, statement, self.database, user)

    async def asql(self, statement: str) -> str:
        return await asyncio.to_thread(self.sql, statement)

    def journal(self, user: str = "postgres", **options: float) -> PostgresJournal:
        return PostgresJournal(self.dsn(user), **options)

    def writer(self) -> str:
        """A role that may append and read, and nothing else."""
        self.role(WRITER)
        return WRITER

    def role(self, name: str, more: str = "") -> None:
        """A role without any rights of its own."""
        exists = f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"
        if self.sql(exists) != "1":
            self.sql(f"CREATE ROLE {name} LOGIN {more}")


async def open_one(journal: Journal) -> str:
    return (await journal.open_incident(opening())).incident

"""Empty stores, one after another."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tests.torture.children import Store
from tests.torture.crowd import Place
from tests.torture.partition import Line


class Server(Protocol):
    """A PostgreSQL server as `warroom.drill.stack.postgres` starts one."""

    @property
    def socket_dir(self) -> Path: ...

    @property
    def port(self) -> int: ...

    def dsn(self, user: str = ..., database: str = ...) -> str: ...


class Files:
    """SQLite files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, itertools.count()

    def store(self) -> Store:
        return Store("sqlite", str(self._folder / f"{next(self._numbers)}.db"))

    def place(self) -> Place:
        return Place(self.store())


class Databases:
    """Databases of one server."""

    def __init__(self, folder: Path, server: Server, prefix: str = "torture") -> None:
        self._folder, self._server = folder, server
        self._names: Iterator[str] = (f"{prefix}{n}" for n in itertools.count())

    def store(self) -> Store:
        return Store("postgres", self._server.dsn(database=self._made()))

    def place(self) -> Place:
        name, server = self._made(), self._server
        line = Line(self._folder / name, server.socket_dir, server.port, name)
        return Place(Store("postgres", server.dsn(database=name)), line)

    def _made(self) -> str:
        name = next(self._names)
        asyncio.run(self._make(name))
        return name

    async def _make(self, name: str) -> None:
        import asyncpg

        connection = await asyncpg.connect(self._server.dsn())
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

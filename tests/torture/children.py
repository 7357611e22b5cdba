"""Consoles in processes of their own, made by forking one that has everything imported, and the
stores that they write to."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import psutil

from warroom.domain.events import Event
from warroom.journal.base import Journal, JournalError

CHILDREN: Final = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(
    ["tests.torture.faults", "tests.torture.crowd", "warroom.journal.postgres"]
)


@dataclass(frozen=True)
class Store:
    """A journal that several processes open: an SQLite file, or a PostgreSQL DSN."""

    kind: str
    place: str

    def journal(self) -> Journal:
        if self.kind == "postgres":
            from warroom.journal.postgres import PostgresJournal

            return PostgresJournal(self.place)
        from warroom.journal.sqlite import SqliteJournal

        return SqliteJournal(Path(self.place))


@dataclass
class Result:
    """One line of the table. Nothing may be `wrong`."""

    what: str
    figures: str
    wrong: list[str] = field(default_factory=list)


class Child:
    """`doing(*args, pipe)` in a process of its own, and what it has said by `pipe.send`; what it
    is told, it has from `pipe.recv`."""

    def __init__(self, doing: Callable[..., None], *args: Any) -> None:
        self._pipe, theirs = CHILDREN.Pipe()
        self.process: ForkServerProcess = CHILDREN.Process(
            target=doing, args=(*args, theirs), daemon=True
        )
        with _nobody_in_charge():
            self.process.start()
        theirs.close()
        self.said: list[Any] = []
        self.over = False

    def listen(self) -> None:
        """Take what it has said so far."""
        try:
            while not self.over and self._pipe.poll():
                self.said.append(self._pipe.recv())
        except (EOFError, OSError):
            self.over = True

    def hear(self, within: float = 30.0) -> Any:
        """Its next word. Raises TimeoutError."""
        if not self._pipe.poll(within):
            raise TimeoutError(f"a child has said nothing for {within:g} s")
        return self._pipe.recv()

    def tell(self, word: object) -> None:
        """Nothing happens when it is gone already."""
        with suppress(OSError):
            self._pipe.send(word)

    def signal(self, number: int) -> None:
        if self.process.pid is not None and self.process.is_alive():
            os.kill(self.process.pid, number)

    def halted(self, within: float = 60.0) -> None:
        """Wait until it has stopped itself, or is over: to be woken before is to sleep for ever.
        Raises TimeoutError."""
        until = time.monotonic() + within
        process = psutil.Process(self.process.pid)
        while not self.over and process.status() != psutil.STATUS_STOPPED:
            if time.monotonic() > until:
                raise TimeoutError(f"a child has not stopped for {within:g} s")
            time.sleep(0.01)
            self.listen()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def ended(self, within: float = 60.0) -> list[Any]:
        """Everything that it said, once it is over. Raises TimeoutError."""
        until = time.monotonic() + within
        while not self.over:
            if time.monotonic() > until:
                self.kill()
                raise TimeoutError(f"a child has said nothing for {within:g} s")
            wait([self._pipe], 0.1)
            self.listen()
        self.process.join()
        self._pipe.close()
        return self.said


@contextmanager
def _nobody_in_charge() -> Iterator[None]:
    """Every child would import the main module anew, and pytest is large."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def listen(children: list[Child], seconds: float) -> None:
    """Take what all of them say, for so long."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        speaking = [child._pipe for child in children if not child.over]
        if not speaking:
            return
        wait(speaking, left)
        for child in children:
            child.listen()


def look(store: Store, incident: str) -> tuple[float, list[str], list[Event]]:
    """In a fresh process: how long it took until the journal was open and read, what is wrong with
    the file or the chain, and every event. Raises JournalError, TimeoutError."""
    child = Child(_look, store, incident)
    said = child.ended()
    if not said or isinstance(said[-1], str):
        raise JournalError(str(said[-1:] or "a look ended without a word"))
    seconds, wrong, events = said[-1]
    return seconds, wrong, events


def _look(store: Store, incident: str, pipe: Connection) -> None:
    async def read() -> None:
        begin = time.perf_counter()
        journal = store.journal()
        try:
            await journal.current()
            seconds = time.perf_counter() - begin
            events = list(await journal.events(incident))
            fault = await journal.verify(incident)
            wrong = [f"the chain does not hold at {fault}"] if fault else []
            pipe.send((seconds, wrong + _damage(store), events))
        except JournalError as error:
            pipe.send(str(error))
        finally:
            await journal.close()

    asyncio.run(read())


def _damage(store: Store) -> list[str]:
    """What SQLite says of its whole file. A server looks after its own."""
    if store.kind != "sqlite":
        return []
    connection = sqlite3.connect(store.place)
    said = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return [] if said == [("ok",)] else [f"integrity: {line}" for (line,) in said]

"""Four responders in one incident at once, each a session in a process of its own, while one of
them is killed, paused, or loses its line to the store."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, Final

from tests.torture.children import Child, Result, Store, listen, look
from tests.torture.kills import faults, opened
from tests.torture.partition import Line
from warroom.domain.clock import SystemClock
from warroom.domain.events import CORRECTIONS, Author, Kind, derived_id
from warroom.domain.incident import Status
from warroom.domain.severity import SCHEMES
from warroom.engine.session import Session
from warroom.journal.base import JournalError, NotSaved

RESPONDERS: Final = 4
BEGIN: Final = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)
SCHEME: Final = SCHEMES["P0-P3"]
AWAY_S: Final = (0.3, 1.5)
CUT_S: Final = (0.5, 4.0)
"""Longer than a shared store is waited for, and shorter."""
OVER_S: Final = 300.0


@dataclass(frozen=True)
class Place:
    """Where a crowd meets. `line` is the victim's own way to a store that has one."""

    store: Store
    line: Line | None = None

    @property
    def fates(self) -> tuple[str, ...]:
        return ("killed", "paused") if self.line is None else ("killed", "cut off", "paused")


@dataclass
class Tally:
    """Over all crowds."""

    wrong: list[str] = field(default_factory=list)
    acknowledged: int = 0
    later: int = 0
    stored: int = 0
    fates: dict[str, int] = field(default_factory=dict)


def crowds(
    place: Callable[[], Place], seeds: range, operations: int, tell: Callable[[str], None]
) -> Result:
    """One crowd a seed. `place` gives an empty store for each."""
    tally = Tally()
    kind = ""
    for done, seed in enumerate(seeds, start=1):
        where = place()
        kind = where.store.kind
        try:
            _Crowd(where, seed, operations, tally).meet()
        except (JournalError, TimeoutError) as error:
            tally.wrong.append(f"seed {seed}: {error}")
        finally:
            if where.line:
                where.line.close()
        tell(f"{kind}: crowd {done} of {len(seeds)}, {tally.stored:,} entries")
    fates = ", ".join(f"{count} {fate}" for fate, count in sorted(tally.fates.items()))
    figures = (
        f"{len(seeds)} seeds ({fates}), {tally.acknowledged:,} acknowledged at once, "
        f"{tally.later:,} refused and saved later, {tally.stored:,} stored"
    )
    return Result(f"{RESPONDERS} responders x {operations}", figures, tally.wrong)


class _Crowd:
    def __init__(self, place: Place, seed: int, operations: int, tally: Tally) -> None:
        self._place, self._seed, self._operations, self._tally = place, seed, operations, tally
        self._rng = random.Random(f"fate {seed}")
        self._victim = self._rng.randrange(RESPONDERS)
        self.fate = place.fates[seed % len(place.fates)]

    def meet(self) -> None:
        self._tally.fates[self.fate] = self._tally.fates.get(self.fate, 0) + 1
        store, line = self._place.store, self._place.line
        incident = opened(store)
        people = []
        for number in range(RESPONDERS):
            own = Store(store.kind, line.dsn) if line and number == self._victim else store
            work = (own, incident, number, self._seed, self._operations)
            people.append(Child(_respond, *work))
        self._strike(people)
        left = [p for n, p in enumerate(people) if self.fate != "killed" or n != self._victim]
        self._until(people, left, "done")
        for person in left:
            person.tell("all are done")
        heard = [person.ended(OVER_S) for person in people]
        self._check(incident, heard)

    def _strike(self, people: list[Child]) -> None:
        """At a moment that only the seed knows: after so many of the victim's own operations."""
        victim = people[self._victim]
        moment = self._rng.randrange(1, max(2, self._operations * 3 // 4))
        self._until(people, [victim], moment)
        line = self._place.line
        if self.fate == "killed":
            victim.kill()
        elif self.fate == "paused":
            victim.signal(signal.SIGSTOP)
            listen(people, self._rng.uniform(*AWAY_S))
            victim.signal(signal.SIGCONT)
        elif line is not None:
            line.cut()
            listen(people, self._rng.uniform(*CUT_S))
            line.heal(broken=self._rng.random() < 0.5)

    def _until(self, people: list[Child], those: list[Child], moment: object) -> None:
        """Listen until each of `those` has said the word, or so many."""
        until = time.monotonic() + OVER_S
        count = moment if isinstance(moment, int) else 0
        while any(not _reached(one, moment, count) for one in those):
            if time.monotonic() > until:
                raise TimeoutError(f"not over within {OVER_S:g} s")
            listen(people, 0.05)

    def _check(self, incident: str, heard: list[list[Any]]) -> None:
        _, wrong, events = look(self._place.store, incident)
        order = [event.id for event in events]
        acknowledged: dict[str, int] = {}
        for number, words in enumerate(heard):
            whole = self.fate != "killed" or number != self._victim
            acknowledged |= {name: seq for word, name, seq in words if word == "acknowledged"}
            self._tally.later += sum(word == "refused" for word, *_ in words)
            wrong += [f"a responder failed: {text}" for word, text, _ in words if word == "failed"]
            seen = [ids for word, ids, _ in words if word == "seen"]
            if whole and not seen:
                wrong.append(f"responder {number} ended without a word")
            wrong += [f"responder {number} saw another order" for s in seen if s != order[: len(s)]]
            wrong += [
                f"responder {number} sees {len(s)} of {len(order)}" for s in seen if s != order
            ]
            if whole:
                wrong += self._lost(number, order)
        wrong += faults(events, acknowledged)
        if len(events) > 1 + RESPONDERS * self._operations:
            wrong.append(f"{len(events)} entries: more than were made")
        self._tally.acknowledged += len(acknowledged)
        self._tally.stored += len(events)
        self._tally.wrong += [f"seed {self._seed} ({self.fate}): {what}" for what in wrong]

    def _lost(self, number: int, order: list[str]) -> list[str]:
        stored = set(order)
        names = (_name(self._seed, number, n) for n in range(self._operations))
        lost = [n for n, name in enumerate(names) if name not in stored]
        return [f"responder {number}: operations {lost} are lost"] if lost else []


def _reached(child: Child, moment: object, count: int) -> bool:
    if child.over:
        return True
    return len(child.said) >= count if count else any(w[0] == moment for w in child.said)


def _name(seed: int, responder: int, number: int) -> str:
    return derived_id(BEGIN, str(seed), str(responder), str(number))


def _respond(
    store: Store, incident: str, number: int, seed: int, operations: int, pipe: Connection
) -> None:
    asyncio.run(_Responder(store, incident, number, seed, pipe).work(operations))


class _Responder:
    def __init__(
        self, store: Store, incident: str, number: int, seed: int, pipe: Connection
    ) -> None:
        self._rng = random.Random(f"{seed} {number}")
        self._incident, self._number, self._seed, self._pipe = incident, number, seed, pipe
        self._journal = store.journal()
        author = Author(f"responder{number}", os.getuid())
        self._session = Session(self._journal, SystemClock(), author, SCHEME)

    async def work(self, operations: int) -> None:
        try:
            self._journal.watch()
            await self._resumed()
            self._session.start()
            for n in range(operations):
                await self._one(_name(self._seed, self._number, n), n)
            while self._session.unsaved:
                await asyncio.sleep(0.02)
            self._pipe.send(("done", "", 0))
            await asyncio.to_thread(self._pipe.recv)
            await self._session.refresh()
            self._pipe.send(("seen", [event.id for event in self._session.events], 0))
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
            self._pipe.send(("failed", f"{type(error).__name__}: {error}", 0))
        finally:
            await self._session.stop()
            await self._journal.close()

    async def _resumed(self) -> None:
        """A store that is held up just now is tried again, as people do."""
        for _ in range(10):
            with suppress(JournalError):
                await self._session.resume(self._incident)
                return
        await self._session.resume(self._incident)

    async def _one(self, name: str, n: int) -> None:
        kind, text, data = self._operation(n)
        try:
            event = await self._session.record(kind, text, data, id=name)
        except NotSaved:
            self._pipe.send(("refused", name, 0))
        else:
            self._pipe.send(("acknowledged", name, event.seq))

    def _operation(self, n: int) -> tuple[Kind, str, Mapping[str, Any]]:
        rng = self._rng
        match rng.choices(_KINDS, _WEIGHTS)[0]:
            case "amend":
                seq = self._target()
                base = self._session.projection.base(seq)
                return Kind.AMENDED, f"amended in {n}", {"seq": seq, "base": base}
            case "star":
                return Kind.AMENDED, "", {"seq": self._target(), "starred": rng.random() < 0.7}
            case "retract":
                return Kind.RETRACTED, f"because of {n}", {"seq": self._target()}
            case "tick":
                item = f"item {rng.randrange(12)}"
                return Kind.CHECKLIST, f"done: {item}", {"item": item, "done": rng.random() < 0.7}
            case "severity":
                level = rng.choice(SCHEME.levels).name
                return Kind.SEVERITY, f"severity → {level}", {"severity": level}
            case "status":
                status = rng.choice([s for s in Status if s is not Status.CLOSED])
                return Kind.STATUS, f"status → {status}", {"status": status.value}
            case _:
                return Kind.NOTE, f"note {n} " + "x" * rng.randrange(400), {}

    def _target(self) -> int:
        """An entry that somebody may correct: any but the opening and corrections."""
        events = [e for e in self._session.events[-40:] if e.kind not in CORRECTIONS]
        return self._rng.choice(events).seq if events else 1


_KINDS: Final = ("note", "amend", "star", "retract", "tick", "severity", "status")
_WEIGHTS: Final = (50, 12, 8, 4, 12, 5, 9)

"""Consoles that press the same key at the same moment, and consoles that are cut off while they
act. What really happened stands in a file that each act appends one line to (O_APPEND)."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from tests.torture.children import Child, Result, Store, look
from tests.torture.kills import opened
from warroom.domain.clock import SteadyClock
from warroom.domain.events import Author, Draft, Event, Kind
from warroom.domain.requests import Request, Requests
from warroom.domain.sample import Row
from warroom.domain.severity import SCHEMES
from warroom.engine.executor import Action, Executor
from warroom.engine.session import Session
from warroom.hosts.base import HostLost
from warroom.journal.base import Journal, NotSaved
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationSpec,
    Output,
    Risk,
    Target,
)

MOST: Final = 8
"""Consoles in one round."""
PHASES: Final[tuple[str, ...]] = (
    "before the request", "after the request", "before the act", "after the act",
    "before the outcome",
)  # fmt: skip
MODES: Final = ("kill", "away", "cut", "stop")
BEFORE: Final = {"kill": 3, "stop": 3, "away": 1, "cut": 3}
"""In how many of the phases nothing can have been done, by mode. With the journal away after it
has the request, the act goes on, and its outcome waits."""
_SAYS_WHO: Final = re.compile(r"asked for the same first|^NOT RUN: the request could not be")
ENDED_S: Final = 30.0
"""By then what a dead console asked for reads UNKNOWN."""


class Recorder:
    """Appends its target's name to a file: what was done can be counted."""

    def __init__(self, name: str, file: Path, fence: Callable[[], None], cut: Cut | None) -> None:
        self._name, self._file, self._fence, self._cut = name, file, fence, cut

    async def preview(self, row: Row | None) -> Card:
        target = Target(self._name, self._name)
        return Card("t.record", "Record", "", target, ("append",), (), "nothing", Risk.CHANGE)

    async def perform(self, card: Card) -> Done:
        if self._cut:
            self._cut.at("before the act")
        self._fence()
        with self._file.open("ab", buffering=0) as file:
            file.write(self._name.encode() + b"\n")
        if self._cut:
            self._cut.at("after the act")
        return Done("recorded")

    async def close(self) -> None:
        """Nothing is kept open."""


@dataclass
class Cut:
    """What becomes of a console at one phase."""

    phase: str
    mode: str
    away: bool = False

    def at(self, phase: str) -> None:
        if phase != self.phase:
            return
        match self.mode:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "away":
                self.away = True
            case "cut" if phase in ("before the act", "after the act"):
                raise HostLost("connection reset by peer")


class CutJournal:
    """A journal whose console is cut at a phase; everything else is the store's own."""

    def __init__(self, journal: Journal, cut: Cut) -> None:
        self._journal, self._cut = journal, cut

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        kinds = {draft.kind for draft in drafts}
        if Kind.REQUESTED in kinds:
            self._cut.at("before the request")
        if Kind.OUTCOME in kinds:
            self._cut.at("before the outcome")
        if self._cut.away:
            raise NotSaved("no space left on device")
        events = await self._journal.append(incident, *drafts)
        if Kind.REQUESTED in kinds:
            self._cut.at("after the request")
        return events


def action(name: str, file: Path, cut: Cut | None = None) -> Action:
    """What appends `name` to `file`."""
    spec = MitigationSpec("t.record", "Record", object, lambda *_: None, Risk.CHANGE, "")  # type: ignore[arg-type]

    def create(_: Output, fence: Callable[[], None]) -> Recorder:
        return Recorder(name, file, fence, cut)

    return Action(f"config:{name}", "", "Record", spec, "", create)


# Exactly once ------------------------------------------------------------------------------------


def rounds(
    store: Callable[[], Store], count: int, seed: int, folder: Path, tell: Callable[[str], None]
) -> Result:
    """`count` rounds of 2 to 8 consoles that confirm the same thing at the same moment."""
    rng, wrong, presses = random.Random(seed), [], 0
    place, file = store(), folder / f"acts-{seed}"
    incident = opened(place)
    consoles = [Child(_console, place, incident, str(file), n) for n in range(MOST)]
    try:
        for console in consoles:
            console.hear()
        for number in range(count):
            crowd = rng.sample(consoles, rng.randint(2, MOST))
            wrong += _round(crowd, f"{seed}-{number}", file)
            presses += len(crowd)
            tell(f"the same key at once: round {number + 1} of {count}")
    finally:
        for console in consoles:
            console.tell(None)
        for console in consoles:
            console.ended()
    _, more, events = look(place, incident)
    wrong += more
    outcomes = Counter(e.data["state"] for e in events if e.kind is Kind.OUTCOME)
    if outcomes["done"] != count or outcomes.total() > presses:
        wrong.append(f"the journal has {dict(outcomes)} for {presses} presses in {count} rounds")
    figures = f"{count} rounds, {presses:,} presses, {_lines(file).total():,} acts"
    return Result(f"the same key on 2 to {MOST} consoles", figures, wrong)


def _round(crowd: Sequence[Child], name: str, file: Path) -> list[str]:
    for console in crowd:
        console.tell(name)
    for console in crowd:
        if console.hear() != "armed":
            return [f"{name}: a console could not arm"]
    at = time.monotonic() + 0.02
    for console in crowd:
        console.tell(at)
    said = [console.hear() for console in crowd]
    states = Counter(state for state, _ in said)
    acts = _lines(file)[name]
    wrong = []
    if acts != 1 or states["done"] != 1 or states["refused"] != len(crowd) - 1:
        wrong.append(f"{name}: {acts} acts, {dict(states)}")
    vague = [text for state, text in said if state == "refused" and not _SAYS_WHO.search(text)]
    return wrong + [f"{name}: refused without saying who: {text}" for text in vague]


def _console(store: Store, incident: str, file: str, number: int, pipe: Connection) -> None:
    async def console() -> None:
        session, executor = await _sat_down(store.journal(), incident, f"r{number}", 1000 + number)
        pipe.send("here")
        while (name := await asyncio.to_thread(pipe.recv)) is not None:
            armed = await executor.arm(action(name, Path(file)))
            pipe.send("armed")
            at = await asyncio.to_thread(pipe.recv)
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            outcome = await executor.run(armed)
            pipe.send((outcome.state.value, outcome.text))
        await executor.stop()
        await session.stop()
        await session.journal.close()

    asyncio.run(console())


async def _sat_down(
    journal: Journal, incident: str, login: str, uid: int
) -> tuple[Session, Executor]:
    session = Session(journal, SteadyClock(), Author(login, uid), SCHEMES["P0-P3"])
    await session.resume(incident)
    session.start()
    journal.watch()
    return session, Executor(session, SteadyClock())


# Cut off -----------------------------------------------------------------------------------------


def cuts(
    store: Callable[[], Store], count: int, modes: Sequence[str], folder: Path, seed: int,
    tell: Callable[[str], None],
) -> Result:  # fmt: skip
    """`count` consoles cut off at each phase, in every mode; a witness looks on.

    All of them are cut first, a few at a time; then the witness has ENDED_S for what is left.
    """
    place, file = store(), folder / f"cut-{seed}"
    incident = opened(place)
    witness = Child(_witness, place, incident)
    witness.hear()
    stopped: list[Child] = []
    names = [f"{m}|{p}|{n}" for m in modes for p in _phases(m) for n in range(count)]
    try:
        wrong = _all_cut(place, incident, file, names, stopped, tell)
    finally:
        for child in stopped:
            child.signal(signal.SIGCONT)
    for child in stopped:
        child.ended()
    witness.tell(None)
    witness.ended()
    _, more, events = look(place, incident)
    states = {str(r.key[1]): r for r in Requests(events).all}
    wrong += [*more, *_lies(names, states, _lines(file))]
    seen = Counter(states[name].state if name in states else "no request" for name in names)
    figures = ", ".join(f"{n} {state or 'open'}" for state, n in sorted(seen.items()))
    return Result(f"cut off at {len(PHASES)} phases", figures, wrong)


def _all_cut(
    place: Store, incident: str, file: Path, names: Sequence[str], stopped: list[Child],
    tell: Callable[[str], None],
) -> list[str]:  # fmt: skip
    for begin in range(0, len(names), MOST):
        batch = names[begin : begin + MOST]
        children = [Child(_cut_off, place, incident, str(file), name) for name in batch]
        for child, name in zip(children, batch, strict=True):
            if name.startswith("stop|"):
                stopped.append(child)
                child.hear()
                child.halted()
            elif "armed" not in child.ended():
                return [f"{name}: its console never sat down"]
        tell(f"cut off: {begin + len(batch)} of {len(names)}")
    return _until_over(place, incident)


def _phases(mode: str) -> Sequence[str]:
    """A connection is cut while it is used."""
    return PHASES[2:4] if mode == "cut" else PHASES


def _until_over(place: Store, incident: str) -> list[str]:
    """Wait until no request is under way."""
    until = time.monotonic() + ENDED_S
    while True:
        _, _, events = look(place, incident)
        left = Requests(events).under_way
        if not left:
            return []
        if time.monotonic() > until:
            return [f"{one.label} has no outcome after {ENDED_S:g} s" for one in left]
        time.sleep(0.5)


def _lies(names: Sequence[str], states: dict[str, Request], acts: Counter[str]) -> list[str]:
    """What the record says that is not so."""
    wrong = []
    for name in names:
        count, request = acts[name], states.get(name)
        state = request.state if request else ""
        may = {"done": {1}, "refused": {0}, "UNKNOWN": {0, 1}, "": {0}}.get(state, set())
        if count not in may:
            wrong.append(f"{name}: the record says {state or 'nothing'}, and it was done {count}x")
        mode, phase, _ = name.split("|")
        if count and phase in PHASES[: BEFORE[mode]]:
            wrong.append(f"{name}: it was done although its console was cut off before")
    return wrong


def _cut_off(store: Store, incident: str, file: str, name: str, pipe: Connection) -> None:
    async def console() -> None:
        mode, phase, _ = name.split("|")
        cut = Cut(phase, mode)
        journal: Any = CutJournal(store.journal(), cut)
        session, executor = await _sat_down(journal, incident, "cut", 2000)
        await session.sign()
        armed = await executor.arm(action(name, Path(file), cut))
        pipe.send("armed")
        await executor.run(armed)
        await asyncio.sleep(0.05)
        cut.away = False
        await session.save_again()
        await executor.step()
        await session.stop()
        await journal.close()

    asyncio.run(console())


def _witness(store: Store, incident: str, pipe: Connection) -> None:
    async def console() -> None:
        session, executor = await _sat_down(store.journal(), incident, "witness", 3000)
        executor.start()
        pipe.send("here")
        await asyncio.to_thread(pipe.recv)
        await executor.stop()
        await session.stop()
        await session.journal.close()

    asyncio.run(console())


def _lines(file: Path) -> Counter[str]:
    return Counter(file.read_text().splitlines() if file.exists() else [])

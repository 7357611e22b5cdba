"""Ends what many PostgreSQL backends do, and says of each what came of it.

Each is compared and signalled by itself in the statement that signals it, so that whoever went on
working between the card and the act is left alone. Between that look and the signal pass some
microseconds, in which the server offers no lock.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from warroom.config.values import Secret
from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.hosts.postgres import (
    PostgresFault,
    PostgresLost,
    PostgresSession,
    server_version,
    statement,
)
from warroom.mitigations import _postgres_crowd as crowd
from warroom.mitigations._postgres_crowd import Backend, Record
from warroom.mitigations._postgres_ways import (
    Step,
    Tally,
    Way,
    of_pids,
    why_spared,
)
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Target,
)

ROOM: Final = "warroom.mitigations"
_CONNECT_S: Final = 10.0
_GRACE_S: Final = 2.0
"""Seconds that a cancelled query has to end by itself before its session is ended."""
_VERIFY_S: Final = 5.0
_POLL_S: Final = 0.1
_AT_ONCE: Final = 100
"""Backends in one statement: a server with 5,000 slots compares as many in a quarter second."""
_UNDO: Final = {
    "cancel": "nothing: the statements are rolled back, the sessions stay",
    "terminate": "nothing: their transactions are rolled back and their clients must connect again",
}


class EndMany(ABC):
    """Ends the backends on the card, each only if it still is what was shown."""

    remembers: tuple[str, ...] = ("backends",)

    def __init__(self, way: Way, dsn: Secret, context: MitigationContext) -> None:
        self.way, self._context = way, context
        self.session = PostgresSession(
            dsn, context.host, timeout=_CONNECT_S, writes=True, borrows=True
        )

    async def preview(self, row: Row | None) -> Card:
        """Who would be ended and who not. Raises MitigationRefused."""
        try:
            async with self.session.use() as connection:
                return await self.look(connection, server_version(connection), row)
        except PostgresFault as fault:
            raise MitigationRefused(str(fault)) from fault

    async def perform(self, card: Card) -> Done:
        """Signal them step by step, and wait until that shows."""
        backends = [Backend.of(kept) for kept in card.context["backends"]]
        tally = Tally()
        try:
            async with self.session.use() as connection:
                await self._end(connection, card, backends, tally)
        except MitigationRefused as refused:
            if not tally.asked:
                raise
            raise MitigationFailed(f"stopped half-way: {refused}; {tally}") from refused
        except asyncio.CancelledError:
            if not tally.asked:
                raise
            words = str(tally) or "signals had been sent"
            raise MitigationUncertain(f"{words}; what comes after is not known") from None
        except PostgresLost as lost:
            kind = MitigationUncertain if tally.asked else MitigationRefused
            raise kind(_also(f"{lost}; it may have happened", tally)) from lost
        except (PostgresFault, HostError) as fault:
            if not tally.asked:
                raise MitigationRefused(str(fault)) from fault
            raise await self._broken_off(fault, backends) from fault
        return _judged(tally)

    async def verify(self, card: Card) -> str:
        """Which of them are still there. Raises MitigationRefused."""
        backends = [Backend.of(kept) for kept in card.context["backends"]]
        try:
            async with self.session.use() as connection:
                now = await self._states(connection, backends)
        except (PostgresFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        same = [
            one.pid
            for one in backends
            if one.pid in now and now[one.pid][self.way.mark] == one.mark
        ]
        gone = len(backends) - len(now)
        words = f"of {len(backends):,} backends {gone:,} are gone"
        changed = len(now) - len(same)
        if changed:
            words += f", {changed:,} do something else now"
        return words + (f", unchanged: pid {crowd.pids(same)}" if same else "")

    async def close(self) -> None:
        await self.session.close()

    # Looking --------------------------------------------------------------------------------

    @abstractmethod
    async def look(self, connection: Any, version: int, row: Row | None) -> Card:
        """The card of who would be ended now. Raises MitigationRefused."""

    def card(
        self,
        ended: Sequence[Record],
        left: Mapping[str, Sequence[int]],
        target: str,
        asked: Sequence[tuple[str, str]],
        context: Mapping[str, Any],
    ) -> Card:
        way = self.way
        backends = [Backend(one["pid"], one["backend_start"], one[way.mark]) for one in ended]
        numbers = [one.pid for one in backends]
        label = str(numbers[0]) if len(numbers) == 1 else f"{len(numbers)} backends"
        first = [f"SELECT pg_{way.steps[0]}_backend(pid) for pid in ({crowd.pids(numbers)})"]
        if len(way.steps) > 1:
            first.append(
                f"after {_GRACE_S:g} s SELECT pg_terminate_backend(pid) for who still stands"
            )
        return Card(
            kind=f"postgres.{way.name}",
            title=way.title,
            host=self._context.host.name,
            target=Target(
                id=f"{self.session.dsn.place} {target}",
                label=label,
                identity={
                    str(one.pid): " ".join(str(part) for part in one.as_list()[1:])
                    for one in backends
                },
            ),
            command=(*first, f"-- {way.only_if}"),
            hits=(*asked, *crowd.hits(ended, left)),
            undo=_UNDO[way.steps[-1]],
            risk=way.risk,
            warnings=tuple(self._warnings(ended)),
            context={"backends": [one.as_list() for one in backends], **context},
        )

    def _warnings(self, ended: Sequence[Record]) -> Sequence[str]:
        if any(one["blocks"] for one in ended):
            return ()
        return ("none of them blocks anybody: ending them frees only what they use themselves",)

    # Acting ---------------------------------------------------------------------------------

    async def _end(
        self, connection: Any, card: Card, backends: Sequence[Backend], tally: Tally
    ) -> None:
        """Step by step on those that stand; the tally says what came of each."""
        way, left, tried = self.way, list(backends), set[int]()
        for step in way.steps:
            last = step == way.steps[-1]
            sent = await self._signalled(connection, card, left, step, tally)
            unsent = [one for one in left if one.pid not in sent]
            limit = _VERIFY_S if last else _GRACE_S
            standing = await self._watched(
                connection, card, of_pids(left, sent), step, limit, tally
            )
            if last or way.state:
                await self._missed(connection, unsent, tried, tally)
                left = standing
            else:
                left = [*unsent, *standing]
            tried |= sent
        tally.standing += [one.pid for one in left]

    async def _signalled(
        self, connection: Any, card: Card, left: Sequence[Backend], step: Step, tally: Tally
    ) -> set[int]:
        """The pids that were compared, found the same and signalled."""
        sql = statement(ROOM, self.way.statement, server_version(connection))
        sent: set[int] = set()
        for start in range(0, len(left), _AT_ONCE):
            some = left[start : start + _AT_ONCE]
            columns = [list(column) for column in zip(*map(_parts, some), strict=True)]
            self._context.fence()
            tally.asked = True
            rows = await connection.fetch(sql, *columns, step == "cancel", *self.more(card))
            sent |= {row["pid"] for row in rows if row["signalled"]}
        if sent:
            self._context.output.say(f"{step}: {len(sent):,} signalled: pid {crowd.pids(sent)}")
        return sent

    def more(self, card: Card) -> Sequence[Any]:
        """What else the statement wants."""
        return ()

    async def _watched(
        self,
        connection: Any,
        card: Card,
        aimed: Sequence[Backend],
        step: Step,
        limit: float,
        tally: Tally,
    ) -> list[Backend]:
        """Those on whom the signal had no effect within `limit` seconds."""
        standing = list(aimed)
        for _ in range(round(limit / _POLL_S)):
            if not standing:
                break
            settled = await self.settled(connection, card, standing, step)
            done = tally.cancelled if step == "cancel" else tally.ended
            done += [one.pid for one in standing if one.pid in settled]
            standing = [one for one in standing if one.pid not in settled]
            if standing:
                await asyncio.sleep(_POLL_S)
        return standing

    async def settled(
        self, connection: Any, card: Card, standing: Sequence[Backend], step: Step
    ) -> set[int]:
        """On whom the signal has had its effect by now."""
        now = await self._states(connection, standing)
        return {one.pid for one in standing if one.pid not in now or self._over(one, now, step)}

    def _over(self, one: Backend, now: Mapping[int, Record], step: Step) -> bool:
        state = now[one.pid]
        return step == "cancel" and (state["state"] != "active" or state[self.way.mark] != one.mark)

    async def _missed(
        self, connection: Any, unsent: Sequence[Backend], tried: set[int], tally: Tally
    ) -> None:
        """Say of those that were not signalled why: they had changed. Who was cancelled before
        had ended just then."""
        now = await self._states(connection, unsent) if unsent else {}
        for one in unsent:
            if one.pid in tried:
                tally.cancelled.append(one.pid)
            else:
                tally.spared[one.pid] = why_spared(self.way, one, now.get(one.pid))

    async def _states(self, connection: Any, backends: Sequence[Backend]) -> dict[int, Record]:
        version = server_version(connection)
        await connection.fetchval(statement(ROOM, "fresh", version))
        rows = await connection.fetch(
            statement(ROOM, "states", version),
            [one.pid for one in backends],
            [one.start for one in backends],
        )
        return {row["pid"]: row for row in rows}

    async def _broken_off(self, fault: Exception, backends: Sequence[Backend]) -> Exception:
        """A signal was refused: those before it may have been sent. Failed when all still stand."""
        try:
            async with self.session.use() as connection:
                now = await self._states(connection, backends)
        except (PostgresFault, HostError):
            return MitigationUncertain(f"{fault}; some of them may have ended")
        gone = [one.pid for one in backends if one.pid not in now]
        if not gone:
            return MitigationFailed(str(fault))
        return MitigationUncertain(f"{fault}; gone: pid {crowd.pids(gone)}")


def _parts(one: Backend) -> tuple[int, datetime, datetime | None]:
    return one.pid, one.start, one.mark


def _also(text: str, tally: Tally) -> str:
    known = str(tally)
    return f"{text}; known: {known}" if known else text


def _judged(tally: Tally) -> Done:
    """Raises MitigationUncertain when some still stand, MitigationRefused when all had changed."""
    if tally.standing:
        raise MitigationUncertain(
            f"{tally}; they were signalled {_VERIFY_S:g} s ago and may yet end"
        )
    if not tally.ended and not tally.cancelled:
        raise MitigationRefused(f"not done: {tally}")
    return Done(str(tally), tally.evidence)

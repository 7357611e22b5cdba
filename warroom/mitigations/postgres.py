"""Ends what PostgreSQL backends do: their query (cancel), or their session (terminate)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from warroom.config.values import Secret
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.domain.text import harmless, shorten
from warroom.hosts.base import HostError
from warroom.hosts.postgres import (
    APPLICATION,
    PostgresFault,
    PostgresLost,
    PostgresSession,
    server_version,
    statement,
)
from warroom.mitigations import _postgres_ways as ways
from warroom.mitigations._postgres_ways import BlockersOptions, CrowdOptions, Way
from warroom.mitigations._postgres_which import EndBlockers, EndMatching, inputs_of
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
    Risk,
    Target,
)

Act = Literal["cancel", "terminate"]

_ROOM: Final = "warroom.mitigations"
_CONNECT_S: Final = 10.0
_VERIFY_S: Final = 5.0
_POLL_S: Final = 0.1
_TITLES: Final = {"cancel": "Cancel query", "terminate": "Terminate backend"}
_RISKS: Final = {"cancel": Risk.CHANGE, "terminate": Risk.DESTROY}
_UNDO: Final = {
    "cancel": "nothing: the statement is rolled back, its session stays",
    "terminate": "nothing: its transaction is rolled back and its client must connect again",
}
_MOVES: Final = (("waiting", "down"), ("connections", "down"), ("longest_query_s", "down"))


@dataclass(frozen=True, slots=True)
class Options:
    """`dsn`: any PostgreSQL URL, or where it is kept. Its role must own the backend's role or have
    pg_signal_backend."""

    dsn: Secret


class EndBackend:
    """Cancels or terminates the backend of a selected row, if it still is the one shown."""

    def __init__(self, act: Act, options: Options, context: MitigationContext) -> None:
        self._act: Act = act
        self._host, self._fence = context.host, context.fence
        self._session = PostgresSession(
            options.dsn, context.host, timeout=_CONNECT_S, writes=True, borrows=True
        )

    async def preview(self, row: Row | None) -> Card:
        """What ending the row's backend would hit. Raises MitigationRefused."""
        if row is None:
            raise MitigationRefused("select a backend first")
        pid, start = int(row.data["pid"]), str(row.data["backend_start"])
        try:
            async with self._session.use() as connection:
                sql = statement(_ROOM, "target", server_version(connection))
                found = await connection.fetchrow(sql, pid)
        except PostgresFault as fault:
            raise MitigationRefused(str(fault)) from fault
        reason = refusal(self._act, pid, start, found)
        if reason:
            raise MitigationRefused(reason)
        return self._card(found)

    async def perform(self, card: Card) -> Done:
        """Signal the backend, then wait up to 5 s until it shows."""
        asked = False
        pid = int(card.context["pid"])
        arguments = [pid, *(datetime.fromisoformat(t) for t in card.context["instants"])]
        try:
            async with self._session.use() as connection:
                version = server_version(connection)
                self._fence()
                asked = True
                signalled = await connection.fetch(statement(_ROOM, self._act, version), *arguments)
                if not signalled:
                    await self._changed(connection, card, version)
                if not signalled[0]["signalled"]:
                    raise MitigationFailed(f"the server could not signal pid {pid}")
                return await self._verified(connection, card, version)
        except PostgresLost as lost:
            raise MitigationUncertain(f"{lost}; it may have happened") from lost
        except (PostgresFault, HostError) as fault:
            kind = MitigationFailed if asked else MitigationRefused
            raise kind(str(fault)) from fault

    async def verify(self, card: Card) -> str:
        """What the backend does now. Raises MitigationRefused."""
        pid, start = int(card.target.identity["pid"]), card.target.identity["backend_start"]
        try:
            async with self._session.use() as connection:
                sql = statement(_ROOM, "state", server_version(connection))
                now = await connection.fetchrow(sql, pid, datetime.fromisoformat(start))
        except (PostgresFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        if now is None:
            return f"pid {pid} is gone"
        since = _instant(now["query_start"]) if now["query_start"] else "an unknown time"
        return f"pid {pid} is {harmless(str(now['state']))}, its last query began {since}"

    async def close(self) -> None:
        await self._session.close()

    def _card(self, found: Mapping[str, Any]) -> Card:
        pid, start = found["pid"], found["backend_start"]
        instants = [start, found["query_start"]] if self._act == "cancel" else [start]
        only = f"-- only if pid {pid} is still the backend that started {_instant(start)}"
        if self._act == "cancel":
            only += f" and runs the query that started {_instant(found['query_start'])}"
        return Card(
            kind=f"postgres.{self._act}",
            title=_TITLES[self._act],
            host=self._host.name,
            target=Target(
                id=f"{self._session.dsn.place} pid {pid} since {start.isoformat()}",
                label=str(pid),
                identity={"pid": str(pid), "backend_start": start.isoformat()},
            ),
            command=(f"SELECT pg_{self._act}_backend({pid})", only),
            hits=hits(found),
            undo=_UNDO[self._act],
            risk=_RISKS[self._act],
            warnings=warnings(self._act, found),
            context={"pid": pid, "instants": [instant.isoformat() for instant in instants]},
        )

    async def _changed(self, connection: Any, card: Card, version: int) -> None:
        """Nothing fitted any more: says what is there now. Raises MitigationRefused."""
        pid = int(card.context["pid"])
        await connection.fetchval(statement(_ROOM, "fresh", version))
        now = await connection.fetchrow(statement(_ROOM, "target", version), pid)
        shown = card.target.identity["backend_start"]
        reason = refusal(self._act, pid, shown, now) or "its query has ended, another one runs now"
        raise MitigationRefused(f"not done: {reason}")

    async def _verified(self, connection: Any, card: Card, version: int) -> Done:
        """Waits until the signal has had its effect. Raises MitigationUncertain."""
        pid = int(card.context["pid"])
        instants = [datetime.fromisoformat(text) for text in card.context["instants"]]
        sql = statement(_ROOM, "state", version)
        done = "cancelled" if self._act == "cancel" else "terminated"
        for _ in range(round(_VERIFY_S / _POLL_S)):
            await connection.fetchval(statement(_ROOM, "fresh", version))
            now = await connection.fetchrow(sql, pid, instants[0])
            if now is None:
                return Done(f"pid {pid} is gone" if done == "terminated" else f"pid {pid} {done}")
            ended = now["state"] != "active" or now["query_start"] != instants[-1]
            if self._act == "cancel" and ended:
                return Done(f"the query of pid {pid} is {done}; its session is {now['state']}")
            await asyncio.sleep(_POLL_S)
        waits = harmless(f"{now['wait_event_type'] or 'CPU'}:{now['wait_event'] or ''}").rstrip(":")
        raise MitigationUncertain(
            f"the signal was sent, but after {_VERIFY_S:g} s pid {pid} still runs ({waits}); "
            "it may yet end"
        )


def refusal(act: Act, pid: int, start: str, found: Mapping[str, Any] | None) -> str:
    """Why the backend `found` now may not be acted on, in words; empty when it may.

    `start` is when the one that was shown had started (ISO), empty when the role could not see it.
    """
    if found is None:
        return f"pid {pid} is gone"
    kind, began = found["backend_type"], found["backend_start"]
    if kind is None or began is None:
        return f"this role may not see pid {pid}: GRANT pg_monitor TO {harmless(found['role'])}"
    if kind != "client backend":
        return f"pid {pid} is no client but the server's own {harmless(kind)}"
    if began.isoformat() != start:
        was = _instant(datetime.fromisoformat(start)) if start else "an unknown time"
        return f"pid {pid} is another backend now: started {_instant(began)}, shown was {was}"
    if found["app"] == APPLICATION:
        return f"pid {pid} is a warroom session"
    if not found["may_signal"]:
        return _unsignalled(found)
    if act == "cancel" and found["state"] != "active":
        state = harmless(str(found["state"]))
        return f"pid {pid} is {state}: no query runs that could be cancelled; terminate ends it"
    return ""


def _unsignalled(found: Mapping[str, Any]) -> str:
    whose = f"role {harmless(found['role'])} may not end sessions of {harmless(found['user'])}"
    if not found["grantable"]:
        return f"{whose}, a superuser: that takes a superuser"
    return f"{whose}: GRANT pg_signal_backend TO {harmless(found['role'])}"


def hits(found: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The blast radius of ending a backend."""
    since = found["transaction_s"]
    transaction = "none is open"
    if since is not None:
        written = "has written" if found["has_written"] else "has written nothing"
        transaction = f"open for {span(max(0.0, since))}, {written}"
    relations = ", ".join(harmless(name) for name in found["relations"])
    locks = f"{found['locks']}" + (f": {shorten(relations, 200)}" if relations else "")
    return (
        ("query", shorten(harmless(" ".join((found["query"] or "").split())), 400)),
        ("session", harmless(f"{found['user']}@{found['database']} from {found['client']}")),
        ("app", harmless(found["app"] or "—")),
        ("state", _state(found)),
        ("transaction", transaction),
        ("holds locks", locks),
        ("blocks", f"{found['blocks']} backends directly, {found['blocks_in_all']} in all"),
    )


def _state(found: Mapping[str, Any]) -> str:
    state = harmless(str(found["state"]))
    if state == "active" and found["query_s"] is not None:
        return f"active for {span(max(0.0, found['query_s']))}"
    return state


def warnings(act: Act, found: Mapping[str, Any]) -> tuple[str, ...]:
    """What a responder should think of first."""
    lines = []
    if not found["blocks"]:
        lines.append("it blocks nobody: ending it frees only what it uses itself")
    if act == "cancel" and found["transaction_s"] is not None and found["blocks"]:
        lines.append("if its client keeps the transaction open, its locks stay: then terminate")
    return tuple(lines)


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S.%f} UTC"


def _create(act: Act, options: Options, context: MitigationContext) -> EndBackend:
    return EndBackend(act, options, context)


def _spec(act: Act) -> MitigationSpec:
    return MitigationSpec(
        kind=f"postgres.{act}",
        title=_TITLES[act],
        options=Options,
        create=partial(_create, act),
        risk=_RISKS[act],
        acts_on="postgres",
        takes_row=True,
        moves=_MOVES,
    )


def _fit(spec: MitigationSpec, options: CrowdOptions) -> MitigationSpec:
    return replace(spec, inputs=inputs_of(options))


def _matching(way: Way) -> MitigationSpec:
    return MitigationSpec(
        kind=f"postgres.{way.name}",
        title=way.title,
        options=CrowdOptions,
        create=partial(EndMatching, way),
        risk=way.risk,
        acts_on="postgres",
        moves=way.moves,
        inputs=(ways.LONGER_THAN,),
        fit=_fit,
    )


def _blockers(way: Way) -> MitigationSpec:
    return MitigationSpec(
        kind=f"postgres.{way.name}",
        title=way.title,
        options=BlockersOptions,
        create=partial(EndBlockers, way),
        risk=way.risk,
        acts_on="postgres",
        takes_row=True,
        moves=way.moves,
    )


SPECS: Final = (
    _spec("cancel"),
    _spec("terminate"),
    _matching(ways.IDLE),
    _matching(ways.CANCEL),
    _matching(ways.ACTIVE),
    _blockers(ways.BLOCKERS),
)

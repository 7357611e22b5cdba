"""Ends the connection of one client of a Redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from warroom.config.inputs import Input
from warroom.config.values import Line, Secret
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.hosts.redis import CLIENT_NAME, RedisFault, RedisLost, RedisSession
from warroom.hosts.redis_info import clients, parse_info
from warroom.mitigations._asked import answers
from warroom.mitigations._redis_server import TIMEOUT_S, Info, amount, check_same, good, short
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Risk,
    Target,
)

CLIENT: Final = Input("client", "id or address of the client")
_NOTHING: Final = Line("")

Client = Mapping[str, str]
"""A line of CLIENT LIST by field (https://redis.io/docs/latest/commands/client-list/)."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """`url`: any Redis URL, or where it is kept; `client`: an id of CLIENT LIST or an address as
    the slow log has it (`10.0.0.7:51423`), asked for when it is not given."""

    url: Secret
    client: Line = _NOTHING


class KillClient:
    """CLIENT KILL by id, address and type together, so that only the one that was shown is hit."""

    def __init__(self, options: ClientOptions, context: MitigationContext) -> None:
        self._options, self._context = options, context
        self._client: str = options.client
        self._session = RedisSession(options.url, context.host, timeout=TIMEOUT_S)

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        given = answers(inputs_of(self._options), values)
        self._client = given.get(CLIENT.name, self._client)

    async def preview(self, row: Row | None) -> Card:
        """Whose connection would end, and what it does. Raises MitigationRefused."""
        if not self._client:
            self.answer({})
        try:
            info, own, known = await self._looked()
        except RedisFault as fault:
            raise MitigationRefused(str(fault)) from fault
        found = chosen(self._client, known)
        reason = protected(found, own)
        if reason:
            raise MitigationRefused(f"client {found.get('id')} is {reason}")
        place = self._session.url.place
        return Card(
            kind="redis.client_kill",
            title="Kill Redis client",
            host=self._context.host.name,
            target=Target(
                id=f"{place} client {found['id']}",
                label=found["id"],
                identity={
                    "run_id": info.get("run_id", ""),
                    "id": found["id"],
                    "addr": found.get("addr", ""),
                },
            ),
            command=(" ".join(_command(found)), f"# on {place}, only if it is still this run"),
            hits=hits(found, known),
            undo="nothing: its client must connect again; what it had not read yet is lost",
            risk=Risk.CHANGE,
            warnings=_warnings(found),
        )

    async def perform(self, card: Card) -> Done:
        """Look again, then kill with id, address and type compared by the server itself."""
        identity = card.target.identity
        try:
            info, own, known = await self._looked()
        except (RedisFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        check_same(info, identity)
        found = chosen(identity["id"], known)
        addr = found.get("addr", "")
        if addr != identity["addr"]:
            raise MitigationRefused(
                f"not done: client {identity['id']} was at {identity['addr']} when it was shown "
                f"and is at {addr} now"
            )
        reason = protected(found, own)
        if reason:
            raise MitigationRefused(f"not done: client {identity['id']} is {reason} now")
        self._context.fence()
        try:
            (killed,) = await self._session.ask_again(_command(found))
        except RedisLost as lost:
            raise MitigationUncertain(f"{lost}; it may have happened") from lost
        except RedisFault as fault:
            raise MitigationRefused(f"not done: {fault}") from fault
        if isinstance(killed, RedisFault):
            raise MitigationFailed(str(killed)) from killed
        if not killed:
            raise MitigationRefused(f"not done: client {identity['id']} has gone")
        return Done(f"client {identity['id']} at {addr} was disconnected", dict(identity))

    async def verify(self, card: Card) -> str:
        """Whether the client is still there. Raises MitigationRefused."""
        identity = card.target.identity
        try:
            info, _, known = await self._looked()
        except (RedisFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        if info.get("run_id", "") != identity["run_id"]:
            return "the server was restarted since: no client of then is left"
        here = any(one.get("id") == identity["id"] for one in known)
        return f"client {identity['id']} is {'still there' if here else 'gone'}"

    async def close(self) -> None:
        await self._session.close()

    async def _looked(self) -> tuple[Info, str, list[Client]]:
        """INFO, our own id (empty before Redis 5), and every client."""
        raw, own, listed = await self._session.ask(("INFO",), ("CLIENT", "ID"), ("CLIENT", "LIST"))
        mine = "" if isinstance(own, RedisFault) else str(own)
        return parse_info(good(raw)), mine, list(clients(good(listed)))


def chosen(client: str, known: list[Client]) -> Client:
    """The client of an id, or the only one at an address. Raises MitigationRefused."""
    field = "id" if client.isdigit() else "addr"
    found = [one for one in known if one.get(field) == client and one.get("id", "").isdigit()]
    if not found:
        raise MitigationRefused(f"no client {'has the id' if field == 'id' else 'is at'} {client}")
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found[:10])
        raise MitigationRefused(f"{len(found)} clients are at {client}: give an id, of {ids}")
    return found[0]


def protected(found: Client, own: str) -> str:
    """What a client is that is never killed; empty for one that may be."""
    if found.get("id") == own or found.get("name") == CLIENT_NAME:
        return "a warroom session"
    flags = found.get("flags", "")
    if "S" in flags:
        return "a replica"
    if "M" in flags:
        return "the link to the primary"
    return ""


def hits(found: Client, known: list[Client]) -> tuple[tuple[str, str], ...]:
    """The blast radius of ending a client's connection."""
    last = f"{short(found.get('cmd', '?'))}, {_seconds(found, 'idle')} ago"
    lines = [
        ("client", f"{short(found.get('addr', '?'))}, connected for {_seconds(found, 'age')}"),
        ("name", short(found.get("name", "")) or "—"),
        ("user", short(found.get("user", "default"))),
        ("last command", f"{last}, in db {found.get('db', '?')}"),
    ]
    waiting = found.get("omem", "")
    if waiting.isdigit() and int(waiting):
        lines.append(("unread answers", amount(int(waiting))))
    if found.get("multi", "-1") not in ("-1", ""):
        lines.append(("transaction", f"{found['multi']} commands are queued: they are dropped"))
    subscribed = _count(found, "sub") + _count(found, "psub") + _count(found, "ssub")
    if subscribed:
        lines.append(("subscriptions", f"{subscribed:,}"))
    host = found.get("addr", "").rpartition(":")[0]
    same = sum(1 for one in known if one.get("addr", "").rpartition(":")[0] == host) - 1
    lines.append(("same host", f"{same:,} other clients: they stay"))
    return tuple(lines)


def _warnings(found: Client) -> tuple[str, ...]:
    if "P" in found.get("flags", ""):
        return ("it is subscribed to channels: it misses what is said until it is back",)
    return ()


def _command(found: Client) -> tuple[str, ...]:
    kind = "pubsub" if "P" in found.get("flags", "") else "normal"
    address = ("ADDR", found.get("addr", ""))
    return ("CLIENT", "KILL", "ID", found["id"], *address, "TYPE", kind, "SKIPME", "yes")


def _seconds(found: Client, name: str) -> str:
    return span(_count(found, name))


def _count(found: Client, name: str) -> int:
    text = found.get(name, "")
    return int(text) if text.isdigit() else 0


def inputs_of(options: ClientOptions) -> tuple[Input, ...]:
    """What is asked for."""
    return () if options.client else (CLIENT,)

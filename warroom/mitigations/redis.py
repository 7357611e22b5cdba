"""Removes the keys of one Redis database; the other kinds stand in files of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from warroom.config.values import Secret
from warroom.domain.sample import Row
from warroom.domain.text import harmless_bytes, shorten
from warroom.hosts.base import HostError
from warroom.hosts.redis import RedisFault, RedisLost, RedisSession
from warroom.hosts.redis_info import keyspace, number, pairs, parse_info
from warroom.mitigations import _redis_client, _redis_delete
from warroom.mitigations._redis_client import ClientOptions, KillClient
from warroom.mitigations._redis_delete import DeletePattern, PatternOptions
from warroom.mitigations._redis_flushall import FlushAll, FlushAllOptions
from warroom.mitigations._redis_purge import PurgeMemory, PurgeOptions
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

_TIMEOUT_S: Final = 20.0
_KEYS_SHOWN: Final = 5
_KEYS_AND_MEMORY: Final = (
    ("keys", "down"),
    ("memory_bytes", "down"),
    ("evictions_per_s", "down"),
    ("hit_percent_now", "up"),
)
_BACKSTOP_S: Final = 10.0
"""Seconds over a kind's own limit, so that it is the kind that ends it, with its count."""


@dataclass(frozen=True, slots=True)
class Options:
    """`url`: any Redis URL, or where it is kept; `db`: instead of the URL's own; `asynchronous`:
    the server frees the memory in the background (Redis 4 and later)."""

    url: Secret
    db: int | None = None
    asynchronous: bool = True

    def __post_init__(self) -> None:
        if self.db is not None and self.db < 0:
            raise ValueError("db: a number from 0")


class FlushDb:
    """FLUSHDB on a primary, if it still is the server that was shown."""

    def __init__(self, options: Options, context: MitigationContext) -> None:
        self._options, self._host, self._fence = options, context.host, context.fence
        self._session = RedisSession(options.url, context.host, timeout=_TIMEOUT_S)

    async def preview(self, row: Row | None) -> Card:
        """What would be lost. Raises MitigationRefused."""
        try:
            db = await self._db()
            info, keys, found = await self._looked(db)
        except RedisFault as fault:
            raise MitigationRefused(str(fault)) from fault
        if not keys:
            raise MitigationRefused(f"db{db} is empty: there is nothing to flush")
        return Card(
            kind="redis.flushdb",
            title="Flush Redis database",
            host=self._host.name,
            target=Target(
                id=f"{self._session.url.place} db{db}",
                label=f"db{db}",
                identity={"run_id": info.get("run_id", ""), "db": str(db)},
            ),
            command=(
                " ".join(self._command),
                f"# in db {db} of {self._session.url.place}, only if it is still this run and a "
                "primary",
            ),
            hits=hits(db, keys, info, found),
            undo="nothing: every key of this database is gone for good",
            risk=Risk.DESTROY,
            warnings=warnings(db, keys, info),
            context={"db": db},
        )

    async def perform(self, card: Card) -> Done:
        """Flush, over the connection on which the server was compared again."""
        db = int(card.target.identity["db"])
        try:
            before, _, _ = await self._looked(db)
        except (RedisFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        if before.get("run_id", "") != card.target.identity["run_id"]:
            raise MitigationRefused("not done: the server was restarted since, or it is another")
        self._fence()
        try:
            count, flushed = await self._session.ask_again(("DBSIZE",), self._command)
        except RedisLost as lost:
            raise MitigationUncertain(f"{lost}; it may have happened") from lost
        except RedisFault as fault:
            raise MitigationRefused(f"not done: {fault}") from fault
        if isinstance(flushed, RedisFault):
            raise MitigationFailed(str(flushed)) from flushed
        keys = 0 if isinstance(count, RedisFault) else int(count)
        evidence = {"keys": keys, "db": db, "memory_before": _bytes(before)}
        return Done(f"{keys:,} keys removed from db{db}", {**evidence, **await self._after()})

    async def verify(self, card: Card) -> str:
        """How many keys the database has now. Raises MitigationRefused."""
        db = int(card.target.identity["db"])
        try:
            info, keys, _ = await self._looked(db)
        except (RedisFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        same = info.get("run_id", "") == card.target.identity["run_id"]
        return f"{keys:,} keys in db{db} now{'' if same else '; the server was restarted since'}"

    async def close(self) -> None:
        await self._session.close()

    @property
    def _command(self) -> tuple[str, ...]:
        return ("FLUSHDB", "ASYNC") if self._options.asynchronous else ("FLUSHDB",)

    async def _db(self) -> int:
        url = await self._session.open()
        return url.db if self._options.db is None else self._options.db

    async def _looked(self, db: int) -> tuple[dict[str, str], int, list[bytes]]:
        """INFO, the number of keys and some of their names, with `db` selected from then on.

        Raises RedisFault, also for a replica: it takes no writes, its primary has the keys.
        """
        selected, raw = await self._session.ask(("SELECT", db), ("INFO",))
        for answer in (selected, raw):
            if isinstance(answer, RedisFault):
                raise answer
        info = parse_info(raw)
        if info.get("role", "master") != "master":
            place = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
            raise RedisFault(f"it is a replica of {place}: flush the primary")
        count, scanned = await self._session.ask_again(("DBSIZE",), ("SCAN", 0, "COUNT", 20))
        if isinstance(count, RedisFault):
            raise count
        found = [] if isinstance(scanned, RedisFault) else scanned[1][:_KEYS_SHOWN]
        return info, int(count), found

    async def _after(self) -> Mapping[str, Any]:
        """What is to be seen afterwards; nothing when the server does not say."""
        try:
            count, raw = await self._session.ask_again(("DBSIZE",), ("INFO",))
        except RedisFault:
            return {}
        if isinstance(count, RedisFault) or isinstance(raw, RedisFault):
            return {}
        return {"keys_after": int(count), "memory_after": _bytes(parse_info(raw))}


def hits(
    db: int, keys: int, info: Mapping[str, str], found: Sequence[bytes]
) -> tuple[tuple[str, str], ...]:
    """The blast radius of flushing a database."""
    others = max(0, int(number(info, "connected_clients") or 0) - 1)
    followers = int(number(info, "connected_slaves") or 0)
    lines = [("keys", f"{keys:,}")]
    if found:
        names = ", ".join(shorten(harmless_bytes(key, limit=200), 60) for key in found)
        lines.append(("for example", names))
    lines.append(("memory in use", f"{info.get('used_memory_human', '?')} by all databases"))
    lines.append(("clients", f"{others:,} others connected"))
    if followers:
        lines.append(("replicas", f"{followers}: they are flushed with it"))
    rest = ", ".join(f"db{n} {count:,}" for n, count in keyspace(info).items() if n != db)
    lines.append(("untouched", rest or "no other database has keys"))
    return tuple(lines)


def warnings(db: int, keys: int, info: Mapping[str, str]) -> tuple[str, ...]:
    """What a responder should think of first."""
    lines = []
    lasting = keys - _expiring(db, info)
    if lasting > 0:
        lines.append(
            f"{lasting:,} of the {keys:,} keys never expire: they may be more than a cache"
        )
    if info.get("redis_mode") == "cluster":
        lines.append("a cluster: only the keys of this one node are removed")
    return tuple(lines)


def _expiring(db: int, info: Mapping[str, str]) -> int:
    text = pairs(info.get(f"db{db}", "")).get("expires", "")
    return int(text) if text.isdigit() else 0


def _bytes(info: Mapping[str, str]) -> float:
    return number(info, "used_memory") or 0.0


def _create(options: Options, context: MitigationContext) -> FlushDb:
    return FlushDb(options, context)


def _fit_pattern(spec: MitigationSpec, options: PatternOptions) -> MitigationSpec:
    inputs = _redis_delete.inputs_of(options)
    return replace(spec, inputs=inputs, timeout=float(options.timeout) + _BACKSTOP_S)


def _fit_client(spec: MitigationSpec, options: ClientOptions) -> MitigationSpec:
    return replace(spec, inputs=_redis_client.inputs_of(options))


SPECS: Final = (
    MitigationSpec(
        kind="redis.flushdb",
        title="Flush database",
        options=Options,
        create=_create,
        risk=Risk.DESTROY,
        acts_on="redis",
        moves=_KEYS_AND_MEMORY,
    ),
    MitigationSpec(
        kind="redis.flushall",
        title="Flush all databases",
        options=FlushAllOptions,
        create=FlushAll,
        risk=Risk.DESTROY,
        acts_on="redis",
        moves=_KEYS_AND_MEMORY,
    ),
    MitigationSpec(
        kind="redis.delete_pattern",
        title="Delete keys by pattern",
        options=PatternOptions,
        create=DeletePattern,
        risk=Risk.DESTROY,
        acts_on="redis",
        moves=_KEYS_AND_MEMORY,
        timeout=_redis_delete.LIMIT_S + _BACKSTOP_S,
        inputs=(_redis_delete.PATTERN,),
        fit=_fit_pattern,
    ),
    MitigationSpec(
        kind="redis.client_kill",
        title="Kill client",
        options=ClientOptions,
        create=KillClient,
        risk=Risk.CHANGE,
        acts_on="redis",
        moves=(("clients", "down"), ("blocked_clients", "down")),
        inputs=(_redis_client.CLIENT,),
        fit=_fit_client,
    ),
    MitigationSpec(
        kind="redis.memory_purge",
        title="Purge memory",
        options=PurgeOptions,
        create=PurgeMemory,
        risk=Risk.CHANGE,
        acts_on="redis",
        moves=(("memory_fragmentation", "down"),),
    ),
)

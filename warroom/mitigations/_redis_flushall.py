"""Removes every key of every database of one Redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from warroom.config.values import Secret
from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.hosts.redis import RedisFault, RedisLost, RedisSession
from warroom.hosts.redis_info import parse_info
from warroom.mitigations._redis_server import (
    TIMEOUT_S,
    Info,
    amount,
    around,
    by_db,
    check_same,
    check_writable,
    info_of,
    used,
)
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

_DBS: Final = 16


@dataclass(frozen=True, slots=True)
class FlushAllOptions:
    """`url`: any Redis URL, or where it is kept; `asynchronous`: the server frees the memory in
    the background (Redis 4 and later)."""

    url: Secret
    asynchronous: bool = True


class FlushAll:
    """FLUSHALL on a primary, if it still is the server that was shown."""

    def __init__(self, options: FlushAllOptions, context: MitigationContext) -> None:
        self._options, self._context = options, context
        self._session = RedisSession(options.url, context.host, timeout=TIMEOUT_S)

    async def preview(self, row: Row | None) -> Card:
        """What would be lost. Raises MitigationRefused."""
        try:
            info = await self._looked()
            saves = await self._saves()
        except RedisFault as fault:
            raise MitigationRefused(str(fault)) from fault
        dbs = by_db(info)
        if not dbs:
            raise MitigationRefused("every database is empty: there is nothing to flush")
        place = self._session.url.place
        return Card(
            kind="redis.flushall",
            title="Flush all of Redis",
            host=self._context.host.name,
            target=Target(f"{place} all", place, {"run_id": info.get("run_id", "")}),
            command=(
                " ".join(self._command),
                f"# on {place}, only if it is still this run and a primary",
            ),
            hits=hits(info),
            undo="nothing: every key of every database is gone for good",
            risk=Risk.DESTROY,
            warnings=warnings(info, saves),
        )

    async def perform(self, card: Card) -> Done:
        """Flush, over the connection on which the server was compared again."""
        try:
            before = await self._looked()
        except (RedisFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        check_same(before, card.target.identity)
        self._context.fence()
        try:
            (flushed,) = await self._session.ask_again(self._command)
        except RedisLost as lost:
            raise MitigationUncertain(f"{lost}; it may have happened") from lost
        except RedisFault as fault:
            raise MitigationRefused(f"not done: {fault}") from fault
        if isinstance(flushed, RedisFault):
            raise MitigationFailed(str(flushed)) from flushed
        dbs = {f"db{db}": keys for db, keys, _ in by_db(before)}
        keys = sum(dbs.values())
        evidence = {"keys": keys, "databases": dbs, "memory_before": used(before)}
        return Done(
            f"{keys:,} keys removed from {len(dbs)} databases", {**evidence, **await self._after()}
        )

    async def verify(self, card: Card) -> str:
        """How many keys there are now. Raises MitigationRefused."""
        try:
            info = await info_of(self._session)
        except RedisFault as fault:
            raise MitigationRefused(str(fault)) from fault
        keys = sum(count for _, count, _ in by_db(info))
        same = info.get("run_id", "") == card.target.identity["run_id"]
        return f"{keys:,} keys now{'' if same else '; but the server was restarted since'}"

    async def close(self) -> None:
        await self._session.close()

    @property
    def _command(self) -> tuple[str, ...]:
        return ("FLUSHALL", "ASYNC") if self._options.asynchronous else ("FLUSHALL",)

    async def _looked(self) -> Info:
        info = await info_of(self._session)
        check_writable(info, "flush")
        return info

    async def _saves(self) -> bool:
        """Whether save points are set; they are in doubt where it may not be asked."""
        (answer,) = await self._session.ask_again(("CONFIG", "GET", "save"))
        return isinstance(answer, RedisFault) or len(answer) < 2 or bool(answer[1])

    async def _after(self) -> Mapping[str, Any]:
        try:
            (raw,) = await self._session.ask_again(("INFO",))
        except RedisFault:
            return {}
        return {} if isinstance(raw, RedisFault) else {"memory_after": used(parse_info(raw))}


def hits(info: Info) -> tuple[tuple[str, str], ...]:
    """The blast radius: the keys of every database, the memory, who is connected."""
    dbs = by_db(info)
    lines = [("keys", f"{sum(keys for _, keys, _ in dbs):,} in {len(dbs)} databases")]
    lines += [(f"db{db}", f"{keys:,}, {expires:,} expire") for db, keys, expires in dbs[:_DBS]]
    if len(dbs) > _DBS:
        rest = sum(keys for _, keys, _ in dbs[_DBS:])
        lines.append(("and", f"{rest:,} in {len(dbs) - _DBS} more databases"))
    lines.append(("memory in use", amount(used(info))))
    return (*lines, *around(info))


def warnings(info: Info, saves: bool) -> tuple[str, ...]:
    """What a responder should think of first. FLUSHALL saves at once where save points are set
    (https://redis.io/docs/latest/commands/flushall/: it clears the RDB file, too)."""
    dbs = by_db(info)
    keys = sum(count for _, count, _ in dbs)
    lasting = keys - sum(expires for _, _, expires in dbs)
    lines = []
    if lasting > 0:
        lines.append(
            f"{lasting:,} of the {keys:,} keys never expire: they may be more than a cache"
        )
    if saves:
        lines.append("the snapshot on disk is emptied with it: copy it first if it is the backup")
    return tuple(lines)

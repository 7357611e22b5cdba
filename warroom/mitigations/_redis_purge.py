"""Lets the allocator of one Redis give memory that it holds but does not use back to the system."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from warroom.config.values import Secret
from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.hosts.redis import RedisFault, RedisLost, RedisSession
from warroom.hosts.redis_info import number, parse_info
from warroom.mitigations._redis_server import (
    TIMEOUT_S,
    Info,
    amount,
    around,
    check_same,
    good,
    info_of,
    short,
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

_MEASURED_S: Final = 0.3
"""Redis measures its resident memory ten times a second (serverCron)."""


@dataclass(frozen=True, slots=True)
class PurgeOptions:
    """`url`: any Redis URL, or where it is kept."""

    url: Secret


class PurgeMemory:
    """MEMORY PURGE, which works with jemalloc alone; on replicas and nodes of a cluster, too."""

    def __init__(self, options: PurgeOptions, context: MitigationContext) -> None:
        self._context = context
        self._session = RedisSession(options.url, context.host, timeout=TIMEOUT_S)

    async def preview(self, row: Row | None) -> Card:
        """What is held and what is used. Raises MitigationRefused."""
        try:
            info = await info_of(self._session)
        except RedisFault as fault:
            raise MitigationRefused(str(fault)) from fault
        allocator = info.get("mem_allocator", "")
        if not allocator.startswith("jemalloc"):
            raise MitigationRefused(
                f"its allocator is {short(allocator) or 'unknown'}: MEMORY PURGE does nothing there"
            )
        place = self._session.url.place
        return Card(
            kind="redis.memory_purge",
            title="Purge Redis memory",
            host=self._context.host.name,
            target=Target(f"{place} memory", place, {"run_id": info.get("run_id", "")}),
            command=("MEMORY PURGE", f"# on {place}, only if it is still this run"),
            hits=(
                ("memory in use", f"{amount(used(info))}: it stays"),
                ("resident", amount(resident(info))),
                ("held unused", amount(max(0.0, resident(info) - used(info)))),
                *around(info),
            ),
            undo="nothing is lost: memory is asked for again when it is needed",
            risk=Risk.CHANGE,
            warnings=("the server answers nobody while it purges, usually some milliseconds",),
        )

    async def perform(self, card: Card) -> Done:
        """Purge, over the connection on which the server was compared again."""
        try:
            before = await info_of(self._session)
        except (RedisFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        check_same(before, card.target.identity)
        self._context.fence()
        try:
            (purged,) = await self._session.ask_again(("MEMORY", "PURGE"))
        except RedisLost as lost:
            raise MitigationUncertain(f"{lost}; it may have happened") from lost
        except RedisFault as fault:
            raise MitigationRefused(f"not done: {fault}") from fault
        if isinstance(purged, RedisFault):
            raise MitigationFailed(str(purged)) from purged
        await asyncio.sleep(_MEASURED_S)
        try:
            after = parse_info(good((await self._session.ask_again(("INFO",)))[0]))
        except RedisFault as fault:
            return Done(f"purged; what it holds now is not known: {fault}")
        was, now = resident(before), resident(after)
        return Done(
            f"purged: resident memory {amount(was)} → {amount(now)}",
            {"resident_before": was, "resident_after": now, "memory": used(after)},
        )

    async def close(self) -> None:
        await self._session.close()


def resident(info: Info) -> float:
    """Bytes of memory that the system counts as its own."""
    return number(info, "used_memory_rss") or 0.0

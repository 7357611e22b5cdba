"""Redis: is the cache any use, how full is it, what is slow; an entry of the slow log a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warroom.config.values import Secret
from warroom.domain.sample import Detail, Health, Sample
from warroom.hosts.redis import RedisFault, RedisSession
from warroom.probes.base import ProbeContext, ProbeFault, ProbeSpec

if TYPE_CHECKING:
    import asyncio

    from warroom.probes._redis_view import Totals


@dataclass(frozen=True, slots=True)
class Options:
    """`url`: any Redis URL, or where it is kept; `slowlog`: entries of the slow log at most."""

    url: Secret
    slowlog: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.slowlog <= 128:
            raise ValueError("slowlog: from 0 to 128")


class RedisProbe:
    """Looks at one server with one batch: INFO, SLOWLOG GET and SLOWLOG LEN."""

    kind = "redis"

    def __init__(self, options: Options, context: ProbeContext) -> None:
        self.name = context.name
        self.changed: asyncio.Event | None = None
        self._options, self._clock = options, context.clock
        limit = max(1.0, context.timeout - 0.5)
        self._session = RedisSession(options.url, context.host, timeout=limit)
        self._before: Totals | None = None

    async def sample(self) -> Sample:
        """One look. Raises ProbeFault."""
        from warroom.hosts.redis_info import parse_info, slow_calls
        from warroom.probes import _redis_view as view

        try:
            raw, slow, length = await self._session.ask(
                ("INFO",), ("SLOWLOG", "GET", self._options.slowlog), ("SLOWLOG", "LEN")
            )
        except RedisFault as fault:
            raise ProbeFault(str(fault), down=fault.down) from fault
        if isinstance(raw, RedisFault):
            raise ProbeFault(str(raw), down=raw.down) from raw
        info = parse_info(raw)
        now = view.totals(info, self._clock.monotonic())
        entries = [] if isinstance(slow, RedisFault) else slow_calls(slow)
        count = None if isinstance(length, RedisFault) else int(length)
        values = view.metrics(info, now, self._before, count)
        wrong = view.troubles(info)
        denied = [str(one) for one in (slow, length) if isinstance(one, RedisFault)]
        at = self._clock.now()
        self._before = now
        return Sample(
            source=self.name,
            at=at,
            health=Health.worst(trouble.health for trouble in wrong),
            summary=view.summary(info, values, wrong),
            metrics=values,
            columns=view.COLUMNS,
            rows=view.rows(entries, at.timestamp()),
            facts=view.facts(info, values, wrong, denied),
        )

    async def detail(self, key: str) -> Detail:
        """An entry of the slow log, or the server. Raises ProbeFault."""
        from warroom.probes import _redis_detail as detail

        try:
            if key:
                return await detail.of_call(self._session, key, self._clock.now().timestamp())
            return await detail.of_server(self._session, self.name)
        except RedisFault as fault:
            raise ProbeFault(str(fault), down=fault.down) from fault

    async def close(self) -> None:
        await self._session.close()


def _create(options: Options, context: ProbeContext) -> RedisProbe:
    return RedisProbe(options, context)


SPEC: Final = ProbeSpec("redis", "Redis", Options, _create, asks="INFO, SLOWLOG GET")

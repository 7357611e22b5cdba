"""Removes the keys of one Redis database whose names fit a pattern, slice by slice.

SCAN and UNLINK in small portions never keep the server from its other clients for long, and can be
stopped between any two. How many were removed is the server's own count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from warroom.config.inputs import Input
from warroom.config.values import Line, Seconds, Secret
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.domain.text import harmless, harmless_bytes, shorten
from warroom.hosts.base import HostError
from warroom.hosts.redis import Command, RedisFault, RedisLost, RedisSession
from warroom.hosts.redis_info import parse_info
from warroom.mitigations._asked import answers
from warroom.mitigations._redis_server import (
    TIMEOUT_S,
    Info,
    amount,
    check_same,
    check_writable,
    good,
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

PATTERN: Final = Input("pattern", "keys like")
_NOTHING: Final = Line("")
LIMIT_S: Final = Seconds(120.0)
LONGEST_S: Final = 3600.0
_SLICE: Final = 1000
"""Places of the key table that one SCAN looks at: some tenths of a millisecond."""
_BATCH: Final = 500
_BATCH_BYTES: Final = 256 * 1024
_COUNT_S: Final = 20.0
"""Seconds that a card may count; then it says `at least`."""
_SHOWN: Final = 8
_SAMPLED: Final = 20
_STARS: Final = 5
_SAY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class PatternOptions:
    """`url`: any Redis URL, or where it is kept; `db`: instead of the URL's own; `pattern`: as of
    SCAN (`sess:*`), asked for when it is not given; `timeout`: it stops between two portions."""

    url: Secret
    db: int | None = None
    pattern: Line = _NOTHING
    timeout: Seconds = LIMIT_S

    def __post_init__(self) -> None:
        if self.db is not None and self.db < 0:
            raise ValueError("db: a number from 0")
        wrong = unfit(self.pattern) if self.pattern else ""
        if wrong:
            raise ValueError(f"pattern: {wrong}")
        if not 0 < self.timeout <= LONGEST_S:
            raise ValueError(f"timeout: from above 0 to {LONGEST_S:g} seconds")


def unfit(pattern: str) -> str:
    """Why keys are not removed by a pattern; empty when they may be. Redis matches many stars by
    trying every way, which can hang it (CVE-2022-36021).

    >>> unfit("sess:*"), unfit("**")
    ('', 'fits every key: that is redis.flushdb, and says so')
    """
    if not pattern.strip("*?"):
        return "fits every key: that is redis.flushdb, and says so"
    if pattern.count("*") > _STARS:
        return f"has more than {_STARS} stars, which can hang the server"
    return ""


@dataclass
class Counted:
    """What a look at all names found; `whole` is false when time was up before."""

    keys: int = 0
    some: list[bytes] = field(default_factory=list)
    whole: bool = True

    @property
    def words(self) -> str:
        return f"{self.keys:,}" if self.whole else f"at least {self.keys:,}"


class DeletePattern:
    """SCAN with UNLINK on a primary, if it still is the server that was shown."""

    remembers: tuple[str, ...] = ("pattern",)

    def __init__(self, options: PatternOptions, context: MitigationContext) -> None:
        self._options, self._context = options, context
        self._pattern: str = options.pattern
        self._session = RedisSession(options.url, context.host, timeout=TIMEOUT_S)

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        given = answers(inputs_of(self._options), values)
        self._pattern = given.get(PATTERN.name, self._pattern)
        reason = unfit(self._pattern)
        if reason:
            raise MitigationRefused(f"{harmless(self._pattern)} {reason}")

    async def preview(self, row: Row | None) -> Card:
        """How many keys would go, and which ones for example. Raises MitigationRefused."""
        if not self._pattern:
            self.answer({})
        try:
            url = await self._session.open()
            db = url.db if self._options.db is None else self._options.db
            info, total = await self._looked(db)
            counted = await self._counted(self._pattern)
            sampled = await self._sampled(counted)
        except RedisFault as fault:
            raise MitigationRefused(str(fault)) from fault
        name = harmless(self._pattern)
        if not counted.keys and counted.whole:
            raise MitigationRefused(f"no key of db{db} is like {name}")
        place = self._session.url.place
        return Card(
            kind="redis.delete_pattern",
            title="Delete Redis keys",
            host=self._context.host.name,
            target=Target(
                id=f"{place} db{db} {name}",
                label=name,
                identity={"run_id": info.get("run_id", ""), "db": str(db)},
            ),
            command=(
                f"SCAN MATCH {name}, and UNLINK of what it finds, {_BATCH} keys at a time",
                f"# in db {db} of {place}, only if it is still this run and a primary, "
                f"for at most {span(self._options.timeout)}",
            ),
            hits=hits(counted, db, total, sampled),
            undo="nothing: the keys are gone for good",
            risk=Risk.DESTROY,
            warnings=warnings(counted, total, sampled),
            context={"pattern": self._pattern, "expected": counted.keys},
        )

    async def perform(self, card: Card) -> Done:
        """Remove portion by portion, over the connection on which the server was compared again."""
        db = int(card.target.identity["db"])
        try:
            before, total = await self._looked(db)
        except (RedisFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        check_same(before, card.target.identity)
        removal = _Removal(self._session, self._context, card, float(self._options.timeout))
        await removal.run()
        if not removal.removed:
            raise MitigationRefused(f"not done: no key of db{db} is like {card.target.label} now")
        took = span(removal.seconds)
        return Done(
            f"{removal.removed:,} keys like {card.target.label} removed from db{db} in {took}",
            {"keys": removal.removed, "db": db, "keys_before": total, **await self._after()},
        )

    async def verify(self, card: Card) -> str:
        """How many such keys there are now. Raises MitigationRefused."""
        db = int(card.target.identity["db"])
        try:
            info, _ = await self._looked(db)
            counted = await self._counted(str(card.context["pattern"]))
        except (RedisFault, HostError) as fault:
            raise MitigationRefused(str(fault)) from fault
        same = info.get("run_id", "") == card.target.identity["run_id"]
        words = f"{counted.words} keys like {card.target.label} in db{db} now"
        return words + ("" if same else "; but the server was restarted since")

    async def close(self) -> None:
        await self._session.close()

    async def _looked(self, db: int) -> tuple[Info, int]:
        """INFO and the number of keys, with `db` selected from then on. Raises RedisFault."""
        selected, raw, count = await self._session.ask(("SELECT", db), ("INFO",), ("DBSIZE",))
        info = parse_info(good(raw))
        good(selected)
        check_writable(info, "delete on")
        return info, int(good(count))

    async def _counted(self, pattern: str) -> Counted:
        """By the names alone; one that the server moves meanwhile may be counted twice."""
        clock, counted, cursor = self._context.clock, Counted(), b"0"
        until = clock.monotonic() + _COUNT_S
        while True:
            cursor, keys = await scanned(self._session, cursor, pattern)
            counted.keys += len(keys)
            counted.some += keys[: _SAMPLED - len(counted.some)]
            if cursor == b"0":
                return counted
            if clock.monotonic() > until:
                counted.whole = False
                return counted

    async def _sampled(self, counted: Counted) -> list[tuple[int | None, int | None]]:
        """(seconds to live, bytes) of some of the keys; None for what the server does not say."""
        if not counted.some:
            return []
        asked: list[Command] = [("TTL", key) for key in counted.some]
        asked += [("MEMORY", "USAGE", key) for key in counted.some]
        answers = [_whole(one) for one in await self._session.ask_again(*asked)]
        half = len(counted.some)
        return list(zip(answers[:half], answers[half:], strict=True))

    async def _after(self) -> Mapping[str, Any]:
        try:
            (count,) = await self._session.ask_again(("DBSIZE",))
        except RedisFault:
            return {}
        return {} if isinstance(count, RedisFault) else {"keys_after": int(count)}


class _Removal:
    """One run over the database; `removed` is what the server has confirmed, `_asked` how many
    keys are in a command that it has not answered."""

    def __init__(
        self, session: RedisSession, context: MitigationContext, card: Card, limit: float
    ) -> None:
        self._session, self._context, self._limit = session, context, limit
        self._pattern, self._expected = card.context["pattern"], card.context["expected"]
        self._began = self._said = context.clock.monotonic()
        self.removed = 0
        self._asked = 0
        self._tried = False

    @property
    def seconds(self) -> float:
        return self._context.clock.monotonic() - self._began

    async def run(self) -> None:
        """Raises MitigationRefused, MitigationFailed or MitigationUncertain, with the count."""
        try:
            await self._portions()
        except asyncio.CancelledError:
            raise MitigationUncertain(self._known) from None
        except RedisLost as lost:
            raise self._ended(str(lost), MitigationUncertain) from lost
        except RedisFault as fault:
            raise self._ended(str(fault), MitigationFailed) from fault
        except MitigationRefused as refused:
            raise self._ended(str(refused), MitigationFailed) from refused

    def _ended(self, why: str, kind: type[Exception]) -> Exception:
        if not self._tried:
            return MitigationRefused(f"not done: {why}")
        return kind(f"{why}; {self._known}")

    @property
    def _known(self) -> str:
        more = f", perhaps {self._asked:,} more" if self._asked else ""
        return f"{self.removed:,} keys were removed{more}, the others are still there"

    async def _portions(self) -> None:
        cursor = b"0"
        while True:
            _heed()
            cursor, keys = await scanned(self._session, cursor, self._pattern)
            for batch in batches(keys):
                if self.seconds > self._limit:
                    raise MitigationFailed(f"time is up after {span(self._limit)}; {self._known}")
                await self._unlink(batch)
            self._say()
            if cursor == b"0":
                return

    async def _unlink(self, batch: Sequence[bytes]) -> None:
        _heed()
        self._context.fence()
        self._tried, self._asked = True, len(batch)
        (removed,) = await self._session.ask_again(("UNLINK", *batch))
        self._asked = 0
        self.removed += int(good(removed))

    def _say(self) -> None:
        now = self._context.clock.monotonic()
        if now - self._said >= _SAY_S:
            self._said = now
            self._context.output.say(f"{self.removed:,} of about {self._expected:,} keys removed")


def _heed() -> None:
    """Raises CancelledError where somebody asked this task to stop and redis-py did not pass it
    on: it waits with `asyncio.wait_for`, which swallows it up to Python 3.11."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def scanned(
    session: RedisSession, cursor: bytes, pattern: str
) -> tuple[bytes, Sequence[bytes]]:
    """The next cursor, and the keys of one slice, over the same connection. Raises RedisFault."""
    command = ("SCAN", cursor, "MATCH", pattern, "COUNT", _SLICE)
    (answer,) = await session.ask_again(command)
    following, keys = good(answer)
    return following, keys


def batches(keys: Sequence[bytes]) -> list[list[bytes]]:
    """Portions that one command takes, small in number and in bytes."""
    found: list[list[bytes]] = []
    size = 0
    for key in keys:
        size += len(key)
        if not found or len(found[-1]) >= _BATCH or size > _BATCH_BYTES:
            found.append([])
            size = len(key)
        found[-1].append(key)
    return found


def hits(
    counted: Counted, db: int, total: int, sampled: Sequence[tuple[int | None, int | None]]
) -> tuple[tuple[str, str], ...]:
    """The blast radius: how many of how many, some of their names, how large they are."""
    names = [shorten(harmless_bytes(key, limit=200), 60) for key in counted.some[:_SHOWN]]
    lines = [("keys", f"{counted.words} of {total:,} in db{db}")]
    lines += [("for example", name) for name in names]
    sizes = [size for _, size in sampled if size is not None]
    if sizes:
        mean = sum(sizes) / len(sizes)
        words = f"about {amount(mean * counted.keys)}, by {len(sizes)} of them"
        lines.append(("memory", words))
    return tuple(lines)


def warnings(
    counted: Counted, total: int, sampled: Sequence[tuple[int | None, int | None]]
) -> tuple[str, ...]:
    """What a responder should think of first."""
    lines = []
    if counted.whole and counted.keys >= total:
        lines.append("these are all keys of the database")
    if not counted.whole:
        lines.append(f"there are more than could be counted in {span(_COUNT_S)}")
    lasting = sum(1 for ttl, _ in sampled if ttl == -1)
    if lasting:
        lines.append(
            f"{lasting} of {len(sampled)} looked at never expire: they may be more than a cache"
        )
    return tuple(lines)


def _whole(answer: Any) -> int | None:
    return answer if isinstance(answer, int) else None


def inputs_of(options: PatternOptions) -> tuple[Input, ...]:
    """What is asked for."""
    return () if options.pattern else (PATTERN,)

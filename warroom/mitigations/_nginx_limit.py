"""Limits how fast each client may ask, and lifts the limit again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from warroom.domain.sample import Row
from warroom.domain.text import harmless
from warroom.hosts.base import HostError
from warroom.mitigations._nginx_change import Edit
from warroom.mitigations._nginx_file import Looked, look, places
from warroom.mitigations._nginx_options import LimitOptions, UnlimitOptions, without
from warroom.mitigations._nginx_rules import Limit, Rules
from warroom.mitigations._nginx_site import Site, duration, said
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationContext,
    MitigationRefused,
    Risk,
    Target,
    Undo,
)

_EVERYWHERE: Final = "/"


class _OfLimit:
    """What limiting and lifting the limit have in common."""

    def __init__(self, options: UnlimitOptions, context: MitigationContext) -> None:
        self._site, self._context, self._path = Site(options, context), context, options.include

    async def close(self) -> None:
        """Nothing is held open."""

    async def verify(self, card: Card) -> str:
        """Whether there is a limit, and whether nginx has loaded that."""
        try:
            looked = await look(self._site.host, self._site.server, self._path)
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        limit = looked.rules.limit
        state = f"limited: {_words(limit)}" if limit else "not limited"
        loaded = {True: "nginx has loaded it", False: "nginx has NOT loaded it"}
        seen = loaded.get(looked.is_loaded is True, "") if looked.is_loaded is not None else ""
        return f"clients are {state} in {self._path}; {seen or 'whether it is loaded is not known'}"

    def _target(self, limit: Limit | None) -> Target:
        return Target(f"{self._path} limit", "limit", {"rule": _rule(limit)})

    def _compare(self, card: Card, limit: Limit | None) -> None:
        then, now = card.target.identity["rule"], _rule(limit)
        if then != now:
            raise MitigationRefused(
                f'nothing was done: the limit was "{then}" when it was shown and is "{now}" now; '
                "look again"
            )

    def _edit(self, card: Card, after: Limit | None) -> Edit:
        """From the limit that was shown to another one, or to none."""

        def into(rules: Rules) -> Rules:
            self._compare(card, rules.limit)
            return Rules(rules.denies, after)

        before: Limit | None = card.context["earlier"]
        return Edit(
            into, lambda rules: Rules(rules.denies, before), lambda rules: rules.limit == after
        )

    async def _looked(self) -> Looked:
        looked = await look(self._site.host, self._site.server, self._path)
        if looked.blocks != ("http",):
            raise MitigationRefused(
                f"{self._path} is included in a server: a limit wants it in the http block"
            )
        return looked

    def _hits(self, looked: Looked) -> list[tuple[str, str]]:
        return [
            ("file", f"{self._path}, included in {' and '.join(looked.blocks)}"),
            ("limited now", _words(looked.rules.limit) if looked.rules.limit else "nobody"),
        ]


class LimitRate(_OfLimit):
    """`limit_req` for every client."""

    def __init__(self, options: LimitOptions, context: MitigationContext) -> None:
        super().__init__(options, context)
        self._options = options

    async def preview(self, row: Row | None) -> Card:
        """The exact lines, whom they hit, and what takes them back. Raises MitigationRefused."""
        looked = await self._looked()
        limit, earlier = self._limit(looked), looked.rules.limit
        if earlier and _pace(earlier) == _pace(limit) and earlier.signed.outlasts(limit.signed):
            raise MitigationRefused(f"clients are limited so already: {_words(earlier)}")
        options = self._options
        paths = (
            "every path" if options.path == _EVERYWHERE else f"those that begin with {options.path}"
        )
        own = looked.in_the_way("limit_req")
        return Card(
            kind="nginx.limit",
            title=f"Limit clients to {options.rate} {duration(options.ttl)}",
            host=self._context.host.name,
            target=self._target(earlier),
            command=(
                *(f"- {line}" for line in (earlier.lines if earlier else ())),
                *(f"+ {line}" for line in limit.lines),
                *self._site.server.commands,
            ),
            hits=(
                *self._hits(looked),
                ("paths", paths),
                ("each client gets", f"{options.rate}, and {options.burst} more at once"),
                ("over that", "429" if limit.sets_status else "what limit_req_status says"),
            ),
            undo="nginx.unlimit takes the lines away again",
            risk=Risk.CHANGE,
            warnings=(
                *((_overridden(places(own)),) if own else ()),
                *looked.warnings,
            ),
            context={"limit": limit, "earlier": earlier},
        )

    async def perform(self, card: Card) -> Done:
        """Write, test, load and prove it, or put all back."""
        limit: Limit = card.context["limit"]
        left = self._site.left(limit.signed)
        change = await self._site.change(self._path, self._edit(card, limit))
        options = without(self._options.plain, "rate", "burst", "zone", "path", "ttl")
        return Done(
            f"clients are limited to {self._options.rate} {limit.signed.words}{said(change)}",
            {"lines": list(limit.lines), "file": self._path},
            Undo("nginx.unlimit", "Lift the limit", options),
            left,
        )

    def _limit(self, looked: Looked) -> Limit:
        """429 is left to the team's own config where that says something: it may stand only once
        in a block."""
        rate, per = self._options.pace
        own = [
            d
            for d in looked.dump.named("limit_req_status")
            if d.blocks == ("http",) and d.file != self._path
        ]
        return Limit(
            rate,
            per,
            self._options.burst,
            self._options.zone,
            self._options.path,
            self._site.signed(self._options.ttl),
            sets_status=not own,
        )


class Unlimit(_OfLimit):
    """Takes the limit away again."""

    def __init__(self, options: UnlimitOptions, context: MitigationContext) -> None:
        super().__init__(options, context)
        self._options = options

    async def preview(self, row: Row | None) -> Card:
        """The lines that go. Raises MitigationRefused."""
        looked = await self._looked()
        limit = looked.rules.limit
        if limit is None:
            raise MitigationRefused(f"clients are not limited by warroom ({self._path})")
        return Card(
            kind="nginx.unlimit",
            title="Lift the limit",
            host=self._context.host.name,
            target=self._target(limit),
            command=(
                *(f"- {line}" for line in limit.lines),
                *self._site.server.commands,
            ),
            hits=tuple(self._hits(looked)),
            undo="nginx.limit sets it again for the rest of its time",
            risk=Risk.CHANGE,
            warnings=looked.warnings,
            context={"limit": limit, "earlier": limit},
        )

    async def perform(self, card: Card) -> Done:
        """Write, test, load and prove it, or put all back."""
        limit: Limit = card.context["limit"]
        change = await self._site.change(self._path, self._edit(card, None))
        return Done(
            f"clients are not limited any more{said(change)}",
            {"lines": list(limit.lines), "file": self._path},
            self._again(limit),
        )

    def _again(self, limit: Limit) -> Undo | None:
        """Limiting for the rest of its time; nothing when that is over."""
        ttl = 0.0
        if limit.signed.until:
            ttl = (limit.signed.until - self._context.clock.now()).total_seconds()
            if ttl <= 0:
                return None
        options: Mapping[str, Any] = {
            **self._options.plain,
            "rate": f"{limit.rate}r/{limit.per}",
            "burst": limit.burst,
            "zone": limit.zone,
            "path": limit.path,
            "ttl": ttl,
        }
        return Undo("nginx.limit", "Limit clients again", options)


def _pace(limit: Limit) -> tuple[object, ...]:
    return limit.rate, limit.per, limit.burst, limit.zone, limit.path


def _rule(limit: Limit | None) -> str:
    return limit.lines[0] if limit else "none"


def _words(limit: Limit) -> str:
    return harmless(f"{limit.words} path={limit.path}, {limit.signed.words}")


def _overridden(where: str) -> str:
    return f"it does not hold in blocks with limit_req of their own: {where}"

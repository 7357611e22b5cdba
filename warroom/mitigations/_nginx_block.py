"""Blocks a client or a range of clients, and lets them in again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.mitigations import _own_addresses
from warroom.mitigations._addresses import (
    CAREFUL,
    NotAnAddress,
    Range,
    canonical,
    is_private,
    is_single,
    refusal,
    shown,
    within,
)
from warroom.mitigations._nginx_change import Edit
from warroom.mitigations._nginx_file import Looked, look, places
from warroom.mitigations._nginx_options import BlockOptions, UnblockOptions, without
from warroom.mitigations._nginx_rules import Deny, Rules
from warroom.mitigations._nginx_site import Site, duration, overdue, said
from warroom.mitigations._own_addresses import NotKnown
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationContext,
    MitigationRefused,
    Risk,
    Target,
    Undo,
)

_CROWD: Final = 0.3
"""Share of all requests from which one client is suspected to be many behind a proxy."""
_MANY: Final = 1.5
"""How much more than a client its network must send for a word about it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to block or let in, and what of the traffic was theirs when the row was looked at."""

    range: Range
    share: float | None = None
    rate: float | None = None
    network: str = ""
    network_share: float = 0.0
    """The busiest network, when it is this client's, and its share."""
    network_by: str = "range"
    """The grouping of top talkers that shows it."""

    @property
    def traffic(self) -> str:
        if self.share is None:
            return "not known: arm it from a row of top talkers to see it"
        return f"{100 * self.share:.1f}% of all requests just now, {self.rate or 0:,.1f} a second"


class _OfAddress:
    """What blocking and unblocking have in common."""

    def __init__(self, options: UnblockOptions, context: MitigationContext) -> None:
        self._site, self._context = Site(options, context), context
        self._named, self._path = options.address, options.include

    def answer(self, values: Mapping[str, str]) -> None:
        """Takes `address`, where neither the config nor a row names one."""
        for name, text in values.items():
            if name != "address" or self._named not in ("", text):
                raise MitigationRefused(f"{name} cannot be given here")
            self._named = text

    async def close(self) -> None:
        """Nothing is held open."""

    def _wanted(self, row: Row | None) -> Wanted:
        """Raises MitigationRefused."""
        text = self._named or (row.key if row else "")
        if not text:
            raise MitigationRefused(
                "no address: select a client or range in top talkers, or name one"
            )
        try:
            found = canonical(text)
        except NotAnAddress as error:
            hint = "" if self._named else "; group top talkers by client or range"
            raise MitigationRefused(f"{error}{hint}") from error
        if self._named or row is None:
            return Wanted(found)
        share, rate = _number(row.data, "share"), _number(row.data, "rate")
        network, of_all = str(row.data.get("range", "")), _number(row.data, "range_share")
        by = str(row.data.get("range_by", "range"))
        return Wanted(found, share, rate, network, of_all or 0.0, by)

    def _target(self, wanted: Range, rule: Deny | None) -> Target:
        identity = {"rule": rule.line if rule else "none"}
        return Target(f"{self._path} {shown(wanted)}", shown(wanted), identity)

    def _compare(self, card: Card, rule: Deny | None) -> None:
        """Refuses when the rule for this address is another than was shown."""
        then, now = card.target.identity["rule"], rule.line if rule else "none"
        if then != now:
            raise MitigationRefused(
                f'nothing was done: its rule was "{then}" when it was shown and is "{now}" now; '
                "look again"
            )

    def _hits(self, looked: Looked, wanted: Wanted) -> list[tuple[str, str]]:
        return [
            ("file", f"{self._path}, included in {' and '.join(looked.blocks)}"),
            ("share of traffic", wanted.traffic),
            ("blocked already", looked.rules.count),
            *overdue(looked, self._context.clock.now()),
        ]

    async def verify(self, card: Card) -> str:
        """Whether it is blocked, and whether nginx has loaded that."""
        try:
            looked = await look(self._site.host, self._site.server, self._path)
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        wanted = canonical(card.target.label)
        rule = looked.rules.denying(wanted) or looked.rules.covering(wanted)
        state = f"blocked: {rule.line}" if rule else "not blocked"
        if looked.is_loaded is None:
            return f"{card.target.label} is {state}; whether nginx loaded it cannot be seen"
        word = "nginx has loaded it" if looked.is_loaded else "nginx has NOT loaded it"
        return f"{card.target.label} is {state} in {self._path}; {word}"


class Block(_OfAddress):
    """`deny` for one address or range, for a time."""

    def __init__(
        self,
        options: BlockOptions,
        context: MitigationContext,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        super().__init__(options, context)
        self._options, self._environ = options, environ

    async def preview(self, row: Row | None) -> Card:
        """The exact line, who is hit, and what takes it back. Raises MitigationRefused."""
        wanted = self._wanted(row)
        guarded, looked = await asyncio.gather(
            self._guard(wanted.range),
            look(self._site.host, self._site.server, self._path),
            return_exceptions=True,
        )
        for found in (guarded, looked):
            if isinstance(found, BaseException):
                raise found
        assert isinstance(looked, Looked)
        deny = Deny(wanted.range, self._site.signed(self._options.ttl))
        earlier = looked.rules.denying(wanted.range)
        self._needed(looked, deny, earlier)
        label = shown(wanted.range)
        time = duration(self._options.ttl)
        return Card(
            kind="nginx.block",
            title=f"{'Extend the block of' if earlier else 'Block'} {label} {time}",
            host=self._context.host.name,
            target=self._target(wanted.range, earlier),
            command=(
                *((f"- {earlier.line}",) if earlier else ()),
                f"+ {deny.line}",
                *self._site.server.commands,
            ),
            hits=tuple(self._all_hits(looked, wanted, deny)),
            undo=f"nginx.unblock takes the line away again{_when(deny)}",
            risk=_risk(wanted.range),
            warnings=(*_warnings(looked, wanted), *looked.warnings),
            context={"deny": deny, "earlier": earlier},
        )

    async def perform(self, card: Card) -> Done:
        """Write, test, load and prove it, or put all back."""
        deny: Deny = card.context["deny"]
        await self._guard(deny.range)
        left = self._site.left(deny.signed)
        earlier: Deny | None = card.context["earlier"]

        def into(rules: Rules) -> Rules:
            self._compare(card, rules.denying(deny.range))
            return rules.denied(deny)

        edit = Edit(
            into,
            lambda rules: rules.denied(earlier) if earlier else rules.lifted(deny.range),
            lambda rules: rules.denying(deny.range) == deny,
        )
        client = str(next(iter(deny.range)))
        change = await self._site.change(self._path, edit, client, denied=True)
        label = shown(deny.range)
        return Done(
            f"{label} is blocked {deny.signed.words}{said(change)}",
            {"line": deny.line, "file": self._path, "blocked": change.blocked},
            Undo(
                "nginx.unblock",
                f"Unblock {label}",
                {**without(self._options.plain, "ttl", "never"), "address": label},
            ),
            left,
        )

    async def _guard(self, wanted: Range) -> None:
        """Raises MitigationRefused for what may never be blocked."""
        origin = self._context.sign().origin
        host = self._context.host
        try:
            login, machine = await asyncio.gather(
                _own_addresses.login(host, self._environ, origin), _own_addresses.machine(host)
            )
        except (NotKnown, HostError) as error:
            raise MitigationRefused(f"what must not be blocked is not known: {error}") from error
        reason = refusal(wanted, (*login, *machine, *self._options.guarded))
        if reason:
            raise MitigationRefused(reason)

    def _needed(self, looked: Looked, deny: Deny, earlier: Deny | None) -> None:
        """Raises MitigationRefused when it is blocked already for as long."""
        if earlier and earlier.signed.outlasts(deny.signed):
            raise MitigationRefused(
                f"{shown(deny.range)} is blocked already {earlier.signed.words}"
            )
        wider = looked.rules.covering(deny.range)
        if wider and wider.signed.outlasts(deny.signed):
            raise MitigationRefused(
                f"{shown(deny.range)} is blocked already: {shown(wider.range)} is, "
                f"{wider.signed.words}"
            )

    def _all_hits(self, looked: Looked, wanted: Wanted, deny: Deny) -> list[tuple[str, str]]:
        hits = self._hits(looked, wanted)
        if not is_single(wanted.range):
            hits.insert(1, ("addresses", _size(wanted.range)))
        earlier = looked.rules.denying(wanted.range)
        if earlier:
            hits.append(("blocked so far", earlier.signed.words))
        wider = looked.rules.covering(wanted.range)
        if wider:
            hits.append(("blocked with", f"{shown(wider.range)}, {wider.signed.words}"))
        inner = [d for d in looked.rules.denies if d.range != wanted.range]
        inside = [shown(d.range) for d in inner if within(d.range, wanted.range)]
        if inside:
            hits.append(("holds blocked", ", ".join(inside[:5])))
        hits.append(("they get", "403 for every new request; one under way is finished"))
        return hits


class Unblock(_OfAddress):
    """Takes a `deny` away again."""

    def __init__(self, options: UnblockOptions, context: MitigationContext) -> None:
        super().__init__(options, context)
        self._options = options

    async def preview(self, row: Row | None) -> Card:
        """The line that goes. Raises MitigationRefused."""
        wanted = self._wanted(row)
        looked = await look(self._site.host, self._site.server, self._path)
        rule = self._rule(looked, wanted.range)
        hits = [*self._hits(looked, wanted), ("was to stand", rule.signed.words)]
        wider = looked.rules.covering(wanted.range)
        still = f"{shown(wanted.range)} stays blocked with {shown(wider.range)}" if wider else ""
        return Card(
            kind="nginx.unblock",
            title=f"Unblock {shown(wanted.range)}",
            host=self._context.host.name,
            target=self._target(wanted.range, rule),
            command=(f"- {rule.line}", *self._site.server.commands),
            hits=tuple(hits),
            undo="nginx.block blocks it again for the rest of its time",
            risk=Risk.CHANGE,
            warnings=(*((still,) if still else ()), *looked.warnings),
            context={"rule": rule},
        )

    async def perform(self, card: Card) -> Done:
        """Write, test, load and prove it, or put all back."""
        rule: Deny = card.context["rule"]

        def into(rules: Rules) -> Rules:
            self._compare(card, rules.denying(rule.range))
            return rules.lifted(rule.range)

        edit = Edit(
            into,
            lambda rules: rules.denied(rule),
            lambda rules: rules.denying(rule.range) is None,
        )
        change = await self._site.change(self._path, edit, str(next(iter(rule.range))))
        label = shown(rule.range)
        return Done(
            f"{label} is not blocked any more{said(change)}",
            {"line": rule.line, "file": self._path, "blocked": change.blocked},
            self._again(rule, label),
        )

    def _again(self, rule: Deny, label: str) -> Undo | None:
        """Blocking it for the rest of its time; nothing when that is over."""
        ttl = 0.0
        if rule.signed.until:
            ttl = (rule.signed.until - self._context.clock.now()).total_seconds()
            if ttl <= 0:
                return None
        options = {**self._options.plain, "address": label, "ttl": ttl}
        return Undo("nginx.block", f"Block {label} again", options)

    def _rule(self, looked: Looked, wanted: Range) -> Deny:
        rule = looked.rules.denying(wanted)
        if rule:
            return rule
        wider = looked.rules.covering(wanted)
        if wider:
            raise MitigationRefused(
                f"{shown(wanted)} is not blocked by itself: unblock {shown(wider.range)}, "
                f"which holds it"
            )
        inside = [shown(d.range) for d in looked.rules.denies if within(d.range, wanted)]
        if inside:
            raise MitigationRefused(
                f"{shown(wanted)} is not blocked; within it are {', '.join(inside[:5])}"
            )
        raise MitigationRefused(f"{shown(wanted)} is not blocked by warroom ({self._path})")


def _risk(wanted: Range) -> Risk:
    is_wide = wanted.prefixlen < CAREFUL[wanted.version]
    return Risk.DESTROY if is_wide else Risk.CHANGE


def _size(wanted: Range) -> str:
    if wanted.version == 4:
        return f"{wanted.num_addresses:,}"
    return f"{max(1, wanted.num_addresses >> 64):,} networks of /64"


def _when(deny: Deny) -> str:
    return f"; due at {deny.signed.until:%H:%M:%S} UTC" if deny.signed.until else ""


def _number(data: Mapping[str, Any], name: str) -> float | None:
    value = data.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def _warnings(looked: Looked, wanted: Wanted) -> tuple[str, ...]:
    """Why it may hit more, or less, than is meant."""
    found = []
    if wanted.share is not None and wanted.share >= _CROWD:
        found.append(
            f"{100 * wanted.share:.0f}% of all requests: many people may stand behind it (a proxy, "
            "a load balancer, a mobile network)"
        )
    if is_single(wanted.range) and wanted.network_share >= _MANY * (wanted.share or 1.0):
        share = 100 * wanted.network_share
        found.append(
            f"its network {wanted.network} sends {share:.0f}% of all requests: group top talkers "
            f"by {wanted.network_by} to block all of it"
        )
    if is_private(wanted.range):
        found.append("a private address: it may be your own proxy, load balancer or office")
    own = looked.in_the_way("allow", "deny")
    if own:
        found.append(f"it does not hold in blocks with allow or deny of their own: {places(own)}")
    first = tuple(d for d in looked.before_it("allow") if _lets_in(d.words[-1], wanted.range))
    if first:
        found.append(f"an allow that is read before it lets it in: {places(first)}")
    lax = tuple(d for d in looked.dump.named("satisfy") if d.words[-1] == b"any")
    if lax:
        found.append(f'"satisfy any" lets in who has a password all the same: {places(lax)}')
    return tuple(found)


def _lets_in(argument: bytes, wanted: Range) -> bool:
    if argument == b"all":
        return True
    try:
        return ip_network(argument.decode("ascii"), strict=False).overlaps(wanted)
    except (ValueError, TypeError):
        return False

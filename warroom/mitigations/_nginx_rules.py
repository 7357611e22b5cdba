"""The one file of nginx's config that is warroom's own: what stands in it, read and written. Pure.

It is read strictly. What warroom would not have written itself, byte for byte, is not understood,
and a file that is not understood is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from warroom.mitigations._addresses import NotAnAddress, Range, canonical, is_single, shown, within

HEADER: Final = "# Kept by warroom, which writes this file anew each time: change it with warroom."
ZONE: Final = "warroom_limit"

_SIGNED: Final = r"(?P<until>\S+) by (?P<author>\S+) in (?P<incident>\S+)"
_DENY: Final = re.compile(rf"deny (?P<address>\S+); # until {_SIGNED}", re.ASCII)
_LIMIT: Final = re.compile(
    rf"# limit (?P<rate>\d+)r/(?P<per>[sm]) burst=(?P<burst>\d+) zone=(?P<zone>\d+[km])"
    rf" path=(?P<path>\S+) status=(?P<status>429|theirs) until {_SIGNED}",
    re.ASCII,
)
_FOREVER: Final = "lifted"
_STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"
_WORD: Final = re.compile(r"[^A-Za-z0-9._@+:-]")


class NotOurs(ValueError):
    """The file is not warroom's, or not as warroom wrote it; the message says where."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Until when a rule stands (None: until it is lifted), who made it, and in which incident."""

    until: datetime | None
    author: str
    incident: str

    @property
    def words(self) -> str:
        end = f"until {self.until:%Y-%m-%d %H:%M:%S} UTC" if self.until else "until it is lifted"
        return f"{end}, by {self.author} in {self.incident}"

    def outlasts(self, other: Signed) -> bool:
        """Whether it stands at least as long as the other."""
        if self.until is None or other.until is None:
            return self.until is None
        return self.until >= other.until

    @property
    def _comment(self) -> str:
        end = self.until.strftime(_STAMP) if self.until else _FOREVER
        return f"until {end} by {self.author} in {self.incident}"


@dataclass(frozen=True, slots=True)
class Deny:
    """A client, or a range of them, that is answered with 403."""

    range: Range
    signed: Signed

    @property
    def line(self) -> str:
        """As it stands in the file (ngx_http_access_module, `deny`)."""
        return f"deny {shown(self.range)}; # {self.signed._comment}"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `rate` requests a second ("s") or minute ("m") of one client to the paths that begin
    with `path`, and `burst` more at once; who asks more is answered with 429 (RFC 6585).

    `zone` is how much memory nginx keeps for it: a megabyte holds about 8,000 IPv6 or 16,000 IPv4
    clients. Without `sets_status` the answer is the one that the team's own config says.
    """

    rate: int
    per: str
    burst: int
    zone: str
    path: str
    signed: Signed
    sets_status: bool = True

    @property
    def lines(self) -> tuple[str, ...]:
        """As it stands in the file (ngx_http_limit_req_module, ngx_http_map_module).

        A request whose key is empty is not counted. `$uri` is the path as nginx matches locations
        with it: decoded, and without `//` and `/../`.
        """
        status = "429" if self.sets_status else "theirs"
        return (
            f"# limit {self.words} path={self.path} status={status} {self.signed._comment}",
            f'map $uri ${ZONE} {{ default ""; "~^{re.escape(self.path)}" $binary_remote_addr; }}',
            f"limit_req_zone ${ZONE} zone={ZONE}:{self.zone} rate={self.rate}r/{self.per};",
            f"limit_req zone={ZONE}{f' burst={self.burst} nodelay' if self.burst else ''};",
            *(("limit_req_status 429;",) if self.sets_status else ()),
        )

    @property
    def words(self) -> str:
        return f"{self.rate}r/{self.per} burst={self.burst} zone={self.zone}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the file says."""

    denies: tuple[Deny, ...] = ()
    limit: Limit | None = field(default=None)

    def denying(self, wanted: Range) -> Deny | None:
        """The rule of exactly that address or range."""
        return next((deny for deny in self.denies if deny.range == wanted), None)

    def covering(self, wanted: Range) -> Deny | None:
        """A wider rule that holds it, the longest standing one."""
        wider = [d for d in self.denies if d.range != wanted and within(wanted, d.range)]
        for deny in wider:
            if all(deny.signed.outlasts(other.signed) for other in wider):
                return deny
        return None

    def denied(self, deny: Deny) -> Rules:
        """With that rule, in the place of the one that there is for the same range."""
        others = self.lifted(deny.range).denies
        return replace(self, denies=(*others, deny))

    def lifted(self, wanted: Range) -> Rules:
        """Without the rule of exactly that address or range."""
        return replace(self, denies=tuple(d for d in self.denies if d.range != wanted))

    def overdue(self, now: datetime) -> tuple[Deny, ...]:
        """Rules whose time is over and that still stand."""
        return tuple(d for d in self.denies if d.signed.until and d.signed.until <= now)

    @property
    def count(self) -> str:
        """How many are blocked, in words.

        >>> Rules().count
        'nobody'
        """
        singles = sum(is_single(deny.range) for deny in self.denies)
        ranges = len(self.denies) - singles
        words = [
            f"{n} {one if n == 1 else more}"
            for n, one, more in ((singles, "address", "addresses"), (ranges, "range", "ranges"))
            if n
        ]
        return " and ".join(words) or "nobody"

    def render(self) -> bytes:
        """The whole file."""
        limit = self.limit.lines if self.limit else ()
        lines = (HEADER, *(deny.line for deny in self.denies), *limit)
        return "".join(f"{line}\n" for line in lines).encode("ascii")


def parse(data: bytes) -> Rules:
    """What a file says. Raises NotOurs.

    >>> parse(Rules().render())
    Rules(denies=(), limit=None)
    """
    lines = data.split(b"\n")
    if lines[0] != HEADER.encode():
        raise NotOurs("its first line does not say that it is warroom's")
    rules = Rules()
    for number, raw in enumerate(lines[1:], 2):
        if not raw.isascii():
            raise NotOurs(f"line {number} has bytes that warroom does not write")
        line = raw.decode("ascii")
        if match := _DENY.fullmatch(line):
            rules = replace(rules, denies=(*rules.denies, _deny(match, number)))
        elif match := _LIMIT.fullmatch(line):
            rules = replace(rules, limit=_limit(match, number))
            break  # the limit stands last; its other lines are compared with the whole
    if rules.render() != data:
        raise NotOurs(f"line {_first_difference(data, rules.render())} is not as warroom wrote it")
    return rules


def word(text: str) -> str:
    """A name as one word of a comment: whatever could end the comment or mislead is `_`.

    >>> word("ann (as root)"), word("")
    ('ann_as_root', '-')
    """
    return re.sub(r"_+", "_", _WORD.sub("_", text)).strip("_")[:60] or "-"


def _deny(match: re.Match[str], number: int) -> Deny:
    try:
        return Deny(canonical(match["address"]), _signed(match, number))
    except NotAnAddress as error:
        raise NotOurs(f"line {number}: {error}") from error


def _limit(match: re.Match[str], number: int) -> Limit:
    rate, burst, sets_status = int(match["rate"]), int(match["burst"]), match["status"] == "429"
    signed = _signed(match, number)
    return Limit(rate, match["per"], burst, match["zone"], match["path"], signed, sets_status)


def _signed(match: re.Match[str], number: int) -> Signed:
    text, until = match["until"], None
    if text != _FOREVER:
        try:
            until = datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
        except ValueError as error:
            raise NotOurs(f"line {number}: until when it stands is no time") from error
    return Signed(until, match["author"], match["incident"])


def _first_difference(found: bytes, ours: bytes) -> int:
    pairs: Sequence[tuple[bytes, bytes]] = list(
        zip(found.split(b"\n"), ours.split(b"\n"), strict=False)
    )
    return next((n for n, (one, other) in enumerate(pairs, 1) if one != other), len(pairs))

"""Which format the lines of a file have, told by their content.

Every format is tried on a sample; of those that fit at least half of it, and nearly as many lines
as the best, the most special one is it. What fits equally well is told with it. Nothing fits:
unknown, and nobody guesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Final

from warroom.logs.formats.base import Format, Wrapped

SAMPLE_LINES: Final = 200
_FAMILIES: Final = ("web", "proxy", "cloud", "structured", "system", "database")
"""Modules of `formats`, the most wanted first; the next is imported only when nothing fits yet."""
_NEARLY: Final = 0.9
_DEEPEST: Final = 2


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a sample looks like: `matched` of `seen` lines fit `format`; `also` are the names of
    formats that fit as many and are as special. `format` is None when nothing fits."""

    format: Format | None
    matched: int
    seen: int
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.format is None:
            return "unknown"
        told = self.format.name
        if self.matched < self.seen:
            told += f", {self.matched} of {self.seen} lines"
        return f"{told} (or {', '.join(self.also)})" if self.also else told


@cache
def formats(family: str) -> tuple[Format, ...]:
    """The formats of one module."""
    found: tuple[Format, ...] = import_module(f"warroom.logs.formats.{family}").FORMATS
    return found


def every_format() -> Iterator[Format]:
    """All there are."""
    for family in _FAMILIES:
        yield from formats(family)


def named(name: str) -> Format | None:
    """The format that is called so."""
    return next((each for each in every_format() if each.name == name), None)


def recognise(lines: Sequence[bytes]) -> Recognised:
    """The format of the first 200 lines that are not blank."""
    sample = [line for line in lines[: 2 * SAMPLE_LINES] if line.strip()][:SAMPLE_LINES]
    return _recognised(sample, 0)


def _recognised(sample: Sequence[bytes], depth: int) -> Recognised:
    from warroom.logs.formats.traces import continues

    whole = [line for line in sample if not continues(line)]
    found = _best(whole, _scores(whole))
    if found.format is None or not found.format.wraps or depth >= _DEEPEST:
        return found
    outer = found.format
    texts = [(outer.roles(line) or {}).get("message", b"").strip(b"\r\n") for line in whole]
    inner = _recognised([text for text in texts if text], depth + 1)
    if inner.format is None:
        return found
    return Recognised(Wrapped.of(outer, inner.format), found.matched, found.seen, found.also)


def _scores(sample: Sequence[bytes]) -> list[tuple[Format, int]]:
    """How many lines each format fits. When one of the common family fits nearly all of them, the
    other families need not be asked: a line cannot be of both."""
    scores: list[tuple[Format, int]] = []
    heading = next((line for line in sample if line.startswith(b"#Fields:")), None)
    if heading is not None:
        from warroom.logs.formats.cloud import w3c_of

        scores += _fitting(sample, (w3c_of(heading),))
    for family in _FAMILIES:
        scores += _fitting(sample, formats(family))
        if family == "web" and any(n > _NEARLY * len(sample) for _, n in scores):
            break
    return scores


def _fitting(sample: Sequence[bytes], candidates: Sequence[Format]) -> Iterator[tuple[Format, int]]:
    fits = [0] * len(candidates)
    for line in sample:  # in this order a line that is an object is taken apart once
        for index, fmt in enumerate(candidates):
            fits[index] += fmt.may_fit(line) and fmt.fits(line)
    return ((fmt, n) for fmt, n in zip(candidates, fits, strict=True) if n)


def _best(sample: Sequence[bytes], scores: Sequence[tuple[Format, int]]) -> Recognised:
    most = max((matched for _, matched in scores), default=0)
    if most * 2 < len(sample) or not most:
        return Recognised(None, 0, len(sample))
    near = [(fmt, n) for fmt, n in scores if n * 2 >= most and n * 2 >= len(sample)]
    fmt, matched = max(near, key=lambda each: (each[0].rank, each[1]))
    also = [
        other.name
        for other, n in near
        if other is not fmt and (other.rank, n) == (fmt.rank, matched)
    ]
    return Recognised(fmt, matched, len(sample), tuple(also))

"""Runs one argv on a host: watched, bounded, and ended with its whole group when it must be."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from warroom.domain.text import harmless, harmless_bytes
from warroom.hosts.base import Host, HostError, HostLost, Surroundings
from warroom.mitigations._feed import Feed
from warroom.mitigations.base import MitigationRefused, MitigationUncertain, Output

LOOK_LIMIT: Final = 64 * 1024
"""Bytes of a look's output that are read."""
_SECRET_NAME: Final = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|KEY|AUTH|CREDENTIAL|DSN|URL", re.I)
_SHORTEST_SECRET: Final = 6


@dataclass(frozen=True, slots=True)
class Looked:
    """What a command that only reads has printed: harmless lines, cut at 64 KiB in all."""

    argv: tuple[str, ...]
    code: int
    lines: tuple[str, ...]
    cut: bool = False


async def run(
    host: Host, argv: Sequence[str], where: Surroundings, output: Output, timeout: float
) -> tuple[int, Feed]:
    """Run `argv` to its end within `timeout` seconds; what it says goes to `output`.

    Raises MitigationRefused when nothing was started, and MitigationUncertain when its end is not
    known: a cut connection, or the time limit, after which its process group is ended.
    """
    feed = Feed(output, secrets(where))
    name = harmless(argv[0])
    began = False
    try:
        async with asyncio.timeout(timeout), host.launch(argv, where) as running:
            began = True
            async for chunk in running.output():
                feed.take(chunk)
            code = await running.code()
    except TimeoutError:
        feed.end()
        if not began:
            raise MitigationRefused(f"nothing was done: no answer within {timeout:g} s") from None
        raise MitigationUncertain(
            f"{name} did not finish within {timeout:g} s and was ended with its children; what it "
            f"did before that stays{_last(feed)}"
        ) from None
    except HostLost as lost:
        feed.end()
        raise MitigationUncertain(f"{lost}; it may have happened{_last(feed)}") from lost
    except HostError as error:
        raise MitigationRefused(f"nothing was done: {error}") from error
    feed.end()
    return code, feed


async def look(host: Host, argv: Sequence[str], where: Surroundings, timeout: float) -> Looked:
    """What a command that only reads prints; its errors only where it fails.

    Raises MitigationRefused when it cannot be run or does not end.
    """
    kept, errors = bytearray(), bytearray()
    name = harmless(argv[0])

    def fail(data: bytes) -> None:
        errors.extend(data[: LOOK_LIMIT - len(errors)])

    try:
        async with asyncio.timeout(timeout), host.launch(argv, where, fail) as running:
            async for chunk in running.output():
                kept += chunk[: LOOK_LIMIT - len(kept)]
            code = await running.code()
    except TimeoutError:
        raise MitigationRefused(f"{name} did not answer within {timeout:g} s") from None
    except HostError as error:
        raise MitigationRefused(str(error)) from error
    cut = len(kept) >= LOOK_LIMIT
    data = bytes(kept + errors if code else kept)
    for secret in secrets(where):
        data = data.replace(secret.encode("utf-8", "surrogateescape"), b"***")
    lines = harmless_bytes(data, limit=2 * LOOK_LIMIT, lines=True).splitlines()
    return Looked(tuple(argv), code, tuple(lines), cut)


def secrets(where: Surroundings) -> list[str]:
    """Values of its variables that may be secrets, by their names: not to be repeated."""
    values = [os.environ.get(name, "") for name in where.env or () if _SECRET_NAME.search(name)]
    return sorted((v for v in values if len(v) >= _SHORTEST_SECRET), key=len, reverse=True)


def _last(feed: Feed) -> str:
    told = feed.told()
    return f"; its last words: {told}" if told else ""

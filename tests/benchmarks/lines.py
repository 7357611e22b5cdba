"""Access logs to measure with: the same bytes every time, shaped like those of a busy shop.

Clients follow Zipf's law, one in eight has an IPv6 address. Run as a module it appends to a file at
a steady rate and prints how many lines it wrote.
"""

from __future__ import annotations

import argparse
import ipaddress
import itertools
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

CLIENTS: Final = 150_000
IPV6_SHARE: Final = 0.12
ZIPF: Final = 1.05
BATCH: Final = 20_000
_LINES_A_SECOND: Final = 400
_WRITES_A_SECOND: Final = 25
_START: Final = datetime(2026, 3, 1, tzinfo=UTC)
_AREAS: Final = ("products", "cart", "orders", "account", "images", "search", "offers", "help")
_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/{0}.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_{0} like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "shop-app/4.{0} (Android 15)",
    "curl/8.{0}.1",
)
_STATUSES: Final = ((200, 84), (304, 5), (301, 3), (404, 4), (403, 1), (500, 1), (502, 2))


class Shop:
    """Draws lines; two of the same seed draw the same."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._clients = self._addresses()
        self._weights = list(itertools.accumulate(n**-ZIPF for n in range(1, CLIENTS + 1)))
        self._requests = [self._request() for _ in range(3000)]
        self._results = [self._result() for _ in range(3000)]

    def _addresses(self) -> list[str]:
        draw, found = self._random, dict[str, None]()
        while len(found) < CLIENTS:
            if draw.random() < IPV6_SHARE:
                host = draw.getrandbits(80) & ~(0xFFFFFFFF << 32)
                found[str(ipaddress.IPv6Address((0x20010DB8 << 96) | host))] = None
            else:
                found[str(ipaddress.IPv4Address(draw.randrange(1 << 24, 224 << 24)))] = None
        return list(found)

    def _request(self) -> str:
        draw = self._random
        path = "/" + "/".join(draw.choices(_AREAS, k=draw.randint(1, 3)))
        if draw.random() < 0.5:
            path += f"/{draw.randint(1, 9999)}"
        if draw.random() < 0.2:
            path += f"?page={draw.randint(1, 40)}&sort=price"
        return f'"{draw.choices(("GET", "POST", "HEAD"), (85, 12, 3))[0]} {path} HTTP/1.1"'

    def _result(self) -> str:
        draw = self._random
        codes, weights = zip(*_STATUSES, strict=True)
        status = draw.choices(codes, weights)[0]
        size = 0 if status == 304 else int(draw.lognormvariate(8, 1.4))
        origin = draw.choice(("-", "-", "https://shop.example/", "https://shop.example/offers"))
        agent = draw.choice(_AGENTS).format(draw.randint(1, 140))
        return f'{status} {size} "{origin}" "{agent}"\n'

    def batches(self, size: int = BATCH) -> Iterator[bytes]:
        """`size` lines at a time, without end."""
        number = 0
        while True:
            clients = self._random.choices(self._clients, cum_weights=self._weights, k=size)
            requests = self._random.choices(self._requests, k=size)
            results = self._random.choices(self._results, k=size)
            parts: list[str] = []
            for client, request, result in zip(clients, requests, results, strict=True):
                if number % _LINES_A_SECOND == 0 or not parts:
                    at = _START + timedelta(seconds=number // _LINES_A_SECOND)
                    stamp = f"{at:%d/%b/%Y:%H:%M:%S +0000}"
                parts.append(f"{client} - - [{stamp}] {request} {result}")
                number += 1
            yield "".join(parts).encode()


def write(path: Path, count: int) -> None:
    """`count` access lines in a new file."""
    with path.open("wb") as file:
        for batch in itertools.islice(Shop().batches(), count // BATCH):
            file.write(batch)


NEEDLE: Final = "upstream timed out"


def write_short(path: Path, count: int) -> None:
    """`count` short application lines, one in a hundred with `NEEDLE`, appended."""
    draw = random.Random(11)
    with path.open("ab", buffering=1 << 20) as file:
        for number in range(count):
            said = NEEDLE if draw.random() < 0.01 else "order paid"
            file.write(b"level=info id=%d msg=%s\n" % (number, said.encode()))


def append(path: Path, rate: int, seconds: float) -> int:
    """Append `rate` lines a second, on an absolute schedule; how many were written."""
    size = rate // _WRITES_A_SECOND
    ready = list(itertools.islice(Shop().batches(size), 100))  # made once: writing costs little
    total, began = int(seconds * _WRITES_A_SECOND), time.monotonic()
    with path.open("ab", buffering=0) as file:
        for index in range(total):
            file.write(ready[index % len(ready)])
            due = began + (index + 1) / _WRITES_A_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
    return total * size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rate", type=int, required=True, metavar="LINES_A_SECOND")
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    print(append(given.path, given.rate, given.seconds))


if __name__ == "__main__":
    main()

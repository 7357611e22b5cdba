"""HTTP clients with addresses of their own, so that top talkers have somebody to name.

Every client says in X-Forwarded-For who it is, as a load balancer would say it of the clients
behind it, and keeps one connection to each service.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

_TIMEOUT: Final = 3.0
_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Mobile/15E148",
    "ShopApp/7.2 (Android 15)",
    "partner-feed/1.4",
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to make: where it goes is the business of `Crowd.route`."""

    method: str
    path: str


@dataclass(slots=True)
class Client:
    """One address. `busy` while a request is under way: a client never has two."""

    address: str
    agent: str
    busy: bool = False
    _open: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=dict
    )

    async def visit(self, port: int, visit: Visit) -> int | None:
        """The status that 127.0.0.1:port answers; None when it does not answer."""
        self.busy = True
        try:
            async with asyncio.timeout(_TIMEOUT):
                reader, writer = self._open.get(port) or await self._connect(port)
                writer.write(
                    f"{visit.method} {visit.path} HTTP/1.1\r\nHost: shop.example\r\n"
                    f"X-Forwarded-For: {self.address}\r\n"
                    f"User-Agent: {self.agent}\r\nContent-Length: 0\r\n\r\n".encode()
                )
                return await _status(reader)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            self._hang_up(port)
            return None
        finally:
            self.busy = False

    def close(self) -> None:
        for port in tuple(self._open):
            self._hang_up(port)

    async def _connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        pair = await asyncio.open_connection("127.0.0.1", port)
        self._open[port] = pair
        return pair

    def _hang_up(self, port: int) -> None:
        pair = self._open.pop(port, None)
        if pair:
            pair[1].close()


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line[15:]))
    return int(head[9:12])


class Crowd:
    """Clients that together make `rate` requests a second, some more than others."""

    def __init__(
        self,
        addresses: Sequence[str],
        visits: Sequence[tuple[Visit, int]],
        route: Callable[[str], int],
        rate: float,
        seed: int = 7,
    ) -> None:
        """`visits` have weights; `route` gives the port for a path."""
        self._dice = random.Random(seed)
        self._clients = [Client(a, self._dice.choice(_AGENTS)) for a in addresses]
        self._weights = [1 / (rank + 1) for rank in range(len(addresses))]  # Zipf, as talkers are
        self._visits, self._visit_weights = zip(*visits, strict=True)
        self._route, self.rate = route, rate
        self._under_way: set[asyncio.Task[int | None]] = set()

    async def run(self) -> None:
        """Visits until it is cancelled; then the connections are closed."""
        try:
            while True:
                self._send_one()
                await asyncio.sleep(self._dice.expovariate(self.rate))
        finally:
            for task in self._under_way:
                task.cancel()
            for client in self._clients:
                client.close()

    def _send_one(self) -> None:
        client = self._dice.choices(self._clients, self._weights)[0]
        if client.busy:  # a slow service slows its clients down; nothing piles up
            return
        visit = self._dice.choices(self._visits, self._visit_weights)[0]
        client.busy = True
        task = asyncio.create_task(client.visit(self._route(visit.path), visit))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

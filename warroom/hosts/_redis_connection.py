"""redis-py's connection over what a host hands out: TCP or a forward's socket, TLS on either."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection

from warroom.hosts._redis_url import RedisUrl
from warroom.hosts._redis_words import RedisFault
from warroom.hosts.base import Address, TcpAddress

_LISTEN_S: Final = 0.5


class HostConnection(AbstractConnection):
    """Connects to `reached`. It authenticates; everything else is for whoever asks."""

    def __init__(self, reached: Address, url: RedisUrl, **options: Any) -> None:
        self._reached, self._url = reached, url
        super().__init__(**options)

    @property
    def at_end(self) -> bool:
        """The other side has closed."""
        return self._reader is None or self._reader.at_eof()

    async def connect(self) -> None:
        """Connect and authenticate. Raises redis-py's errors, their cause kept."""
        await super().connect()  # type: ignore[no-untyped-call]

    def repr_pieces(self) -> Iterable[tuple[str, str | int]]:
        return [("place", self._url.place)]

    def _host_error(self) -> str:
        return self._url.place

    async def _connect(self) -> None:
        self._reader, self._writer = await self._streams()

    async def overheard(self) -> bytes:
        """What the server says to a client that says nothing. One that turns clients away does so
        at once (maxclients, protected mode), but its words are lost when it resets a connection
        on which we had begun to talk. Raises OSError, TimeoutError."""
        reader, writer = await self._streams()
        try:
            async with asyncio.timeout(_LISTEN_S):
                return await reader.read(1024)
        finally:
            writer.close()

    async def _streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        secured: dict[str, Any] = {}
        if self._url.tls:
            secured = {"ssl": _context(self._url), "server_hostname": self._url.host}
        if isinstance(self._reached, TcpAddress):
            return await asyncio.open_connection(self._reached.host, self._reached.port, **secured)
        return await asyncio.open_unix_connection(self._reached.path, **secured)


def connection_to(reached: Address, url: RedisUrl, timeout: float) -> HostConnection:
    """A connection that is not open yet; `timeout` (seconds) is for each step."""
    return HostConnection(
        reached,
        url,
        username=url.user or None,
        password=url.password or None,
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
    )


def _context(url: RedisUrl) -> ssl.SSLContext:
    """Raises RedisFault when the CA file is none."""
    try:
        context = ssl.create_default_context(cafile=url.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise RedisFault("ssl_ca_certs of the URL: no certificates there") from error
    if not url.verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

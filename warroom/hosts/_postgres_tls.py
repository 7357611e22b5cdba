"""TLS to a PostgreSQL server that is reached through a forward.

A host over SSH hands out a unix socket, over which asyncpg speaks no TLS; many servers let nobody
in without it. So one connection is relayed from a loopback port to that socket, TLS from end to
end, and the certificate is compared with the name in the DSN, not with the loopback address.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from warroom.hosts._postgres_dsn import Dsn
from warroom.hosts._postgres_words import PostgresFault
from warroom.hosts.base import UnixAddress

_CHUNK = 64 * 1024


class NamedContext(ssl.SSLContext):
    """A client context that asks for the certificate of `name`, wherever the socket leads."""

    name: str | None = None

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        options["server_hostname"] = self.name
        return super().wrap_bio(*args, **options)


def context(dsn: Dsn) -> NamedContext:
    """What libpq's `sslmode` asks for (section 34.19.1 of the manual). Raises PostgresFault."""
    tls = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.name = dsn.host
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.check_hostname = dsn.sslmode == "verify-full"
    verified = dsn.sslmode.startswith("verify-") or bool(dsn.sslrootcert)
    tls.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    try:
        if dsn.sslrootcert and dsn.sslrootcert != "system":
            tls.load_verify_locations(cafile=dsn.sslrootcert)
        elif verified:
            tls.load_default_certs()
        if dsn.sslcert:
            tls.load_cert_chain(dsn.sslcert, dsn.sslkey or None, password="")
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", "") or "not a certificate"
        raise PostgresFault(f"sslrootcert, sslcert or sslkey of the DSN: {reason}") from error
    return tls


class Relay:
    """A loopback port that leads to a unix socket, for exactly one connection."""

    def __init__(self, socket: UnixAddress) -> None:
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        """The port to connect to; it stops listening with the first connection."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening and cut what is connected."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self._server:
            self._server.close()
        try:
            far, forth = await asyncio.open_unix_connection(self._socket.path)
        except OSError:
            back.close()
            return
        pumps = (_pump(near, forth), _pump(far, back))
        self._tasks.update(asyncio.create_task(pump) for pump in pumps)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Bytes from `source` to `sink` until either end goes away."""
    try:
        while chunk := await source.read(_CHUNK):
            sink.write(chunk)
            await sink.drain()
    except ConnectionError:
        return
    finally:
        sink.close()

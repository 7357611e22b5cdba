"""Asks whether PostgreSQL listens there at all, before its client library is let loose on it.

asyncpg (0.32) spins for ever, and the whole console with it, on a message whose length is
negative; any server of another kind may send one. A SSLRequest is answered by one byte, `S` or `N`
(manual, section 55.2.10), or by an error message, and by nothing else.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Final

from warroom.hosts._postgres_dsn import Dsn
from warroom.hosts._postgres_words import PostgresFault
from warroom.hosts.base import Address, TcpAddress

_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)


async def greet(reached: Address, dsn: Dsn) -> None:
    """Returns when PostgreSQL answers and its offer of TLS suits the DSN.

    Raises PostgresFault, and what connecting raises (OSError).
    """
    if isinstance(reached, TcpAddress):
        reader, writer = await asyncio.open_connection(reached.host, reached.port)
    else:
        reader, writer = await asyncio.open_unix_connection(reached.path)
    try:
        writer.write(_SSL_REQUEST)
        answer = await reader.read(64)
    finally:
        writer.close()
    if not answer:
        raise PostgresFault(f"{dsn.place}: no PostgreSQL server: it hangs up", down=True)
    if answer not in (b"S", b"N") and not _is_error(answer):
        message = f"{dsn.place}: no PostgreSQL server: it answers in another protocol"
        raise PostgresFault(message, down=True)
    if answer == b"N" and dsn.wants_tls and isinstance(dsn.address, TcpAddress):
        message = f"{dsn.place}: it offers no TLS, and sslmode={dsn.sslmode} asks for it"
        raise PostgresFault(message)


def _is_error(answer: bytes) -> bool:
    """`E`, a sensible length, then fields: what a server sends that cannot even negotiate. Servers
    before 9.3 send plain text after the `E`; those are too old anyway."""
    return answer[:1] == b"E" and len(answer) > 5 and answer[1:3] == b"\0\0"

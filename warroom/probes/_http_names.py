"""Names to addresses, by this machine's own resolver, without ever blocking the event loop.

`getaddrinfo` may hang for as long as resolv.conf allows (10 s and more) and cannot be cancelled.
So every lookup has a daemon thread of its own, never one of the loop's few workers, and there is
at most one under way for a name: who asks again waits for the same one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading

from warroom.hosts.base import TcpAddress


class NameFault(Exception):
    """The name has no address, or nobody could say; the message is one plain line."""


_Found = tuple[str, ...]
_running: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Future[_Found]] = {}


def is_address(host: str) -> bool:
    """Whether `host` is an IP address already (a scope such as `%eth0` allowed)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def resolve(host: str, port: int) -> tuple[TcpAddress, ...]:
    """The addresses of `host`, in the order the system prefers them (RFC 6724).

    Raises NameFault.
    """
    if is_address(host):
        return (TcpAddress(host, port),)
    loop = asyncio.get_running_loop()
    key = (loop, host)
    if key not in _running:
        _running[key] = future = loop.create_future()
        future.add_done_callback(lambda done: _ended(key, done))
        threading.Thread(
            target=_look_up, args=(loop, future, host), name=f"resolve {host}", daemon=True
        ).start()
    found = await asyncio.shield(_running[key])
    return tuple(TcpAddress(address, port) for address in found)


def _ended(key: tuple[asyncio.AbstractEventLoop, str], done: asyncio.Future[_Found]) -> None:
    del _running[key]
    if not done.cancelled():
        done.exception()  # seen, even if whoever asked has gone


def _look_up(loop: asyncio.AbstractEventLoop, future: asyncio.Future[_Found], host: str) -> None:
    outcome: _Found | NameFault
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        outcome = tuple(dict.fromkeys(str(info[4][0]) for info in infos))
    except socket.gaierror as error:
        outcome = NameFault(_reason(host, error.errno))
    except (OSError, UnicodeError):
        outcome = NameFault(f"not a name that can be resolved: {host} (DNS)")
    if loop.is_closed():
        return
    try:
        loop.call_soon_threadsafe(_deliver, future, outcome)
    except RuntimeError:  # the loop closed between the two lines: nobody waits any more
        return


def _deliver(future: asyncio.Future[_Found], outcome: _Found | NameFault) -> None:
    if future.done():
        return
    if isinstance(outcome, NameFault):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _reason(host: str, code: int | None) -> str:
    if code == socket.EAI_AGAIN:
        return f"{host} cannot be resolved now: no name server answers (DNS)"
    return f"no such name: {host} (DNS)"

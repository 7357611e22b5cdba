"""Tells a host that cannot be reached from a server on it that does not answer."""

from __future__ import annotations

from typing import Protocol

from warroom.hosts.base import Address, Host, HostError, HostUnreachable


class _Fault(Protocol):
    def __call__(self, message: str, *, down: bool) -> Exception: ...


async def reached_by(host: Host, address: Address, fault: _Fault) -> Address:
    """What leads to `address` on `host` from here.

    Raises HostUnreachable when there is no way to the host, and `fault` with `down=True` when the
    host is there and nothing answers on it.
    """
    try:
        return await host.reach(address)
    except HostUnreachable:
        raise
    except HostError as error:
        raise fault(str(error), down=True) from error

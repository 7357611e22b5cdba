"""Addresses that are one's own: the machine's, and those from which the responder is logged in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from warroom.hosts.base import Host, HostError
from warroom.mitigations._addresses import Never, NotAnAddress, Range, canonical

_OWN: Final = "this machine's own address"
_LOGIN: Final = "where you are logged in from"
_VARIABLES: Final = ("SSH_CONNECTION", "SSH_CLIENT")
_LOCAL: Final = re.compile(rb"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")
_SIX: Final = re.compile(rb"^([0-9a-f]{32}) ", re.MULTILINE)
_CONFIGURED: Final = re.compile(rb"inet6? (?:addr:)?\s*([0-9a-fA-F.:]+)")
_ANCESTORS: Final = 20


class NotKnown(Exception):
    """The machine's own addresses could not be read."""


async def machine(host: Host) -> tuple[Never, ...]:
    """The addresses of the host's interfaces: from the kernel's tables (Linux, proc(5)), else from
    ifconfig. Raises NotKnown and HostError."""
    result = await host.run(["cat", "/proc/net/fib_trie", "/proc/net/if_inet6"])
    found = [match.decode() for match in _LOCAL.findall(result.out)]
    found += [str(ip_address(bytes.fromhex(m.decode()))) for m in _SIX.findall(result.out)]
    if not found:
        try:
            result = await host.run(["ifconfig", "-a"])
        except HostError as error:
            raise NotKnown("neither /proc/net/fib_trie nor ifconfig is there") from error
        found = [match.decode() for match in _CONFIGURED.findall(result.out)]
    if not found:
        raise NotKnown("neither /proc/net/fib_trie nor ifconfig names one")
    return tuple(Never(one, _OWN) for text in sorted(set(found)) for one in _read(text))


async def login(host: Host, environ: Mapping[str, str], origin: str = "") -> tuple[Never, ...]:
    """From where the responder sits: `origin` as the record has it, this process's environment and
    that of the processes it was started by (sudo takes the variables away), and what the host
    itself sees of our connection to it (sshd(8), SSH_CONNECTION). Raises HostError."""
    said = [origin, *_sources(environ), *(s for one in _started_by() for s in _sources(one))]
    result = await host.run(["printenv", "SSH_CONNECTION"])
    said.append(result.out.decode("ascii", "replace").partition(" ")[0])
    return tuple(Never(one, _LOGIN) for text in dict.fromkeys(said) for one in _read(text))


def _sources(environ: Mapping[str, str]) -> Iterator[str]:
    for variable in _VARIABLES:
        yield environ.get(variable, "").partition(" ")[0]


def _started_by() -> Iterator[Mapping[str, str]]:
    """The environments of our ancestors, as far as we may read them (proc(5), Linux)."""
    pid = os.getppid()
    for _ in range(_ANCESTORS):
        if pid <= 1:
            return
        try:
            raw = Path(f"/proc/{pid}/environ").read_bytes()
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except OSError:
            return
        pairs = (part.partition(b"=") for part in raw.split(b"\0"))
        yield {
            name.decode(): value.decode("ascii", "replace")
            for name, _, value in pairs
            if name in (b"SSH_CONNECTION", b"SSH_CLIENT")
        }
        pid = int(stat.rpartition(")")[2].split()[1])


def _read(text: str) -> Iterator[Range]:
    """The address that a program wrote; nothing for what is none. A zone is left away: a client
    of another interface with the same address is not blocked either."""
    text = text.strip().partition("%")[0]
    try:
        yield canonical(text)
    except NotAnAddress:
        try:
            yield ip_network(ip_address(text))
        except ValueError:
            return

"""Networks of a container as the engine tells them, and what a responder sees of them. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from warroom.domain.clock import span
from warroom.hosts.docker_container import NAME, Container
from warroom.mitigations._docker_engine import said, table
from warroom.mitigations.base import MitigationRefused

ONLY: Final = "*"
"""Stands for the only network of a container, whatever that is called: an engine takes any name."""
_SHOWN: Final = 8


def networks(found: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The networks of a container, by name."""
    return {
        name: one
        for name, one in table(table(found, "NetworkSettings"), "Networks").items()
        if isinstance(one, Mapping)
    }


def which(
    wanted: str, one: Container, known: Mapping[str, Mapping[str, Any]]
) -> tuple[str, Mapping[str, Any]]:
    """The network of that name or id, or the only one. Raises MitigationRefused."""
    mode = one.network_mode
    if mode in ("host", "none") or mode.startswith("container:"):
        raise MitigationRefused(
            f"{one.name} is in no network of docker's: its network mode is {mode}"
        )
    names = ", ".join(said(name) for name in known)
    if wanted == ONLY:
        if len(known) != 1:
            raise MitigationRefused(f"{one.name} is in {len(known)} networks, name one: {names}")
        return next(iter(known.items()))
    for name, endpoint in known.items():
        key = str(endpoint.get("NetworkID", ""))
        if wanted in (name, key, key[:12]):
            return name, endpoint
    raise MitigationRefused(
        f"{one.name} is not in {said(wanted)}; it is in: {names or 'no network at all'}"
    )


def restored(one: Container, endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Options of docker.connect that give an endpoint back what was set for it. The alias that is
    the container's short id is the engine's own."""
    fixed = table(endpoint, "IPAMConfig")
    found = {
        "aliases": [name for name in endpoint.get("Aliases") or () if name != one.short],
        "ip": fixed.get("IPv4Address", ""),
        "ip6": fixed.get("IPv6Address", ""),
        "link_local": list(fixed.get("LinkLocalIPs") or ()),
        "links": list(endpoint.get("Links") or ()),
        "driver_opts": dict(table(endpoint, "DriverOpts")),
    }
    return {name: value for name, value in found.items() if value}


def hits(
    one: Container, label: str, network: Mapping[str, Any], endpoint: Mapping[str, Any]
) -> Sequence[tuple[str, str]]:
    """What the endpoint is that is cut."""
    names = ", ".join(map(said, restored(one, endpoint).get("aliases", ())))
    return (
        ("container", f"{one.short}, image {one.image}"),
        ("state", f"{one.words}{f', {one.health}' if one.health else ''}: it goes on running"),
        ("network", kind_of(label, network)),
        ("address there", said(endpoint.get("IPAddress") or "none")),
        ("known there as", names or "its name alone"),
        ("ports", ", ".join(one.ports) or "none published"),
    )


def kind_of(label: str, network: Mapping[str, Any]) -> str:
    """`shop (bridge, internal)`."""
    inner = ", internal" if network.get("Internal") is True else ""
    return f"{label} ({said(network.get('Driver', '?'), 30)}{inner})"


def others(one: Container, network: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The running containers that share the network."""
    names = sorted(
        said(table(table(network, "Containers"), key).get("Name", key[:12]))
        for key in table(network, "Containers")
        if key != one.id
    )
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (("others in it", ", ".join(names[:_SHOWN]) + more if names else "nobody who runs"),)


def undo_words(label: str, endpoint: Mapping[str, Any], expires: float | None) -> str:
    """What takes a disconnect back."""
    fixed = table(endpoint, "IPAMConfig").get("IPv4Address")
    address = "" if fixed else "; its address may be another then"
    after = f", to be done after {span(expires)}" if expires else ""
    return f"docker.connect puts it back into {label} with the same names{address}{after}"


def warnings(one: Container, rest: int) -> tuple[str, ...]:
    """What to think of first; `rest` is how many other networks it has."""
    lines = ["connections that stand are cut; those who use them may take a while to see it"]
    if not rest:
        lines.append("it is its only network: nobody reaches it then, and it reaches nobody")
    elif one.ports:
        lines.append("its published ports may be reached through this network alone")
    return tuple(lines)


def word_of(name: str, key: str) -> str:
    """A network as it may be typed at a prompt."""
    return name if NAME.fullmatch(name) else key[:12]


def is_printable(options: Mapping[str, Any]) -> bool:
    """Whether a record can hold them as they are: nothing in it may move a terminal's cursor."""
    return all(str(one).isprintable() for value in options.values() for one in _texts(value))


def _texts(value: object) -> Sequence[object]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else [value]


def flags(aliases: Sequence[str], ip: str) -> Sequence[str]:
    """What the docker CLI is told to connect with these."""
    words = [f"--alias {shlex.quote(said(alias))}" for alias in aliases]
    return [*words, *([f"--ip {shlex.quote(said(ip))}"] if ip else [])]

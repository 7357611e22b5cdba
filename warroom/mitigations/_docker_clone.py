"""What the engine is to be told for a container like another: the same again, or one more.

`GET /containers/{id}/json` gives a config that `POST /containers/create` takes, but for what only
the one container can have: its host name, the addresses and aliases that the engine gave it, and
the volumes that were made for it without a name (Docker Engine API: ContainerCreate). Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from warroom.hosts.docker_container import Container, container
from warroom.mitigations._docker_engine import said, table
from warroom.mitigations._docker_network_card import networks
from warroom.mitigations.base import MitigationRefused

NUMBER_LABEL: Final = "com.docker.compose.container-number"
_SHARED: Final = ("host", "none")
_PLAIN: Final = ("default", "bridge", "nat")
"""Networks without names: no alias or fixed address can be asked for there."""
_ID: Final = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")
_HUB: Final = re.compile(r"(?:(?:index\.)?docker\.io/)?(?:library/)?")


@dataclass(frozen=True, slots=True)
class Clone:
    """`body` makes it; it is connected with `networks`, endpoints by network id, before it is
    started. Both may hold secrets: of the container's environment."""

    body: Mapping[str, Any]
    networks: Mapping[str, Mapping[str, Any]]

    @property
    def digest(self) -> str:
        """Tells this config from another."""
        text = json.dumps([self.body, self.networks], sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def twin(found: Mapping[str, Any], image: str) -> Clone:
    """The same container again, with its addresses and volumes. Raises MitigationRefused."""
    one = container(found)
    host_config = _copy(table(found, "HostConfig"))
    _keep_volumes(found, host_config)
    return _clone(found, one, image, host_config, {})


def replica(found: Mapping[str, Any], image: str, number: int, name: str) -> Clone:
    """One more container of a compose service, the `number`th, which will be called `name`.
    Addresses and volumes of its own. Raises MitigationRefused."""
    one = container(found)
    labels = {**table(table(found, "Config"), "Labels"), NUMBER_LABEL: str(number)}
    return _clone(found, one, image, _copy(table(found, "HostConfig")), labels, name)


def image_of(found: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> tuple[str, bool]:
    """The image that a container runs, as it is to be asked for, and whether what it was called by
    is another image by now. `known` is `GET /images/json`. Raises MitigationRefused.

    >>> here = [{"Id": "sha256:1", "RepoTags": ["shop:latest"]}]
    >>> image_of({"Image": "sha256:1", "Config": {"Image": "docker.io/library/shop"}}, here)
    ('docker.io/library/shop', False)
    >>> image_of({"Image": "sha256:1", "Config": {"Image": "shop:2"}}, here)
    ('sha256:1', True)
    """
    key, called = str(found.get("Image", "")), str(table(found, "Config").get("Image", ""))
    one = next((image for image in known if image.get("Id") == key), None)
    if one is None:
        raise MitigationRefused("the image that it runs is not on the engine any more")
    if _ID.fullmatch(called):
        return key, False
    names = [*(one.get("RepoTags") or ()), *(one.get("RepoDigests") or ())]
    plain = {_plain(str(name)) for name in names}
    return (called, False) if _plain(called) in plain else (key, True)


def fixed_ports(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Ports of the host that only one container can have."""
    bindings = table(table(found, "HostConfig"), "PortBindings")
    ports = [
        str(binding.get("HostPort", ""))
        for several in bindings.values()
        for binding in several or ()
        if isinstance(binding, Mapping)
    ]
    return tuple(port for port in ports if port not in ("", "0") and "-" not in port)


def unnamed_volumes(found: Mapping[str, Any]) -> tuple[tuple[str, str, bool], ...]:
    """(volume, where, writable) of the volumes that nothing but this container names."""
    host_config = table(found, "HostConfig")
    named = {str(bind).split(":")[1] for bind in host_config.get("Binds") or () if ":" in str(bind)}
    named |= {
        str(one.get("Target")) for one in host_config.get("Mounts") or () if one.get("Source")
    }
    return tuple(
        (str(mount["Name"]), str(mount.get("Destination", "")), mount.get("RW") is not False)
        for mount in found.get("Mounts") or ()
        if mount.get("Type") == "volume" and mount.get("Name")
        and str(mount.get("Destination")) not in named
    )  # fmt: skip


def _clone(
    found: Mapping[str, Any],
    one: Container,
    image: str,
    host_config: dict[str, Any],
    labels: Mapping[str, Any],
    name: str = "",
) -> Clone:
    """With other `labels` and another `name` where they are given, for one more of its kind."""
    config = _config(found, one, image)
    if labels:
        config["Labels"] = dict(labels)
        config.pop("MacAddress", None)
    mode = one.network_mode
    known = networks(found)
    if mode in _SHARED or mode.startswith("container:"):
        return Clone({**config, "HostConfig": host_config}, {})
    primary = next(
        (n for n, e in known.items() if mode in (n, e.get("NetworkID"))),
        "bridge" if mode == "default" and "bridge" in known else None,
    )
    if primary is None:
        raise MitigationRefused(
            f"{one.name} was taken out of its own network {said(mode)}: connect it again first"
        )
    made = {n: _endpoint(e, one, name) for n, e in known.items()}
    body = {**config, "HostConfig": host_config}
    if mode not in _PLAIN and made[primary]:
        body["NetworkingConfig"] = {"EndpointsConfig": {primary: made[primary]}}
    rest = {str(known[n]["NetworkID"]): endpoint for n, endpoint in made.items() if n != primary}
    return Clone(body, rest)


def _config(found: Mapping[str, Any], one: Container, image: str) -> dict[str, Any]:
    config = _copy(table(found, "Config"))
    host_config = table(found, "HostConfig")
    config["Image"] = image
    borrowed = one.network_mode.startswith("container:")
    shares = borrowed or one.network_mode == "host" or host_config.get("UTSMode") == "host"
    if shares or config.get("Hostname") == one.short:
        config.pop("Hostname", None)
    if shares:
        config.pop("Domainname", None)
    if borrowed:
        config.pop("ExposedPorts", None)
    if not config.get("MacAddress"):
        config.pop("MacAddress", None)
    return config


def _endpoint(endpoint: Mapping[str, Any], one: Container, name: str) -> dict[str, Any]:
    """What was asked for, without what the engine gave; for one more without what only one can
    have, and under its own `name`."""
    aliases = [alias for alias in endpoint.get("Aliases") or () if alias != one.short]
    if name:
        aliases = [name if alias == one.name else alias for alias in aliases]
    made: dict[str, Any] = {
        "Aliases": aliases,
        "IPAMConfig": None if name else _copy(table(endpoint, "IPAMConfig")),
        "Links": endpoint.get("Links"),
        "DriverOpts": endpoint.get("DriverOpts"),
    }
    return {key: value for key, value in made.items() if value}


def _keep_volumes(found: Mapping[str, Any], host_config: dict[str, Any]) -> None:
    """Volumes without a name go over to the next container by the name the engine gave them."""
    unnamed = unnamed_volumes(found)
    by_place = {place: volume for volume, place, _ in unnamed}
    for mount in host_config.get("Mounts") or ():
        if mount.get("Type") == "volume" and not mount.get("Source"):
            mount["Source"] = by_place.pop(str(mount.get("Target")), "")
    binds = [
        f"{volume}:{place}{'' if writable else ':ro'}"
        for volume, place, writable in unnamed
        if place in by_place
    ]
    if binds:
        host_config["Binds"] = [*(host_config.get("Binds") or ()), *binds]


def _plain(name: str) -> str:
    """An image's name as every way of writing it comes down to."""
    short = _HUB.sub("", name, count=1)
    return short if ":" in short.rpartition("/")[2] or "@" in short else f"{short}:latest"


def _copy(of: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(dict(of)))
    return made

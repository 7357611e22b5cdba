"""What is done when compose has taken a container away and its new one does not come up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, part
from warroom.hosts.docker_container import Container, container
from warroom.mitigations._compose import Service, filters
from warroom.mitigations._docker_clone import Clone
from warroom.mitigations._docker_logs import last_words
from warroom.mitigations._docker_wait import state_words

_PATIENCE_S: Final = 15.0


async def ids_of(engine: Engine, service: Service) -> frozenset[str]:
    """The containers of a service. Raises HostError."""
    return frozenset(str(item["Id"]) for item in await engine.containers(filters=filters(service)))


async def put_back(
    engine: Engine, service: Service, old: Container, like: Clone, before: Collection[str]
) -> str:
    """The old container under its own name, as it was; or, where compose has removed it, another
    `like` it, made of the config and the image that ran. In words; never raises HostError.

    Of the service only what was not there `before` is removed; volumes stay.
    """
    words = ""
    try:
        there = await ids_of(engine, service)
        for key in sorted(there - {*before}):
            said = "" if words else await last_words(engine, container(await engine.inspect(key)))
            words = words or (f"it said: {said}; " if said else "")
            await engine.call(
                "DELETE", f"containers/{part(key)}", params={"force": "1"}, patience=_PATIENCE_S
            )
        back = _as_it_was(engine, old) if old.id in there else _another(engine, old, like)
        return f"{words}{await back}"
    except HostError as error:
        return f"{words}the old one could NOT be brought back: {error}"


async def _as_it_was(engine: Engine, old: Container) -> str:
    now = container(await engine.inspect(old.id))
    if now.name != old.name:  # compose renames it while it makes the new one
        path = f"containers/{part(old.id)}/rename"
        await engine.call("POST", path, params={"name": old.name})
    if old.has_process and not now.has_process:
        await engine.start(old.id)
        return f"the old {old.name} runs again"
    return f"the old {old.name} was left as it is"


async def _another(engine: Engine, old: Container, like: Clone) -> str:
    made = await engine.call(
        "POST", "containers/create", params={"name": old.name}, body=like.body,
        patience=_PATIENCE_S,
    )  # fmt: skip
    key = str(made["Id"])
    for network, endpoint in like.networks.items():
        body = {"Container": key, "EndpointConfig": endpoint}
        await engine.call("POST", f"networks/{part(network)}/connect", body=body)
    if old.has_process:
        await engine.start(key)
    now = container(await engine.inspect(key))
    return (
        f"{old.name} is made again of the config and the image that ran before: {state_words(now)}"
    )

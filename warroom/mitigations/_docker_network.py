"""Takes a container out of a network, and puts one back in with the names and addresses it had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from warroom.config.inputs import Input
from warroom.config.values import Line, Seconds
from warroom.domain.sample import Row
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, part
from warroom.hosts.docker_container import NAME, Container, container
from warroom.mitigations._asked import answers
from warroom.mitigations._docker_engine import OnEngine, broken, said
from warroom.mitigations._docker_network_card import (
    ONLY,
    flags,
    hits,
    is_printable,
    kind_of,
    networks,
    others,
    restored,
    undo_words,
    warnings,
    which,
    word_of,
)
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
    Risk,
    Target,
    Undo,
)

NETWORK: Final = Input("network", "from which network (* is its only one)", default=ONLY)
_NOTHING: Final = Line("")
_TIMEOUT_S: Final = 40.0


@dataclass(frozen=True, slots=True)
class DisconnectOptions:
    """`container` is a name or id (empty: the selected row), `network` a name or id, asked for
    when it is not given; `expires` is after how long it is to be connected again."""

    container: str = ""
    network: Line = _NOTHING
    socket: str = ""
    expires: Seconds | None = None

    def __post_init__(self) -> None:
        if self.container and not NAME.fullmatch(self.container):
            raise ValueError("container: not the name or id of a container")


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """`aliases` are its names there, `ip`, `ip6` and `link_local` fixed addresses; `links` and
    `driver_opts` as the engine knows them."""

    container: str
    network: Line
    socket: str = ""
    aliases: tuple[str, ...] = ()
    ip: str = ""
    ip6: str = ""
    link_local: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    driver_opts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.container):
            raise ValueError("container: not the name or id of a container")

    @property
    def endpoint(self) -> dict[str, Any]:
        """As the engine takes it (Docker Engine API: EndpointSettings)."""
        addresses = {
            "IPv4Address": self.ip,
            "IPv6Address": self.ip6,
            "LinkLocalIPs": list(self.link_local),
        }
        found = {
            "Aliases": list(self.aliases),
            "IPAMConfig": {name: value for name, value in addresses.items() if value},
            "Links": list(self.links),
            "DriverOpts": dict(self.driver_opts),
        }
        return {name: value for name, value in found.items() if value}


class OnNetwork(OnEngine):
    """What both ways share."""

    remembers: tuple[str, ...] = ("network",)

    async def _network(self, engine: Engine, key: str) -> Mapping[str, Any]:
        """`GET /networks/{id}`. Raises MitigationRefused."""
        try:
            found: Mapping[str, Any] = await engine.call("GET", f"networks/{part(key)}")
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        return found

    async def _after(self, engine: Engine, one: Container) -> Mapping[str, Mapping[str, Any]]:
        """The networks of a container that was acted on. Raises MitigationUncertain."""
        try:
            return networks(await engine.inspect(one.id))
        except HostError as error:
            raise MitigationUncertain(
                f"it was asked for; how {one.name} is now is not known: {error}"
            ) from error

    async def verify(self, card: Card) -> str:
        """Whether it is in the network now. Raises MitigationRefused."""
        try:
            found = await (await self.connected()).inspect(card.target.id)
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        key = str(card.context["network"])
        is_in = any(one.get("NetworkID") == key for one in networks(found).values())
        return f"{container(found).name} is {'' if is_in else 'not '}in that network"


class Disconnect(OnNetwork):
    """Cuts a container off from one network; it goes on running."""

    def __init__(self, options: DisconnectOptions, context: MitigationContext) -> None:
        super().__init__(options.socket, context)
        self._options = options
        self._wanted: str = options.network

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        given = answers(inputs_of(self._options), values)
        self._wanted = given.get(NETWORK.name, self._wanted)

    async def preview(self, row: Row | None) -> Card:
        """Who loses whom. Raises MitigationRefused."""
        if not self._wanted:
            self.answer({})
        engine, found, _ = await self.chosen(self._options.container, row)
        one = container(found)
        name, endpoint = which(self._wanted, one, networks(found))
        if not is_printable(restored(one, endpoint)):
            raise MitigationRefused(
                f"{one.name} has a name there that no record can hold: nothing could undo this"
            )
        network = await self._network(engine, str(endpoint.get("NetworkID", "")))
        key = str(network["Id"])
        label = said(name)
        rest = len(networks(found)) - 1
        return Card(
            kind="docker.disconnect",
            title=f"Disconnect {one.name} from {label}",
            host=self._context.host.name,
            target=Target(
                one.id,
                one.name,
                {"started_at": one.started, "endpoint": str(endpoint.get("EndpointID", ""))},
            ),
            command=(
                f"POST /networks/{key[:12]}/disconnect (container {one.short}) on {engine.where}",
                f"docker network disconnect {word_of(name, key)} {one.name}",
            ),
            hits=(*hits(one, label, network, endpoint), *others(one, network)),
            undo=undo_words(label, endpoint, self._options.expires),
            risk=Risk.CHANGE,
            warnings=warnings(one, rest),
            context={"network": key, "name": label},
        )

    async def perform(self, card: Card) -> Done:
        """Cut the endpoint that was shown, and look that it is gone."""
        engine, found, now = await self.again(card)
        key, label = str(card.context["network"]), str(card.context["name"])
        endpoint = next((e for e in networks(found).values() if e.get("NetworkID") == key), None)
        if endpoint is None:
            raise MitigationRefused(f"nothing was done: {now.name} is not in {label} any more")
        if str(endpoint.get("EndpointID", "")) != card.target.identity["endpoint"]:
            raise MitigationRefused(
                f"nothing was done: {now.name} was taken out of {label} and put back since; "
                "look again"
            )
        self._context.fence()
        try:
            body = {"Container": now.id, "Force": False}
            await engine.call("POST", f"networks/{part(key)}/disconnect", body=body)
        except HostError as error:
            raise broken(error, f"been disconnected from {label}") from error
        after = await self._after(engine, now)
        if any(one.get("NetworkID") == key for one in after.values()):
            raise MitigationFailed(f"{now.name} still is in {label}")
        left = ", ".join(said(name) for name in after) or "no network at all"
        undo = Undo(
            "docker.connect",
            f"Connect {now.name} with {label} again",
            {"container": now.id, "network": key, **self.own, **restored(now, endpoint)},
        )
        text = f"{now.name} is cut off from {label}; it is left with {left}"
        evidence = {"container": now.id, "network": key, "name": label}
        return Done(text, evidence, undo, self._options.expires)


class Connect(OnNetwork):
    """Puts a container into a network."""

    def __init__(self, options: ConnectOptions, context: MitigationContext) -> None:
        super().__init__(options.socket, context)
        self._options = options

    async def preview(self, row: Row | None) -> Card:
        """With which names and addresses, and to whom. Raises MitigationRefused."""
        engine, found, _ = await self.chosen(self._options.container, row)
        one, network = container(found), await self._named(engine)
        key, label = str(network["Id"]), said(network.get("Name", ""))
        word = word_of(str(network.get("Name", "")), key)
        if any(e.get("NetworkID") == key for e in networks(found).values()):
            raise MitigationRefused(f"{one.name} is in {label} already")
        options = self._options
        names = ", ".join(said(alias) for alias in options.aliases)
        hits = [
            ("container", f"{one.short}, image {one.image}"),
            ("network", kind_of(label, network)),
        ]
        hits += [("aliases", names or "none"), ("address", said(options.ip) or "given by docker")]
        return Card(
            kind="docker.connect",
            title=f"Connect {one.name} with {label}",
            host=self._context.host.name,
            target=Target(one.id, one.name, {"started_at": one.started}),
            command=(
                f"POST /networks/{key[:12]}/connect (container {one.short}) on {engine.where}",
                " ".join(
                    ["docker network connect", *flags(options.aliases, options.ip), word, one.name]
                ),
            ),
            hits=(*hits, *others(one, network)),
            undo=f"docker.disconnect takes it out again: docker network disconnect {word} "
            f"{one.name}",
            risk=Risk.CHANGE,
            context={"network": key, "name": label},
        )

    async def perform(self, card: Card) -> Done:
        """Connect, and look that it is in."""
        engine, _, now = await self.again(card)
        key, label = str(card.context["network"]), str(card.context["name"])
        self._context.fence()
        try:
            body = {"Container": now.id, "EndpointConfig": self._options.endpoint}
            await engine.call("POST", f"networks/{part(key)}/connect", body=body)
        except HostError as error:
            raise broken(error, f"been connected with {label}") from error
        after = await self._after(engine, now)
        endpoint = next((e for e in after.values() if e.get("NetworkID") == key), None)
        if endpoint is None:
            raise MitigationFailed(f"{now.name} is not in {label}")
        address = said(endpoint.get("IPAddress") or "no address yet")
        undo = Undo(
            "docker.disconnect",
            f"Disconnect {now.name} from {label}",
            {"container": now.id, "network": key, **self.own},
        )
        return Done(f"{now.name} is in {label}: {address}", {"address": address}, undo)

    async def _named(self, engine: Engine) -> Mapping[str, Any]:
        """The network by name or id; the beginning of an id or name is none."""
        try:
            listed = await engine.call("GET", "networks")
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        wanted = self._options.network
        for one in listed if isinstance(listed, list) else ():
            if wanted in (one.get("Id"), one.get("Name"), str(one.get("Id"))[:12]):
                return await self._network(engine, str(one["Id"]))
        raise MitigationRefused(f"there is no network {said(wanted)}")


def inputs_of(options: DisconnectOptions) -> tuple[Input, ...]:
    """What is asked for."""
    return () if options.network else (NETWORK,)


def _fit(spec: MitigationSpec, options: DisconnectOptions) -> MitigationSpec:
    return replace(spec, inputs=inputs_of(options))


def _disconnect(options: DisconnectOptions, context: MitigationContext) -> Mitigation:
    return Disconnect(options, context)


def _connect(options: ConnectOptions, context: MitigationContext) -> Mitigation:
    return Connect(options, context)


SPECS: Final = (
    MitigationSpec(
        "docker.disconnect", "Disconnect from a network", DisconnectOptions, _disconnect,
        Risk.CHANGE, "docker", takes_row=True, target_option="container", timeout=_TIMEOUT_S,
        inputs=(NETWORK,), fit=_fit,
    ),
    MitigationSpec(
        "docker.connect", "Connect with a network", ConnectOptions, _connect, Risk.CHANGE,
        "docker", target_option="container", timeout=_TIMEOUT_S,
    ),
)  # fmt: skip

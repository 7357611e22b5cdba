"""The containers of a compose service: which there are, one more of them, and some fewer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from warroom.domain.evidence import Evidence
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineRefused, part
from warroom.hosts.docker_container import Container, container
from warroom.mitigations import _compose
from warroom.mitigations._compose import Service
from warroom.mitigations._docker_clone import NUMBER_LABEL, fixed_ports, image_of, replica
from warroom.mitigations._docker_engine import managed, table
from warroom.mitigations._docker_logs import kept_log, last_words
from warroom.mitigations._docker_swap import to_its_end, whole
from warroom.mitigations._docker_wait import Waiting
from warroom.mitigations.base import (
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
)

_PATIENCE_S: Final = 15.0
_NUMBERED: Final = re.compile(r"(.*[-_])([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Replica:
    """One container of a service, with its whole inspect."""

    now: Container
    found: Mapping[str, Any]

    @property
    def runs(self) -> bool:
        return self.now.state in ("running", "restarting", "paused")


def number_of(one: Replica) -> int:
    """The number that compose gave it; 0 where it has none."""
    text = str(table(table(one.found, "Config"), "Labels").get(NUMBER_LABEL, ""))
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0


async def replicas(engine: Engine, service: Service) -> tuple[Replica, ...]:
    """All of a service, by number, those that run after those that ended. Raises HostError."""
    listed = await engine.containers(filters=_compose.filters(service))
    found = []
    for item in listed:
        try:
            inspected = await engine.inspect(str(item["Id"]))
        except EngineRefused as error:
            if error.status != 404:
                raise
            continue  # removed since it was listed
        found.append(Replica(container(inspected), inspected))
    return tuple(sorted(found, key=lambda one: (one.runs, number_of(one), one.now.name)))


def unscalable(one: Replica) -> str:
    """Why there cannot be another like it; empty when there can."""
    ports = fixed_ports(one.found)
    if ports:
        return f"port {', '.join(ports)} of the host is published to it, which only one can have"
    if not _NUMBERED.fullmatch(one.now.name):
        return f"its container has a fixed name, {one.now.name}"
    return managed(one.found)


def next_names(known: Sequence[Replica], count: int) -> tuple[str, ...]:
    """What the next `count` are called, as compose would call them."""
    match = _NUMBERED.fullmatch(known[-1].now.name)
    assert match is not None, "it was not asked whether it can be scaled"
    last = max([number_of(one) for one in known] + [int(match[2])])
    return tuple(f"{match[1]}{last + step}" for step in range(1, count + 1))


# More ---------------------------------------------------------------------------------------------


async def added(
    engine: Engine,
    like: Replica,
    names: Sequence[str],
    context: MitigationContext,
    waiting: Waiting,
) -> list[str]:
    """The ids of new ones of those names, all up; or none of them stays.

    Raises MitigationRefused, MitigationFailed, MitigationUncertain (a broken connection).
    """
    made: list[str] = []
    try:
        images = await engine.call("GET", "images/json")
        image, _ = image_of(like.found, images if isinstance(images, list) else [])
        context.fence()
        for name in names:
            await whole(_begun(engine, like, image, name, made))
            context.output.say(f"{name} is started")
        await _all_up(waiting, made, names)
    except (MitigationRefused, MitigationFailed, EngineRefused) as error:
        if isinstance(error, MitigationRefused) and not made:
            raise
        back = await to_its_end(_taken_away(engine, made))
        raise MitigationFailed(f"{error}; {back}") from error
    except asyncio.CancelledError:
        back = await to_its_end(_taken_away(engine, made))
        raise MitigationFailed(f"stopped before all were up; {back}") from None
    except HostError as error:
        raise MitigationUncertain(f"{error}; look for {', '.join(names)}") from error
    return made


async def _begun(engine: Engine, like: Replica, image: str, name: str, made: list[str]) -> None:
    match = _NUMBERED.fullmatch(name)
    clone = replica(like.found, image, int(match[2]) if match else 0, name)
    answer = await engine.call(
        "POST", "containers/create", params={"name": name}, body=clone.body, patience=_PATIENCE_S
    )
    made.append(str(answer["Id"]))
    for key, endpoint in clone.networks.items():
        body = {"Container": made[-1], "EndpointConfig": endpoint}
        await engine.call("POST", f"networks/{part(key)}/connect", body=body)
    await engine.start(made[-1])


async def _all_up(waiting: Waiting, made: Sequence[str], names: Sequence[str]) -> None:
    """Raises what the first of them raises that does not come up."""
    pairs = zip(made, names, strict=True)
    ended = await asyncio.gather(*(waiting.up(*pair) for pair in pairs), return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one


async def _taken_away(engine: Engine, made: Sequence[str]) -> str:
    """Those that were made are removed again, in words."""
    if not made:
        return "nothing was left behind"
    words = ""
    try:
        for key in made:
            one = container(await engine.inspect(key))
            said = "" if words else await last_words(engine, one)
            words = words or (f"it said: {said}; " if said else "")
            await engine.call(
                "DELETE", f"containers/{part(key)}", params={"force": "1", "v": "1"},
                patience=_PATIENCE_S,
            )  # fmt: skip
    except HostError as error:
        return f"{words}what was made could NOT be removed: {error}"
    return f"{words}what was made is removed again"


# Fewer --------------------------------------------------------------------------------------------


async def removed(
    engine: Engine, going: Sequence[Replica], context: MitigationContext, stop_timeout: int
) -> list[Evidence]:
    """Stop and remove them, one after the other; what each wrote last is kept.

    Raises MitigationFailed or MitigationUncertain, which say how far it came.
    """
    kept: list[Evidence] = []
    gone: list[str] = []
    for one in going:
        so_far = f"removed so far: {', '.join(gone) or 'none'}"
        try:
            context.fence()
            await engine.stop(one.now.id, stop_timeout=stop_timeout)
            log = await kept_log(engine, one.now, context)
            await engine.call("DELETE", f"containers/{part(one.now.id)}", patience=_PATIENCE_S)
        except MitigationRefused as error:
            if not gone:
                raise
            raise MitigationFailed(f"{error}; {so_far}") from error
        except EngineRefused as error:
            raise MitigationFailed(f"{one.now.name}: {error}; {so_far}") from error
        except HostError as error:
            raise MitigationUncertain(
                f"{error}; {one.now.name} may or may not be gone; {so_far}"
            ) from error
        except asyncio.CancelledError:
            raise MitigationUncertain(
                f"stopped at {one.now.name}, which may be stopped or gone; {so_far}"
            ) from None
        gone.append(one.now.name)
        context.output.say(f"{one.now.name} is removed")
        kept += [log] if log else []
    return kept

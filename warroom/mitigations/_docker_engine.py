"""What the kinds on a Docker engine share: one connection, and the container that is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from warroom.domain.sample import Row
from warroom.domain.text import harmless, shorten
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineAbsent, EngineLost, connect
from warroom.hosts.docker_container import NAME, Container, container, listed
from warroom.mitigations.base import (
    Card,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
)

LONGEST_S: Final = 60
"""Seconds that `wait` and `stop_timeout` may take each, so that the executor's limit holds both."""
_OWNERS: Final = {
    "com.docker.swarm.service.name": "the swarm service",
    "io.kubernetes.pod.name": "the pod",
}
"""Labels of what would at once put another container in the place of one that goes."""


def check_target(container: str, wait: float, stop_timeout: int) -> None:
    """Raises ValueError, `key: what is wrong`, for options that several kinds have."""
    if container and not NAME.fullmatch(container):
        raise ValueError("container: not the name or id of a container")
    if not 0 < wait <= LONGEST_S:
        raise ValueError(f"wait: from above 0 to {LONGEST_S} seconds")
    if not 0 <= stop_timeout <= LONGEST_S:
        raise ValueError(f"stop_timeout: from 0 to {LONGEST_S} seconds")


class OnEngine:
    """Looks at one engine over one connection. `engine` is somebody else's where it is given:
    then it is not closed here."""

    def __init__(
        self, socket: str, context: MitigationContext, engine: Engine | None = None
    ) -> None:
        self._socket, self._context = socket, context
        self._engine, self._lent = engine, engine is not None

    async def connected(self) -> Engine:
        """Raises HostError."""
        if self._engine is None:
            self._engine = await connect(self._context.host, self._socket)
        return self._engine

    async def close(self) -> None:
        if self._engine is not None and not self._lent:
            await self._engine.close()

    @property
    def own(self) -> dict[str, str]:
        """Options that lead another kind to the same engine."""
        return {"socket": self._socket} if self._socket else {}

    async def chosen(
        self, configured: str, row: Row | None
    ) -> tuple[Engine, Mapping[str, Any], Sequence[Container]]:
        """The container that the config names, else the selected row's, as its inspect has it;
        and what the engine says of all others. Raises MitigationRefused."""
        wanted = configured or (str(row.data.get("id", "")) if row else "")
        if not wanted:
            raise MitigationRefused("no container: select a row, or name one with container = ...")
        try:
            engine = await self.connected()
            found = await engine.inspect(wanted)
            others = [listed(item) for item in await engine.containers()]
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        one = container(found)
        if wanted not in (one.name, one.id, one.short):
            raise MitigationRefused(f'no container is called "{wanted}"; the nearest is {one.name}')
        return engine, found, others

    async def again(self, card: Card) -> tuple[Engine, Mapping[str, Any], Container]:
        """The container of the card as it is now, if it still is the run that was shown, or one
        that its own restart policy began since (`context["restarts"]` counts them; whoever starts
        it by hand sets the engine's count back). Raises MitigationRefused."""
        try:
            engine = await self.connected()
            found = await engine.inspect(card.target.id)
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        now = container(found)
        shown = card.target.identity["started_at"]
        by_policy = now.restarts > card.context.get("restarts", now.restarts)
        if now.id != card.target.id or (now.started != shown and not by_policy):
            raise MitigationRefused(
                f"{now.name} is not the run that was shown: that began at {shown}, "
                f"this one at {now.started}; look again"
            )
        name = card.target.identity.get("name", now.name)
        if name != now.name:
            raise MitigationRefused(f"{name} is called {now.name} now; look again")
        return engine, found, now


def managed(found: Mapping[str, Any]) -> str:
    """What else looks after a container and would undo what is done to it, in words; else empty."""
    labels = table(table(found, "Config"), "Labels")
    for label, what in _OWNERS.items():
        if label in labels:
            return f"it belongs to {what} {said(labels[label])}, which replaces it by itself"
    return ""


def table(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A table within an answer; empty where there is none."""
    value = of.get(key)
    return value if isinstance(value, Mapping) else {}


def said(text: object, width: int = 80) -> str:
    """A text of the engine's for a card: harmless, on one line, not endless."""
    return shorten(harmless(shorten(str(text), 4 * width)), width)


def amount(size: float) -> str:
    """Bytes as docker says them: powers of 1000.

    >>> amount(0), amount(999), amount(12_345_678)
    ('0 B', '999 B', '12.3 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def broken(error: HostError, what: str) -> Exception:
    """What an error of a request that changes something means. `what` says what it was to do, as
    `api was not stopped` or `api may or may not have been stopped` would go on."""
    if isinstance(error, EngineLost):
        return MitigationUncertain(f"{error}; it may or may not have {what}")
    if isinstance(error, EngineAbsent):
        return MitigationUncertain(f"{error}; nobody knows whether it has {what}")
    return MitigationFailed(f"it has not {what}: {error}")

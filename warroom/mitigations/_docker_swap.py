"""Puts a new container in the place of an old one, and the old one back when that does not work.

The old one is renamed and kept until the new one is up. Whatever the engine refuses, and whoever
stops it, leaves the old one under its own name, running as it did; a connection that breaks
leaves both, and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from warroom.domain.evidence import Evidence
from warroom.domain.text import harmless
from warroom.hosts.base import HostError
from warroom.hosts.docker import Engine, EngineRefused, part
from warroom.hosts.docker_container import Container, container
from warroom.mitigations._docker_clone import Clone
from warroom.mitigations._docker_logs import kept_log, last_words
from warroom.mitigations._docker_wait import Waiting
from warroom.mitigations.base import (
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
)

_T = TypeVar("_T")
_PATIENCE_S: Final = 15.0
"""Seconds that the engine may take longer than usual to make or remove a container."""


def kept_as(one: Container) -> str:
    """What the old container is called until it is removed."""
    return f"{one.name}-before-{one.short}"


class Swap:
    """One exchange. `log` is what the old one wrote last, once it was stopped."""

    def __init__(
        self, engine: Engine, old: Container, context: MitigationContext, stop_timeout: int
    ) -> None:
        self._engine, self._old, self._context = engine, old, context
        self._stop_timeout = stop_timeout
        self._renamed = self._stopping = False
        self._new = ""
        self.log: Evidence | None = None
        self.left = ""
        """Why the old one could not be removed; empty when it was."""

    async def run(self, clone: Clone, waiting: Waiting) -> Container:
        """The new container, up. Raises MitigationRefused, MitigationFailed (the old one is back),
        MitigationUncertain."""
        try:
            await self._made(clone)
            now = await self._exchanged(waiting)
        except MitigationUncertain:
            raise
        except (MitigationRefused, MitigationFailed, EngineRefused) as error:
            back = await to_its_end(self._back())
            kind = MitigationRefused if isinstance(error, MitigationRefused) else MitigationFailed
            raise kind(f"{error}; {back}") from error
        except HostError as error:
            raise MitigationUncertain(
                f"{error}; look for {self._old.name} and {kept_as(self._old)}: nobody knows which "
                "of them runs"
            ) from error
        except asyncio.CancelledError:
            back = await to_its_end(self._back())
            raise MitigationFailed(f"stopped before the new one was up; {back}") from None
        await self._removed()
        return now

    async def _made(self, clone: Clone) -> None:
        """The new one beside the old one, which still runs."""
        old, say = self._old, self._context.output.say
        self._context.fence()
        await whole(self._aside())
        say(f"{old.name} is called {kept_as(old)} for now")
        await whole(self._create(clone))
        for key, endpoint in clone.networks.items():
            body = {"Container": self._new, "EndpointConfig": endpoint}
            await self._engine.call("POST", f"networks/{part(key)}/connect", body=body)
        say(f"the new one is made: {self._new[:12]}")

    async def _aside(self) -> None:
        await self._rename(self._old.id, kept_as(self._old))
        self._renamed = True

    async def _create(self, clone: Clone) -> None:
        made = await self._engine.call(
            "POST", "containers/create", params={"name": self._old.name}, body=clone.body,
            patience=_PATIENCE_S,
        )  # fmt: skip
        self._new = str(made["Id"])
        for warning in made.get("Warnings") or ():
            self._context.output.say(harmless(str(warning)))

    async def _exchanged(self, waiting: Waiting) -> Container:
        """The old one stopped, the new one started and up."""
        old, say = self._old, self._context.output.say
        self._context.fence()
        if not (old.has_ended or old.state == "created"):
            self._stopping = True
            await self._engine.stop(old.id, stop_timeout=self._stop_timeout)
            say("the old one is stopped")
        self.log = await kept_log(self._engine, old, self._context)
        await self._engine.start(self._new)
        say("the new one is started")
        return await waiting.up(self._new, old.name)

    async def _removed(self) -> None:
        """The old one is not needed any more. Its volumes stay."""
        try:
            await to_its_end(self._remove(self._old.id))
        except HostError as error:
            self.left = f"{kept_as(self._old)} could not be removed: {error}"

    async def _back(self) -> str:
        """Everything as it was, in words."""
        old, words = self._old, ""
        try:
            if self._new:
                new = container(await self._engine.inspect(self._new))
                said = await last_words(self._engine, new)
                words = f"it said: {said}; " if said else ""
                await self._remove(self._new, force=True)
            if self._renamed:
                await self._rename(old.id, old.name)
            if self._stopping:
                await self._engine.stop(old.id, stop_timeout=self._stop_timeout)  # or it ends later
                await self._engine.start(old.id)
        except HostError as error:
            return (
                f"{words}the old one, {kept_as(old)}, could NOT be brought back by itself: {error}"
            )
        state = "runs again" if self._stopping else "was left as it is"
        return f"{words}the old {old.name} {state}"

    async def _rename(self, key: str, name: str) -> None:
        await self._engine.call("POST", f"containers/{part(key)}/rename", params={"name": name})

    async def _remove(self, key: str, *, force: bool = False) -> None:
        params = {"force": "1"} if force else {}
        await self._engine.call(
            "DELETE", f"containers/{part(key)}", params=params, patience=_PATIENCE_S
        )


async def to_its_end(work: Coroutine[Any, Any, _T]) -> _T:
    """What must not be left half-way: it goes on although whoever waits is cancelled."""
    task = asyncio.create_task(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    return task.result()


async def whole(work: Coroutine[Any, Any, _T]) -> _T:
    """One request whose answer must be known: only then whoever waits is cancelled."""
    task = asyncio.create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task.result()
        raise asyncio.CancelledError
    return task.result()

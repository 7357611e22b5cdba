"""A mitigation of the docker kinds on the engine of the tests, and looks at what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.services import DockerEngine
from warroom.config.shape import shape
from warroom.domain.clock import SystemClock
from warroom.domain.sample import Row
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import (
    Asks,
    Mitigation,
    MitigationContext,
    MitigationRefused,
    Output,
    Undo,
    spec,
    unfenced,
)

SLEEP: Final = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


@asynccontextmanager
async def mitigation(
    kind: str,
    socket: Path,
    host: Host | None = None,
    *,
    fence: Callable[[], None] = unfenced,
    output: Output | None = None,
    answers: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[Mitigation]:
    """One of `docker.KIND`, with options as a config would give them."""
    found = spec(f"docker.{kind}")
    problems: list[Any] = []
    given = shape(found.options, {"socket": str(socket), **options}, (), problems)
    assert given is not None, problems
    context = MitigationContext(host or LocalHost(), SystemClock(), output or Output(), fence=fence)
    made = found.create(given, context)
    if isinstance(made, Asks):
        made.answer(answers or {})
    try:
        yield made
    finally:
        await made.close()


def undoing(undo: Undo | None, socket: Path) -> Any:
    """The mitigation that takes something back, made of what the record would keep of it."""
    assert undo is not None
    options = json.loads(json.dumps(undo.options)) | {"socket": str(socket)}
    return mitigation(undo.kind.partition(".")[2], **options)


def lost_right() -> None:
    """A fence that lets nobody through."""
    raise MitigationRefused("another console took it over")


async def run(engine: DockerEngine, *args: str) -> str:
    return await asyncio.to_thread(engine.docker, *args)


async def looked(engine: DockerEngine, name: str) -> dict[str, Any]:
    """The whole inspect of a container, network or image."""
    found: dict[str, Any] = json.loads(await run(engine, "inspect", name))[0]
    return found


def row(key: str, name: str) -> Row:
    return Row(key, name, (name,), data={"id": key})

"""Starts a drill and steers it; the drill itself is `keeper`, a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from warroom.domain.text import harmless
from warroom.drill.scenarios import SCENARIOS as _SCENARIOS

SCENARIOS: Final[Mapping[str, str]] = {name: s.title for name, s in _SCENARIOS.items()}
"""Name → what happens, in one line."""
DEFAULT: Final = "checkout"
_START_LIMIT: Final = 60.0
_STOP_LIMIT: Final = 30.0


class DrillFailed(Exception):
    """A drill could not be started or does not answer; one plain line."""


@dataclass
class Drill:
    """A running drill. `missing` maps a system (docker, nginx, postgres, redis) that this machine
    does not have to one line on what to install."""

    config_path: Path
    missing: Mapping[str, str]
    playing: str
    _process: asyncio.subprocess.Process = field(repr=False)

    async def scenario(self, name: str) -> None:
        """Puts right what is wrong and breaks something else.

        Raises KeyError for a name not in SCENARIOS, DrillFailed when the drill is gone.
        """
        SCENARIOS[name]
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{name}\n".encode())
            await self._process.stdin.drain()
        except OSError as error:
            raise DrillFailed(f"the drill has ended: {error}") from error
        await _answer(self._process, self.config_path.parent)
        self.playing = name

    async def stop(self) -> None:
        """Ends everything that the drill started; its folder with the incident stays."""
        await _end(self._process)


async def start(folder: Path, scenario: str = DEFAULT) -> Drill:
    """Starts the stack and `scenario`; the config and the journal of the drill go to `folder`.

    Raises KeyError for a name not in SCENARIOS, DrillFailed with why it could not be started.
    """
    SCENARIOS[scenario]
    with _log(folder).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "warroom.drill.keeper", str(folder), scenario),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        answer = await _answer(process, folder)
    except BaseException:
        await _end(process)
        raise
    return Drill(Path(answer["config"]), answer["missing"], scenario, process)


def _log(folder: Path) -> Path:
    """Where the drill's own troubles are told, in a folder that is there afterwards."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "drill.log"


async def _answer(process: asyncio.subprocess.Process, folder: Path) -> dict[str, Any]:
    """The next line that the drill says."""
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_LIMIT)
    except TimeoutError:
        raise DrillFailed(f"the drill did not answer within {_START_LIMIT:g} s") from None
    if not line:
        said = _log(folder).read_text("utf-8", "replace").strip().splitlines()
        raise DrillFailed(f"the drill ended: {harmless(said[-1]) if said else 'no reason given'}")
    answer: dict[str, Any] = json.loads(line)
    return answer


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the drill by ending its input, and by force when that does not help."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _STOP_LIMIT)
    except TimeoutError:
        process.kill()
        await process.wait()

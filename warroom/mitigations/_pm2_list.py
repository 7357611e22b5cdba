"""What PM2 runs, from `pm2 jlist`: only the few fields that are named here are ever kept.

`jlist` prints the whole environment of every process, passwords with it, so its text is read once
and dropped. And it starts a daemon where none runs: so first a look for the daemon's pid and its
rpc.sock, which are where PM2_HOME says, else in ~/.pm2 (PM2's paths.js).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from warroom.domain.text import harmless, harmless_bytes, shorten
from warroom.hosts.base import CommandMissing, Host, Result
from warroom.mitigations.base import MitigationRefused

_LIMIT: Final = 32 * 1024 * 1024
_LOOK_S: Final = 20.0
# Says whether a daemon is there; its words are the home that was named, if any.
_DAEMON: Final = (
    "h=${1:-${PM2_HOME:-$HOME/.pm2}}; "
    'printf "%s\\n" "$h"; [ -S "$h/rpc.sock" ] && [ -r "$h/pm2.pid" ] && '
    'kill -0 "$(cat "$h/pm2.pid")" 2>/dev/null'
)


@dataclass(frozen=True, slots=True)
class Process:
    """One process of PM2: `started` in milliseconds since the epoch."""

    id: int
    name: str
    pid: int
    status: str
    restarts: int
    started: int
    mode: str
    memory: int

    @property
    def run(self) -> str:
        """Which run of which process this is."""
        return f"{self.id}:{self.pid}:{self.started}"


@dataclass(frozen=True, slots=True)
class Pm2:
    """PM2 on a host; `home` is its PM2_HOME, empty for the user's own."""

    host: Host
    home: str = ""

    def argv(self, *words: str) -> tuple[str, ...]:
        """`pm2 WORDS`, plain and without colours."""
        before = ("env", f"PM2_HOME={self.home}") if self.home else ()
        return (*before, "pm2", *words, "--no-color")

    async def processes(self, name: str) -> tuple[Process, ...]:
        """The processes called `name`, by id. Raises MitigationRefused and HostError."""
        await self._daemon()
        try:
            result = await self.host.run(self.argv("jlist"), timeout=_LOOK_S, limit=_LIMIT)
        except CommandMissing as error:
            raise MitigationRefused(str(error)) from error
        if result.code:
            raise MitigationRefused(f"pm2 does not list its processes: {said(result)}")
        return tuple(sorted(_found(result.out, name), key=lambda one: one.id))

    async def _daemon(self) -> None:
        result = await self.host.run(["sh", "-c", _DAEMON, "warroom", self.home], timeout=_LOOK_S)
        if result.code:
            home = harmless_bytes(result.out).rstrip("␊")
            raise MitigationRefused(f"no PM2 daemon runs for this user ({shorten(home, 100)})")


def _found(data: bytes, name: str) -> list[Process]:
    """Raises MitigationRefused for what is no list; nothing of the text is repeated."""
    start = data.find(b"\n[{") + 1 if not data.startswith(b"[") else 0  # banners may come first
    try:
        listed: list[Any] = [*json.loads(data[start:])]
        if not listed and data[start:].lstrip()[:1] != b"[":
            raise ValueError
        return [_process(one) for one in listed if one["name"] == name]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise MitigationRefused("pm2 jlist does not print a list of processes") from None


def _process(one: Mapping[str, Any]) -> Process:
    env, load = one["pm2_env"], one.get("monit") or {}
    return Process(
        id=int(one["pm_id"]),
        name=harmless(str(one["name"])),
        pid=int(one.get("pid") or 0),
        status=harmless(str(env.get("status", "")))[:40],
        restarts=int(env.get("restart_time") or 0),
        started=int(env.get("pm_uptime") or 0),
        mode=harmless(str(env.get("exec_mode", "")))[:40],
        memory=int(load.get("memory") or 0),
    )


def runs(processes: Sequence[Process]) -> str:
    """Which runs these are, to be compared."""
    return " ".join(one.run for one in processes)


def said(result: Result) -> str:
    """What pm2 says of its failure, in one line."""
    data = result.err if result.err.strip() else result.out
    text = " ".join(harmless_bytes(data, limit=2000, lines=True).split())
    return shorten(text.replace("[PM2][ERROR] ", ""), 300) or f"exit code {result.code}"

"""One nginx on one host: its config as it stands on disk, its processes, and how it is told to
load the one into the others.

Broken     its config on disk does not pass `nginx -t`, and what nginx says of it
Down       no master process runs by its pid file
"""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from warroom.domain.text import harmless, harmless_bytes, shorten
from warroom.hosts.base import Host, HostError, Result
from warroom.mitigations import _nginx_dump
from warroom.mitigations._nginx_dump import Dump

TEST_S: Final = 30.0
"""Seconds for `nginx -t`: it looks up the names of upstreams, and DNS may be slow."""
_DUMP_LIMIT: Final = 8 * 1024 * 1024
_PS_LIMIT: Final = 8 * 1024 * 1024
_PS: Final = ("ps", "-eww", "-o", "pid=,ppid=,etime=,args=")
_ETIME: Final = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)")
_COMPLAINT: Final = re.compile(r"\[(?:emerg|alert|crit)\] (.+)")
_MAIN_PID: Final = re.compile(r"(?:^|;)\s*pid\s+([^\s;]+)")


class Broken(Exception):
    """The config on disk is refused by nginx; the message is what it says."""


class Down(Exception):
    """nginx does not run here; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Life:
    """The processes that serve now: the master's pid, its workers' (None: they cannot be seen),
    and when the oldest of them began, in seconds since the epoch by the host's clock."""

    master: int
    workers: frozenset[int] | None
    began: float | None


class Server:
    """nginx as `argv` starts it, such as `nginx` or `sudo -n nginx -c FILE`."""

    def __init__(self, host: Host, argv: Sequence[str]) -> None:
        self._host, self._argv = host, tuple(argv)
        self._built: dict[str, str] | None = None
        self.took_s = 0.0
        """How long nginx took to read its config, the last time that it was asked to."""

    @property
    def commands(self) -> tuple[str, str]:
        """What is run to test the config, and to load it; `-T` is `-t` that shows what it read."""
        words = harmless(shlex.join(self._argv))
        return f"{words} -T", f"{words} -s reload"

    async def dump(self) -> Dump:
        """The config on disk, which passes its test. Raises Broken, NotFollowed and HostError."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        result = await self._host.run([*self._argv, "-T"], timeout=TEST_S, limit=_DUMP_LIMIT)
        self.took_s = loop.time() - began
        if result.code:
            raise Broken(complaint(result))
        if result.cut:
            raise _nginx_dump.NotFollowed(f"larger than {_DUMP_LIMIT:,} bytes")
        # in a thread: a large config takes a second, and the screen must not wait for it
        dump = await asyncio.to_thread(_nginx_dump.read, result.out)
        await asyncio.to_thread(lambda: dump.directives)
        return dump

    async def reload(self) -> str:
        """Signal the master; what is wrong when nginx says that it could not, else nothing.

        That the signal was sent does not say that the config was taken: look at `life` after it.
        """
        result = await self._host.run([*self._argv, "-s", "reload"], timeout=TEST_S)
        return complaint(result) if result.code else ""

    async def life(self, dump: Dump) -> Life:
        """The processes that serve now. Raises Down and HostError."""
        path = await self._pid_path(dump)
        result = await self._host.run(["cat", path])
        text = result.out.strip()
        if result.code or not re.fullmatch(rb"[1-9]\d{0,9}", text):
            raise Down(f"nginx does not run here: there is no pid in {harmless(path)}")
        return await self._family(int(text), path)

    async def _family(self, master: int, path: str) -> Life:
        try:
            now, listed = await asyncio.gather(
                self._host.run(["date", "+%s"]), self._host.run(_PS, limit=_PS_LIMIT)
            )
        except HostError:
            return Life(master, None, None)
        if listed.code or now.code:
            return Life(master, None, None)
        processes = [fields for line in listed.out.splitlines() if (fields := _fields(line))]
        if not any(pid == master for pid, *_ in processes):
            raise Down(f"nginx does not run here: {harmless(path)} says {master}, which is gone")
        ages = {
            pid: age
            for pid, parent, age, args in processes
            if parent == master and args.startswith(b"nginx: worker") and b"shutting" not in args
        }
        began = int(now.out) - max(ages.values()) if ages else None
        return Life(master, frozenset(ages), began)

    async def changed_since(self, dump: Dump, since: float) -> tuple[tuple[str, float], ...]:
        """Files of the config that were written more than two seconds after `since`, with when;
        empty where the host has no `stat -c` (GNU, busybox), too. Raises HostError."""
        files = [name for name in dump.files if name.isprintable()]
        result = await self._host.run(["stat", "-L", "-c", "%Y %n", "--", *files], limit=_PS_LIMIT)
        found = []
        for line in result.out.decode("utf-8", "replace").splitlines():
            seconds, _, name = line.partition(" ")
            if seconds.isdecimal() and int(seconds) > since + 2:
                found.append((name, float(seconds)))
        return tuple(found)

    async def _pid_path(self, dump: Dump) -> str:
        """The pid file's path: `-g`, else the config, else as nginx was built (nginx(8))."""
        said = _MAIN_PID.search(self._option("-g"))
        path = said[1].strip("\"'") if said else ""
        for directive in dump.named("pid"):
            if not path and not directive.blocks and len(directive.words) == 2:
                path = directive.words[1].decode("utf-8", "surrogateescape")
        path = path or await self._built_with("pid-path", "/run/nginx.pid")
        if path.startswith("/"):
            return path
        prefix = self._option("-p") or await self._built_with("prefix", "/")
        return str(PurePosixPath(prefix) / path)

    def _option(self, name: str) -> str:
        """The value of one of nginx's own options, `-p DIR` or `-pDIR`; empty without."""
        programs = [n for n, w in enumerate(self._argv) if PurePosixPath(w).name == "nginx"]
        words = self._argv[(programs[-1] if programs else 0) + 1 :]
        for at, word in enumerate(words):
            if word.startswith(name):
                return word[len(name) :] or (words[at + 1] if at + 1 < len(words) else "")
        return ""

    async def _built_with(self, name: str, otherwise: str) -> str:
        """What `nginx -V` says of `--name=`."""
        if self._built is None:
            result = await self._host.run([*self._argv, "-V"])
            text = (result.out + result.err).decode("utf-8", "replace")
            self._built = dict(re.findall(r"--([a-z-]+)=(\S+)", text))
        return self._built.get(name, otherwise)


def complaint(result: Result) -> str:
    """Why nginx refused, in its own words, harmless and in one line."""
    text = harmless_bytes(result.err, limit=16_384, lines=True)
    said = _COMPLAINT.findall(text) or text.strip().splitlines()[-1:]
    return shorten(said[0] if said else f"it ended with {result.code}", 300)


def _fields(line: bytes) -> tuple[int, int, int, bytes] | None:
    """(pid, parent, seconds that it has run, argv) of a line of ps; POSIX says how `etime` is
    written: [[dd-]hh:]mm:ss."""
    parts = line.split(None, 3)
    if len(parts) < 4 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    match = _ETIME.fullmatch(parts[2].decode("ascii", "replace"))
    if match is None:
        return None
    days, hours, minutes, seconds = (int(text or 0) for text in match.groups())
    return (
        int(parts[0]),
        int(parts[1]),
        ((days * 24 + hours) * 60 + minutes) * 60 + seconds,
        parts[3],
    )

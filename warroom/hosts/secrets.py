"""Secrets, fetched when they are needed and kept by nobody here.

They are always fetched on this machine, whichever host the system they are for stands on.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import stat
from io import FileIO
from pathlib import Path
from typing import Final

from warroom.config.values import Secret
from warroom.domain.text import harmless
from warroom.hosts.base import Host, HostError

COMMAND_TIMEOUT: Final = 10.0
_LIMIT: Final = 64 * 1024


class SecretError(HostError):
    """A secret is not where the config says. The message names the place, never the value."""


async def reveal(secret: Secret, host: Host) -> str:
    """The value that `secret` stands for; of a file or a command its first line.

    `host` runs a command when it is this machine; else one of our own does. Raises SecretError:
    not set, not there, empty, not UTF-8, a file that others may read or that belongs to another
    user, a command that fails or takes longer than 10 s.
    """
    if secret.is_literal:
        return secret.reference
    kind, _, place = secret.reference.partition(":")
    if kind == "env":
        return _from_environment(place.strip())
    if kind == "file":
        return await asyncio.to_thread(_from_file, place.strip())
    return await _from_command(place, host)


def _from_environment(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SecretError(f"env:{harmless(name)} is not set in the environment of the console")
    return value


def _from_file(place: str) -> str:
    called = f"file:{harmless(place)}"
    try:
        path = Path(place).expanduser()
        # a pipe must not hold us up, and what is checked must be what is read
        with FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)) as file:
            seen = os.fstat(file.fileno())
            _refuse_exposed(seen, called)
            return _first_line(file.read(_LIMIT), called)
    except (OSError, ValueError, RuntimeError) as error:  # a NUL, a home that is unknown
        reason = getattr(error, "strerror", None) or str(error)
        raise SecretError(f"{called} cannot be read: {harmless(reason.lower())}") from None


def _refuse_exposed(seen: os.stat_result, called: str) -> None:
    if not stat.S_ISREG(seen.st_mode):
        raise SecretError(f"{called} is not a regular file")
    if seen.st_uid not in (os.geteuid(), 0):
        raise SecretError(f"{called} belongs to another user; it must be yours or root's")
    if stat.S_IMODE(seen.st_mode) & 0o077:
        mode = f"{stat.S_IMODE(seen.st_mode):04o}"
        raise SecretError(f"{called} is open to others (mode {mode}): chmod 600 it")


async def _from_command(words: str, host: Host) -> str:
    from warroom.hosts.local import LocalHost

    try:
        argv = shlex.split(words)
    except ValueError:
        raise SecretError("command: its quotes do not match") from None
    called = f"command:{harmless(argv[0])}" if argv else "command:"
    here = LocalHost() if host.name else host
    try:
        result = await here.run(argv, timeout=COMMAND_TIMEOUT, limit=_LIMIT)
    except HostError as error:
        raise SecretError(f"{called}: {error}") from None
    if result.code:
        raise SecretError(f"{called} failed with exit code {result.code}; run it by hand")
    return _first_line(result.out, called)


def _first_line(data: bytes, called: str) -> str:
    line = data.split(b"\n", 1)[0].rstrip(b"\r")
    if not line.strip():
        raise SecretError(f"{called} is empty")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"{called} is not UTF-8 text") from None

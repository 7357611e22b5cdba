"""A disk that fails or hangs when it is asked to sync, for this process alone.

A seccomp filter hands fsync(2) and its like to a thread of ours, which says how each ends
(seccomp_unotify(2), Linux 5.5). Nothing is installed and no right is needed.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import platform
import struct
import threading
from enum import Enum
from typing import Final

_CALLS: Final = {
    "x86_64": {"seccomp": 317, "syncs": (74, 75, 277, 26)},  # fsync, fdatasync, range, msync
    "aarch64": {"seccomp": 277, "syncs": (82, 83, 84, 227)},
}
_NO_NEW_PRIVS, _SET_FILTER, _NEW_LISTENER = 38, 1, 8
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _NOTIFY, _CONTINUE = 0x7FFF0000, 0x7FC00000, 1
_RECEIVE: Final = 3 << 30 | 80 << 16 | ord("!") << 8
_SEND: Final = 3 << 30 | 24 << 16 | ord("!") << 8 | 1


class Unsupported(Exception):
    """This kernel or machine cannot do it."""


class Disk(Enum):
    """How a sync ends."""

    WELL = "well"
    FAILS = "fails"
    HANGS = "hangs"


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("then", ctypes.c_ubyte),
        ("other", ctypes.c_ubyte),
        ("value", ctypes.c_uint),
    )


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


class Syncs:
    """From here on for this thread and all that it starts; nothing takes it back. It begins
    well."""

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._disk = Disk.WELL
        judge = threading.Thread(target=self._judge, daemon=True)
        self._ready = threading.Event()
        judge.start()  # before the filter: it must not wait for itself
        self._listener = _listener()
        self._ready.set()

    def become(self, disk: Disk) -> None:
        """From now on, and for what hangs already."""
        with self._state:
            self._disk = disk
            self._state.notify_all()

    def _judge(self) -> None:
        self._ready.wait()
        while True:
            call = bytearray(80)
            fcntl.ioctl(self._listener, _RECEIVE, call)
            (number,) = struct.unpack_from("Q", call)
            with self._state:
                self._state.wait_for(lambda: self._disk is not Disk.HANGS)
                fails = self._disk is Disk.FAILS
            error, flags = (-errno.EIO, 0) if fails else (0, _CONTINUE)
            fcntl.ioctl(
                self._listener, _SEND, bytearray(struct.pack("QqiI", number, 0, error, flags))
            )


def _listener() -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    calls = _CALLS.get(platform.machine())
    if calls is None or platform.system() != "Linux":
        raise Unsupported(f"no syscall numbers for {platform.system()} {platform.machine()}")
    numbers = calls["syncs"]
    assert isinstance(numbers, tuple)
    steps = [_Step(_LOAD, 0, 0, 0)]
    steps += [_Step(_EQUAL, len(numbers) - at, 0, n) for at, n in enumerate(numbers)]
    steps += [_Step(_RETURN, 0, 0, _ALLOW), _Step(_RETURN, 0, 0, _NOTIFY)]
    array = (_Step * len(steps))(*steps)
    made = _Filter(len(steps), array)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener: int = libc.syscall(calls["seccomp"], _SET_FILTER, _NEW_LISTENER, ctypes.byref(made))
    if listener < 0:
        raise Unsupported(f"seccomp: errno {ctypes.get_errno()}")
    return listener

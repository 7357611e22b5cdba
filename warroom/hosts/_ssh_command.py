"""Commands on a far host that end when nobody listens any more.

sshd hands the text it is given to the user's login shell, so an argv is joined with `shlex.join`:
every word quoted, as any POSIX shell reads it back. And sshd leaves a command running when its
channel closes. So a constant script of ours stands between: it starts the command in a session of
its own, watches the channel's input, which ends with the channel (and with the connection, and
with this console), and then ends the command's whole group, TERM first, KILL a second later.

Two gaps: where a host has no `setsid` (macOS), and where a command leaves more of its input unread
than a pipe holds (64 KiB), it ends only when it next reads or writes.

The script needs a POSIX sh and, for a command with input, `head -c`. Its own words: the number of
bytes of input that follow on the channel, then the argv.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncssh

MISSING: Final = b"warroom: no such program\n"
# Feeds the command its input, then watches the channel; first of all it says its own pid.
_WATCH: Final = """\
echo $$; [ "$1" = 0 ] || head -c "$1"; exec >/dev/null; \
while read -r _; do :; done; kill -s USR1 "$2\""""
# Runs the command, then ends the watch: some shells wait for every part of a pipeline.
_LEAD: Final = 'read -r watch; "$@"; code=$?; kill -s PIPE "$watch" 2>/dev/null; exit $code'
_SCRIPT: Final = "; ".join(
    (
        "n=$1",
        "shift",
        'command -v "$1" >/dev/null 2>&1 || '
        f'{{ echo "{MISSING.decode().strip()}" >&2; exit 127; }}',
        "lead= group=",
        "if command -v setsid >/dev/null 2>&1; then lead=setsid group=-; fi",
        "over=",
        "trap over=1 USR1",
        "exec 3<&0 </dev/null",
        f'sh -c {shlex.quote(_WATCH)} warroom "$n" $$ <&3 2>/dev/null'
        f' | $lead sh -c {shlex.quote(_LEAD)} warroom "$@" 3<&- & child=$!',
        "exec 3<&-",
        'finish() { exec 2>/dev/null; kill -s TERM -- "$group$child"; sleep 1; '
        'kill -s KILL -- "$group$child"; exit 143; }',
        "trap finish USR1",
        '[ -z "$over" ] || finish',
        'wait "$child"',
    )
)


def watched(argv: Sequence[str], stdin_size: int) -> str:
    """The command line for sshd that runs `argv` as told above."""
    return shlex.join(["exec", "sh", "-c", _SCRIPT, "warroom", str(stdin_size), *argv])


class Command(asyncssh.SSHClientSession[bytes]):
    """A session that runs a command. `exited` and `silent` say how far it is; `code` is None when
    the connection was cut before the command's end was told."""

    def __init__(self, sink: Callable[[int, bytes], None]) -> None:
        self.exited, self.silent = asyncio.Event(), asyncio.Event()
        self.code: int | None = None
        self._sink = sink
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None

    @staticmethod
    def start(
        argv: Sequence[str], sink: Callable[[int, bytes], None], stdin: bytes = b""
    ) -> Callable[[asyncssh.SSHClientConnection], Any]:
        """What starts `argv` on a connection; `sink(1 or 2, data)` gets its outputs."""

        async def started(connection: asyncssh.SSHClientConnection) -> Command:
            command = Command(sink)
            channel, _ = await connection.create_session(
                lambda: command, watched(argv, len(stdin)), encoding=None, request_pty=False
            )
            if stdin:
                channel.write(stdin)  # never its end: that is what the watch waits for
            return command

        return started

    def hold(self) -> None:
        """Take no more output for now."""
        if self._channel is not None:
            self._channel.pause_reading()

    def go_on(self) -> None:
        """Take output again."""
        if self._channel is not None:
            self._channel.resume_reading()

    def end(self) -> None:
        """Close the channel, which ends the command."""
        if self._channel is not None:
            self._channel.close()

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._sink(2 if datatype == asyncssh.EXTENDED_DATA_STDERR else 1, data)

    def exit_status_received(self, status: int) -> None:
        self.code = status
        self.exited.set()

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self.code = 128 + _SIGNALS.get(signal, 0)
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.exited.set()
        self.silent.set()


_SIGNALS: Final = {"HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "SEGV": 11, "PIPE": 13}
_SIGNALS["TERM"] = 15

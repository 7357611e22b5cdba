"""systemd's journal as text: what `journalctl -o json` says, line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from warroom.logs.level import LogLevel, level_of
from warroom.logs.split import Splitter

_ENTRY_LIMIT: Final = 256 * 1024
"""Bytes of one JSON entry that are read: a message of 64 KiB as an array of numbers fits."""
_PRIORITIES: Final = ("emerg", "alert", "crit", "err", "warning")


class JournalText:
    """Turns a stream of JSON entries into lines of text.

    A message that is not UTF-8 comes as an array of byte values, one that is too long as null
    (systemd, Journal JSON Format). A message of warning or worse that names no level itself gets
    its priority in front, for the level is a field of its own there. What is not JSON, such as
    journalctl's own complaints, passes as it is.
    """

    def __init__(self) -> None:
        self._splitter = Splitter(_ENTRY_LIMIT)
        self.cursor = ""
        """Where reading stands; journalctl goes on after it."""

    def argv(self, unit: str, last: int) -> Sequence[str]:
        """The command that follows `unit`: from where reading stood, or its last lines."""
        start = f"--after-cursor={self.cursor}" if self.cursor else f"--lines={last}"
        return ("journalctl", "--output=json", "--follow", start, f"--unit={unit}")

    def feed(self, chunk: bytes) -> bytes:
        """The text of the entries that `chunk` completes, each line with its line feed."""
        return b"".join(map(self._text, self._splitter.feed(chunk).lines()))

    def flush(self) -> bytes:
        """The text of an entry that was cut off by the end of the stream."""
        return b"".join(map(self._text, self._splitter.flush().lines()))

    def _text(self, line: bytes) -> bytes:
        if line[:1] != b"{":
            return line + b"\n"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return line + b"\n"
        if not isinstance(entry, Mapping):
            return line + b"\n"
        cursor = entry.get("__CURSOR")
        if isinstance(cursor, str):
            self.cursor = cursor
        return _message(entry).rstrip(b"\n") + b"\n"


def _message(entry: Mapping[str, Any]) -> bytes:
    message = entry.get("MESSAGE")
    if isinstance(message, str):
        text = message.encode("utf-8", "replace")
    elif isinstance(message, list):
        text = bytes(n for n in message if isinstance(n, int) and 0 <= n <= 255)
    else:
        text = b"(a message too long for the journal's JSON)"
    priority = entry.get("PRIORITY")
    if priority in ("0", "1", "2", "3", "4") and level_of(text) is LogLevel.NONE:
        return f"[{_PRIORITIES[int(priority)]}] ".encode() + text
    return text

"""What a command writes, as it writes it: cut into lines, shown, and the last of them kept.

Bounded whatever comes: of a flood only the newest lines are drawn, of one line only its beginning.
Neither a flood nor a line without end costs more than the bytes it is read with.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from warroom.domain.text import harmless_bytes, shorten
from warroom.mitigations.base import Output

LINE: Final = 4096
"""Bytes of a line that are kept."""
BURST: Final = 2000
"""Lines that are all drawn when they come at once."""
_A_SECOND: Final = 4000.0
"""Lines that are drawn in a second in the long run; nobody could read more of a flood."""
_LEAST: Final = 20
KEPT: Final = 100
MASK: Final = b"***"


class Feed:
    """Takes chunks and says their lines; `last` are the newest, harmless and without `secrets`;
    `lines` is how many there were."""

    def __init__(self, output: Output, secrets: Sequence[str] = ()) -> None:
        self._output = output
        self._secrets = [secret.encode("utf-8", "surrogateescape") for secret in secrets]
        self.last: deque[str] = deque(maxlen=KEPT)
        self.lines = 0
        self._rest, self._size = b"", 0
        self._budget, self._at = float(BURST), time.monotonic()

    def take(self, data: bytes) -> None:
        """The next chunk."""
        *whole, rest = data.rsplit(b"\n", max(_LEAST, self._allowed()))
        self._budget -= len(whole)
        if whole:
            head, *drawn = whole
            if b"\n" in head:
                begin, _, others = head.partition(b"\n")
                self._line(begin)
                between, _, head = others.rpartition(b"\n")
                self._skip(between.count(b"\n") + 1 if b"\n" in others else 0)
            for line in (head, *drawn):
                self._line(line)
        self._keep(rest)

    def end(self) -> None:
        """Nothing more comes."""
        if self._size:
            self._line(b"")

    def told(self, count: int = 5, width: int = 300) -> str:
        """The last lines that say something, as one line of text: as many as fit, since why it
        failed stands at the end."""
        told = ""
        for line in [line.strip() for line in self.last if line.strip()][: -count - 1 : -1]:
            longer = f"{line} / {told}" if told else line
            if told and len(longer) > width:
                break
            told = longer
        return shorten(told, width)

    def _allowed(self) -> int:
        """Lines that may be drawn now."""
        now = time.monotonic()
        self._budget = min(BURST, max(0.0, self._budget) + (now - self._at) * _A_SECOND)
        self._at = now
        return int(self._budget)

    def _keep(self, data: bytes) -> None:
        self._rest += data[: max(0, LINE - len(self._rest))]
        self._size += len(data)

    def _skip(self, lines: int) -> None:
        self.lines += lines
        self._output.count += lines

    def _line(self, data: bytes) -> None:
        self._keep(data)
        line = self._rest.rstrip(b"\r").rpartition(b"\r")[2]  # a bar that draws over itself
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        text = harmless_bytes(line, lines=True)
        if self._size > LINE:
            text += f"… ({self._size:,} bytes)"
        self._rest, self._size = b"", 0
        self.lines += 1
        self.last.append(text)
        self._output.say(text or " ")

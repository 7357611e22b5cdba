"""What a terminal shows and answers: a screen emulated by pyte, and replies to queries."""

from __future__ import annotations

import codecs
import re
from typing import Any, Final

import pyte

Region = tuple[int, int, int, int]
"""Top, left, bottom, right in cells from 0; bottom and right are not in it."""

_STRINGS: Final = r"\x1b[PX^_][^\x1b]*\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
_UNKNOWN: Final = re.compile(
    rf"{_STRINGS}|\x1b\[[<=>][0-?]*[ -/]*[@-~]|\x1b\[[0-?]*[ -/]+[@-~]|\x1b\[[0-?]*[tu]|\x1b[=>]"
)
"""Sequences that pyte would draw as text (ECMA-48 strings; private and intermediate forms)."""
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[PX^_\]][^\x07\x1b]*\x1b?)?\Z")
_QUERY: Final = re.compile(
    rb"\x1b\[(?P<attributes>>?)0?c|\x1b\[\??(?P<status>[56])n|\x1b\[\?(?P<mode>\d+)\$p"
    rb"|\x1b\](?P<colour>1[01]);\?(?:\x07|\x1b\\)|\x1b\[>0?(?P<version>q)"
)
"""DA1, DA2, DSR, DECRQM, OSC 10/11 and XTVERSION, as xterm documents them in ctlseqs."""
_SYNCHRONIZED: Final = b"2026"


class _Grid(pyte.Screen):
    """pyte's screen, empty on the alternate one, and mute: replies are `replies`' business."""

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        super().set_mode(*modes, **kwargs)
        if kwargs.get("private") and 1049 in modes:
            self.erase_in_display(2)

    def report_device_attributes(self, *_: Any, **__: Any) -> None:
        """Answered elsewhere."""

    def report_device_status(self, *_: Any, **__: Any) -> None:
        """Answered elsewhere."""


class Picture:
    """The screen of `cols` by `rows` cells that bytes have drawn so far."""

    def __init__(self, cols: int, rows: int) -> None:
        self.cols, self.rows = cols, rows
        self._grid = _Grid(cols, rows)
        self._stream = pyte.Stream(self._grid)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> None:
        """Draw; a sequence that is cut waits for its end."""
        text = self._rest + self._decoder.decode(data)
        cut = _UNFINISHED.search(text, max(0, len(text) - 4096))
        end = cut.start() if cut else len(text)
        self._rest = text[end:]
        self._stream.feed(_UNKNOWN.sub("", text[:end]))

    def text(self) -> str:
        """All rows, one a line."""
        return "\n".join(self._grid.display)

    def blank(self) -> bool:
        """Whether nothing has been drawn yet."""
        return not any(
            cell.data.strip() for row in self._grid.buffer.values() for cell in row.values()
        )

    def cells(self, region: Region) -> int:
        """A number that differs when a text or a colour in `region` differs."""
        top, left, bottom, right = region
        grid = self._grid.buffer
        return hash(tuple(grid[y][x] for y in range(top, bottom) for x in range(left, right)))


def replies(data: bytes) -> bytes:
    """What a terminal says to the queries in `data`."""
    return b"".join(_reply(match) for match in _QUERY.finditer(data))


def _reply(query: re.Match[bytes]) -> bytes:
    if mode := query["mode"]:
        return b"\x1b[?%s;%d$y" % (mode, 2 if mode == _SYNCHRONIZED else 0)
    if colour := query["colour"]:
        shade = b"ffff" if colour == b"10" else b"0000"
        return b"\x1b]%s;rgb:%s/%s/%s\x1b\\" % (colour, shade, shade, shade)
    if query["version"]:
        return b"\x1bP>|bench(1)\x1b\\"
    if status := query["status"]:
        return b"\x1b[0n" if status == b"5" else b"\x1b[1;1R"
    return b"\x1b[>1;10;0c" if query["attributes"] else b"\x1b[?62;22c"

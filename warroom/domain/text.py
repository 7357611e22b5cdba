"""Makes foreign text visible and harmless at the edge where it comes in.

Log lines, container names, HTTP bodies, query texts, Redis keys, certificate fields and the like
may hold bytes that a terminal obeys. After `harmless` none is left: ESC, C0, DEL, C1, bidi
controls (Unicode TR9, section 2) and other invisible format characters become pictures.
"""

from __future__ import annotations

from typing import Final

SUBSTITUTE: Final = "␦"  # U+2426, for what has no picture of its own
LINE_LIMIT: Final = 64 * 1024
"""Longest line, in bytes, that is kept from a log or a command."""

_JOINER = 0x200D  # holds emoji together; alone it shows nothing and moves nothing


def _pictures() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20)}
    table[0x7F] = "␡"
    table |= dict.fromkeys(range(128, 160), SUBSTITUTE)
    invisible = [0xAD, 0x61C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x2028, 0x202F)]
    invisible += [*range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)]
    table |= {code: SUBSTITUTE for code in invisible if code != _JOINER}
    table |= dict.fromkeys(range(55296, 57344), "�")
    return table


_PICTURES: Final = _pictures()
_KEEP_LINES: Final = {k: v for k, v in _PICTURES.items() if k != 0x0A} | {0x09: "    "}


def harmless(text: str, *, lines: bool = False) -> str:
    """`text` with every control and invisible character made a picture.

    With `lines`, line feeds stay and tabs become four spaces: for text shown as a block.

    >>> harmless("a\\x1b[31mb")
    'a␛[31mb'
    >>> harmless("one\\ntwo"), harmless("one\\ntwo", lines=True)
    ('one␊two', 'one\\ntwo')
    """
    if text.isprintable():  # false for every Cc, Cf, Cs, Zl and Zp character: nothing to do
        return text
    return text.translate(_KEEP_LINES if lines else _PICTURES)


def harmless_bytes(data: bytes, *, limit: int = LINE_LIMIT, lines: bool = False) -> str:
    """`data` as harmless text: UTF-8, what is not valid as U+FFFD, cut at `limit` bytes.

    A cut is said with the full length, so that nobody takes a piece for the whole.

    >>> harmless_bytes(b"caf\\xc3\\xa9 \\xff")
    'café \ufffd'
    >>> harmless_bytes(b"abcdef", limit=3)
    'abc… (6 bytes)'
    """
    if len(data) <= limit:
        return harmless(data.decode("utf-8", "replace"), lines=lines)
    head = harmless(data[:limit].decode("utf-8", "replace"), lines=lines)
    return f"{head}… ({len(data):,} bytes)"


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` characters, its cut marked with an ellipsis.

    >>> shorten("checkout", 5)
    'chec…'
    """
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"

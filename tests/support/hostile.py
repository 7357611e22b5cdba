"""Text that wants something of whoever shows it, and how to tell that it did not get it."""

from __future__ import annotations

import re
from typing import Final

SEQUENCES: Final = {
    "csi-cursor": "\x1b[77;66H",
    "csi-colour": "\x1b[1;2;3;4;5;7;9m",
    "csi-answer": "\x1b[6n",
    "csi-mode": "\x1b[?1048h",
    "csi-title": "\x1b[21t",
    "csi-c1": "\x9b77;65H",
    "osc-clipboard": "\x1b]52;c;UFdOLTUy\x07",
    "osc-clipboard-c1": "\x9d52;c;UFdOLTUy\x9c",
    "osc-link": "\x1b]8;;http://pwn.example/\x1b\\here\x1b]8;;\x1b\\",
    "osc-window": "\x1b]0;PWN-window\x07",
    "dcs": "\x1bPPWN-dcs\x1b\\",
    "dcs-c1": "\x90PWN-dcs\x9c",
    "apc": "\x1b_PWN-apc\x1b\\",
    "pm": "\x1b^PWN-pm\x1b\\",
    "sos": "\x1bXPWN-sos\x1b\\",
    "ss2": "\x1bNP",
    "ss3": "\x1bOP",
    "ss-c1": "\x8eP\x8fP",
    "reset": "\x1bc",
    "charset": "\x1b(0",
    "fill": "\x1b#8",
    "c0": "\x07\x08\x0b\x0c\x0e\x0f\x05\x7f",
    "bidi": "\u202eresu\u202c\u2066x\u2069\u200f",
    "invisible": "\u200b\ufeff\u2028\u00ad\U000e0041",
}
"""One of every class that a terminal obeys (ECMA-48, xterm's ctlseqs), and what hides or turns
text (Unicode TR9). Without NUL, which not every channel can carry."""
MARKUP: Final = {
    "markup-click": "[@click=app.exit]click-here[/]",
    "markup-close": "[/x]",
    "markup-style": "[bold red on blue]red\\[",
    "markup-link": "[link='http://pwn.example']l[/link]",
    "markup-open": "[[[/]] [ [] [a=",
}
"""What Rich and Textual would take for markup."""
CORPUS: Final = SEQUENCES | MARKUP
BAD_BYTES: Final = {
    "bytes-nul": b"a\x00b",
    "bytes-c1": b"\x9b77;64H \x9d52;c;UFdO\x9c",
    "bytes-utf8": b"\xff\xfe \xc3\x28 \xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xaf",
}
"""What is no UTF-8: as bytes only."""

_OWN: Final = re.compile(
    r"\x1b(?:\[[0-9;:]*m"  # colours
    r"|\[[0-9]+;[0-9]+H|\[[HJK]|\[2J"  # where to write
    r"|\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]"
    r"|\[\?20(?:26|48)\$p|\[>[0-9]+u|\[<u"
    r"|\]22;[a-z-]*\x07)"  # the shape of the mouse pointer
)
"""Everything that Textual says to a terminal."""
_FORBIDDEN: Final = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def line(name: str, text: str | None = None) -> str:
    """A text of the corpus with a name before and a word after it."""
    return f"{name} {CORPUS[name] if text is None else text} end-{name}"


def everything() -> str:
    """All of the corpus in one line."""
    return " ".join(map(line, CORPUS))


def reached(raw: bytes) -> list[str]:
    """What of a corpus a terminal would obey in these bytes that a console wrote; none is good."""
    found = [name for name, text in SEQUENCES.items() if text.encode() in raw]
    text = raw.decode("utf-8")  # the console writes nothing but UTF-8
    rest = _OWN.sub("", text)
    places = [rest[max(0, m.start() - 30) : m.end() + 30] for m in _FORBIDDEN.finditer(rest)]
    return found + [repr(place) for place in places]

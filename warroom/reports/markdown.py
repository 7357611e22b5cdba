"""Text from anywhere, written so that CommonMark shows it as it is and makes nothing of it.

No image, link, HTML, heading, list, fence or table can begin in it; characters are escaped only
where they could mean something (CommonMark 0.31, section 2.4), so that the source stays readable.
"""

from __future__ import annotations

import re
from typing import Final

from warroom.domain.text import harmless

LIMIT: Final = 20_000
"""Characters of one text that a report shows; the JSON export holds it whole."""


class Markup(str):
    """Text that is Markdown already."""

    __slots__ = ()


_SPECIAL: Final = re.compile(
    r"""
      [\\`*\[\]<~|$]            # escapes, code, emphasis, links, HTML, strikes, cells, formulas
    | (?<![^\W_])_ | _(?![^\W_])  # emphasis, unless within a word
    | &(?=\#?\w+;)              # entities
    | (?<=\s)\#                 # the end of a heading
    | :(?=//) | (?<=mailto): | (?<=xmpp): | (?<=\bwww)\.  # what GitHub makes a link (GFM, 6.9)
    | (?<=[\w.+-])@(?=\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?=[.)](?:\s|$))")  # begins an ordered list
_BEGINS_A_BLOCK: Final = ("#", ">", "+", "-", "=", ":")


def inline(text: str) -> Markup:
    """`text` in one line, for a heading, a list item or a table cell; spaces around it become one.

    >>> inline("<b>pg_stat</b> [x](http://y) | _a_")
    '\\\\<b>pg_stat\\\\</b> \\\\[x\\\\](http\\\\://y) \\\\| \\\\_a\\\\_'
    """
    text = _cut(harmless(text))
    before, after = text[:1].isspace(), text[-1:].isspace()
    return Markup(" " * before + _line(text.strip()) + " " * after)


def block(text: str, indent: int = 0) -> Markup:
    """`text` with its lines and blank lines, each after the first indented by `indent` spaces.

    Spaces at the beginning of a line are kept as no-break spaces; at its end they are dropped.
    """
    margin = "\n" + " " * indent
    paragraphs: list[list[str]] = [[]]
    for line in _cut(harmless(text.replace("\r\n", "\n"), lines=True)).split("\n"):
        if line.strip():
            paragraphs[-1].append(_line(line))
        elif paragraphs[-1]:
            paragraphs.append([])
    written = [("\\" + margin).join(lines) for lines in paragraphs if lines]
    return Markup(("\n" + margin).join(written))


def _line(text: str) -> str:
    bare = text.strip()
    leading = len(text.rstrip()) - len(bare)
    escaped = _SPECIAL.sub(r"\\\g<0>", bare)
    number = _NUMBER.match(escaped)
    if number:
        escaped = f"{number[0]}\\{escaped[number.end() :]}"
    elif escaped.startswith(_BEGINS_A_BLOCK):
        escaped = "\\" + escaped
    return "\u00a0" * leading + escaped


def _cut(text: str) -> str:
    if len(text) <= LIMIT:
        return text
    return f"{text[:LIMIT]}… ({len(text):,} characters; the JSON export has them all)"

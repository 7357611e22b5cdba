"""Text from anywhere, written so that CommonMark shows it as it is and makes nothing of it.

No image, link, HTML, heading, list, fence or table can begin in it; characters are escaped only
where they could mean something (CommonMark 0.31, section 2.4), so that the source stays readable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from warroom.domain.text import harmless

LIMIT: Final = 20_000
"""Characters of one text that a report shows; the JSON export holds it whole."""


class Markup(str):
    """Text that is Markdown already."""

    __slots__ = ()


_SPECIAL: Final = re.compile(
    r"""
      \\ | ` | \* | \[ | \] | < | ~ | \| | \$  # code, emphasis, links, HTML, cells, formulas
    | _(?<![^\W_]_) | _(?![^\W_])       # emphasis, unless within a word
    | &(?=\#?\w+;)                      # entities
    | \#(?<=\s\#)                       # the end of a heading
    | :(?=//) | :(?<=mailto:) | :(?<=xmpp:) | \.(?<=\bwww\.)  # what GitHub links (GFM, 6.9)
    | @(?<=[\w.+-]@)(?=\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Every branch begins with a character: so the engine looks for these alone, ten times as fast."""
_CITED: Final = re.compile(r"\\\[(E[1-9][0-9]{0,5})\\\](?=[\s.,;!?)]|(?P<end>$))")
"""A citation such as `[E7]`, escaped. Nothing that makes a link of it or defines it as one can
follow: not `(`, `[` or `:`."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?=[.)](?:\s|$))")  # begins an ordered list
_BEGINS_A_BLOCK: Final = frozenset("#>+-=:")
_TICKS: Final = re.compile(r"`+")


def inline(text: str) -> Markup:
    """`text` in one line, for a heading, a list item or a table cell; spaces around it become one.

    A citation at its very end stays escaped, because nobody knows what the template puts there.

    >>> inline("<b>pg_stat</b> [x](http://y) | _a_")
    '\\\\<b>pg_stat\\\\</b> \\\\[x\\\\](http\\\\://y) \\\\| \\\\_a\\\\_'
    """
    text = _cut(harmless(text))
    before, after = text[:1].isspace(), text[-1:].isspace()
    return Markup(" " * before + _line(text.strip()) + " " * after)


def block(text: str, indent: int = 0) -> Markup:
    """`text` with its lines and blank lines, each after the first indented by `indent` spaces.

    Spaces at the beginning of a line are kept as no-break spaces; at its end they are dropped.
    A line feed is to follow.
    """
    if text.isprintable() and len(text) <= LIMIT:
        return Markup(_line(text, last=True))
    margin = "\n" + " " * indent
    paragraphs: list[list[str]] = [[]]
    for line in _cut(harmless(text.replace("\r\n", "\n"), lines=True)).split("\n"):
        if line.strip():
            paragraphs[-1].append(_line(line, last=True))
        elif paragraphs[-1]:
            paragraphs.append([])
    written = [("\\" + margin).join(lines) for lines in paragraphs if lines]
    return Markup(("\n" + margin).join(written))


def blocks(texts: Sequence[str], indent: int = 0) -> list[str]:
    """`block` for each of many: what is one plain line is escaped together with all the others,
    in a fourth of the time. None of them holds the NUL that stands between them."""
    if not texts:
        return []
    plain = [
        text.isprintable() and len(text) <= LIMIT and "[E" not in text and text == text.strip()
        for text in texts
    ]
    joined = "\0".join(text if one else "" for text, one in zip(texts, plain, strict=True))
    escaped = _SPECIAL.sub(_escaped, joined).split("\0")
    return [
        _begun(written) if one else block(text, indent)
        for text, written, one in zip(texts, escaped, plain, strict=True)
    ]


def fence(text: str) -> Markup:
    """`text` as a fenced block: its fence is longer than any run of backticks within.

    >>> print(fence("a\\n```\\nb"))
    ````text
    a
    ```
    b
    ````
    """
    shown = _cut(harmless(text.replace("\r\n", "\n"), lines=True)).strip("\n")
    longest = max((len(run) for run in _TICKS.findall(shown)), default=0)
    marks = "`" * max(3, longest + 1)
    return Markup(f"{marks}text\n{shown}\n{marks}")


def cite(labels: Iterable[str]) -> Markup:
    """References to evidence, each after a space.

    >>> cite(["E1", "E7"])
    ' [E1] [E7]'
    """
    return Markup("".join(f" [{label}]" for label in labels))


def _line(text: str, *, last: bool = False) -> str:
    """One line; `last`: nothing but a line feed follows it."""
    bare = text.strip()
    leading = len(text.rstrip()) - len(bare)
    escaped = _SPECIAL.sub(_escaped, bare)
    if "[E" in escaped:
        escaped = _CITED.sub(lambda m: f"[{m[1]}]" if last or m["end"] is None else m[0], escaped)
    return "\u00a0" * leading + _begun(escaped)


def _begun(escaped: str) -> str:
    """A line that begins no list, heading, quotation or rule."""
    first = escaped[:1]
    if first.isdigit() and (number := _NUMBER.match(escaped)):
        return f"{number[0]}\\{escaped[number.end() :]}"
    return "\\" + escaped if first in _BEGINS_A_BLOCK else escaped


def _escaped(match: re.Match[str]) -> str:
    """Quicker than a template, which the library fills in for every match."""
    return "\\" + match[0]


def _cut(text: str) -> str:
    if len(text) <= LIMIT:
        return text
    return f"{text[:LIMIT]}… ({len(text):,} characters; the JSON export has them all)"

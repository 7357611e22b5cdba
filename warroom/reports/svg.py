"""Writes SVG: only what is needed, every text escaped, nothing that runs or is fetched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from warroom.domain.text import harmless

_NOT_XML: Final = re.compile("[\ufffe\uffff\U0001fffe-\U0001ffff]")
_NOTHING_WIDE: Final = frozenset({"Mn", "Me", "Cf"})


def element(name: str, *inner: str, **attributes: object) -> str:
    """`<name a="b">inner</name>`. Underscores of attributes become hyphens, `class_` is `class`;
    numbers are written with one decimal at most; what is None is left out. `inner` is SVG."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_value(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(inner)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(content: str) -> str:
    """Foreign text as the content of an element."""
    return escape(clean(content))


def document(
    kind: str, size: tuple[float, float], title: str, about: str, style: str, *inner: str
) -> str:
    """A whole file, which scales with its place. `kind` is the class that `style` speaks of;
    `title` and `about` are for who cannot see it."""
    width, height = size
    return element(
        "svg",
        element("title", text(title)),
        element("desc", text(about)),
        element("style", style) if style else "",
        "\n",
        *(f"{part}\n" for part in inner),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        width=width,
        height=height,
        class_=kind,
        role="img",
        font_family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
    )


def points(pairs: Iterable[tuple[float, float]]) -> str:
    """Coordinates of a line, for `points`."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)


def clean(content: str) -> str:
    """Text without what XML 1.0 cannot hold (section 2.2), invisible characters as pictures."""
    return _NOT_XML.sub("\ufffd", harmless(content))


def cells(content: str) -> int:
    """Columns that a terminal gives `content`: two for wide characters (Unicode TR11)."""
    if content.isascii():
        return len(content)
    return sum(width(character) for character in content)


def width(character: str) -> int:
    """Columns of one character."""
    if unicodedata.category(character) in _NOTHING_WIDE:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _value(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else clean(str(value))

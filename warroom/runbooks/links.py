"""Where a runbook points, and whether what it points at within itself is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.model import Link
from warroom.runbooks.outline import Block, ListItem, Outline, Paragraph, Table, plain

_INLINE: Final = re.compile(
    r"\[([^\[\]\n]{1,200})\]\(<?([^()\s<>]{1,400})>?(?:\s\"[^\"\n]{0,200}\")?\)"
)
_REFERENCE: Final = re.compile(r"\[([^\[\]\n]{1,200})\]\[([^\[\]\n]{0,200})\]")
_BARE: Final = re.compile(r"https?://[^\s<>()\"'|`*]{1,400}")
_CODE: Final = re.compile(r"`[^`\n]*`")
_NO_SLUG: Final = re.compile(r"[^\w\- ]")
_ID: Final = re.compile(r"\{#([\w-]{1,100})\}")
_MOST_COMPARED: Final = 200
_MOST_GUESSES: Final = 20


def links(outline: Outline) -> tuple[Link, ...]:
    """Every link of the prose, in order; each target once a line."""
    anchors = _anchors(outline)
    found: dict[tuple[int, str], Link] = {}
    guesses = iter(range(_MOST_GUESSES))
    for section in outline.sections:
        for block in section.blocks:
            for line, text in _texts(block):
                for link in _of_text(line, text, anchors, outline.references, guesses):
                    found.setdefault((link.line, link.target), link)
    return tuple(found.values())


def slug(title: str) -> str:
    """The anchor that GitHub gives a heading.

    >>> slug("3. Quick Fixes (Try First)")
    '3-quick-fixes-try-first'
    """
    return _NO_SLUG.sub("", plain(title).casefold()).strip().replace(" ", "-")


def _anchors(outline: Outline) -> frozenset[str]:
    """Headings, numbered where they repeat, and what HTML or `{#id}` names."""
    seen: dict[str, int] = {}
    found = {anchor.casefold() for anchor in outline.anchors} | {"", "top"}
    for section in outline.sections:
        name = slug(section.title)
        count = seen[name] = seen.get(name, -1) + 1
        found.add(f"{name}-{count}" if count else name)
        found.update(match[1].casefold() for match in _ID.finditer(section.title))
    return frozenset(found)


def _texts(block: Block) -> Iterator[tuple[int, str]]:
    if isinstance(block, (Paragraph, ListItem)):
        for offset, row in enumerate(block.text.split("\n")):
            yield block.line + offset, row
    elif isinstance(block, Table):
        for line, cells in block.rows:
            yield from ((line, cell) for cell in cells)


def _of_text(
    line: int,
    text: str,
    anchors: frozenset[str],
    references: frozenset[str],
    guesses: Iterator[int],
) -> Iterator[Link]:
    if "](" not in text and "][" not in text and "://" not in text:
        return
    text = _CODE.sub("", text)
    for match in _INLINE.finditer(text):
        target = match[2]
        broken = target.startswith("#") and target[1:].casefold() not in anchors
        guessed = broken and next(guesses, None) is not None
        nearest = _nearest(target[1:], anchors) if guessed else ""
        yield Link(line, harmless(plain(match[1])), harmless(target), broken, nearest)
    for match in _REFERENCE.finditer(text):
        name = " ".join((match[2] or match[1]).split())
        if name.casefold() not in references and not _is_placeholder(name):
            yield Link(line, harmless(plain(match[1])), harmless(f"[{name}]"), is_broken=True)
    for match in _BARE.finditer(_INLINE.sub("", text)):
        target = match[0].rstrip(".,;:!?")
        yield Link(line, "", harmless(target))


def _is_placeholder(name: str) -> bool:
    """`[Time][Date]` are two things to fill in."""
    return name[:1].isupper() and "-" not in name


def _nearest(name: str, anchors: frozenset[str]) -> str:
    some = sorted(anchors)[:_MOST_COMPARED]
    return next(iter(get_close_matches(name.casefold()[:80], some, n=1, cutoff=0.6)), "")

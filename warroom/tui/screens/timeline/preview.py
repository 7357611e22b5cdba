"""An entry as the post-mortem will show it: the report's own Markdown, parsed and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from warroom.domain.text import harmless
from warroom.domain.timeline import Entry
from warroom.tui.screens.timeline.draw import TEXT_SHOWN, Look, folded
from warroom.tui.widgets.lines import Line, Span

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


def source_of(entry: Entry, look: Look, labels: Sequence[str] = ()) -> str:
    """The Markdown of one entry; empty when reports leave such entries out of the timeline."""
    from warroom.reports.doings import shown
    from warroom.reports.views import Days, listed

    days = Days(shown([entry]), look.zone, {entry.seq: labels})
    return "\n\n".join(listed(day) for day in days)


def preview_lines(source: str, width: int, look: Look) -> list[Line]:
    """Markdown as lines: emphasis as weight, list items hung, nothing else of it left."""
    spans: list[Span] = []
    for token in _parser().parse(source[:TEXT_SHOWN]):
        if token.type == "list_item_open":
            spans.append((look.sign("• ", "* "), "accent"))
        elif token.type == "paragraph_open" and spans and spans[-1][0].endswith("\n") is False:
            spans += [] if spans[-1][1] == "accent" else [("\n\n", "")]
        elif token.type == "inline":
            spans += _inline(token.children or ())
        elif token.content:
            spans.append((harmless(token.content, lines=True), ""))
    return folded(spans, width, "  ")


def _inline(tokens: Sequence[Token]) -> list[Span]:
    spans: list[Span] = []
    strong = 0
    for token in tokens:
        if token.type in ("strong_open", "strong_close"):
            strong += token.nesting
        elif token.type in ("hardbreak", "softbreak"):
            spans.append(("\n", ""))
        elif token.content:
            spans.append((harmless(token.content), "bold" if strong else ""))
    return spans


@lru_cache(1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made: Any = MarkdownIt("commonmark")
    return made  # type: ignore[no-any-return]

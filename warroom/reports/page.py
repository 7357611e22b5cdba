"""The post-mortem as one HTML file: no script, nothing fetched, every text only text.

It is the Markdown, rendered with HTML switched off. Two things are put in its place: the report's
own figures as SVG, and the entries of the timeline, which are written straight, because a parser
would take twenty times as long for a hundred thousand of them. The page's policy (CSP) allows one
style sheet, known by its digest, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from warroom.domain.text import harmless
from warroom.reports import chart, picture
from warroom.reports.colours import DARK, LIGHT, colours
from warroom.reports.environment import built_in
from warroom.reports.markdown import Markup, inline
from warroom.reports.postmortem import render
from warroom.reports.report import Figure, Report
from warroom.reports.views import Day, Line

if TYPE_CHECKING:
    from markdown_it.token import Token

_PLACE: Final = re.compile(r"<entries (\d+)>")
"""What stands for a list of entries; no escaped text has such a bare `<`."""
_STYLE: Final = re.compile(r"<style>.*?</style>", re.DOTALL)
_SHOWN: Final = ("background", "surface", "foreground", "accent", "degraded", "quiet", "frame")


def page(
    report: Report,
    template: str,
    figures: Sequence[Figure] = (),
    known: Mapping[str, Any] | None = None,
) -> str:
    """The whole file; `known` as in `render`. Raises BadTemplate."""
    lists = _Lists(report)
    source = render(report, template, figures=figures, writing=lists, known=known)
    title = escape(harmless(report.timeline.incident.title))
    body = _body(source, lists, {figure.name: figure for figure in figures}, _headings(report))
    sheet = _sheet()
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{sheet}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


class _Lists:
    """Writes the entries of a day as HTML, and a mark into the Markdown for where they go."""

    def __init__(self, report: Report) -> None:
        self.written: list[str] = []
        self._labels = {exhibit.label for exhibit in report.timeline.exhibits}

    def listed(self, day: Day) -> Markup:
        names = {who: _text(who) for who in {line.who for line in day.lines}}
        return self._kept(
            f"<li>{self._item(line, names[line.who], said)}</li>" for line, said in self._said(day)
        )

    def brief(self, day: Day) -> Markup:
        return self._kept(
            f"<li><time>{line.time}</time> · {said}</li>" for line, said in self._said(day)
        )

    def _kept(self, items: Iterator[str]) -> Markup:
        content = "\n".join(items)
        self.written.append(f"<ul>\n{content}\n</ul>\n")
        return Markup(f"<entries {len(self.written) - 1}>")

    @staticmethod
    def _item(line: Line, name: str, said: str) -> str:
        star = "★ " if line.starred else ""
        utc = f"<time>{line.utc}</time> · " if line.utc else ""
        marks = "".join([f" ({_text(mark)})" for mark in _marks(line)])
        who = f'<span class="who">{name}{marks}</span>'
        return f"{star}<time>{line.time}</time> · {utc}{who}: {said}"

    def _said(self, day: Day) -> Iterator[tuple[Line, str]]:
        """Each line with its text, and the evidence that it does not cite itself."""
        for line, text in zip(day.lines, _texts([line.text for line in day.lines]), strict=True):
            yield line, f'<span class="said">{text}</span>{self._cited(line) if line.cited else ""}'

    def _cited(self, line: Line) -> str:
        return "".join(
            f' <a href="#{label}">[{label}]</a>' if label in self._labels else f" [{label}]"
            for label in line.cited
            if f"[{label}]" not in line.text
        )


def _marks(line: Line) -> list[str]:
    """What is said of an entry beside its text."""
    marks = ["internal"] if line.internal else []
    if line.amended:
        marks.append("edited")
    if line.rivals:
        marks.append(f"{line.rivals + 1} versions")
    return [*marks, ", ".join(line.tags)] if line.tags else marks


def _text(text: str) -> str:
    return escape(harmless(text, lines=True))


def _texts(texts: Sequence[str]) -> list[str]:
    """`_text` for each of many, all at once; none of them has a NUL once it is harmless."""
    shown = [harmless(text, lines=True) for text in texts]
    return escape("\0".join(shown)).split("\0") if shown else []


def _body(source: str, lists: _Lists, figures: dict[str, Figure], headings: dict[str, str]) -> str:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    environment: dict[str, object] = {}
    tokens = list(_placed(parser.parse(source, environment), lists, figures, headings))
    return str(parser.renderer.render(tokens, parser.options, environment))


def _placed(
    tokens: Sequence[Token], lists: _Lists, figures: dict[str, Figure], headings: dict[str, str]
) -> Iterator[Token]:
    """The tokens, with entries and figures in their places, and evidence where links find it."""
    index = 0
    while index < len(tokens):
        token = tokens[index]
        inner = tokens[index + 1] if index + 1 < len(tokens) else token
        html = _instead(inner, lists, figures) if token.type == "paragraph_open" else ""
        if html:
            yield _raw(html)
            index += 3
            continue
        if token.type == "heading_open" and inner.content in headings:
            token.attrSet("id", headings.pop(inner.content))
        if token.type == "inline":
            token.children = [c for c in token.children or () if c.type != "image"]
        yield token
        index += 1


def _instead(inner: Token, lists: _Lists, figures: dict[str, Figure]) -> str:
    """What stands in place of a paragraph: a list of entries, or one of the report's figures."""
    place = _PLACE.fullmatch(inner.content)
    if place is not None and int(place[1]) < len(lists.written):
        return lists.written[int(place[1])]
    children = inner.children or []
    if len(children) != 1 or children[0].type != "image":
        return ""
    figure = figures.get(unquote(str(children[0].attrGet("src") or "")))
    if figure is None:
        return ""
    caption = escape(harmless(figure.title))
    return (
        f"<figure>\n{_STYLE.sub('', figure.svg, 1)}\n<figcaption>{caption}</figcaption></figure>\n"
    )


def _raw(html: str) -> Token:
    """A piece of HTML that the renderer writes as it is."""
    from markdown_it.token import Token

    return Token("html_block", "", 0, content=html)


def _headings(report: Report) -> dict[str, str]:
    """The headings of the appendix, as Markdown, with the labels that are linked to."""
    return {
        f"{e.label} · {inline(e.evidence.title or e.evidence.kind.value)}": e.label
        for e in report.timeline.exhibits
    }


@cache
def _sheet() -> str:
    """The one style sheet."""

    def variables(theme: str) -> str:
        known = colours(theme)
        return " ".join(f"--{name}: {known[name]};" for name in _SHOWN)

    return "\n".join(
        (
            f":root {{ {variables(LIGHT)} }}",
            f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}",
            built_in("page.css"),
            chart.style(),
            picture.style(),
        )
    )

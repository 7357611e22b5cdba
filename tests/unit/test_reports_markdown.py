"""Whatever a text holds, CommonMark shows it as it is and makes nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from linkify_it import LinkifyIt
from linkify_it.main import Match
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from warroom.domain.text import harmless
from warroom.reports.markdown import LIMIT, Markup, block, blocks, inline

HOSTILE = [
    "![x](http://evil/pixel.png)", "[x](javascript:alert(1))", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "<!-- hidden", "<http://evil>", "http://evil.com/a_b_c",
    "www.evil.com", "mail me@evil.com", "# heading", "a\n===", "a\n---", "***", "- item",
    "+ item", "1. item", "1) item", "> quote", "```\ncode", "~~~\ncode", "    code", "a\n    code",
    "[x]: http://evil", "[^1]: note", "a | b\n--|--\n1 | 2", "&lt;b&gt; &#60; &amp",
    "**bold** _em_", "`code` ``x``", "~~gone~~", "back\\slash\\", "ends with \\\nnext",
    "* * *", "_ _ _", "___",
    "foo ##", "\t# tab", "\u00a0# nbsp", "$x$ $$y$$", "line\r\nline\rline", "\u2028# ls",
    "\x1b]8;;http://evil\x07x\x1b]8;;\x07", "\u202e# bidi", "\x9b31m", "[@click=app.bell]x[/]",
    "a  \nb", "| x |", "::: warning", ": definition", "[ ] task", "Term\n: def", "Term\n\n: def",
    "<a\nhref=x>",
    "---\ntitle: x\n---", "\n\n\n# late", "x\n\n    code\n\n- y", "=1+1", "a\n\\\n# b",
]  # fmt: skip
markup = st.lists(
    st.sampled_from([*"\\`*_{}[]()<>#+-=.!|~&$:@/\"' \n\t1aé", "www.", "http:", "```", "\u00a0"]),
    max_size=14,
).map("".join)
NAMES = ["0.GL", "app.py", "api.example.com"]
texts = st.sampled_from([*HOSTILE, *NAMES]) | markup | st.text(max_size=30)


class AsForgesLink(LinkifyIt):
    """Of bare names only those that begin with `www.` (GFM 0.29, 6.9): `0.gl` and `app.py` are
    names in the top-level domains of Greenland and Paraguay, but no links."""

    def match(self, text: str) -> list[Match] | None:
        found = super().match(text) or []
        return [m for m in found if m.schema or m.text.lower().startswith("www.")] or None


def parser() -> MarkdownIt:
    """Everything switched on that the forges and wikis make of Markdown."""
    gfm = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    gfm.linkify = AsForgesLink()
    return gfm.use(deflist_plugin).use(footnote_plugin).use(dollarmath_plugin)


def tokens(source: str) -> Iterator[Token]:
    for token in parser().parse(source):
        yield token
        yield from token.children or ()


def kinds(source: str) -> set[str]:
    return {token.type for token in tokens(source)}


def plain(source: str) -> str:
    """What a reader sees, paragraphs apart, breaks as line feeds, no-break spaces as spaces."""
    paragraphs = []
    for token in parser().parse(source):
        if token.type == "inline":
            parts = ("\n" if c.type == "hardbreak" else c.content for c in token.children or ())
            paragraphs.append("".join(parts))
    return "\n\n".join(paragraphs).replace("\u00a0", " ")


def seen(text: str) -> str:
    """The text as a block should show it: no blank line twice, no spaces where a line ends."""
    lines = harmless(text.replace("\r\n", "\n"), lines=True).replace("\u00a0", " ").split("\n")
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            paragraphs[-1].append(line.rstrip())
        elif paragraphs[-1]:
            paragraphs.append([])
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def visible(text: str) -> str:
    return "\n".join(line.strip() for line in text.split("\n"))


@settings(deadline=None)
@given(texts)
@example("")
def test_a_block_is_paragraphs_of_plain_text(text: str) -> None:
    source = block(text)
    assert kinds(source) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special",
                             "hardbreak"}  # fmt: skip
    assert visible(plain(source)) == visible(seen(text))


@settings(deadline=None)
@given(texts)
def test_a_line_stays_one_paragraph_one_heading_and_one_cell(text: str) -> None:
    source = inline(text)
    assert "\n" not in source
    wanted = {"inline", "text", "text_special"}
    assert kinds(source) <= wanted | {"paragraph_open", "paragraph_close"}
    assert kinds(f"# {source}") <= wanted | {"heading_open", "heading_close"}
    shown = " ".join(harmless(text).split())
    assert " ".join(plain(f"# T: {source}").split()) == f"T: {shown}".strip()
    cells = [t.children for t in parser().parse(f"| a | b |\n|--|--|\n| {source} | end |")
             if t.type == "inline"]  # fmt: skip
    assert len(cells) == 4
    assert " ".join("".join(c.content for c in cells[2] or ()).split()) == shown


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=4))
def test_list_items_neither_split_nor_join(several: list[str]) -> None:
    source = "".join(f"- x: {block(text, 2)}\n" for text in several)
    types = [token.type for token in parser().parse(source)]
    assert types.count("list_item_open") == len(several)
    assert types.count("bullet_list_open") == 1
    assert not {"heading_open", "fence", "code_block", "html_block", "hr"} & set(types)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_hostile_text_becomes_anything(text: str) -> None:
    assert visible(plain(block(text))) == visible(seen(text))
    assert plain(f"# T: {inline(text)}").split() == f"T: {harmless(text)}".split()
    made = kinds(block(text)) | kinds(inline(text)) | kinds(f"Term\n{block(text)}")
    assert not {kind for kind in made if kind.endswith("_open")} - {"paragraph_open"}
    assert not made & {
        "image",
        "html_inline",
        "html_block",
        "code_inline",
        "fence",
        "hr",
        "math_inline",
    }


def test_ordinary_words_stay_readable() -> None:
    text = "pg_stat_activity: 98/100 (was 40), web-1 down! 50% of 10.0.0.7's requests; a && b > c"
    assert inline(text) == text


@given(
    st.lists(texts | st.sampled_from(["see [E7]", "[E7] and x", "7. item", "\0", ""]), max_size=9)
)
@example(HOSTILE)
def test_many_blocks_at_once_are_as_each_alone(several: list[str]) -> None:
    assert blocks(several, 2) == [block(text, 2) for text in several]


def test_an_enormous_text_is_cut_and_says_so() -> None:
    shown = block("x" * 10_000_000)
    assert len(shown) < LIMIT + 100
    assert shown.endswith("… (10,000,000 characters; the JSON export has them all)")


def test_what_is_written_is_known_to_be_markdown() -> None:
    assert isinstance(inline("a"), Markup)
    assert isinstance(block("a"), Markup)

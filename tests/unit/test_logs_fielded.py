"""Lines are filtered by any field that their format names, and by words as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.logs.columns import Columns
from warroom.logs.drill import Chip, Chosen
from warroom.logs.fielded import conditions
from warroom.logs.filters import BadFilter, Page, Query, parse_filter
from warroom.logs.formats.base import Format
from warroom.logs.formats.structured import JSON
from warroom.logs.formats.web import COMBINED
from warroom.logs.recognise import recognise

AUTH = recognise(
    [b"Nov 21 14:35:02 web sshd[7]: Failed password for root from 203.0.113.7 port 7 ssh2"]
).format
FORMATS: Sequence[Format | None] = (COMBINED, JSON, AUTH, None)
NAMES = ("edge", "app", "auth", "other")
LINES = (
    (0, b'203.0.113.7 - ann [21/Nov/2026:14:35:02 +0000] "GET /cart HTTP/1.1" 502 7 "-" "curl/8"'),
    (0, b'203.0.113.8 - - [21/Nov/2026:14:35:02 +0000] "GET /ann HTTP/1.1" 200 7 "-" "x"'),
    (1, b'{"level":"error","msg":"no pool","user":"\\u5b89\\u85e4","order":7,"req":{"id":"B-2"}}'),
    (1, b'{"level":"info","msg":"order 17 of 7","user":"ann","order":17,"file":"C:\\\\x"}'),
    (2, b"Nov 21 14:35:02 web sshd[7]: Failed password for ann from 203.0.113.7 port 7 ssh2"),
    (3, b"reason:timeout after:7 order:7"),
)


class Logs:
    """Four logs: of requests, of objects, of logins, and one that nobody recognises."""

    def read(self, index: int, data: bytes) -> Columns | None:
        return None

    def parts(self, index: int, line: bytes) -> Iterable[tuple[str, bytes]]:
        fmt = FORMATS[index]
        return () if fmt is None else (*fmt.fields(line), *(fmt.roles(line) or {}).items())

    def chosen(self, chips: Sequence[Chip]) -> Chosen:
        return Chosen(chips)


def passing(text: str, *, hidden: str = "") -> list[int]:
    page = Page(b"".join(line + b"\n" for _, line in LINES), lambda index: LINES[index][0])
    outs = (parse_filter(hidden, NAMES, Logs()),) if hidden else ()
    query = Query((parse_filter(text, NAMES, Logs()),), outs)
    return list(query.pick(page, range(len(LINES))))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("user:ann", [0, 3, 4]),
        ("USER:ann", [0, 3, 4]),
        ("user:Ann", []),
        ("order:7", [2, 5]),
        ("order:*7", [2, 3]),
        ("req.id:b-*", [2]),
        ("user:安藤", [2]),
        ('msg:"no pool"', [2]),
        ('message:"*pool"', [2]),
        (r"file:C:\x", [3]),
        ("level:error user:安藤", [2]),
        ("source:app user:ann", [3]),
        ("program:sshd user:ann", [4]),
        ("reason:timeout", [5]),
        ("reason:timeout after:7", [5]),
        ("http://x", []),
        ("nothing:here", []),
    ],
)
def test_a_line_passes_whose_field_is_so_or_that_holds_the_words(
    text: str, wanted: list[int]
) -> None:
    assert passing(text) == wanted


def test_what_a_field_is_can_be_hidden() -> None:
    assert passing("re:.", hidden="user:ann") == [1, 2, 5]


def test_a_wrong_condition_among_several_is_said() -> None:
    with pytest.raises(BadFilter, match='"loud" is not a level'):
        passing("level:loud user:ann")
    with pytest.raises(BadFilter, match='no source is called "db"'):
        passing("user:ann source:db")


@given(st.text(max_size=40))
def test_whatever_is_typed_is_conditions_or_a_text(text: str) -> None:
    for written, name, value in conditions(text) or ():
        assert written in text
        assert name and value is not None

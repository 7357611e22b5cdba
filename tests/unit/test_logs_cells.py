"""Lines side by side: the same thing below the same name, within the width there is."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from warroom.logs.cells import cells_of, cells_wide, moment_of, table
from warroom.logs.formats.own import chosen
from warroom.logs.formats.structured import JSON
from warroom.logs.formats.web import COMBINED
from warroom.logs.recognise import recognise
from warroom.logs.record import read

LOG = (Path(__file__).parent / "logs" / "combined.log").read_bytes().split(b"\n")[:2]
OBJECTS = (
    b'{"level":"info","msg":"served","took":12,"req":{"id":"a1"}}',
    b'{"level":"error","msg":"no pool","req":{"id":"b2"},"err":"timeout"}',
    b"not an object",
)


def test_requests_stand_below_each_other() -> None:
    found = table([cells_of(line, COMBINED) for line in LOG], 96)
    assert found.title.split()[:6] == ["client", "status", "method", "path", "size", "user"]
    assert found.rows[0] is not None
    assert found.rows[0].split()[:4] == ["203.0.113.7", "200", "GET", "/cart?id=7"]
    places = [row.index("GET") for row in found.rows if row]
    assert len(set(places)) == 1


def test_objects_have_a_column_for_each_key_the_known_ones_first() -> None:
    found = table([cells_of(line, JSON) for line in OBJECTS], 80)
    assert found.title.split() == ["level", "message", "took", "req.id", "err"]
    assert found.rows[0] is not None and found.rows[1] is not None
    assert found.rows[0].split() == ["info", "served", "12", "a1"]
    assert found.rows[1].split() == ["error", "no", "pool", "b2", "timeout"]
    assert found.rows[2] is None


def test_columns_that_are_cut_share_what_is_left() -> None:
    line = {"client": "203.0.113.7", "path": "/" + "p" * 99, "agent": "a" * 40, "n": "1"}
    wide = dict(table([line], 400).head)
    assert (wide["client"], wide["path"], wide["agent"]) == (11, 100, 40)
    tight = dict(table([line], 11 + 48 + 24 + 1 + 2 * 4 + 20).head)
    assert (tight["client"], tight["path"], tight["agent"]) == (11, 58, 34)


def test_what_is_hostile_stays_harmless_and_what_is_long_is_cut() -> None:
    line = b'{"msg":"\\u001b[2J\\u202e[@click=app.bell]x[/]","k\\u001b":"' + b"y" * 5000 + b'"}'
    found = table([cells_of(line, JSON)], 60)
    (row,) = found.rows
    assert row is not None
    assert row.isprintable() and len(row) <= 60


def test_a_line_whose_message_has_no_column_is_left_as_it_is() -> None:
    asked = {"client": "203.0.113.7", "path": "/cart"}
    found = table([asked, {"message": "ERROR pool exhausted"}], 24)
    assert found.rows == ("203.0.113.7  /cart", None)
    assert table([asked, {"message": "ERROR pool"}], 80).rows[1] == f"{'':20}ERROR pool"


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=90)), max_size=5),
       st.integers(1, 90))  # fmt: skip
def test_a_table_never_leaves_its_width(lines: list[dict[str, str]], width: int) -> None:
    found = table(lines, width)
    assert cells_wide(found.title) <= width
    assert all(row is None or cells_wide(row) <= width for row in found.rows)


def test_columns_stand_below_each_other_whatever_script_is_in_them() -> None:
    objects = [
        {"user": "安藤", "message": "決済に失敗しました"},
        {"user": "ann", "message": "😀 paid"},
        {"user": "Zoe\u0301", "message": "ok"},
        {"user": "日本語の長い名前がここに書かれています", "message": "cut"},
    ]
    found = table(objects, 40)
    assert found.rows[0] == "安藤" + " " * 22 + "決済に失敗し…"
    assert found.rows[1] == "ann" + " " * 23 + "😀 paid"
    assert found.rows[2] == "Zoe\u0301" + " " * 23 + "ok"
    assert found.rows[3] == "日本語の長い名前がここ…" + " " * 3 + "cut"


def test_a_level_is_a_word_and_stands_in_front_also_where_no_field_has_it() -> None:
    pino = (b'{"level":30,"msg":"up"}', b'{"level":50,"msg":"no pool"}')
    assert table([cells_of(line, JSON) for line in pino], 60).rows == (
        "info   up",
        "error  no pool",
    )
    said = b'{"log":"ERROR no pool\\n","stream":"stderr","time":"2026-11-21T14:35:02Z"}'
    wrapped = recognise([said]).format
    assert wrapped is not None
    found = table([cells_of(said, wrapped)], 60)
    assert found.title.split() == ["level", "message", "stream"]
    assert found.rows == ("error  ERROR no pool  stderr",)
    assert "level" not in (cells_of(LOG[0], COMBINED) or {})


def test_a_line_says_its_own_time_where_it_has_one() -> None:
    record = read(LOG[0], COMBINED)
    assert record is not None
    assert moment_of(record) == "2026-11-21 13:35:02.000 UTC"
    other = read(b"203.0.113.7 x", chosen(r"(?P<client>\S+) (?P<message>.*)"))
    assert other is not None
    assert moment_of(other) == ""

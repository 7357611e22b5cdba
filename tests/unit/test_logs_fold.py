"""Lines that belong together are one entry: stack traces under their message, repeats counted."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from warroom.logs.entries import LOOKED_AT, Folding, below, rows
from warroom.logs.filters import Query, parse_filter
from warroom.logs.fold import Entry, folded, repeated
from warroom.logs.ring import LogRing, Raw
from warroom.logs.split import batch_of
from warroom.logs.view import LogView

PYTHON = """2026-11-21 14:35:02 ERROR pay failed
Traceback (most recent call last):
  File "shop.py", line 3, in pay
    charge()
ValueError: no card

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "shop.py", line 9, in pay
    raise Refused
shop.errors.Refused: try again
2026-11-21 14:35:03 INFO next"""
JAVA = """2026-11-21 14:35:02 ERROR pay failed
java.lang.IllegalStateException: pool is empty
\tat com.example.Shop.pay(Shop.java:7)
\tat com.example.Shop.main(Shop.java:3)
Caused by: java.io.IOException: timed out
\t... 23 more
2026-11-21 14:35:03 INFO next"""
NODE = """/srv/shop/server.js:10
    throw new TypeError("boom")
    ^

TypeError: boom
    at pay (/srv/shop/server.js:10:9)
    at node:internal/main/run_main_module:23:47 {
  code: 'E_CARD'
}
GET /next 200"""
GO = """2026/11/21 14:35:02 http: panic serving 203.0.113.7:99: boom
goroutine 5 [running]:
net/http.(*conn).serve.func1()
\t/usr/lib/go/src/net/http/server.go:1850 +0xbf
main.pay(0x1)

goroutine 7 [select]:
created by net/http.(*Server).Serve
\t/usr/lib/go/src/net/http/server.go:3089 +0x5ed
2026/11/21 14:35:03 next"""


def raws(text: str, source: int = 0) -> list[Raw]:
    return [
        Raw(number, source, 0.0, line.encode(), len(line))
        for number, line in enumerate(text.split("\n"), 1)
    ]


def heads(entries: list[Entry]) -> list[tuple[str, int]]:
    return [(entry.newest.data.decode(), len(entry.more)) for entry in entries]


@pytest.mark.parametrize(("text", "more"), [(PYTHON, 11), (JAVA, 5), (NODE, 8), (GO, 8)])
def test_a_stack_trace_stands_under_its_message_and_the_next_message_does_not(
    text: str, more: int
) -> None:
    lines = text.split("\n")
    assert heads(folded(raws(text))) == [(lines[0], more), (lines[-1], 0)]


def test_a_trace_is_not_parted_by_another_source_in_between() -> None:
    trace = [b"ERROR boom", b"Traceback (most recent call last):", b"  File x", b"KeyError: 1"]
    mixed = []
    for number, line in enumerate(trace):
        mixed.append(Raw(2 * number + 1, 0, 0.0, line, 9))
        mixed.append(Raw(2 * number + 2, 1, 0.0, b"GET /%d 200" % number, 9))
    assert [len(entry.more) for entry in folded(mixed)] == [3, 0, 0, 0, 0]


def test_an_error_without_a_trace_is_not_folded_under_what_somebody_else_said() -> None:
    text = "GET /cart 200\nTypeError: x is not a function\n    at f (a.js:1:2)\n\nGET /pay 200"
    assert heads(folded(raws(text))) == [
        ("GET /cart 200", 0), ("TypeError: x is not a function", 1), ("", 0), ("GET /pay 200", 0),
    ]  # fmt: skip


SAME = [
    ("2026-11-21T14:35:01.204Z ERROR pool full", "2026-11-21T14:35:02.9Z ERROR pool full"),
    ("Nov 21 14:35:01 web sshd[7]: refused", "Nov 21 14:36:59 web sshd[7]: refused"),
    ("2026/11/21 14:35:01 [error] 7#7: *1 no", "2026/11/21 14:35:02 [error] 7#7: *1 no"),
    ('{"level":"error","ts":1795271701.5}', '{"level":"error","ts":1795271702}'),
]  # fmt: skip
OTHER = [
    ("14:35:01 user 17 refused", "14:35:02 user 18 refused"),
    ("14:35:01 took 12 ms", "14:35:01 took 13 ms"),
    ("GET /1795271701 200", "GET /cart 200"),
    ("", "x"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_lines_that_differ_in_their_time_alone_are_one_that_came_twice(
    one: str, other: str
) -> None:
    (entry,) = repeated(folded(raws(f"{one}\n{other}\n{one}")))
    assert (entry.times, entry.number, entry.last) == (3, 1, 3)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_lines_that_say_something_else_stay_apart(one: str, other: str) -> None:
    assert [e.times for e in repeated(folded(raws(f"{one}\n{other}")))] == [1, 1]


def test_the_same_trace_again_and_again_is_one_entry() -> None:
    text = "\n".join([*JAVA.split("\n")[:-1]] * 4)
    (entry,) = repeated(folded(raws(text)))
    assert (entry.times, len(entry.more), entry.last) == (4, 5, 19)


@dataclass
class Desk:
    """A view over a ring of its own, and what is taken together."""

    view: LogView
    folding: Folding

    def arrive(self, *lines: bytes, source: int = 0, at: float = 0.0) -> None:
        self.view.ring.append(source, at, batch_of(list(lines)))

    def shows(self, height: int = 10) -> list[tuple[str, int, int]]:
        return [
            (row.newest.data.decode(), row.times, len(row.more))
            for row in rows(self.view, height, self.folding, at=self.view.bottom)
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk(LogView(LogRing()), Folding())


def test_what_is_folded_leaves_its_room_to_lines_above(desk: Desk) -> None:
    desk.arrive(*[b"line %d" % n for n in range(100)], *JAVA.encode().split(b"\n"))
    shown = [text[-10:] for text, _, _ in desk.shows(4)]
    assert shown == ["line 98", "line 99", "pay failed", " INFO next"]


def test_repeats_beyond_what_is_looked_at_are_counted_as_at_least(desk: Desk) -> None:
    desk.arrive(*[b"pool full"] * 412, b"ok")
    assert desk.shows() == [("pool full", 412, 0), ("ok", 1, 0)]
    assert not rows(desk.view, 10, desk.folding)[0].at_least
    desk.arrive(*[b"pool full"] * (LOOKED_AT + 500))
    (last,) = rows(desk.view, 1, desk.folding)
    assert last.at_least
    assert last.times <= LOOKED_AT


def test_a_view_that_stands_still_shows_the_same_counts_while_more_of_it_comes(desk: Desk) -> None:
    desk.arrive(*[b"pool full"] * 7)
    desk.view.pause()
    desk.arrive(*[b"pool full"] * 5, b"   and more")
    assert desk.shows() == [("pool full", 7, 0)]
    desk.view.follow()
    assert desk.shows() == [("pool full", 11, 0), ("pool full", 1, 1)]


def test_a_view_paused_within_a_trace_shows_all_of_it(desk: Desk) -> None:
    desk.arrive(b"before", *PYTHON.encode().split(b"\n"))
    desk.view.pause(4)
    assert desk.shows() == [
        ("before", 1, 0), ("2026-11-21 14:35:02 ERROR pay failed", 1, 11),
        ("2026-11-21 14:35:03 INFO next", 1, 0),
    ]  # fmt: skip


def test_what_is_opened_is_shown_line_by_line_and_is_whole_below_an_edge(desk: Desk) -> None:
    desk.arrive(*JAVA.encode().split(b"\n"))
    desk.folding.opened.add(1)
    assert len(desk.shows()) == 7
    assert [row.inner for row in rows(desk.view, 10, desk.folding)] == [False, *[True] * 5, False]
    assert [row.number for row in below(desk.view, 10, desk.folding, 4)] == [5, 6, 7]


def test_a_filter_that_keeps_a_message_keeps_its_trace_under_it(desk: Desk) -> None:
    for number in range(3):
        desk.arrive(*JAVA.encode().split(b"\n"))
        desk.arrive(b"GET /%d 200" % number, source=1)
    desk.view.filter(Query((parse_filter("level:error"),)))
    while desk.view.work(1.0):
        pass
    assert desk.shows()[-1] == ("2026-11-21 14:35:02 ERROR pay failed", 3, 5)


def test_without_folding_every_line_is_a_row(desk: Desk) -> None:
    desk.folding.traces = desk.folding.repeats = False
    desk.arrive(*JAVA.encode().split(b"\n"), b"ok", b"ok")
    assert len(desk.shows(20)) == 9
    desk.folding.repeats = True
    assert desk.shows(20)[-1] == ("ok", 2, 0)

"""What a `[[log]]` names becomes a command or a file, and the journal becomes text."""

from __future__ import annotations

import json

from warroom.logs.journald import JournalText
from warroom.logs.sources import pm2_argv, unseen


def entry(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def test_a_journal_entry_becomes_its_message() -> None:
    assert JournalText().feed(entry(MESSAGE="ready", PRIORITY="6")) == b"ready\n"


def test_a_message_that_is_not_utf8_comes_as_numbers_and_is_bytes_again() -> None:
    assert JournalText().feed(entry(MESSAGE=[99, 97, 102, 233])) == b"caf\xe9\n"
    assert JournalText().feed(entry(MESSAGE=[1, 256, -1, "x", None, True])) == b"\x01\x01\n"


def test_a_priority_is_said_where_the_message_names_no_level() -> None:
    text = JournalText()
    assert text.feed(entry(MESSAGE="boom", PRIORITY="3")) == b"[err] boom\n"
    assert text.feed(entry(MESSAGE="ERROR boom", PRIORITY="3")) == b"ERROR boom\n"
    assert text.feed(entry(MESSAGE="fine", PRIORITY="6")) == b"fine\n"


def test_reading_goes_on_after_the_last_entry_that_came() -> None:
    text = JournalText()
    assert "--lines=200" in text.argv("shop.service", 200)
    text.feed(entry(MESSAGE="x", __CURSOR="s=1;i=7"))
    assert "--after-cursor=s=1;i=7" in text.argv("shop.service", 200)
    assert text.argv("shop.service", 200)[-1] == "--unit=shop.service"


def test_entries_may_come_in_pieces_and_be_no_entries() -> None:
    text = JournalText()
    data = entry(MESSAGE="one\ntwo\n") + b"No journal files were found.\n[1]\n{\n"
    out = b"".join(text.feed(data[i : i + 1]) for i in range(len(data)))
    assert out == b"one\ntwo\nNo journal files were found.\n[1]\n{\n"
    assert text.feed(entry(MESSAGE=None)) == b"(a message too long for the journal's JSON)\n"


def test_a_name_is_one_argument_whatever_it_holds() -> None:
    assert "api; rm -rf /" in pm2_argv("api; rm -rf /")


def test_lines_known_from_before_a_fault_are_found_among_those_read_again() -> None:
    known = [b"a", b"b", b"c"]
    assert list(unseen(known, [b"a", b"b", b"c"])) == []
    assert list(unseen(known, [b"b", b"c", b"d", b"e"])) == [b"d", b"e"]
    assert list(unseen(known, [b"x", b"a", b"b", b"c", b"d"])) == [b"d"]
    assert list(unseen(known, [b"x", b"y"])) == [b"x", b"y"]
    assert list(unseen([], [b"x"])) == [b"x"]

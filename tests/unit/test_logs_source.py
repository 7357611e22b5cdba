"""One log between its chunks and the counters: what was there before is shown and not counted."""

from __future__ import annotations

import pytest

from warroom.config.settings import LogEntry
from warroom.config.values import Name
from warroom.logs._source import Counting, Source
from warroom.logs.histogram import Histogram
from warroom.logs.piped import Piped
from warroom.logs.ring import LogRing
from warroom.logs.searches import Searches
from warroom.logs.sources import LAST
from warroom.logs.talkers import Talkers

START = 1_790_000_000.0
LINE = b'203.0.113.7 - - [21/Nov/2026:14:35:02 +0000] "GET /cart HTTP/1.1" 200 157 "-" "curl/8"\n'
FILE = LogEntry("edge", path="/var/log/edge.log")
ASKED = (LogEntry("edge", container="edge"), LogEntry("edge", unit="edge.service"))
"""For no more than so many of their last lines."""
UNASKED = (
    LogEntry("edge", argv=("kubectl", "logs", "-f", "--tail=1000", "edge")),
    LogEntry("edge", pm2="edge"),
    Piped(Name("edge"), fd=0),
)
COMMANDS = (*ASKED, *UNASKED)


class Followed:
    """A log that was opened at `START`."""

    def __init__(self, entry: LogEntry) -> None:
        self.ring, self.talkers = LogRing(), Talkers(START)
        self.source = Source(
            0,
            entry,
            self.ring,
            Counting(self.talkers, Histogram(), Searches((), ())),
        )
        self.source.began(START)

    def says(self, lines: int, after: float) -> int:
        """So many requests come at once, seconds after it was opened; how many count so far."""
        self.source.tick(START + after, after)
        self.source.take(LINE * lines, START + after)
        return self.talkers.requests


@pytest.mark.parametrize("entry", [FILE, *ASKED])
def test_what_was_there_before_does_not_count_when_it_takes_long_to_come(entry: LogEntry) -> None:
    log = Followed(entry)
    assert log.says(LAST // 2, after=3) == 0
    assert log.says(LAST // 2, after=3.2) == 0
    assert log.says(1, after=3.3) == 1
    assert log.ring.count == LAST + 1


def test_of_a_file_all_counts_that_comes_once_nothing_more_was_left_to_read() -> None:
    log = Followed(FILE)
    assert log.says(50, after=0.1) == 0
    log.source.caught_up(START + 0.2)
    assert log.says(1, after=0.3) == 1


@pytest.mark.parametrize("entry", COMMANDS)
def test_half_a_second_after_its_first_word_what_a_command_says_is_new(entry: LogEntry) -> None:
    log = Followed(entry)
    assert log.says(50, after=2) == 0
    assert log.says(1, after=2.6) == 1


@pytest.mark.parametrize("entry", UNASKED)
def test_a_command_may_begin_with_any_number_of_old_lines(entry: LogEntry) -> None:
    log = Followed(entry)
    assert log.says(5 * LAST, after=1) == 0
    assert log.says(5 * LAST, after=1.4) == 0
    assert log.says(1, after=1.6) == 1


@pytest.mark.parametrize("entry", COMMANDS)
def test_what_a_silent_command_says_first_after_a_while_is_new(entry: LogEntry) -> None:
    assert Followed(entry).says(7, after=6) == 7


def test_half_a_character_of_what_cannot_be_read_is_no_line() -> None:
    log = Followed(FILE)
    log.source.take("\ufeffINFO started\r\nERROR grösser\r\n".encode("utf-16-le"), START)
    log.source.tick(START + 60, 60)
    assert log.source.look.trouble.startswith("UTF-16")
    assert not log.ring.tails

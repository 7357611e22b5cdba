"""What several logs held before they were followed stands in the order of its times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from warroom.config.settings import LogEntry
from warroom.config.values import Name
from warroom.logs._backlogs import Backlogs
from warroom.logs._source import Counting, Source
from warroom.logs.histogram import Histogram
from warroom.logs.ring import LogRing
from warroom.logs.searches import Searches
from warroom.logs.talkers import Talkers

NOON = 1795262400.0  # 2026-11-21 12:00 UTC


class Logs:
    """Files that were opened at noon, all at once."""

    def __init__(self, count: int) -> None:
        self.ring, self.backlogs = LogRing(), Backlogs(range(count))
        counting = Counting(Talkers(NOON), Histogram(), Searches((), ()), self.backlogs)
        self.sources = [
            Source(n, LogEntry(Name(f"log{n}"), path=f"/log/{n}"), self.ring, counting)
            for n in range(count)
        ]
        for source in self.sources:
            source.began(NOON)

    @property
    def shown(self) -> list[str]:
        return [raw.data.decode() for raw in self.ring.forward(1)]


def test_lines_of_several_logs_stand_as_they_were_written_and_new_ones_behind_them() -> None:
    logs = Logs(3)
    edge, api, quiet = logs.sources
    edge.take(b"2026-11-21T11:00:01Z a\n2026-11-21T11:00:05Z b\n", NOON + 0.1)
    assert logs.shown == [], "the others may have older lines"
    api.take(b"2026-11-21T11:00:02Z c\n  more of c\n2026-11-21 11:00:04 d\n", NOON + 0.1)
    edge.caught_up(NOON + 0.1)
    edge.take(b"2026-11-21T12:00:00Z new\n", NOON + 0.2)
    api.caught_up(NOON + 0.2)
    assert logs.shown == []
    quiet.caught_up(NOON + 0.3)
    assert [line.split()[-1] for line in logs.shown] == ["a", "c", "c", "d", "b", "new"]
    there = [logs.sources[raw.source].was_there(raw) for raw in logs.ring.forward(1)]
    assert there == [True] * 5 + [False]
    api.take(b"2026-11-21T11:00:03Z late\n", NOON + 1)
    assert logs.shown[-1].endswith("late"), "from now on as they come"


def test_a_log_that_says_nothing_keeps_the_others_for_a_moment_only() -> None:
    logs = Logs(2)
    logs.sources[0].take(b"2026-11-21T11:00:01Z a\n", NOON + 0.1)
    logs.sources[0].caught_up(NOON + 0.1)
    assert logs.shown == []
    logs.backlogs.release()
    assert len(logs.shown) == 1
    logs.sources[1].take(b"2026-11-21T10:00:00Z old, but slow\n", NOON + 2)
    logs.sources[1].caught_up(NOON + 2)
    assert logs.shown[-1].endswith("slow")


def test_a_log_that_cannot_be_read_is_not_waited_for() -> None:
    logs = Logs(2)
    logs.sources[0].take(b"a\n", NOON)
    logs.sources[0].caught_up(NOON)
    logs.sources[1].ended(NOON)
    assert logs.shown == ["a"]


def test_a_log_alone_waits_for_nobody() -> None:
    logs = Logs(1)
    logs.sources[0].take(b"a\n", NOON)
    assert logs.shown == ["a"]


@given(st.lists(st.lists(st.integers(0, 59), max_size=20), min_size=2, max_size=4))
def test_nothing_is_lost_and_no_log_is_put_out_of_its_own_order(times: list[list[int]]) -> None:
    logs = Logs(len(times))
    for number, (source, seconds) in enumerate(zip(logs.sources, times, strict=True)):
        for place, second in enumerate(seconds):
            said = f"2026-11-21T11:00:{second:02d}Z {number} {place}\n"
            source.take(said.encode(), NOON)
    for source in logs.sources:
        source.caught_up(NOON)
    found = [tuple(map(int, line.split()[1:])) for line in logs.shown]
    assert len(found) == sum(map(len, times))
    for number, seconds in enumerate(times):
        assert [place for log, place in found if log == number] == [*range(len(seconds))]
    if all(seconds == sorted(seconds) for seconds in times):
        shown = [line.split()[0] for line in logs.shown]
        assert shown == sorted(shown)

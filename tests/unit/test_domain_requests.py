"""Who holds a target, and what came of each request: the order of the journal decides, alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.chains import Chain
from warroom.domain.events import Event, Kind
from warroom.domain.ledger import doubts, standing, summary
from warroom.domain.requests import BEATEN, GONE, SILENT, Request, Requests, over

BLOCK = {"kind": "nginx.unblock", "title": "Unblock", "host": "", "options": {"address": "a"}}


class Story(Chain):
    """An incident in which people act."""

    def __init__(self) -> None:
        super().__init__()
        self.open()

    def asks(self, by: str = "alice", target: str = "api", at: float = 1, **data: Any) -> Event:
        named = {"id": f"id-{target}", "label": target}
        return self.add(
            Kind.REQUESTED, f"Restart: {target}", at=at, by=by,
            **{"title": "Restart", "host": "", "target": named, "console": f"of-{by}",
               "limit_s": 30.0, **data},
        )  # fmt: skip

    def ends(self, request: Event, state: str, at: float = 2, **data: Any) -> Event:
        return self.add(Kind.OUTCOME, state, at=at, request=request.seq, state=state, **data)

    @property
    def requests(self) -> Requests:
        return Requests(self.events)


@pytest.fixture
def story() -> Story:
    return Story()


def test_the_first_holds_the_target_and_the_others_know_who(story: Story) -> None:
    first, second, third = story.asks("alice"), story.asks("bob"), story.asks("carol")
    found = story.requests
    assert found[first.seq].first is None
    assert [found[e.seq].first for e in (second, third)] == [first, first]
    assert found[second.seq].state == "refused"


def test_one_request_for_several_holds_each_of_them_until_it_ends(story: Story) -> None:
    several = story.asks("alice", "2 containers", holds=["id-api", "id-web"])
    beaten = story.asks("bob", "web")
    story.ends(several, "done")
    after = story.asks("carol", "web")
    found = story.requests
    assert found[beaten.seq].first == several
    assert found[after.seq].first is None
    assert found.holder(("", "id-api")) is None


def test_who_asks_for_several_is_beaten_by_whoever_has_one_of_them(story: Story) -> None:
    first = story.asks("bob", "web", seen=1)
    several = story.asks("alice", "2 containers", holds=["id-api", "id-web"], seen=1)
    assert story.requests[several.seq].first == first
    story.ends(first, "done")
    late = story.asks("carol", "2 containers", holds=["id-api", "id-web"], seen=1)
    assert story.requests[late.seq].first == first, "its card was drawn before"
    fresh = story.asks("carol", "2 containers", holds=["id-api", "id-web"], seen=late.seq)
    assert story.requests[fresh.seq].first is None


def test_who_was_beaten_holds_nothing_when_the_first_has_ended(story: Story) -> None:
    first = story.asks("alice")
    story.asks("bob")
    story.ends(first, "failed")
    again = story.asks("carol")
    assert story.requests[again.seq].first is None


def test_another_target_or_another_host_is_nobodys_business(story: Story) -> None:
    story.asks("alice")
    other, elsewhere = story.asks("bob", "db"), story.asks("carol", host="web1")
    assert [story.requests[e.seq].first for e in (other, elsewhere)] == [None, None]


def test_a_card_drawn_before_somebody_else_did_it_is_beaten_however_short_that_was(
    story: Story,
) -> None:
    seen = len(story.events)
    first = story.asks("alice", seen=seen)
    story.ends(first, "done")
    stale, fresh = story.asks("bob", seen=seen), story.asks("carol", seen=len(story.events))
    assert story.requests[stale.seq].first == first
    assert story.requests[fresh.seq].first is None


def test_a_refusal_makes_nobodys_card_stale(story: Story) -> None:
    seen = len(story.events)
    story.ends(story.asks("alice", seen=seen), "refused")
    again = story.asks("bob", seen=seen)
    assert story.requests[again.seq].first is None


def test_the_consoles_own_word_counts_more_than_a_witness_whichever_came_first(
    story: Story,
) -> None:
    one, two = story.asks("alice"), story.asks("bob", "db")
    story.ends(one, "UNKNOWN", witness=True)
    story.ends(one, "done")
    story.ends(two, "done")
    story.ends(two, "UNKNOWN", witness=True)
    assert [story.requests[e.seq].state for e in (one, two)] == ["done", "done"]


@pytest.mark.parametrize(
    ("age", "present", "says"),
    [
        (10, ["of-bob"], ""),
        (16, ["of-bob"], GONE),
        (16, ["of-alice", "of-bob"], ""),
        (16, [], ""),
        (59, ["of-alice", "of-bob"], ""),
        (61, ["of-alice", "of-bob"], SILENT),
        (61, [], SILENT),
    ],
)
def test_a_request_ends_with_its_console_or_its_lease(
    story: Story, age: float, present: list[str], says: str
) -> None:
    event = story.asks("alice")
    assert over(Request(event), event.recorded_at + timedelta(seconds=age), present) == says


def test_one_who_was_beaten_and_is_gone_has_certainly_done_nothing(story: Story) -> None:
    first = story.asks("alice")
    beaten = Request(story.asks("bob"), first=first)
    later = beaten.event.recorded_at + timedelta(seconds=20)
    assert over(beaten, later, ["of-carol"]) == BEATEN


def test_taking_events_one_by_one_or_all_at_once_is_the_same(story: Story) -> None:
    story.ends(story.asks("alice"), "done")
    story.asks("bob")
    slowly = Requests()
    for event in story.events:
        slowly.add([event])
    assert slowly.all == story.requests.all


# The ledger ----------------------------------------------------------------------------------


def blocked(story: Story, at: float = 1, minutes: float = 15, **data: Any) -> Event:
    request = story.asks("alice", "203.0.113.0/24", at=at, title="Block", **data)
    until = story.minute(at + minutes).isoformat()
    story.ends(request, "done", at, undo=BLOCK, expires_at=until)
    return request


def test_a_temporary_change_stands_with_its_end_in_view(story: Story) -> None:
    blocked(story)
    (change,) = standing(story.requests.all)
    assert (change.label, change.left(story.minute(4))) == ("Block: 203.0.113.0/24", 12 * 60)
    said = "1 temporary: Block: 203.0.113.0/24, "
    assert summary([change], story.minute(4)) == f"{said}12 min left"
    assert summary([change], story.minute(20)) == f"{said}EXPIRED"
    assert "temporary: Block: 203.0.113.0/24" in doubts([change])


def test_what_failed_or_is_unknown_stands_nowhere(story: Story) -> None:
    until = story.minute(15).isoformat()
    for state in ("failed", "UNKNOWN"):
        story.ends(story.asks(target=state), state, expires_at=until)
    story.ends(story.asks(target="refused"), "refused", undo=BLOCK)
    assert standing(story.requests.all) == ()


@pytest.mark.parametrize("state", ["failed", "UNKNOWN"])
def test_the_part_of_a_failure_that_can_be_taken_back_stands_until_it_is(
    story: Story, state: str
) -> None:
    request = story.asks("alice", "3 containers", title="Stop 3 containers")
    story.ends(request, state, undo=BLOCK)
    (change,) = standing(story.requests.all)
    assert (change.label, change.undo, change.temporary) == ("Stop 3 containers", BLOCK, False)
    link = {"incident": story.incident, "request": request.seq}
    story.ends(story.asks("bob", "3 containers", undoes=link), "done")
    assert standing(story.requests.all) == ()


def test_what_was_done_again_stands_once_as_of_the_last_time(story: Story) -> None:
    blocked(story, at=1)
    later = blocked(story, at=10)
    (change,) = standing(story.requests.all)
    assert change.request.event == later


@pytest.mark.parametrize(
    ("state", "stands", "undoing", "doubt"),
    [
        ("done", False, False, False),
        ("", True, True, False),
        ("failed", True, False, False),
        ("refused", True, False, False),
        ("UNKNOWN", True, False, True),
    ],
)
def test_only_what_was_certainly_taken_back_is_gone(
    story: Story, state: str, stands: bool, undoing: bool, doubt: bool
) -> None:
    request = blocked(story)
    link = {"incident": story.incident, "request": request.seq}
    back = story.asks("bob", "203.0.113.0/24", title="Unblock", undoes=link)
    if state:
        story.ends(back, state, undo={**BLOCK, "kind": "nginx.block"})
    found = standing(story.requests.all)
    assert len(found) == stands
    if stands:
        assert (found[0].undoing, found[0].doubt) == (undoing, doubt)


def test_a_change_of_an_earlier_incident_stands_until_a_later_one_takes_it_back(
    story: Story,
) -> None:
    request = blocked(story)
    later = Story()
    later.incident = "INC-2026-11-22-001"
    assert len(standing([*story.requests.all, *later.requests.all])) == 1
    link = {"incident": story.incident, "request": request.seq}
    later.ends(later.asks("bob", "203.0.113.0/24", undoes=link), "done")
    assert standing([*story.requests.all, *later.requests.all]) == ()

"""The one way to tell people: recorded before, sent once, recorded after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import ALICE
from tests.support.staged import Stage as Scene
from tests.support.staged import member
from warroom.channels.base import Delivery, Message, Progress, Receipt, Stage, Watcher
from warroom.config.settings import ChannelEntry, Settings, UpdatesSettings
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Draft, Event, Kind
from warroom.domain.incident import Role, Status
from warroom.domain.sample import Health, Sample
from warroom.engine.room import Room
from warroom.engine.telling import TEXT_LIMIT, Outcome, Target, Told
from warroom.journal.base import NotSaved
from warroom.journal.memory import MemoryJournal

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHAT = Target("chat", "ops", "slack")


class FullDisk(MemoryJournal):
    """A journal that takes nothing any more, once it is full."""

    full = False

    async def append(self, incident: str, *drafts: Draft) -> tuple[Event, ...]:
        if self.full:
            raise NotSaved("no space left on device")
        return await super().append(incident, *drafts)


@dataclass
class Post:
    """A channel that keeps what it is given. `gate` holds it up while it is leaving or waiting."""

    receipt: Receipt = field(default_factory=lambda: Receipt(Delivery.SENT, "taken"))
    fails: Exception | None = None
    leaving: bool = True
    gate: asyncio.Event | None = None
    sent: list[Message] = field(default_factory=list)

    async def where(self) -> str:
        return "hooks.example"

    def preview(self, message: Message) -> tuple[tuple[str, str], ...]:
        return ()

    async def send(self, message: Message, watch: Watcher) -> Receipt:
        self.sent.append(message)
        watch(Progress("on its way", leaving=self.leaving))
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise self.fails
        return self.receipt


def settings(tmp_path: Path) -> Settings:
    entry = ChannelEntry("slack", "ops", "", {"url": "env:HOOK"}, ("channel", 0))
    return replace(Settings(), channels=(entry,), file=tmp_path / "warroom.toml")


def a_room(
    tmp_path: Path, journal: MemoryJournal, post: Post, clock: ManualClock, **more: Any
) -> Room:
    author = more.pop("author", ALICE)
    given = more.pop("settings", settings(tmp_path))
    room = Room(given, more.pop("probes", ()), (), (), journal, author, clock=clock, **more)
    room.teller._channels["ops"] = post
    return room


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
def journal(clock: ManualClock) -> FullDisk:
    return FullDisk(clock)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
async def room(
    tmp_path: Path, journal: FullDisk, post: Post, clock: ManualClock
) -> AsyncIterator[Room]:
    made = a_room(tmp_path, journal, post, clock)
    await made.session.begin("Checkout 5xx", "P1")
    yield made


def updates(room: Room) -> list[Event]:
    return [event for event in room.session.events if event.kind is Kind.UPDATE]


def states(room: Room) -> list[str]:
    return [str(event.data["state"]) for event in updates(room)]


async def send(room: Room, press: str = "press-1", text: str = "Hello\nall") -> Outcome:
    return await room.teller.send(CHAT, Stage.INITIAL, text, press, lambda _: None)


async def test_it_is_recorded_before_and_after(room: Room, post: Post) -> None:
    outcome = await send(room)
    assert (outcome.state, outcome.saved) == (Told.SENT, True)
    before, after = updates(room)
    assert before.data["state"] == "sending"
    assert after.data == {
        "audience": "chat", "stage": "initial", "channel": "ops", "state": "sent",
        "request": before.seq, "body": "Hello\nall", "answer": "taken",
    }  # fmt: skip
    assert post.sent[0].text == "Hello\nall"
    assert room.session.incident is not None
    assert room.session.incident.told["chat"].stage == "initial"


async def test_without_a_record_nothing_leaves(room: Room, journal: FullDisk, post: Post) -> None:
    journal.full = True
    outcome = await send(room)
    assert outcome.state is Told.REFUSED
    assert outcome.text.startswith("NOT SENT: it could not be recorded")
    assert post.sent == []
    assert room.session.unsaved == []


async def test_an_outcome_that_cannot_be_saved_is_kept_and_said(
    room: Room, journal: FullDisk, post: Post
) -> None:
    post.gate = asyncio.Event()
    sending = asyncio.create_task(send(room))
    while not post.sent:
        await asyncio.sleep(0)
    journal.full = True
    post.gate.set()
    outcome = await sending
    assert (outcome.state, outcome.saved) == (Told.SENT, False)
    journal.full = False
    await room.session.save_again()
    assert states(room) == ["sending", "sent"]


async def test_one_press_sends_once_however_often_it_comes(room: Room, post: Post) -> None:
    outcomes = await asyncio.gather(*(send(room) for _ in range(5)))
    assert [outcome.state for outcome in outcomes].count(Told.SENT) == 1
    assert (await send(room)).text == "sent already"
    assert len(post.sent) == 1
    assert (await send(room, "press-2")).state is Told.SENT
    assert len(post.sent) == 2


async def test_a_channel_that_is_sending_takes_no_second_message(room: Room, post: Post) -> None:
    post.gate = asyncio.Event()
    sending = asyncio.create_task(send(room))
    while not post.sent:
        await asyncio.sleep(0)
    assert (await send(room, "press-2")).text == "ops is sending already"
    post.gate.set()
    assert (await sending).state is Told.SENT
    assert len(post.sent) == 1


async def test_of_two_responders_at_the_same_moment_one_tells_and_the_other_sees_who(
    tmp_path: Path, journal: FullDisk, clock: ManualClock
) -> None:
    mine, theirs = Post(gate=asyncio.Event()), Post()
    one = a_room(tmp_path, journal, mine, clock)
    two = a_room(tmp_path, journal, theirs, clock, author=Author("robin", 1001))
    await one.session.begin("Checkout 5xx", "P1")
    await two.session.resume()
    sending = asyncio.create_task(send(one))
    while not mine.sent:
        await asyncio.sleep(0)
    outcome = await send(two, "press-of-robin")
    assert outcome.state is Told.FAILED
    assert outcome.text == "not sent: alice is telling them since 12:00:00 UTC"
    assert theirs.sent == []
    assert mine.gate is not None
    mine.gate.set()
    assert (await sending).state is Told.SENT
    await two.session.refresh()
    assert (await send(two, "press-later")).state is Told.SENT


async def test_what_was_never_ended_holds_nobody_up_for_long(
    room: Room, post: Post, clock: ManualClock
) -> None:
    data = {"audience": "chat", "stage": "initial", "channel": "ops", "state": "sending"}
    await room.session.record(Kind.UPDATE, "a console died here", data)
    assert (await send(room)).state is Told.FAILED
    clock.advance(91)
    assert (await send(room, "press-2")).state is Told.SENT


@pytest.mark.parametrize(("leaving", "state"), [(True, "UNKNOWN"), (False, "failed")])
async def test_leaving_while_it_is_on_its_way_is_unknown_and_before_that_it_failed(
    room: Room, post: Post, leaving: bool, state: str
) -> None:
    post.gate, post.leaving = asyncio.Event(), leaving
    sending = asyncio.create_task(send(room))
    while not post.sent:
        await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert states(room) == ["sending", state]
    assert room.teller.sending == {}


async def test_a_defect_of_a_channel_is_unknown_and_quotes_nothing(room: Room, post: Post) -> None:
    post.fails = RuntimeError("https://hooks.example/verysecret")
    outcome = await send(room)
    assert outcome.state is Told.UNKNOWN
    assert "verysecret" not in outcome.text + str(room.session.events)


async def test_the_thread_of_a_receipt_goes_on_with_the_next_message(
    room: Room, post: Post
) -> None:
    post.receipt = Receipt(Delivery.SENT, "taken", "inc42")
    await send(room)
    await send(room, "press-2")
    assert [message.thread for message in post.sent] == ["", "inc42"]
    assert (post.sent[0].rank, post.sent[0].levels) == (1, 4)
    assert post.sent[0].origin == room.session.events[0].id


@pytest.mark.parametrize("text", ["", "  \n ", "x" * (TEXT_LIMIT + 1)])
async def test_nothing_and_far_too_much_are_refused(room: Room, post: Post, text: str) -> None:
    assert (await send(room, text=text)).state is Told.REFUSED
    assert updates(room) == []


async def test_what_is_sent_is_harmless_whatever_was_pasted(room: Room, post: Post) -> None:
    await send(room, text="a\x1b]52;c;x\x07\u202e\n\tb\ud800\0")
    assert post.sent[0].text == "a␛]52;c;x␇␦\n    b\ufffd␀"


async def test_an_observer_and_a_room_without_an_incident_tell_nobody(
    tmp_path: Path, journal: FullDisk, post: Post, clock: ManualClock
) -> None:
    watching = a_room(tmp_path, journal, post, clock, observe=True)
    await watching.session.begin("Checkout 5xx", "P1")
    assert "observer mode" in (await send(watching)).text
    idle = a_room(tmp_path, FullDisk(clock), post, clock)
    assert "open an incident first" in (await send(idle)).text
    assert post.sent == []


async def test_the_stage_follows_from_what_was_told_and_the_status(room: Room) -> None:
    assert room.teller.stage("chat") is Stage.INITIAL
    await send(room)
    assert room.teller.stage("chat") is Stage.UPDATE
    assert room.teller.stage("Status Page") is Stage.INITIAL
    await room.session.set_status(Status.RESOLVED)
    assert room.teller.stage("chat") is Stage.RESOLVED


async def test_what_begins_again_after_the_last_update_is_new_to_them(
    room: Room, post: Post
) -> None:
    post.receipt = Receipt(Delivery.SENT, "taken", "inc42")
    await send(room)
    await room.session.set_status(Status.RESOLVED)
    await room.teller.send(CHAT, Stage.RESOLVED, "Over.", "press-2", lambda _: None)
    await room.session.set_status(Status.INVESTIGATING)
    assert room.teller.stage("chat") is Stage.INITIAL
    await send(room, "press-3")
    assert [message.thread for message in post.sent] == ["", "inc42", ""]


async def test_what_is_due_first_stands_first(room: Room, clock: ManualClock) -> None:
    assert {target.audience for target in room.teller.targets()} == {
        "chat", "status page", "stakeholders",
    }  # fmt: skip
    clock.advance(31 * 60)
    await send(room)
    first = room.teller.targets()[0]
    assert first.audience == "status page"
    assert first.public
    assert first.due is not None
    assert first.due.overdue


async def test_the_draft_says_what_is_down_since_when_and_what_was_tried(
    tmp_path: Path, journal: FullDisk, post: Post, clock: ManualClock
) -> None:
    down = Sample("web", AT, Health.DOWN, "502 (was 200)")
    room = a_room(tmp_path, journal, post, clock, probes=(member("web", "http", Scene([down])),))
    await room.session.begin("Checkout 5xx", "P1")
    data = {"source": "web", "row": "", "before": "ok", "after": "down"}
    await room.session.record(Kind.HEALTH, "web down", data)
    asked = await room.session.record(Kind.REQUESTED, "Restart api: docker restart abc", {})
    outcome = {"request": asked.seq, "state": "done"}
    await room.session.record(Kind.OUTCOME, "Restart api: done", outcome)
    await room.session.assign(Role.COMMANDER, "dana")
    await room.monitor.step()
    text = room.teller.draft("chat", Stage.UPDATE).text
    assert "- web down: 502 (was 200), since 12:00 UTC" in text
    assert "- Restart api: done" in text
    assert "docker restart" not in text
    assert "Commander: dana" in text
    assert "Next update by 12:30 UTC" in text
    assert "Next update" not in room.teller.draft("chat", Stage.RESOLVED).text


async def test_a_teams_own_template_is_used_and_a_broken_one_gives_way(
    tmp_path: Path, journal: FullDisk, post: Post, clock: ManualClock
) -> None:
    own = replace(settings(tmp_path), updates=UpdatesSettings("texts"))
    room = a_room(tmp_path, journal, post, clock, settings=own)
    await room.session.begin("Checkout 5xx", "P1")
    folder = tmp_path / "texts"
    assert "Checkout 5xx" in room.teller.draft("chat", Stage.INITIAL).text
    folder.mkdir()
    (folder / "chat.initial.j2").write_text("Ours: {{ incident.title }}")
    assert room.teller.draft("chat", Stage.INITIAL).text == "Ours: Checkout 5xx\n"
    assert room.teller.draft("chat", Stage.UPDATE).problem == ""
    for broken in (b"{{ nothing }}", b"\xff", b"x" * 300_000):
        (folder / "chat.initial.j2").write_bytes(broken)
        made = room.teller.draft("chat", Stage.INITIAL)
        assert "chat.initial.j2" in made.problem
        assert made.problem.isprintable()
        assert "Checkout 5xx" in made.text


async def test_what_the_public_need_not_know_is_marked(room: Room) -> None:
    draft = room.session.draft(Kind.NOTE, "the intern dropped the table", internal=True)
    await room.session.write(draft)
    page = Target("status page", public=True)
    text = "alice says the intern dropped the table on 10.0.0.7"
    assert [hint.what for hint in room.teller.hints(page, text)] == [
        "an internal name", "from an internal entry", "an IP address",
    ]  # fmt: skip
    assert room.teller.hints(CHAT, text) == ()

"""Blocking and limiting clients at a real nginx, in a file of warroom's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.services.nginx_edge import Edge
from tests.support.addresses import ODD, WRONG
from warroom.config.shape import shape
from warroom.domain.clock import ManualClock
from warroom.domain.sample import Row
from warroom.hosts.local import LocalHost
from warroom.mitigations._nginx_block import Block, Unblock
from warroom.mitigations._nginx_limit import LimitRate, Unlimit
from warroom.mitigations._nginx_rules import HEADER
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationRefused,
    Risk,
    Signature,
    Undo,
    Verifiable,
    spec,
)

NOW = datetime(2026, 11, 21, 14, 35, 2, tzinfo=UTC)
SIGNED = Signature("ann", "198.51.100.9", "INC-2026-11-21-001")
CLIENT = "203.0.113.7"
LINE = f"deny {CLIENT}; # until 2026-11-21T15:35:02Z by ann in INC-2026-11-21-001"

Make = Callable[..., Any]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def make(edge: Edge, clock: ManualClock) -> Make:
    """`make("block", address=...)`: the mitigation as a config would make it."""
    context = MitigationContext(LocalHost(), clock, sign=lambda: SIGNED)

    def made(verb: str, **options: Any) -> Mitigation:
        table = {"nginx": list(edge.argv), **options}
        if verb != "reload":
            table = {"include": str(edge.include), **table}
        return made_of(f"nginx.{verb}", table, context)

    return made


def made_of(kind: str, table: Mapping[str, Any], context: MitigationContext) -> Mitigation:
    options: Any = shape(spec(kind).options, table, (), problems := [])
    assert not problems
    return spec(kind).create(options, context)


def talker(key: str = CLIENT, share: float = 0.2) -> Row:
    data = {"by": "ip", "count": 1000, "share": share, "rate": 16.5}
    return Row(key, key, (key,), data=data)


async def done(one: Mitigation, row: Row | None = None) -> Done:
    return await one.perform(await one.preview(row))


def hits(card: Card) -> dict[str, str]:
    return dict(card.hits)


async def test_the_card_shows_the_line_the_file_and_the_share_of_traffic(
    edge: Edge, make: Make
) -> None:
    card = await make("block").preview(talker())
    assert card.title == f"Block {CLIENT} for 1h00m"
    assert card.command[0] == f"+ {LINE}"
    assert card.command[1:] == (f"{' '.join(edge.argv)} -T", f"{' '.join(edge.argv)} -s reload")
    assert hits(card) == {
        "file": f"{edge.include}, included in http",
        "share of traffic": "20.0% of all requests just now, 16.5 a second",
        "blocked already": "nobody",
        "they get": "403 for every new request; one under way is finished",
    }
    assert card.undo == "nginx.unblock takes the line away again; due at 15:35:02 UTC"
    assert (card.risk, card.target.label, card.warnings) == (Risk.CHANGE, CLIENT, ())
    assert not edge.include.exists()


async def test_the_card_of_one_client_of_a_flooding_network_names_the_network(make: Make) -> None:
    row = talker()
    flood = {**row.data, "range": "203.0.113.0/24", "range_share": 0.71}
    card = await make("block").preview(replace(row, data=flood))
    assert card.warnings == (
        "its network 203.0.113.0/24 sends 71% of all requests: group top talkers by range to "
        "block all of it",
    )
    alone = {**row.data, "range": "203.0.113.0/24", "range_share": 0.25}
    assert (await make("block").preview(replace(row, data=alone))).warnings == ()


async def test_a_blocked_client_gets_403_and_others_are_served(edge: Edge, make: Make) -> None:
    assert edge.ask(CLIENT) == 200
    block = make("block", address=CLIENT, verify_url=edge.url, verify_header="X-Real-IP")
    ended = await done(block)
    assert (edge.ask(CLIENT), edge.ask("203.0.113.8")) == (403, 200)
    assert edge.include.read_text() == f"{HEADER}\n{LINE}\n"
    assert edge.include.stat().st_mode & 0o777 == 0o644
    assert edge.passes()
    assert "answers 403 to 203.0.113.7" in ended.text
    assert "until 2026-11-21 15:35:02 UTC, by ann in INC-2026-11-21-001" in ended.text
    assert ended.expires_s == 3600


async def test_what_was_done_is_undone_from_the_record_alone(
    edge: Edge, make: Make, clock: ManualClock
) -> None:
    ended = await done(make("block", ttl="10m"), talker())
    assert ended.undo is not None
    assert (ended.undo.kind, ended.undo.title) == ("nginx.unblock", f"Unblock {CLIENT}")
    clock.advance(60)
    undone = await done(undoing(ended.undo, clock))
    assert edge.ask(CLIENT) == 200
    assert edge.include.read_text() == f"{HEADER}\n"
    assert undone.undo is not None
    again = await done(undoing(undone.undo, clock))
    assert edge.ask(CLIENT) == 403
    assert again.expires_s == 540


def undoing(undo: Undo, clock: ManualClock) -> Mitigation:
    return made_of(undo.kind, undo.options, MitigationContext(LocalHost(), clock))


async def test_a_block_without_a_ttl_stands_until_it_is_lifted(edge: Edge, make: Make) -> None:
    ended = await done(make("block", address=CLIENT, ttl=0))
    assert ended.expires_s is None
    assert "# until lifted by ann" in edge.include.read_text()
    assert edge.ask(CLIENT) == 403


async def test_every_odd_way_to_write_an_address_blocks_exactly_it(edge: Edge, make: Make) -> None:
    """One after the other into the same file; nginx takes it after each."""
    known: list[str] = []
    for text, found in ODD.items():
        if found not in known:  # each stands longer than those before, which may hold it
            await done(make("block", ttl=3600 + len(known)), talker(text))
            known.append(found)
        assert edge.passes()
    lines = edge.include.read_text().splitlines()[1:]
    assert [line.partition(";")[0] for line in lines] == [f"deny {found}" for found in known]
    assert edge.ask("203.0.113.200") == 403
    assert edge.ask("2001:db8:1::77") == 403
    assert edge.ask("203.0.114.7") == 200


async def test_no_hostile_value_touches_nginx(edge: Edge, make: Make) -> None:
    await done(make("block", address=CLIENT))
    before, workers = edge.include.read_bytes(), edge.workers()
    for text in WRONG:
        with pytest.raises(MitigationRefused):
            await make("block").preview(talker(text))
    assert edge.include.read_bytes() == before
    assert edge.workers() == workers
    assert edge.passes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"address": "127.0.0.1"}, "loopback"),
        ({"address": "::1"}, "loopback"),
        ({"address": "0.0.0.0/0"}, "everybody"),
        ({"address": "8.0.0.0/7"}, "too wide"),
        ({"address": "198.51.100.9"}, "logged in from"),
        ({"address": "198.51.100.0/24"}, "holds 198.51.100.9, where you are logged in from"),
        ({"address": "192.0.2.77"}, "where you are logged in from"),
        ({"address": CLIENT, "never": ["203.0.113.0/24"]}, "within 203.0.113.0/24"),
        ({"address": "203.0.0.0/16", "never": ["203.0.113.7"]}, "holds 203.0.113.7"),
    ],
)
async def test_what_must_not_be_blocked_is_refused(
    edge: Edge, make: Make, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], words: str
) -> None:
    """The record knows where the responder sits (SIGNED), and so does sshd's variable."""
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.77 50000 192.0.2.1 22")
    with pytest.raises(MitigationRefused, match=words):
        await make("block", **options).preview(None)
    assert not edge.include.exists()


async def test_none_of_this_machines_own_addresses_is_blocked(make: Make) -> None:
    import psutil

    found = [a.address for addresses in psutil.net_if_addrs().values() for a in addresses]
    own = [a.partition("%")[0] for a in found if "." in a or a.count(":") != 5]
    assert own
    for address in own:
        with pytest.raises(MitigationRefused, match="never blocked"):
            await make("block", address=address).preview(None)


async def test_a_wide_range_wants_its_name_typed(make: Make) -> None:
    for text, risk in {
        CLIENT: Risk.CHANGE,
        "203.0.113.0/24": Risk.CHANGE,
        "203.0.112.0/23": Risk.DESTROY,
        "2001:db8:1::/48": Risk.CHANGE,
        "2001:db8::/47": Risk.DESTROY,
    }.items():
        card = await make("block", address=text).preview(None)
        assert (card.risk, card.target.label) == (risk, text)
    assert card.word == "2001:db8::/47"
    assert hits(card)["addresses"] == "131,072 networks of /64"


async def test_what_is_blocked_already_is_said_and_can_be_extended(
    edge: Edge, make: Make, clock: ManualClock
) -> None:
    await done(make("block", address=CLIENT))
    with pytest.raises(
        MitigationRefused, match="blocked already until 2026-11-21 15:35:02 UTC, by"
    ):
        await make("block", address=CLIENT).preview(None)
    clock.advance(600)
    card = await make("block", address=CLIENT).preview(None)
    assert card.title == f"Extend the block of {CLIENT} for 1h00m"
    assert card.command[:2] == (f"- {LINE}", f"+ {LINE.replace('15:35', '15:45')}")
    assert hits(card)["blocked already"] == "1 address"
    ended = await make("block", address=CLIENT).perform(card)
    assert edge.include.read_text() == f"{HEADER}\n{LINE.replace('15:35', '15:45')}\n"
    assert ended.expires_s == 3600


async def test_ranges_and_what_lies_in_them_know_of_each_other(
    edge: Edge, make: Make, clock: ManualClock
) -> None:
    await done(make("block", address=CLIENT, ttl="5m"))
    card = await make("block", address="203.0.113.0/24").preview(None)
    assert hits(card)["holds blocked"] == CLIENT
    assert hits(card)["addresses"] == "256"
    await make("block").perform(card)
    with pytest.raises(MitigationRefused, match=r"203\.0\.113\.0/24 is, until"):
        await make("block", address="203.0.113.9").preview(None)
    with pytest.raises(MitigationRefused, match=r"unblock 203\.0\.113\.0/24, which holds it"):
        await make("unblock", address="203.0.113.9").preview(None)
    with pytest.raises(MitigationRefused, match="within it are 203"):
        await make("unblock", address="203.0.0.0/16").preview(None)
    with pytest.raises(MitigationRefused, match="not blocked by warroom"):
        await make("unblock", address="198.18.0.1").preview(None)
    clock.advance(301)
    card = await make("unblock").preview(talker())
    assert f"{CLIENT} stays blocked with 203.0.113.0/24" in card.warnings
    assert hits(card)["past their time"] == f"{CLIENT}: still blocked"


async def test_a_row_that_is_no_client_is_refused_with_what_to_do(make: Make) -> None:
    for key in ("/checkout", "500", "-"):
        with pytest.raises(MitigationRefused, match="group top talkers by client or range"):
            await make("block").preview(talker(key))
    with pytest.raises(MitigationRefused, match="select a client or range in top talkers"):
        await make("block").preview(None)


async def test_the_address_can_be_given_when_it_is_armed(make: Make) -> None:
    block: Block = make("block")
    block.answer({"address": CLIENT})
    assert (await block.preview(None)).target.label == CLIENT
    with pytest.raises(MitigationRefused):
        make("block", address=CLIENT).answer({"address": "203.0.113.8"})
    with pytest.raises(MitigationRefused):
        make("block").answer({"ttl": "0"})


async def test_a_client_that_may_be_many_is_warned_of(make: Make) -> None:
    card = await make("block").preview(talker("10.1.2.3", share=0.62))
    [many, private] = card.warnings
    assert many.startswith("62% of all requests: many people may stand behind it")
    assert private.startswith("a private address")


async def test_a_rule_that_changed_since_the_card_is_refused_with_both(
    edge: Edge, make: Make
) -> None:
    card = await make("block", address=CLIENT).preview(None)
    await done(make("block", address=CLIENT, ttl="2h"))
    with pytest.raises(MitigationRefused, match=r'was "none" .* is "deny 203.*16:35:02Z'):
        await make("block", address=CLIENT).perform(card)
    assert "16:35:02Z" in edge.include.read_text()


async def test_what_others_block_meanwhile_is_kept(edge: Edge, make: Make) -> None:
    card = await make("block", address=CLIENT).preview(None)
    await done(make("block", address="203.0.113.8"))
    await make("block").perform(card)
    assert (edge.ask(CLIENT), edge.ask("203.0.113.8")) == (403, 403)


async def test_a_card_that_lay_longer_than_its_block_would_stand_is_refused(
    edge: Edge, make: Make, clock: ManualClock
) -> None:
    block = make("block", address=CLIENT, ttl="1m")
    card = await block.preview(None)
    clock.advance(61)
    with pytest.raises(MitigationRefused, match="time was over"):
        await block.perform(card)
    assert not edge.include.exists()


async def test_verify_says_whether_nginx_has_it(edge: Edge, make: Make) -> None:
    block = make("block", address=CLIENT)
    card = await block.preview(None)
    assert isinstance(block, Verifiable)
    assert "is not blocked" in await block.verify(card)
    await block.perform(card)
    assert await block.verify(card) == (
        f"{CLIENT} is blocked: {LINE} in {edge.include}; nginx has loaded it"
    )


async def test_a_limit_answers_429_to_who_asks_too_fast(edge: Edge, make: Make) -> None:
    limit: LimitRate = make("limit", rate="1r/m", burst=2, path="/login", ttl="5m")
    card = await limit.preview(None)
    assert [line for line in card.command if line.startswith("+ limit_req zone")]
    assert hits(card)["paths"] == "those that begin with /login"
    ended = await limit.perform(card)
    assert [edge.ask(CLIENT, "/login") for _ in range(5)] == [200, 200, 200, 429, 429]
    assert edge.ask("203.0.113.8", "/login") == 200
    assert edge.ask(CLIENT, "/cart") == 200
    assert ended.expires_s == 300
    with pytest.raises(MitigationRefused, match="limited so already: 1r/m burst=2"):
        await limit.preview(None)
    assert "nginx has loaded it" in await limit.verify(card)


async def test_blocks_and_a_limit_stand_in_one_file_and_go_one_by_one(
    edge: Edge, make: Make, clock: ManualClock
) -> None:
    await done(make("block", address=CLIENT))
    limited = await done(make("limit", rate="1r/m", burst=0))
    assert edge.ask(CLIENT) == 403
    assert [edge.ask("203.0.113.8") for _ in range(2)] == [200, 429]
    assert limited.undo is not None
    lifted = await done(undoing(limited.undo, clock))
    assert edge.include.read_text() == f"{HEADER}\n{LINE}\n"
    assert [edge.ask("203.0.113.8") for _ in range(2)] == [200, 200]
    unlimit: Unlimit = make("unlimit")
    with pytest.raises(MitigationRefused, match="not limited by warroom"):
        await unlimit.preview(None)
    assert lifted.undo is not None
    await done(undoing(lifted.undo, clock))
    unblock: Unblock = make("unblock", address=CLIENT)
    await done(unblock)
    assert [edge.ask(CLIENT) for _ in range(2)] == [200, 429]
    assert edge.passes()


async def test_a_status_that_the_team_has_set_itself_is_left_alone(edge: Edge, make: Make) -> None:
    edge.include.with_name("a.conf").write_text("limit_req_status 444;\n")
    card = await make("limit").preview(None)
    assert not any("limit_req_status" in line for line in card.command)
    await make("limit").perform(card)
    assert edge.passes()


async def test_a_reload_loads_what_is_on_disk_and_says_what_that_is(edge: Edge, make: Make) -> None:
    workers = edge.workers()
    reload = make("reload", verify_url=edge.url)
    card = await reload.preview(None)
    assert hits(card)["process"] == f"master {edge.program.pid}, 2 workers"
    ended = await reload.perform(card)
    assert edge.workers().isdisjoint(workers)
    assert ended.text == f"nginx was reloaded; {edge.url} answers 200"
    assert ended.undo is None
    assert await reload.verify(card) == "2 workers; nothing on disk is newer than they are"


async def test_of_eight_who_block_at_once_nobodys_line_is_lost(edge: Edge, make: Make) -> None:
    blocks = [make("block", address=f"203.0.113.{n}") for n in range(8)]
    cards = [await block.preview(None) for block in blocks]
    ends = await asyncio.gather(
        *(block.perform(card) for block, card in zip(blocks, cards, strict=True)),
    )
    assert [end.expires_s for end in ends] == [3600] * 8
    assert [edge.ask(f"203.0.113.{n}") for n in range(9)] == [403] * 8 + [200]
    assert edge.passes()

"""Removing keys by pattern from a real Redis: counted before, in portions, and never half-said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.services.redis_clients import another, cli
from tests.services.redis_mitigations import Makes, fill, make, server, size
from tests.services.tcp_proxy import Proxy
from warroom.drill.stack.program import free_port
from warroom.drill.stack.redis import Redis
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Output,
    Risk,
)

__all__ = ["make", "server"]
pytestmark = pytest.mark.service("redis")

HOSTILE = "sess:\x1b[2J[/x][@click=app.bell]x[/]\u202e"


async def test_what_fits_is_counted_shown_and_removed_and_nothing_else(
    server: Redis, make: Makes
) -> None:
    fill(server, 3, 1204)
    fill(server, 3, 7, "cart")
    fill(server, 0, 5)
    mitigation = make("delete_pattern", f"{server.url.rpartition('/')[0]}/3", pattern="sess:*")

    card = await mitigation.preview(None)

    hits = dict(card.hits)
    assert hits["keys"] == "1,204 of 1,211 in db3"
    assert hits["for example"].startswith("sess:")
    assert hits["memory"].startswith("about ")
    assert (card.risk, card.word) == (Risk.DESTROY, "sess:*")
    assert card.warnings == ("20 of 20 looked at never expire: they may be more than a cache",)
    assert size(server, 3) == 1211, "a preview changes nothing"

    done = await mitigation.perform(card)

    assert done.text.startswith("1,204 keys like sess:* removed from db3 in ")
    assert (done.evidence["keys"], done.evidence["keys_after"]) == (1204, 7)
    assert (size(server, 3), size(server)) == (7, 5)
    assert "cmdstat_unlink:" in cli(server, "INFO", "commandstats")
    assert await mitigation.verify(card) == "0 keys like sess:* in db3 now"
    with pytest.raises(MitigationRefused, match="not done: no key of db3 is like"):
        await mitigation.perform(card)
    with pytest.raises(MitigationRefused, match=r"no key of db3 is like sess:\*"):
        await mitigation.preview(None)


async def test_the_pattern_may_be_asked_for(server: Redis, make: Makes) -> None:
    fill(server, 0, 9)
    mitigation = make("delete_pattern", server.url)
    with pytest.raises(MitigationRefused, match="pattern: wants a value"):
        await mitigation.preview(None)
    for everything in ("*", "**", "?*"):
        with pytest.raises(MitigationRefused, match=r"fits every key: that is redis\.flushdb"):
            mitigation.answer({"pattern": everything})
    mitigation.answer({"pattern": "sess:?"})
    card = await mitigation.preview(None)
    assert card.warnings[0] == "these are all keys of the database"
    assert (await mitigation.perform(card)).evidence["keys"] == 9


async def test_two_hundred_thousand_keys_go_while_others_are_served(
    server: Redis, make: Makes
) -> None:
    fill(server, 0, 200_000)
    fill(server, 0, 10, "cart")
    output = Output()
    mitigation = make("delete_pattern", server.url, {"output": output}, pattern="sess:*")
    cli(server, "CONFIG", "RESETSTAT")
    cli(server, "SLOWLOG", "RESET")
    cli(server, "CONFIG", "SET", "slowlog-log-slower-than", "50000")
    try:
        card = await mitigation.preview(None)
        assert dict(card.hits)["keys"] == "200,000 of 200,010 in db0"
        done = await mitigation.perform(card)
        assert done.evidence["keys"] == 200_000
        assert size(server) == 10
        assert cli(server, "SLOWLOG", "LEN") == "0", "no command took 50 ms"
    finally:
        cli(server, "CONFIG", "SET", "slowlog-log-slower-than", "10000")
    assert all("of about 200,000 keys removed" in line for line in output.lines)


class Stop(Exception):
    """The test has seen enough."""


async def test_stopped_half_way_it_says_how_many_went(server: Redis, make: Makes) -> None:
    fill(server, 0, 50_000)
    portions = 0

    def fence() -> None:
        nonlocal portions
        portions += 1
        if portions == 20:
            acting.cancel()

    mitigation = make("delete_pattern", server.url, {"fence": fence}, pattern="sess:*")
    card = await mitigation.preview(None)
    acting: asyncio.Task[Any] = asyncio.create_task(mitigation.perform(card))
    with pytest.raises(MitigationUncertain, match="keys were removed") as caught:
        await acting
    removed, more = numbers(str(caught.value))
    assert 0 < removed < 50_000
    assert 50_000 - removed - more <= size(server) <= 50_000 - removed


def numbers(text: str) -> tuple[int, int]:
    """How many were removed for sure, and how many more perhaps."""
    before, _, after = text.partition(" keys were removed")
    removed = int(before.rpartition(" ")[2].replace(",", ""))
    more = after.partition("perhaps ")[2].partition(" more")[0].replace(",", "")
    return removed, int(more or 0)


async def test_who_lost_the_right_to_act_stops_between_two_portions(
    server: Redis, make: Makes
) -> None:
    fill(server, 0, 20_000)
    portions = 0

    def fence() -> None:
        nonlocal portions
        portions += 1
        if portions == 5:
            raise MitigationRefused("another console took it over")

    mitigation = make("delete_pattern", server.url, {"fence": fence}, pattern="sess:*")
    with pytest.raises(MitigationFailed, match="another console took it over; ") as caught:
        await mitigation.perform(await mitigation.preview(None))
    removed, more = numbers(str(caught.value))
    assert (size(server), more) == (20_000 - removed, 0)


async def test_when_time_is_up_it_stops_and_the_count_is_exact(server: Redis, make: Makes) -> None:
    fill(server, 0, 100_000)
    mitigation = make("delete_pattern", server.url, pattern="sess:*", timeout=0.02)
    with pytest.raises(MitigationFailed, match="time is up after 20ms; ") as caught:
        await mitigation.perform(await mitigation.preview(None))
    removed, more = numbers(str(caught.value))
    assert (size(server), more) == (100_000 - removed, 0)


@pytest.mark.parametrize("passes", [True, False])
async def test_a_connection_cut_under_it_leaves_only_that_portion_uncertain(
    server: Redis, make: Makes, passes: bool
) -> None:
    fill(server, 0, 3000)
    late = cli(server, "SCAN", "0", "COUNT", "10000").split()[2000]
    async with Proxy(server.port, f"\r\n{late}\r\n".encode(), passes=passes) as proxy:
        mitigation = make("delete_pattern", f"redis://127.0.0.1:{proxy.port}/0", pattern="sess:*")
        card = await mitigation.preview(None)
        with pytest.raises(MitigationUncertain, match="keys were removed") as caught:
            await mitigation.perform(card)
        assert proxy.cuts == 1, "it is never tried again by itself"
        await mitigation.close()
    removed, more = numbers(str(caught.value))
    assert removed > 0
    assert 3000 - removed - more <= size(server) <= 3000 - removed


async def test_a_replica_another_run_and_a_missing_right_are_refused(
    stack_folder: Path, server: Redis, make: Makes, tmp_path: Path
) -> None:
    fill(server, 0, 3)
    card = await make("delete_pattern", server.url, pattern="sess:*").preview(None)
    async with another(stack_folder, "follows", f"replicaof 127.0.0.1 {server.port}") as replica:
        follower = make("delete_pattern", replica.url, pattern="sess:*")
        with pytest.raises(MitigationRefused, match="it is a replica of"):
            await follower.preview(None)
    async with another(stack_folder, "other") as other:
        fill(other, 0, 3)
        with pytest.raises(MitigationRefused, match="restarted since, or it is another"):
            await make("delete_pattern", other.url, pattern="sess:*").perform(card)
        assert size(other) == 3
    cli(server, "ACL", "SETUSER", "clerk", "on", ">pa55", "~*", "+@all", "-unlink")
    file = tmp_path / "url"
    file.touch(mode=0o600)
    file.write_text(f"redis://clerk:pa55@127.0.0.1:{server.port}/0")
    try:
        with pytest.raises(MitigationFailed, match="user clerk may not run UNLINK"):
            await make("delete_pattern", f"file:{file}", pattern="sess:*").perform(card)
    finally:
        cli(server, "ACL", "DELUSER", "clerk")
    assert size(server) == 3


async def test_a_cluster_is_refused(stack_folder: Path, make: Makes) -> None:
    settings = ("cluster-enabled yes", f"cluster-port {free_port()}")
    async with another(stack_folder, "cluster", *settings) as node:
        with pytest.raises(MitigationRefused, match="a node of a cluster"):
            await make("delete_pattern", node.url, pattern="sess:*").preview(None)
        with pytest.raises(MitigationRefused, match="a node of a cluster"):
            await make("flushall", node.url).preview(None)


async def test_names_that_mean_harm_are_harmless_and_removed_by_their_exact_bytes(
    server: Redis, make: Makes
) -> None:
    names: list[str | bytes] = [HOSTILE, b"sess:\xff\xfe\x1b]0;x\x07" + b"k" * 100_000, "sess: "]
    for name in names:
        cli(server, "SET", name, "1")
    mitigation = make("delete_pattern", server.url, pattern="sess:*")
    card = await mitigation.preview(None)
    texts = [*card.command, *card.warnings, *(text for hit in card.hits for text in hit)]
    assert all(text.isprintable() for text in texts)
    assert all(len(text) < 400 for text in texts)
    assert (await mitigation.perform(card)).evidence["keys"] == 3
    assert size(server) == 0

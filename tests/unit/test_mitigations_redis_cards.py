"""What the cards of Redis say, which patterns are taken, and which clients are never killed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hostile import BAD_BYTES, CORPUS
from warroom.config.values import Line, Secret
from warroom.mitigations import _redis_client as client
from warroom.mitigations import _redis_delete as delete
from warroom.mitigations import _redis_flushall as flushall
from warroom.mitigations._redis_delete import Counted, PatternOptions, batches, unfit
from warroom.mitigations.base import MitigationRefused, spec

URL = Secret("redis://cache.example:6379/0")
ONE = {"id": "7", "addr": "10.0.0.7:5000", "name": "", "flags": "N", "age": "90", "idle": "3"}


@pytest.mark.parametrize("pattern", ["*", "**", "?*", "*?", "?", "***?*"])
def test_a_pattern_that_fits_every_key_is_refused_in_the_config(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"pattern: fits every key: that is redis\.flushdb"):
        PatternOptions(URL, pattern=Line(pattern))


def test_a_pattern_that_can_hang_the_server_is_refused() -> None:
    assert unfit("a*b*c*d*e*") == ""
    assert "can hang the server" in unfit("a*b*c*d*e*f*")
    for fits in ("sess:*", "[a-c]*", r"\\*", "user:?:cart"):
        assert unfit(fits) == ""


def test_what_the_config_says_is_not_asked_for() -> None:
    kind = spec("redis.delete_pattern")
    assert [one.name for one in kind.fitted(PatternOptions(URL)).inputs] == ["pattern"]
    given = kind.fitted(PatternOptions(URL, pattern=Line("sess:*")))
    assert (given.inputs, given.timeout) == ((), 130.0)
    kill = spec("redis.client_kill")
    assert kill.fitted(client.ClientOptions(URL, Line("7"))).inputs == ()


def test_portions_are_small_in_number_and_in_bytes() -> None:
    small = [b"k%d" % n for n in range(1201)]
    assert [len(batch) for batch in batches(small)] == [500, 500, 201]
    large = [b"x" * 100_000] * 5
    assert [len(batch) for batch in batches(large)] == [2, 2, 1]
    huge = [b"x" * 10_000_000, b"y"]
    assert [len(batch) for batch in batches(huge)] == [1, 1]
    assert [key for batch in batches(small + large) for key in batch] == small + large
    assert batches([]) == []


def test_what_was_not_counted_to_the_end_says_so() -> None:
    half = Counted(120_000, [b"sess:1"], whole=False)
    assert delete.hits(half, 0, 900_000, [])[0] == ("keys", "at least 120,000 of 900,000 in db0")
    assert delete.warnings(half, 900_000, [(-1, 80), (60, 80)]) == (
        "there are more than could be counted in 20s",
        "1 of 2 looked at never expire: they may be more than a cache",
    )
    assert ("memory", "about 9.2 MiB, by 2 of them") in delete.hits(
        half, 0, 900_000, [(-1, 80), (60, 80)]
    )


@pytest.mark.parametrize("name", [*CORPUS, *BAD_BYTES])
def test_names_of_keys_are_harmless_and_short(name: str) -> None:
    raw = CORPUS[name].encode() if name in CORPUS else BAD_BYTES[name]
    for key in (raw, raw * 1_000_000):
        said = delete.hits(Counted(1, [key]), 0, 1, [])
        assert all(text.isprintable() and len(text) < 100 for _, text in said)


@pytest.mark.parametrize("field", ["name", "user", "cmd", "addr", "db", "flags", "age", "multi"])
@pytest.mark.parametrize("name", CORPUS)
def test_texts_of_clients_are_short_whatever_they_are(field: str, name: str) -> None:
    from warroom.hosts.redis_info import clients

    raw = b"id=7 addr=10.0.0.7:5000 %b=%b\n" % (field.encode(), CORPUS[name].encode() * 1000)
    for one in clients(raw):
        said = client.hits(one, [one])
        assert all(text.isprintable() and len(text) < 400 for _, text in said)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({}, ""),
        ({"id": "9"}, "a warroom session"),
        ({"name": "warroom"}, "a warroom session"),
        ({"flags": "S"}, "a replica"),
        ({"flags": "xS"}, "a replica"),
        ({"flags": "M"}, "the link to the primary"),
        ({"flags": "O"}, ""),
        ({"flags": "P"}, ""),
    ],
)
def test_whom_a_kill_never_meets(other: dict[str, str], what: str) -> None:
    assert client.protected(ONE | other, "9") == what


def test_a_client_is_chosen_by_id_or_by_the_only_one_at_an_address() -> None:
    known: list[Any] = [ONE, ONE | {"id": "8"}, ONE | {"id": "9", "addr": "10.0.0.9:1"}]
    assert client.chosen("8", known)["id"] == "8"
    assert client.chosen("10.0.0.9:1", known)["id"] == "9"
    with pytest.raises(MitigationRefused, match=r"2 clients are at .*: give an id"):
        client.chosen("10.0.0.7:5000", known)
    for nobody in ("77", "10.0.0.1:1", "7 8", "*"):
        with pytest.raises(MitigationRefused, match="no client"):
            client.chosen(nobody, known)


def test_a_flush_of_everything_shows_every_database_and_counts_the_rest() -> None:
    info = {f"db{n}": f"keys={n + 1},expires={n}" for n in range(20)} | {"used_memory": "2048"}
    said = flushall.hits(info)
    assert said[0] == ("keys", "210 in 20 databases")
    assert said[1] == ("db0", "1, 0 expire")
    assert ("and", "74 in 4 more databases") in said
    assert ("memory in use", "2.0 KiB") in said
    assert flushall.warnings(info, False) == (
        "20 of the 210 keys never expire: they may be more than a cache",
    )

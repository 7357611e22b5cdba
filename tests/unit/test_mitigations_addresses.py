"""An address or range: exactly the canonical one comes out, or a refusal that says why."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.addresses import ODD, WRONG
from tests.support.hostile import BAD_BYTES, CORPUS
from warroom.domain.text import harmless
from warroom.mitigations._addresses import (
    NOBODY,
    Never,
    NotAnAddress,
    canonical,
    is_private,
    is_single,
    refusal,
    shown,
    within,
)


@pytest.mark.parametrize(("text", "is_found"), ODD.items())
def test_what_is_an_address_comes_out_canonical(text: str, is_found: str) -> None:
    assert shown(canonical(text)) == is_found
    assert canonical(is_found) == canonical(text)


@pytest.mark.parametrize(("text", "word"), WRONG.items(), ids=[f"{t[:30]!r}" for t in WRONG])
def test_what_is_no_address_is_refused_with_a_clear_word(text: str, word: str) -> None:
    with pytest.raises(NotAnAddress, match=word) as refused:
        canonical(text)
    assert harmless(str(refused.value)) == str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "text", [*CORPUS.values(), *(b.decode("latin-1") for b in BAD_BYTES.values())]
)
def test_a_hostile_text_is_refused_and_said_harmlessly(text: str) -> None:
    for tried in (text, f"203.0.113.7{text}", f"{text}203.0.113.7"):
        with pytest.raises(NotAnAddress) as refused:
            canonical(tried)
        assert harmless(str(refused.value)) == str(refused.value)


@given(
    st.text(alphabet="0123456789abcdefx.:/%;{}-# \n\u0660１", max_size=24) | st.text(max_size=12)
)
def test_whatever_is_written_gives_a_canonical_address_or_a_refusal(text: str) -> None:
    try:
        found = canonical(text)
    except NotAnAddress as refused:
        assert harmless(str(refused)) == str(refused)
    else:
        assert canonical(shown(found)) == found
        assert set(shown(found)) <= set("0123456789abcdef.:/")
        assert ip_network(text.partition("/")[0]).version in (4, 6)


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_every_ipv4_range_is_itself_and_its_mapped_form_is_the_same(bits: int, prefix: int) -> None:
    address = IPv4Address(bits >> (32 - prefix) << (32 - prefix) if prefix else 0)
    assert canonical(f"{address}/{prefix}") == ip_network(f"{address}/{prefix}")
    assert canonical(f"::ffff:{address}/{96 + prefix}") == ip_network(f"{address}/{prefix}")


@given(st.integers(2**96, 2**128 - 1))
def test_every_ipv6_address_is_itself_however_it_is_written(bits: int) -> None:
    address = IPv6Address(bits)
    for text in (address.compressed, address.exploded, address.exploded.upper()):
        assert shown(canonical(text)) == str(address)


NEVER = {
    "0.0.0.0": "this network",
    "0.1.2.3": "this network",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "127.0.0.0/8": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:7f00:1": "loopback",
    "169.254.169.254": "link-local",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "255.255.255.255": "reserved or broadcast",
    "240.0.0.1": "reserved or broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "fe80::1": "link-local",
    "ff02::1": "multicast",
    "0.0.0.0/0": "everybody",
    "0.0.0.0/1": "too wide",
    "128.0.0.0/1": "too wide",
    "202.0.0.0/7": "too wide",
    "2000::/3": "too wide",
    "2001:c000::/18": "too wide",
    "198.51.100.9": "where you are",
    "198.51.100.0/24": "holds 198.51.100.9, where you are",
    "198.0.0.0/8": "holds 198.51.100.9, where you are",
    "192.0.2.55": "within 192.0.2.0/24, the load balancer",
    "192.0.2.0/24": "the load balancer",
    "192.0.2.128/25": "within 192.0.2.0/24",
    "192.0.0.0/16": "holds 192.0.2.0/24",
    "2001:db8:1::/48": "holds 2001:db8:1::53",
    "::ffff:198.51.100.9": "where you are",
}
OWN = (
    Never(canonical("198.51.100.9"), "where you are"),
    Never(canonical("192.0.2.0/24"), "the load balancer"),
    Never(canonical("2001:db8:1::53"), "this machine"),
)


@pytest.mark.parametrize(("text", "word"), NEVER.items())
def test_what_would_hit_ourselves_or_everybody_is_never_blocked(text: str, word: str) -> None:
    assert word in refusal(canonical(text), OWN)


@pytest.mark.parametrize(
    "text",
    [
        "203.0.113.7",
        "203.0.113.0/24",
        "9.0.0.0/8",
        "198.51.100.8",
        "192.0.3.1",
        "10.1.2.3",
        "2001:db8:2::/48",
        "2001:e000::/19",
        "2001:db8:1::54",
        "64:ff9b::cb00:7107",
    ],
)
def test_others_may_be_blocked(text: str) -> None:
    assert refusal(canonical(text), OWN) == ""


@given(st.integers(0, 2**32 - 1), st.integers(8, 32))
def test_no_range_that_may_be_blocked_touches_what_may_not(bits: int, prefix: int) -> None:
    found = ip_network((bits >> (32 - prefix) << (32 - prefix), prefix))
    if not refusal(found, OWN):
        assert not any(found.overlaps(one.range) for one in (*NOBODY, *OWN))


def test_private_addresses_and_single_ones_are_known() -> None:
    assert is_private(canonical("10.1.2.0/24"))
    assert is_private(canonical("fd00::1"))
    assert not is_private(canonical("203.0.113.7"))
    assert is_single(canonical("203.0.113.7/32"))
    assert not is_single(canonical("203.0.113.0/31"))
    assert not within(canonical("203.0.113.7"), canonical("2001:db8::/32"))

"""What an incident's chat channel is called."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.chains import Chain
from warroom.domain.incident import Incident, incident_of
from warroom.domain.naming import channel_name, check


def incident(title: str = "Checkout 5xx", id: str = "INC-2026-11-21-007") -> Incident:
    chain = Chain(incident=id)
    chain.open(title)
    return incident_of(chain.events)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("#incident-YYYYMMDD-description", "#incident-20261121-checkout-5xx"),
        ("#incident-YYYY-MM-DD-NNN", "#incident-2026-11-21-007"),
        ("inc-NNN", "inc-007"),
        ("#incidents", "#incidents"),
        ("", ""),
    ],
)
def test_the_pattern_is_filled_in(pattern: str, name: str) -> None:
    check(pattern)
    assert channel_name(pattern, incident()) == name


@pytest.mark.parametrize("pattern", ["#Incident-NNN", "#in cident", "#ä", "a#b", "#x{y}", "#" * 2])
def test_what_names_no_channel_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="channel: "):
        check(pattern)
    with pytest.raises(ValueError, match="longer than"):
        check("x" * 41)


@given(st.text())
def test_any_title_makes_a_name_that_a_chat_takes(title: str) -> None:
    name = channel_name("#incident-YYYYMMDD-description", incident(title))
    assert re.fullmatch(r"#incident-20261121-[a-z0-9-]+", name)
    assert len(name) <= 81
    assert not name.endswith("-")


def test_a_long_title_is_cut_and_an_id_without_a_number_is_the_first() -> None:
    name = channel_name("#i-YYYYMMDD-description-NNN", incident("long title " * 30, "imported"))
    assert len(name) <= 81
    assert name.endswith("-001")

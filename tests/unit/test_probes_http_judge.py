"""What an answer means: the verdict is never green when anything in it says otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.sample import Health
from warroom.domain.text import harmless
from warroom.probes._http_client import Answer, shown_headers
from warroom.probes._http_judge import Verdict, Wanted, judge
from warroom.probes._http_pages import is_login

UP = Answer("http://x/", 200, (("Content-Type", "application/json"),), b'{"status": "UP"}')


def verdict(answer: Answer, latency: float = 0.04, **wanted: Any) -> Verdict:
    return judge(answer, Wanted(**wanted), latency)


def saying(value: Any, **changes: Any) -> Answer:
    return replace(UP, body=json.dumps(value).encode(), **changes)


def test_a_good_answer_says_how_long_it_took() -> None:
    assert verdict(UP).summary == "200 in 40ms"


def test_many_failing_components_are_counted_after_five() -> None:
    parts = {f"c{n}": {"status": "DOWN"} for n in range(9)}
    found = verdict(saying({"status": "DOWN", "components": parts}))
    assert found.summary == "200 but body says DOWN: c0, c1, c2, c3, c4, 4 more"


def test_all_that_is_wrong_is_said_the_worst_first() -> None:
    found = verdict(saying({"status": "DOWN"}), latency=2.0, slow=1.0)
    assert found.health is Health.DOWN
    assert found.summary == "200 but body says DOWN; answers in 2s (slow is 1s)"


def test_an_error_body_of_a_refusal_does_not_make_it_down() -> None:
    found = verdict(saying({"status": 401, "error": "Unauthorized"}, status=401))
    assert found.health is Health.DEGRADED


def test_unknown_is_neither_green_nor_down() -> None:
    assert verdict(saying({"status": "UNKNOWN"})).health is Health.UNKNOWN


def test_numbers_that_are_not_finite_or_fit_no_float_are_no_metrics() -> None:
    body = b'{"a": NaN, "b": 1e999, "c": ' + b"9" * 400 + b', "d": true, "e": "5"}'
    found = verdict(replace(UP, body=body), fields={key: key for key in "abcde"})
    assert found.numbers == {"d": 1.0}
    assert found.fields["e"] == "5"


def test_expect_compares_as_people_write_it() -> None:
    answer = saying({"ok": True, "n": 3, "none": None, "s": "x", "status": "DOWN"})
    wanted = {"ok": "true", "n": "3", "none": "null", "s": "x"}
    assert verdict(answer, expect=wanted).health is Health.OK


@pytest.mark.parametrize("status", [204, 304])
def test_an_empty_answer_that_must_be_empty_does_not_lie(status: int) -> None:
    assert verdict(replace(UP, status=status, body=b"")).health is Health.OK


def test_head_has_no_body_and_does_not_lie() -> None:
    assert verdict(replace(UP, body=b""), method="HEAD").health is Health.OK


def test_an_ordinary_page_is_no_login() -> None:
    assert not is_login(b"<html><form action='/search'><input type=text></form></html>")
    assert is_login(b"<html><form action='/oauth2/start'>")
    assert is_login(b"<!DOCTYPE html><input type=hidden name=SAMLRequest>")


def test_a_page_made_to_stall_the_search_for_a_login_does_not() -> None:
    assert not is_login(b"<html>" + b"<input " * 40_000)
    assert not is_login(b"<html>" + b"<form action=" * 20_000)


def test_headers_that_carry_secrets_are_masked() -> None:
    headers = (("Set-Cookie", "s=1"), ("X-Auth-Token", "t"), ("Server", "nginx"))
    shown = shown_headers(replace(UP, headers=headers))
    assert shown == (("Set-Cookie", "•••"), ("X-Auth-Token", "•••"), ("Server", "nginx"))


_ANSWERS = st.builds(
    Answer,
    url=st.just("http://x/"),
    status=st.integers(100, 599),
    headers=st.sampled_from([(), (("content-type", "application/json"),)]),
    body=st.binary(max_size=60) | st.sampled_from([b'{"status": "DOWN"}', b"<html>", b"DOWN"]),
    cut=st.booleans(),
    broken=st.sampled_from(["", "its body was cut off after 3 bytes"]),
    astray=st.sampled_from(["", "host", "downgrade", "nowhere", "circle"]),
)


@given(_ANSWERS, st.booleans())
def test_green_is_only_what_has_nothing_against_it(answer: Answer, spoke_json: bool) -> None:
    found = judge(answer, Wanted(spoke_json=spoke_json), 0.1)
    assert (found.health is Health.OK) == (found.note == "")
    if answer.status >= 400 or answer.broken or answer.astray:
        assert found.health is not Health.OK
    assert found.summary == harmless(found.summary)
    assert len(found.summary) <= 300

"""What health bodies say: conventions, components, and the promise never to raise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.sample import Health
from warroom.domain.text import harmless
from warroom.probes._http_bodies import COMPONENTS, Understanding, lookup, understand
from warroom.probes._http_words import _WORDS, meaning

OK, DEGRADED, DOWN, UNKNOWN = Health.OK, Health.DEGRADED, Health.DOWN, Health.UNKNOWN


def said(body: Any) -> Understanding:
    return understand(body if isinstance(body, bytes) else json.dumps(body).encode())


ACTUATOR = {
    "status": "DOWN",
    "groups": ["liveness", "readiness"],
    "components": {
        "db": {
            "status": "DOWN",
            "components": {
                "primary": {"status": "UP", "details": {"database": "PostgreSQL"}},
                "replica": {"status": "DOWN", "details": {"error": "java.net.ConnectException"}},
            },
        },
        "diskSpace": {"status": "UP", "details": {"total": 1, "free": 1, "exists": True}},
        "redis": {"status": "OUT_OF_SERVICE"},
        "ping": {"status": "UP"},
    },
}
ASP_NET = {
    "status": "Degraded",
    "totalDuration": "00:00:00.1",
    "entries": {
        "sql": {"data": {}, "description": "slow", "status": "Degraded", "tags": []},
        "self": {"data": {}, "status": "Healthy", "tags": ["live"]},
    },
}
HEALTH_JSON = {
    "status": "warn",
    "checks": {
        "cassandra:responseTime": [
            {"componentId": "a", "status": "pass", "observedValue": 250},
            {"componentId": "b", "status": "warn", "output": "too slow"},
        ],
        "uptime": [{"status": "pass"}],
    },
}
TERMINUS = {
    "status": "error",
    "info": {"disk": {"status": "up"}},
    "error": {"redis": {"status": "down", "message": "Could not connect"}},
    "details": {
        "disk": {"status": "up"},
        "redis": {"status": "down", "message": "Could not connect"},
    },
}
STATUSPAGE = {
    "page": {"id": "x", "name": "Shop", "url": "https://s.example"},
    "status": {"indicator": "minor", "description": "Partially Degraded Service"},
    "components": [
        {"id": "1", "name": "API", "status": "partial_outage"},
        {"id": "2", "name": "Web", "status": "operational"},
    ],
}
KUBERNETES = (
    b"[+]ping ok\n[+]log excluded: ok\n[-]etcd failed: reason withheld\nlivez check failed\n"
)


@pytest.mark.parametrize(
    ("body", "convention", "verdict", "failing"),
    [
        (ACTUATOR, "Spring actuator", DOWN, ("db.replica", "redis")),
        ({"status": "UP"}, "Spring actuator", OK, ()),
        ({"status": "OUT_OF_SERVICE"}, "Spring actuator", DOWN, ()),
        ({"status": "UNKNOWN"}, "Spring actuator", UNKNOWN, ()),
        (ASP_NET, "ASP.NET health checks", DEGRADED, ("sql",)),
        (
            {"status": "Unhealthy", "results": {"db": {"status": "Unhealthy"}}},
            "ASP.NET health checks",
            DOWN,
            ("db",),
        ),
        (HEALTH_JSON, "health+json", DEGRADED, ("cassandra:responseTime",)),
        (TERMINUS, "NestJS terminus", DOWN, ("redis",)),
        (STATUSPAGE, "Statuspage v2", DEGRADED, ("API",)),
        (KUBERNETES, "Kubernetes verbose text", DOWN, ("etcd",)),
        (b"[+]ping ok\nhealthz check passed\n", "Kubernetes verbose text", OK, ()),
        ({"healthy": False}, "a status", DOWN, ()),
        ({"ok": True}, "a status", OK, ()),
        ({"success": False, "message": "x"}, "a status", DOWN, ()),
        ({"status": 503}, "a status", DOWN, ()),
        ({"status": "red", "number_of_nodes": 3}, "a status", DOWN, ()),
        ({"services": {"db": "up", "mail": "down"}}, "components", DOWN, ("mail",)),
        (
            {"database": {"healthy": False}, "cache": {"healthy": True}},
            "components",
            DOWN,
            ("database",),
        ),
        ({"error": "no database"}, "an error in the body", DEGRADED, ()),
        (b"OK\n", "a plain word", OK, ()),
        (b'"healthy"', "a plain word", OK, ()),
        (b"unhealthy: db", "a plain word", DOWN, ()),
        (b'\xef\xbb\xbf{"status": "UP"}', "Spring actuator", OK, ()),
    ],
)
def test_the_conventions_are_understood(
    body: Any, convention: str, verdict: Health, failing: tuple[str, ...]
) -> None:
    understood = said(body)
    assert understood.convention == convention
    assert understood.verdict is verdict
    assert understood.failing == failing


@pytest.mark.parametrize("part", ["components", "checks", "services", "dependencies", "anything"])
def test_up_is_not_green_while_a_component_within_is_down(part: str) -> None:
    understood = said(
        {"status": "UP", part: {"a": {"status": "UP", part: {"b": {"status": "DOWN"}}}}}
    )
    assert understood.verdict is DEGRADED
    (failing,) = understood.failing
    assert failing.removeprefix("anything.") in ("a.b", "a.anything.b")


def test_a_flat_neighbour_that_says_disconnected_is_a_component() -> None:
    understood = said({"status": "ok", "database": "disconnected"})
    assert (understood.verdict, understood.failing) == (DEGRADED, ("database",))


@pytest.mark.parametrize(
    "body",
    [
        {"status": "ok", "log_level": "error"},
        {"status": "ok", "last_deploy": "failed"},
        {"status": "UP", "components": {"db": {"status": "UP", "details": {"result": "error"}}}},
        {"status": "ok", "details": {"mode": "offline"}},
        {"status": "ok", "error": None, "errors": []},
    ],
)
def test_words_that_are_no_states_raise_no_alarm(body: dict[str, Any]) -> None:
    assert said(body).verdict is OK


def test_an_unknown_word_is_not_ill_but_not_understood() -> None:
    understood = said({"status": "running 3 jobs"})
    assert (understood.health, understood.verdict) == (None, None)
    assert understood.remark == '"running 3 jobs" is not a word that is known here'


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b"3", b'{"hello": 1}', b"<html></html>"]
)
def test_a_body_that_says_nothing_is_no_verdict(body: bytes) -> None:
    assert understand(body) == Understanding()


def test_depth_and_number_are_bounded() -> None:
    deep: dict[str, Any] = {"status": "DOWN"}
    for _ in range(200):
        deep = {"status": "UP", "components": {"x": deep}}
    assert len(said(deep).components) < 20
    assert understand(b"[" * 1_000_000).health is None
    wide = {"status": "DOWN", "components": {str(n): {"status": "DOWN"} for n in range(20_000)}}
    assert len(said(wide).components) == COMPONENTS


_KEYS = st.sampled_from(
    ["status", "components", "checks", "details", "error", "info", "healthy", "indicator", "db"]
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(list(_WORDS)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_KEYS | st.text(), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(_JSON)
def test_no_json_makes_it_raise_or_lets_a_control_character_through(value: Any) -> None:
    understood = said(value)
    texts = [understood.word, understood.remark, understood.convention, *understood.failing]
    texts += [text for part in understood.components for text in (part.path, part.word, part.note)]
    assert all(text == harmless(text) for text in texts)


@given(_JSON)
def test_ok_is_never_the_verdict_while_a_component_is_ill(value: Any) -> None:
    understood = said(value)
    if any(part.is_ill for part in understood.components):
        assert understood.failing
        assert understood.verdict is not OK


@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    word = understand(body).word
    assert word == harmless(word)


@given(_JSON, st.text(max_size=30))
def test_lookup_finds_or_says_key_error(value: Any, path: str) -> None:
    try:
        lookup(value, path)
    except KeyError as error:
        assert isinstance(error.args[0], str)


def test_lookup_goes_through_lists_and_dotted_keys() -> None:
    value = {"checks": [{"redis.pool": {"used": 3}}]}
    assert lookup(value, "checks.0.redis.pool.used") == 3
    with pytest.raises(KeyError):
        lookup(value, "checks.1")


def test_hostile_words_and_names_are_harmless() -> None:
    nasty = "\x1b[2J[/x]\u202e\x00\x9b\ud800" + "x" * 100_000
    understood = said(
        {"status": nasty, "components": {nasty: {"status": "DOWN", "message": nasty}}}
    )
    part = understood.components[0]
    for text in (understood.word, understood.remark, part.path, part.note):
        assert text.isprintable()
        assert len(text) <= 200


@given(st.text(max_size=40))
def test_meaning_is_the_same_in_any_case(word: str) -> None:
    if word.isascii():
        assert meaning(word.upper()) == meaning(word.lower())

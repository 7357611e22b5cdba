"""The cards of restart, stop and start: everything a responder must know before Enter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from warroom.config.problems import Problem
from warroom.config.shape import shape
from warroom.domain.text import harmless
from warroom.hosts.docker_container import Container, container
from warroom.mitigations._docker_card import Verb, card
from warroom.mitigations.base import Card, MitigationRefused, Risk, spec
from warroom.mitigations.docker import Options

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
API = Container(
    id="0123456789abcdef" * 4,
    name="shop-api",
    image="shop:1",
    state="running",
    health="healthy",
    started="2026-11-21T11:00:00.000000001Z",
    started_at=NOW - timedelta(hours=1),
    restarts=2,
    project="shop",
    service="api",
    ports=("0.0.0.0:8080->80/tcp",),
)
ENDED = replace(API, state="exited", exit_code=137, oom=True, health="")


def drawn(verb: Verb, one: Container = API, suffering: tuple[Container, ...] = ()) -> Card:
    return card(
        verb, one, suffering, host="web1", where="unix:///run/d.sock", stop_timeout=10, now=NOW
    )


def test_a_restart_shows_the_exact_request_and_the_command_that_does_the_same():
    assert drawn("restart").command == (
        "POST /containers/0123456789ab/restart?t=10 on unix:///run/d.sock",
        "docker restart -t 10 shop-api",
    )
    assert drawn("start", ENDED).command[1] == "docker start shop-api"


def test_the_card_names_this_very_run():
    target = drawn("restart").target
    assert (target.id, target.label) == (API.id, "shop-api")
    assert target.identity == {"started_at": API.started}


def test_what_a_restart_hits():
    web = replace(API, id="b" * 64, name="web")
    hits = dict(drawn("restart", suffering=(web,)).hits)
    assert hits["state"] == "running for 1h00m, healthy"
    assert hits["restarts so far"] == "2"
    assert hits["ports"] == "0.0.0.0:8080->80/tcp"
    assert hits["depend on it"] == "web"
    assert "all open ones are cut" in hits["connections"]


def test_only_stopping_wants_the_name_typed():
    assert drawn("restart").word == drawn("start", ENDED).word == ""
    assert drawn("stop").word == "shop-api"
    for verb in ("restart", "stop", "start"):
        assert spec(f"docker.{verb}").risk is drawn(verb, ENDED if verb == "start" else API).risk
    assert spec("docker.stop").risk is Risk.DESTROY


def test_each_says_what_takes_it_back():
    assert "docker start shop-api" in drawn("stop").undo
    assert "docker stop shop-api" in drawn("start", ENDED).undo
    assert drawn("restart").undo.startswith("nothing takes it back")


@pytest.mark.parametrize(
    ("verb", "one", "reason"),
    [
        ("start", API, "shop-api is running already"),
        ("stop", ENDED, r"shop-api is not running: exited \(137\) OOM"),
        ("stop", replace(API, state="created"), "shop-api is not running: created"),
        ("restart", replace(API, state="removing"), "is being removed"),
    ],
)
def test_what_makes_no_sense_is_refused(verb: Verb, one: Container, reason: str):
    with pytest.raises(MitigationRefused, match=reason):
        drawn(verb, one)


def test_warnings_of_what_may_surprise():
    assert "removes it" in drawn("stop", replace(API, removed_when_ended=True)).warnings[0]
    assert "OOM killed" in drawn("start", ENDED).warnings[0]
    assert "paused" in drawn("restart", replace(API, state="paused")).warnings[0]


def test_no_text_of_the_engine_reaches_the_card_unchanged():
    bad = "\x1b[31m[@click=app.bell]x[/]\u202e\x9b\x00\udcff"
    one = container(
        {
            "Id": "a" * 64,
            "Name": f"/{bad}",
            "State": {"Status": "running", "Health": {"Status": bad}, "StartedAt": bad},
            "Config": {
                "Image": bad,
                "Labels": {
                    "com.docker.compose.project": bad,
                    "com.docker.compose.service": bad,
                },
            },
            "NetworkSettings": {"Ports": {bad: [{"HostIp": bad, "HostPort": bad}]}},
        }
    )
    shown = drawn("restart", one, (one,))
    texts = [shown.title, shown.undo, *shown.command, *shown.warnings, shown.target.label]
    texts += [part for hit in shown.hits for part in hit]
    assert all(text == harmless(text) for text in texts)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"container": "../../info"}, "container"),
        ({"container": "a b"}, "container"),
        ({"wait": "5m"}, "wait"),
        ({"wait": 0}, "wait"),
        ({"stop_timeout": -1}, "stop_timeout"),
        ({"stop_timeout": 3600}, "stop_timeout"),
    ],
)
def test_an_option_that_cannot_be_is_named(table: dict[str, object], key: str):
    problems: list[Problem] = []
    assert shape(Options, table, ("mitigation", 0), problems) is None
    assert problems[0].path == ("mitigation", 0, key)


def test_the_executors_limit_holds_both_waits():
    assert spec("docker.restart").timeout > 60 + 60

"""The HTTP probe against real servers on the loopback: what an answer means, in one plain line."""

from __future__ import annotations

import gzip
import json
import socket
from typing import Any

import pytest

from tests.services.http_speaker import (
    HTML,
    JSON,
    answer,
    look,
    probe,
    speaking,
    text_of,
)
from warroom.domain.clock import SystemClock
from warroom.domain.sample import Health
from warroom.engine.checks import CheckState, evaluate, load_checks
from warroom.engine.monitor import Monitor
from warroom.probes.http import COLUMNS, METRICS


async def test_a_healthy_endpoint_is_ok_with_its_time_split() -> None:
    async with speaking(answer(b'{"status": "UP"}', headers=JSON)) as speaker:
        sample = await look(f"{speaker.url}/health")
    assert (sample.health, sample.error) == (Health.OK, "")
    assert sample.summary.startswith("200 in ")
    split = ("dns_s", "connect_s", "first_byte_s", "body_s")
    total = sum(sample.metrics[part] for part in split)
    assert total == pytest.approx(sample.metrics["latency_s"])
    assert sample.metrics["status"] == 200
    assert sample.metrics["size_bytes"] == 16
    assert sample.metrics["availability"] == 100
    assert sample.columns == COLUMNS
    assert len(sample.rows[0].cells) == len(COLUMNS)


async def test_a_200_whose_body_says_down_is_down_and_names_who() -> None:
    body = {"status": "DOWN", "components": {"db": {"status": "DOWN"}, "disk": {"status": "UP"}}}
    async with speaking(answer(json.dumps(body).encode(), headers=JSON)) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DOWN
    assert sample.summary == "200 but body says DOWN: db"


async def test_a_503_with_a_body_names_the_failing_component() -> None:
    body = b'{"status": "Unhealthy", "entries": {"redis": {"status": "Unhealthy"}}}'
    async with speaking(answer(body, "503 Service Unavailable", JSON)) as speaker:
        sample = await look(speaker.url)
    assert sample.summary == "503 Service Unavailable; body says Unhealthy: redis"
    assert sample.error == ""


@pytest.mark.parametrize(
    ("status", "health", "says"),
    [
        ("502 Bad Gateway", Health.DOWN, "502 Bad Gateway"),
        ("404 Not Found", Health.DOWN, "nothing at /health"),
        ("401 Unauthorized", Health.DEGRADED, "needs authentication"),
        ("429 Too Many Requests", Health.DEGRADED, "asked too often"),
        ("418 I'm a teapot", Health.DEGRADED, "refuses the request"),
    ],
)
async def test_what_a_status_means(status: str, health: Health, says: str) -> None:
    async with speaking(answer(b"{}", status)) as speaker:
        sample = await look(f"{speaker.url}/health")
    assert sample.health is health
    assert says in sample.summary


async def test_a_status_that_the_config_expects_is_ok() -> None:
    async with speaking(answer(b"", "401 Unauthorized")) as speaker:
        assert (await look(speaker.url, expect_status=(401,))).health is Health.OK
        unmet = await look(speaker.url, expect_status=(200, 204))
    assert unmet.health is Health.DOWN
    assert unmet.summary == "401 Unauthorized (expected 200, 204)"


async def test_connection_refused_names_the_address_and_asks_the_right_question() -> None:
    with socket.socket() as bound:  # bound and not listening: nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        sample = await look(f"http://127.0.0.1:{port}/")
    expected = f"connection refused by 127.0.0.1:{port} — is the service running?"
    assert (sample.health, sample.summary, sample.error) == (Health.DOWN, expected, expected)
    assert sample.rows[0].cells[1] == "refused"
    assert sample.metrics == {"availability": 0.0, "steady_percent": 0.0}


async def test_a_name_that_does_not_exist_is_said_as_such() -> None:
    sample = await look("http://shop.invalid/")
    assert sample.health is Health.DOWN
    assert sample.summary in (
        "no such name: shop.invalid (DNS)",
        "shop.invalid cannot be resolved now: no name server answers (DNS)",
    )


async def test_silence_times_out_and_says_what_was_waited_for() -> None:
    async with speaking(b"", stays=True) as speaker:
        sample = await look(speaker.url, timeout=1.0)
    assert sample.health is Health.DOWN
    assert sample.error == "timed out after 1 s waiting for the first byte"


async def test_a_body_that_never_ends_is_degraded_because_the_service_does_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
    async with speaking(head, stays=True) as speaker:
        sample = await look(speaker.url, timeout=1.0)
    assert sample.health is Health.DEGRADED
    assert sample.summary == "200 but its body was not complete after 1 s"


async def test_a_body_that_is_cut_off_is_degraded() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this"
    async with speaking(cut) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DEGRADED
    assert sample.summary == "200 but its body was cut off after 9 bytes"


async def test_a_redirect_on_the_host_is_followed_and_told_in_the_detail() -> None:
    pages = {
        "/": answer(b"", "302 Found", {"Location": "/health?token=abc"}),
        "/health?token=abc": answer(b"OK"),
    }
    async with speaking(pages) as speaker:
        looked = probe(f"{speaker.url}/")
        sample = await looked.sample()
        shown = text_of(await looked.detail(""))
    assert sample.health is Health.OK
    assert f"redirect: 302 to {speaker.url}/health?…" in shown
    assert "abc" not in shown


async def test_a_redirect_off_the_host_is_degraded_and_never_asked() -> None:
    location = {"Location": "https://login.example/start?state=secret"}
    async with speaking(answer(b"", "302 Found", location)) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DEGRADED
    assert sample.summary == "302 redirects off the host, to https://login.example/start?…"


async def test_a_circle_of_redirects_is_down() -> None:
    async with speaking(answer(b"", "302 Found", {"Location": "/"})) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DOWN
    assert "redirects on and on" in sample.summary
    assert len(speaker.hears) == 6


async def test_a_redirect_to_nowhere_is_degraded() -> None:
    for place in ("", "ftp://x/", "http://u:p@h/", "javascript:alert(1)"):
        async with speaking(answer(b"", "302 Found", {"Location": place})) as speaker:
            sample = await look(speaker.url)
        assert sample.health is Health.DEGRADED, place
        assert "no address that can be asked" in sample.summary


async def test_a_login_page_with_200_is_degraded_unless_it_is_what_was_asked_for() -> None:
    page = b"<!doctype html><form><input name=p type='password'></form>"
    async with speaking(answer(page, headers=HTML)) as speaker:
        sample = await look(f"{speaker.url}/health")
        asked = await look(f"{speaker.url}/login")
        wanted = await look(f"{speaker.url}/", contains="type='password'")
    assert sample.health is Health.DEGRADED
    assert "login page" in sample.summary
    assert asked.health is wanted.health is Health.OK


async def test_a_body_that_lies_about_its_type_is_degraded() -> None:
    for body, what in ((b"<html>oops</html>", "is HTML"), (b"", "is empty"), (b"{,", "is not")):
        async with speaking(answer(body, headers=JSON)) as speaker:
            sample = await look(speaker.url)
        assert sample.health is Health.DEGRADED
        assert "body says it is JSON" in sample.summary
        assert what in sample.summary


async def test_html_where_json_was_before_is_degraded() -> None:
    async with speaking(answer(b'{"status":"ok"}', headers=JSON)) as speaker:
        looked = probe(speaker.url)
        assert (await looked.sample()).health is Health.OK
        speaker.says[""] = answer(b"<html><body>Welcome</body></html>", headers=HTML)
        sample = await looked.sample()
    assert sample.health is Health.DEGRADED
    assert sample.summary == "200 but HTML came where JSON was before"


async def test_expect_decides_and_fields_become_facts_and_metrics() -> None:
    body = b'{"status": "DOWN", "queue": {"depth": 7}, "version": "1.2\x1b[31m"}'
    async with speaking(answer(body.replace(b"\x1b", b"\\u001b"), headers=JSON)) as speaker:
        fields = {"depth": "queue.depth", "version": "version", "none": "a.b"}
        sample = await look(speaker.url, expect={"queue.depth": "7"}, fields=fields)
        unmet = await look(speaker.url, expect={"queue.depth": "0", "leader": "true"})
    assert sample.health is Health.OK
    assert sample.metrics["depth"] == 7
    assert sample.facts["version"] == "1.2␛[31m"
    assert "not in the body" in sample.facts["none"]
    assert unmet.health is Health.DOWN
    assert (
        unmet.summary == "200 but queue.depth is 7 (expected 0); body has no leader (expected true)"
    )


async def test_contains_is_looked_for() -> None:
    async with speaking(answer(b"all fine")) as speaker:
        assert (await look(speaker.url, contains="fine")).health is Health.OK
        sample = await look(speaker.url, contains="great")
    assert (sample.health, sample.summary) == (Health.DOWN, "200 but body lacks 'great'")


async def test_slow_is_degraded() -> None:
    async with speaking(answer(b"OK")) as speaker:
        sample = await look(speaker.url, slow=0.0)
    assert sample.health is Health.DEGRADED
    assert "slow is 0ms" in sample.summary


async def test_an_outage_is_held_against_nobody_once_it_is_over_but_a_stumble_is() -> None:
    async def looks(*statuses: int) -> dict[str, float]:
        async with speaking(answer(b"OK")) as speaker:
            looked = probe(speaker.url)
            for status in statuses:
                speaker.says[""] = answer(b"", f"{status} Said")
                sample = await looked.sample()
        return dict(sample.metrics)

    assert (await looks(200, 200, 503, 200))["steady_percent"] == 75
    assert "steady_percent" not in await looks(200, 503, 503)
    over = await looks(200, 503, 503, 200, 200)
    assert (over["steady_percent"], over["availability"]) == (100, 60)


async def test_availability_and_course_go_over_the_window() -> None:
    async with speaking(answer(b"OK")) as speaker:
        looked = probe(speaker.url, window=4)
        for status in ("200 OK", "500 Oops", "200 OK", "200 OK"):
            speaker.says[""] = answer(b"", status)
            sample = await looked.sample()
        assert sample.metrics["availability"] == 75
        speaker.says[""] = answer(b"", "503 Service Unavailable")
        await looked.sample()
        sample = await looked.sample()
    assert sample.metrics["availability"] == 50
    course = str(sample.rows[0].cells[3]).split(",")
    assert len(course) == 4
    assert all(float(point) > 0 for point in course)


async def test_a_compressed_body_is_understood() -> None:
    body = gzip.compress(b'{"healthy": false}')
    async with speaking(answer(body, headers={"Content-Encoding": "gzip"} | JSON)) as speaker:
        assert (await look(speaker.url)).summary == "200 but body says healthy false"


async def test_the_monitor_keeps_the_row_of_an_endpoint_that_does_not_answer() -> None:
    clock = SystemClock()
    monitor = Monitor(clock)
    async with speaking(answer(b"OK")) as speaker:
        monitor.add(probe(speaker.url), every=5.0, timeout=5.0)
        await monitor.step()
        speaker.says[""] = b""
        await monitor.step()
    sample = monitor.latest["api"]
    assert sample.health is Health.DOWN
    assert sample.error.endswith("closed the connection without an answer")
    assert not sample.stale
    assert sample.rows[0].cells[4] == 50
    assert monitor.course("api", "availability") == (100, 50)


async def test_the_probe_is_faster_than_the_monitors_patience() -> None:
    monitor = Monitor(SystemClock())
    async with speaking(b"", stays=True) as speaker:
        monitor.add(probe(speaker.url, timeout=1.0), every=5.0, timeout=1.0)
        await monitor.step()
    reason = "timed out after 1 s waiting for the first byte"
    assert monitor.latest["api"].error == reason


async def test_the_packaged_checks_look_at_metrics_that_there_are() -> None:
    checks, problems = load_checks()
    mine = [check for check in checks if check.kind in ("http", "tls")]
    assert problems == []
    assert {check.metric for check in mine} <= METRICS
    async with speaking(answer(b"OK")) as speaker:
        sample = await look(speaker.url)
    assert evaluate(mine, sample, CheckState()).findings == ()


@pytest.mark.service("nginx")
async def test_a_real_nginx_answers_and_is_ok(nginx_server: Any) -> None:
    sample = await look(f"http://127.0.0.1:{nginx_server.port}/")
    assert sample.metrics["status"] in (200, 403, 404)
    assert sample.error == ""

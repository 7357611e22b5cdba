"""The HTTP probe against real servers on the loopback: each fault reads as one plain line."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.services.http_speaker import HTML, JSON, Authority, answer, speaking
from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.domain.sample import Detail, Health, Sample
from warroom.domain.text import harmless
from warroom.engine.checks import CheckState, evaluate, load_checks
from warroom.engine.monitor import Monitor
from warroom.hosts.base import Address, TcpAddress, UnixAddress
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.http import COLUMNS, METRICS, HttpOptions, HttpProbe


class Here:
    """This machine, as the probe needs it."""

    name = ""

    async def reach(self, address: Address) -> Address:
        return address


class Beyond:
    """Another machine: whatever is asked for comes out of one unix socket."""

    name = "web1"

    def __init__(self, path: Path) -> None:
        self.path, self.asked = path, []

    async def reach(self, address: Address) -> Address:
        self.asked.append(address)
        return UnixAddress(str(self.path))


def probe(url: str, *, host: Any = None, timeout: float = 5.0, **options: Any) -> HttpProbe:
    context = ProbeContext("api", host or Here(), SystemClock(), timeout)
    return HttpProbe(HttpOptions(url=url, **options), context)


async def look(url: str, **options: Any) -> Sample:
    return await probe(url, **options).sample()


def text_of(detail: Detail) -> str:
    lines = [detail.title]
    for section in detail.sections:
        lines += [section.title, *(f"{k}: {v}" for k, v in section.pairs), *section.lines]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


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
    assert sample.metrics == {"availability": 0.0}


async def test_a_name_that_does_not_exist_is_said_as_such() -> None:
    sample = await look("http://shop.invalid/")
    assert sample.health is Health.DOWN
    assert sample.summary in (
        "no such name: shop.invalid (DNS)",
        "shop.invalid cannot be resolved now: no name server answers (DNS)",
    )


async def test_silence_times_out_and_says_what_was_waited_for() -> None:
    async with speaking(b"", stays=True) as speaker:
        sample = await look(speaker.url, timeout=0.3)
    assert sample.health is Health.DOWN
    assert sample.error == "timed out after 0.3 s waiting for the first byte"


async def test_a_body_that_never_ends_is_degraded_because_the_service_does_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
    async with speaking(head, stays=True) as speaker:
        sample = await look(speaker.url, timeout=0.3)
    assert sample.health is Health.DEGRADED
    assert sample.summary == "200 but its body was not complete after 0.3 s"


async def test_a_body_that_is_cut_off_is_degraded() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this"
    async with speaking(cut) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DEGRADED
    assert sample.summary == "200 but its body was cut off after 9 bytes"


@pytest.mark.parametrize(
    ("bytes_", "greets", "says"),
    [
        (
            b"SSH-2.0-OpenSSH_9.2p1\r\n",
            True,
            "does not speak HTTP: answered 'SSH-2.0-OpenSSH_9.2p1'",
        ),
        (b"-ERR unknown command 'GET'\r\n", False, "answered '-ERR unknown command 'GET''"),
        (b"<html>HTTP/0.9</html>", False, "does not speak HTTP: answered '<html>HTTP/0.9</html>'"),
        (b"J\x00\x00\x00\x0a8.0.36\x00\x1b[2J", True, "answered 'J␀␀␀'"),
        (b"HTTP/1.1 banana\r\n\r\n", False, "answers broken HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", False, "speaks TLS, not plain HTTP — is it https://?"),
        (b"", False, "closed the connection without an answer"),
    ],
    ids=["ssh", "redis", "http 0.9", "mysql", "banana", "tls alert", "nothing"],
)
async def test_what_is_not_http_is_quoted(bytes_: bytes, greets: bool, says: str) -> None:
    async with speaking(bytes_, greets=greets) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DOWN
    assert says in sample.error
    assert "\n" not in sample.error
    assert sample.error.isprintable()


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


async def test_headers_stay_at_home_when_a_redirect_leads_to_another_port() -> None:
    async with speaking(answer(b"OK")) as other:
        moved = answer(b"", "302 Found", {"Location": other.url})
        async with speaking(moved) as speaker:
            sample = await look(speaker.url, headers={"X-Tenant": Secret("acme")})
    assert sample.health is Health.OK
    assert b"X-Tenant: acme" in speaker.hears[0]
    assert b"acme" not in other.hears[0]


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


async def test_json_beyond_a_mebibyte_is_not_read_and_never_green() -> None:
    body = b'{"status": "DOWN", "filler": "' + b"x" * 10_000_000 + b'"}'
    async with speaking(answer(body, headers=JSON)) as speaker:
        looked = probe(speaker.url)
        sample = await looked.sample()
        shown = text_of(await looked.detail(""))
    assert sample.metrics["size_bytes"] == len(body)
    assert len(shown) < 20_000
    assert sample.health is Health.DEGRADED
    assert sample.summary == "200 but its JSON is larger than 1 MiB and was not read"


async def test_a_compressed_bomb_is_unpacked_no_further_than_a_mebibyte() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    async with speaking(answer(bomb, headers={"Content-Encoding": "gzip"})) as speaker:
        looked = probe(speaker.url)
        await looked.sample()
    kept = looked._looks[-1].answer
    assert kept is not None
    assert len(kept.body) == 1024 * 1024
    assert kept.cut


async def test_a_compressed_body_is_understood() -> None:
    body = gzip.compress(b'{"healthy": false}')
    async with speaking(answer(body, headers={"Content-Encoding": "gzip"} | JSON)) as speaker:
        assert (await look(speaker.url)).summary == "200 but body says healthy false"


async def test_hostile_text_from_body_and_headers_is_harmless_everywhere() -> None:
    nasty = "\x1b]52;c;aGk=\x07[/x][@click=app.bell]x[/]\u202e\x00\x9b31m"
    body = {"status": "DOWN", "components": {nasty: {"status": f"DOWN{nasty}", "message": nasty}}}
    raw = answer(json.dumps(body).encode() + b"\n\xff\xfe\x1b[2J", headers={"X-Evil": "a\x9bb"})
    async with speaking(raw) as speaker:
        looked = probe(speaker.url, fields={"f": f"components.{nasty}.message"})
        sample = await looked.sample()
        shown = text_of(await looked.detail("api"))
    texts = [sample.summary, sample.error, *sample.facts.values(), *map(str, sample.rows[0].cells)]
    for text in (*texts, *shown.split("\n")):
        assert text.isprintable(), repr(text)


async def test_secrets_are_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "Bearer tok-9471")
    echo = answer(b'{"status": "ok", "you": "Bearer tok-9471"}', headers={"Set-Cookie": "s=c00kie"})
    async with speaking(echo) as speaker:
        looked = probe(speaker.url, headers={"Authorization": Secret("env:SHOP_TOKEN")})
        sample = await looked.sample()
        shown = text_of(await looked.detail(""))
    assert b"Authorization: Bearer tok-9471" in speaker.hears[0]
    assert "c00kie" not in shown
    for text in (shown, repr(sample), repr(looked._looks), repr(looked._options)):
        assert "tok-9471" not in text
    assert '"you": "•••"' in shown


@pytest.mark.parametrize(
    "echo",
    [
        answer(b'{"error": "no such token: tok-9471"}', headers=JSON),
        b"-ERR unknown command " + b"x" * 30 + b" Authorization: Bearer tok-9471 tok-9471\r\n",
        b"HTTP/1.1 tok-9471\r\n\r\n",
        answer(b"", "302 Found", {"Location": "https://login.example/tok-9471"}),
        answer(b'{"status": "down", "tok-9471": {"status": "tok-9471"}}', headers=JSON),
    ],
)
async def test_a_secret_that_comes_back_is_in_no_line(
    echo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "Bearer tok-9471")
    async with speaking(echo) as speaker:
        looked = probe(speaker.url, headers={"Authorization": Secret("env:SHOP_TOKEN")})
        sample = await looked.sample()
        shown = text_of(await looked.detail(""))
    assert sample.health is not Health.OK
    assert "tok-" not in repr(sample) + shown


async def test_a_secret_that_breaks_the_line_is_refused_unseen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "tok\r\nX-Admin: 1")
    async with speaking(answer(b"OK")) as speaker:
        with pytest.raises(ProbeFault) as caught:
            await look(speaker.url, headers={"Authorization": Secret("env:SHOP_TOKEN")})
    assert str(caught.value) == "headers: the value of Authorization is not one line of plain text"
    assert speaker.hears == []


async def test_through_another_host_the_connection_comes_out_there(tmp_path: Path) -> None:
    host = Beyond(tmp_path / "s")
    async with speaking(answer(b"OK"), unix=host.path) as speaker:
        looked = probe("http://inner.example:8080/up", host=host)
        sample = await looked.sample()
        shown = text_of(await looked.detail(""))
    assert sample.health is Health.OK
    assert host.asked == [TcpAddress("inner.example", 8080)]
    assert b"Host: inner.example:8080\r\n" in speaker.hears[0]
    assert "dns_s" not in sample.metrics
    assert "peer: inner.example:8080 via web1" in shown


async def test_https_through_another_host_still_asks_for_the_right_name(
    tmp_path: Path, authority: Authority
) -> None:
    host = Beyond(tmp_path / "s")
    tls = authority.serving(names=("inner.example",))
    async with speaking(answer(b"OK"), unix=host.path, tls=tls):
        sample = await look("https://inner.example/", host=host, ca=str(authority.file))
        wrong = await look("https://other.example/", host=host, ca=str(authority.file))
    assert sample.health is Health.OK
    assert wrong.error == "certificate is for inner.example, not other.example"


async def test_a_good_certificate_gives_its_days_and_a_detail(authority: Authority) -> None:
    async with speaking(answer(b"OK"), tls=authority.serving(days=60)) as speaker:
        looked = probe(speaker.url, ca=str(authority.file))
        sample = await looked.sample()
        shown = text_of(await looked.detail(""))
    assert sample.health is Health.OK
    assert sample.metrics["tls_s"] > 0
    assert sample.metrics["cert_days"] == pytest.approx(60, abs=0.1)
    assert "issuer: CN=Test Authority" in shown
    assert "names: localhost, 127.0.0.1" in shown
    assert "protocol: TLSv1.3" in shown


async def test_an_expired_certificate_says_since_when(authority: Authority) -> None:
    async with speaking(answer(b"OK"), tls=authority.serving(days=-3.5)) as speaker:
        sample = await look(speaker.url, ca=str(authority.file))
        unverified = await look(speaker.url, verify=False)
    assert sample.health is Health.DOWN
    assert sample.error.startswith("certificate expired 3 days ago (")
    assert sample.metrics["cert_days"] == pytest.approx(-3.5, abs=0.1)
    assert unverified.health is Health.OK
    assert unverified.metrics["cert_days"] < 0


@pytest.mark.parametrize(
    ("traits", "says"),
    [
        ({"names": ("shop.example",)}, "certificate is for shop.example, not localhost"),
        ({"names": ()}, "certificate is for no host name at all (CN=shop), not localhost"),
        ({"self_signed": True}, "certificate is self-signed (CN=shop)"),
        ({"begins": 2}, "certificate is not valid before "),
        ({"common_name": "\x1b]0;x\x07", "self_signed": True}, "self-signed (CN=␛]0\\;x␇)"),
    ],
)
async def test_what_is_wrong_with_a_certificate(
    authority: Authority, traits: dict[str, Any], says: str
) -> None:
    async with speaking(answer(b"OK"), tls=authority.serving(**traits)) as speaker:
        sample = await look(speaker.url, ca=str(authority.file))
    assert sample.health is Health.DOWN
    assert says in sample.error
    assert sample.error.isprintable()
    assert speaker.hears == []


async def test_an_unknown_issuer_is_said_with_the_way_out(authority: Authority) -> None:
    async with speaking(answer(b"OK"), tls=authority.serving()) as speaker:
        sample = await look(speaker.url)
    assert sample.error.startswith("certificate's issuer is not known here (CN=Test Authority)")
    assert 'ca = "FILE"' in sample.error


async def test_https_asked_of_a_plain_port_says_so() -> None:
    async with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n", greets=True) as speaker:
        sample = await look(speaker.url.replace("http:", "https:"))
    assert sample.error.endswith("does not speak TLS — is it http://?")


async def test_a_missing_ca_file_is_a_fault_of_the_config(tmp_path: Path) -> None:
    with pytest.raises(ProbeFault, match=r"ca: .*No such file"):
        await look("https://localhost/", ca=str(tmp_path / "none.pem"))


async def test_no_connection_is_left_open() -> None:
    async with speaking(answer(b"OK"), stays=True) as speaker:
        looked = probe(speaker.url)
        for _ in range(5):
            await looked.sample()
    assert len(speaker.hears) == 5
    assert all(b"Connection: close" in head for head in speaker.hears)


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
        monitor.add(probe(speaker.url, timeout=0.4), every=5.0, timeout=0.4)
        await monitor.step()
    reason = "timed out after 0.4 s waiting for the first byte"
    assert monitor.latest["api"].error == reason


async def test_a_half_dead_pair_of_addresses_is_told_in_the_detail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with speaking(answer(b"OK")) as speaker:

        async def two(host: str, port: int) -> tuple[TcpAddress, ...]:
            return TcpAddress("127.0.0.9", port), TcpAddress("127.0.0.1", port)

        monkeypatch.setattr("warroom.probes._http_wire.resolve", two)
        looked = probe(speaker.url)
        sample = await looked.sample()
        shown = text_of(await looked.detail(""))
    assert sample.health is Health.OK
    assert f"tried before: connection refused by 127.0.0.9:{speaker.port}" in shown


async def test_the_packaged_checks_look_at_metrics_that_there_are() -> None:
    checks, problems = load_checks()
    mine = [check for check in checks if check.kind in ("http", "tls")]
    assert problems == []
    assert {check.metric for check in mine} <= METRICS
    async with speaking(answer(b"OK")) as speaker:
        sample = await look(speaker.url)
    assert evaluate(mine, sample, CheckState()).findings == ()


@pytest.mark.parametrize(
    "place", ["http://xn--a.invalid/", "//[::1]:1/x", "http://a..b/", "//%00/"]
)
async def test_a_strange_host_in_a_redirect_is_named_and_never_asked(place: str) -> None:
    async with speaking(answer(b"", "307 Temporary Redirect", {"Location": place})) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DEGRADED
    assert sample.summary.startswith("307 redirects ")
    assert sample.summary.isprintable()


async def test_whatever_bytes_come_there_is_a_verdict_in_one_harmless_line() -> None:
    draw = random.Random(9471)
    whole = [
        answer(b'{"status": "UP", "components": {"a": {"status": "DOWN"}}}', headers=JSON),
        answer(b"", "302 Found", {"Location": "http://localhost/x"}),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nok",
    ]
    async with speaking(b"") as speaker:
        for _ in range(300):
            damaged = bytearray(draw.choice(whole))
            for _ in range(draw.randint(1, 5)):
                at = draw.randrange(len(damaged))
                damaged[at : at + draw.randint(0, 4)] = draw.randbytes(draw.randint(0, 4))
            speaker.says[""] = bytes(damaged)
            looked = probe(speaker.url, follow_redirects=False)
            sample = await looked.sample()
            lines = [sample.summary, *text_of(await looked.detail("")).split("\n")]
            assert lines == [harmless(line) for line in lines], bytes(damaged)


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 0123456789\r\n" * 20_000,
        b"HTTP/1.1 200 OK\r\nX-Filler: " + b"x" * 10_000_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
    ],
    ids=["many", "one of 10 MB", "never the last"],
)
async def test_a_flood_of_headers_ends_the_look(flood: bytes) -> None:
    async with speaking(flood) as speaker:
        sample = await look(speaker.url, timeout=3.0)
    assert sample.health is Health.DOWN
    assert len(sample.error) <= 300


async def test_a_probe_that_is_cancelled_in_the_middle_can_look_again() -> None:
    async with speaking(b"", stays=True) as speaker:
        looked = probe(speaker.url)
        task = asyncio.create_task(looked.sample())
        await speaker.heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        speaker.says[""], speaker.stays = answer(b"OK"), False
        assert (await looked.sample()).health is Health.OK


async def test_plain_http_asked_of_an_https_port_that_answers_in_words_says_so() -> None:
    words = b"<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port"
    async with speaking(answer(words, "400 Bad Request", HTML)) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DOWN
    assert "speaks TLS, not plain HTTP" in sample.summary


@pytest.mark.service("redis")
async def test_a_real_redis_is_told_apart_from_http(redis_server: Any) -> None:
    sample = await look(f"http://127.0.0.1:{redis_server.port}/health")
    assert sample.health is Health.DOWN
    assert sample.rows[0].cells[1] in ("closed", "not HTTP", "cut")


@pytest.mark.service("ssh")
async def test_a_real_sshd_is_told_apart_from_http(ssh_server: Any) -> None:
    sample = await look(f"http://127.0.0.1:{ssh_server.port}/health")
    assert f"127.0.0.1:{ssh_server.port} does not speak HTTP: answered 'SSH-2.0-" in sample.error


@pytest.mark.service("nginx")
async def test_a_real_nginx_answers_and_is_ok(nginx_server: Any) -> None:
    sample = await look(f"http://127.0.0.1:{nginx_server.port}/")
    assert sample.metrics["status"] in (200, 403, 404)
    assert sample.error == ""

"""The HTTP probe against servers that are not HTTP, mean harm, or echo secrets."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from typing import Any

import pytest

from tests.services.http_speaker import (
    JSON,
    answer,
    look,
    probe,
    speaking,
    text_of,
)
from warroom.config.values import Secret
from warroom.domain.sample import Health
from warroom.domain.text import harmless
from warroom.probes.base import ProbeFault


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


async def test_headers_stay_at_home_when_a_redirect_leads_to_another_port() -> None:
    async with speaking(answer(b"OK")) as other:
        moved = answer(b"", "302 Found", {"Location": other.url})
        async with speaking(moved) as speaker:
            sample = await look(speaker.url, headers={"X-Tenant": Secret("acme")})
    assert sample.health is Health.OK
    assert b"X-Tenant: acme" in speaker.hears[0]
    assert b"acme" not in other.hears[0]


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


@pytest.mark.service("redis")
async def test_a_real_redis_is_told_apart_from_http(redis_server: Any) -> None:
    sample = await look(f"http://127.0.0.1:{redis_server.port}/health")
    assert sample.health is Health.DOWN
    assert sample.rows[0].cells[1] in ("closed", "not HTTP", "cut")


@pytest.mark.service("ssh")
async def test_a_real_sshd_is_told_apart_from_http(ssh_server: Any) -> None:
    sample = await look(f"http://127.0.0.1:{ssh_server.port}/health")
    assert f"127.0.0.1:{ssh_server.port} does not speak HTTP: answered 'SSH-2.0-" in sample.error

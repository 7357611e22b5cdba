"""Messages over HTTP: sent once, honest about what became of them, silent about secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import hostile
from tests.support.channels import Seen, channel, message
from tests.support.services import HttpService
from warroom.channels.base import ChannelFault, Delivery
from warroom.domain.text import harmless

SECRET = "T0SECRET"
PATH = f"/services/{SECRET}/B0"


@pytest.fixture
def service(
    http_service: Callable[..., HttpService], monkeypatch: pytest.MonkeyPatch
) -> HttpService:
    """A chat that takes what comes; `env:HOOK` leads to it."""
    made = http_service()
    made.respond(PATH, 200, "ok")
    monkeypatch.setenv("HOOK", made.url + PATH)
    return made


def slack(**more: Any) -> Any:
    return channel("slack", {"url": "env:HOOK"}, **more)


@contextmanager
def speaker(*answers: bytes | None) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads a request and answers it with bytes, one answer a connection; None
    resets the connection instead. Gives its port and the requests."""
    requests: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(connection.recv(65536))
                if answer is None:
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                else:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], requests
    finally:
        listener.close()


async def test_a_message_is_posted_as_json_and_said_to_be_sent(service: HttpService) -> None:
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.SENT
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", PATH)
    assert json.loads(request.body)["text"] == "Checkout answers 502.\nWe are looking into it."
    assert request.headers["content-type"].startswith("application/json")


async def test_nothing_in_a_text_is_a_mention_or_a_link_of_its_own(service: HttpService) -> None:
    text = "<!channel> <@U1> & <https://evil.example|here> " + hostile.everything()
    await slack().send(message(text=text), Seen())
    sent = json.loads(service.requests[0].body)
    assert "<" not in sent["text"].replace("&lt;", "")
    assert sent["text"].startswith("&lt;!channel&gt; &lt;@U1&gt; &amp; ")
    assert (sent["unfurl_links"], sent["unfurl_media"], sent["link_names"]) == (False, False, False)


async def test_a_refused_connection_is_tried_again_until_somebody_listens(
    service: HttpService,
) -> None:
    service.refuse()
    seen = Seen()
    sending = asyncio.create_task(slack(limit=15).send(message(), seen))
    while not any("again in" in text for text in seen.texts):
        await asyncio.sleep(0.01)
    assert "no connection: connection refused" in " ".join(seen.texts)
    await asyncio.to_thread(service.accept)
    assert (await sending).state is Delivery.SENT
    assert len(service.requests) == 1


async def test_an_unknown_name_fails_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"https://no-such-host.invalid/{SECRET}")
    receipt = await slack(limit=2).send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "no-such-host.invalid" in receipt.text
    assert SECRET not in receipt.text


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_in_seconds_is_kept_to_and_counted_down(
    service: HttpService, status: int
) -> None:
    service.respond(PATH, status, "later", {"Retry-After": "2"})
    seen = Seen()
    began = time.monotonic()
    sending = asyncio.create_task(slack(limit=20).send(message(), seen))
    while not seen.texts or "Retry-After" not in seen.texts[-1]:
        await asyncio.sleep(0.01)
    service.respond(PATH, 200, "ok")
    receipt = await sending
    assert receipt.state is Delivery.SENT
    assert time.monotonic() - began > 1.9
    assert f"127.0.0.1:{service.port}: HTTP {status}: Retry-After 2 s" in seen.texts
    assert f"127.0.0.1:{service.port}: HTTP {status}: Retry-After 1 s" in seen.texts
    assert len(service.requests) == 2


async def test_retry_after_as_a_date_is_kept_to(service: HttpService) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    service.respond(PATH, 429, "later", {"Retry-After": at})
    seen = Seen()
    sending = asyncio.create_task(slack(limit=20).send(message(), seen))
    while not any("Retry-After" in text for text in seen.texts):
        await asyncio.sleep(0.01)
    service.respond(PATH, 200, "ok")
    assert (await sending).state is Delivery.SENT
    assert len(service.requests) == 2


@pytest.mark.parametrize("value", ["3600", "999999999", "Fri, 31 Dec 2999 23:59:59 GMT"])
async def test_a_wait_that_is_longer_than_the_limit_fails_at_once(
    service: HttpService, value: str
) -> None:
    service.respond(PATH, 429, "later", {"Retry-After": value})
    async with asyncio.timeout(60):
        receipt = await slack(limit=3000).send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "HTTP 429, Retry-After" in receipt.text
    assert len(service.requests) == 1


@pytest.mark.parametrize("value", ["-1", "soon", "", "1e9", "\xff", "Thu, 99 Foo 2026", "٣"])
async def test_a_retry_after_that_means_nothing_does_no_harm(
    service: HttpService, value: str
) -> None:
    service.respond(PATH, 503, "down", {"Retry-After": value})
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "HTTP 503: down" in receipt.text
    assert len(service.requests) == 1


async def test_a_connection_that_is_cut_in_mid_answer_is_unknown_and_not_tried_again(
    service: HttpService,
) -> None:
    service.faults.drop = True
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.UNKNOWN
    assert "it may have arrived" in receipt.text
    assert len(service.requests) == 1


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 ", b"\x00\xff\x1b[31m\r\n\r\n"])
async def test_a_reset_silence_or_rubbish_after_the_request_is_unknown(
    monkeypatch: pytest.MonkeyPatch, answer: bytes | None
) -> None:
    with speaker(answer, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (port, requests):
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{port}{PATH}")
        receipt = await slack().send(message(), Seen())
        assert receipt.state is Delivery.UNKNOWN
        assert receipt.text.isprintable()
        assert len(requests) == 1


async def test_silence_is_unknown_after_the_time_of_one_attempt(service: HttpService) -> None:
    service.faults.hang = True
    async with asyncio.timeout(60):
        receipt = await slack(attempt=0.5, limit=3000).send(message(), Seen())
    assert receipt.state is Delivery.UNKNOWN
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "state"),
    [(400, "failed"), (403, "failed"), (404, "failed"), (410, "failed"), (500, "UNKNOWN"),
     (502, "UNKNOWN"), (504, "UNKNOWN"), (302, "failed"), (204, "sent"), (202, "sent")],
)  # fmt: skip
async def test_every_answer_has_its_meaning(service: HttpService, status: int, state: str) -> None:
    service.respond(PATH, status, "" if status == 204 else "no such team")
    receipt = await slack().send(message(), Seen())
    assert receipt.state.value == state
    assert len(service.requests) == 1
    if state == "failed":
        assert f"HTTP {status}: no such team" in receipt.text


async def test_a_redirect_to_another_host_is_not_followed(
    service: HttpService, http_service: Callable[..., HttpService]
) -> None:
    elsewhere = http_service()
    service.respond(PATH, 307, "", {"Location": f"{elsewhere.url}/x"})
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "redirects elsewhere" in receipt.text
    assert not elsewhere.requests


async def test_a_redirect_on_the_same_host_keeps_method_and_body(service: HttpService) -> None:
    service.respond(PATH, 308, "", {"Location": "/new"})
    service.respond("/new", 200, "ok")
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.SENT
    first, second = service.requests
    assert (second.method, second.path, second.body) == ("POST", "/new", first.body)


async def test_a_redirect_in_a_circle_ends(service: HttpService) -> None:
    service.respond(PATH, 307, "", {"Location": PATH})
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "in a circle" in receipt.text
    assert len(service.requests) < 6


@pytest.mark.parametrize("name", [*hostile.CORPUS, *hostile.BAD_BYTES])
async def test_a_hostile_answer_is_one_harmless_line(service: HttpService, name: str) -> None:
    body = hostile.BAD_BYTES.get(name) or (hostile.CORPUS[name] + "\nsecond\r\nline").encode()
    service.respond(PATH, 400, body)
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert receipt.text.isprintable()
    assert harmless(receipt.text) == receipt.text


async def test_a_huge_answer_is_neither_kept_nor_waited_for(service: HttpService) -> None:
    service.respond(PATH, 400, b"x" * 10_000_000)
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert len(receipt.text) < 400
    service.respond(PATH, 200, b"x" * 10_000_000)
    assert (await slack().send(message(), Seen())).state is Delivery.SENT


async def test_nothing_told_or_logged_holds_the_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, service: HttpService
) -> None:
    caplog.set_level(logging.DEBUG)
    seen, one = Seen(), slack(limit=2)
    told = [await one.where()]
    for prepare in (
        lambda: service.respond(PATH, 200, "ok"),
        lambda: service.respond(PATH, 500, PATH),
        lambda: service.respond(PATH, 302, "", {"Location": service.url + PATH}),
        service.refuse,
    ):
        await asyncio.to_thread(prepare)
        told.append((await one.send(message(), seen)).text)
    logged = caplog.text.replace(f"http://127.0.0.1:{service.port}{PATH}: ", "")
    rest = told[:2] + told[3:] + seen.texts  # 500: the server's own words
    assert SECRET not in " ".join(rest) + repr(one.__dict__)
    assert SECRET not in logged


async def test_a_secret_that_is_missing_or_no_address_is_said_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    receipt = await slack().send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert receipt.text == "env:HOOK is not set in the environment of the console"
    for wrong in (f"http://hooks.example/{SECRET}", f"ftp://h/{SECRET}", f"https://u:{SECRET}@h/"):
        monkeypatch.setenv("HOOK", wrong)
        receipt = await slack().send(message(), Seen())
        assert receipt.state is Delivery.FAILED
        assert SECRET not in receipt.text
        with pytest.raises(ChannelFault) as fault:
            await slack().where()
        assert SECRET not in str(fault.value)


# A webhook of any shape ------------------------------------------------------------------------


async def test_a_webhook_sends_its_own_document_with_every_word_filled_in(
    http_service: Callable[..., HttpService], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = http_service()
    service.respond("/hook", 201)
    monkeypatch.setenv("TOKEN", "s3cret")
    options = {
        "url": f"{service.url}/hook",
        "method": "PUT",
        "headers": {"X-Team": "shop", "X-Api-Key": "env:TOKEN"},
        "bearer": "env:TOKEN",
        "body": {
            "content": "{text}",
            "about": ["{severity}: {title}", 3, True],
            "n": {"id": "{id}"},
        },
    }
    text = 'quotes " and {braces} and \\ and \u2028'
    receipt = await channel("webhook", options).send(message(text=text), Seen())
    assert receipt.state is Delivery.SENT
    (request,) = service.requests
    assert request.method == "PUT"
    assert json.loads(request.body) == {
        "content": text,
        "about": ["P1: Checkout answers 502", 3, True],
        "n": {"id": message().id},
    }
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["x-api-key"] == "s3cret"
    assert request.headers["idempotency-key"] == message().id


async def test_a_webhook_without_a_body_sends_everything(
    http_service: Callable[..., HttpService],
) -> None:
    service = http_service()
    service.respond("/hook", 200)
    await channel("webhook", {"url": f"{service.url}/hook"}).send(message(), Seen())
    sent = json.loads(service.requests[0].body)
    assert (sent["version"], sent["status"], sent["stage"]) == (1, "investigating", "initial")


async def test_a_header_that_http_cannot_carry_is_named_without_its_value(
    http_service: Callable[..., HttpService], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = http_service()
    monkeypatch.setenv("TOKEN", "bad\x7fvalue é")
    options = {"url": service.url, "headers": {"X-Token": "env:TOKEN"}}
    receipt = await channel("webhook", options).send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "X-Token" in receipt.text
    assert "bad" not in receipt.text
    assert not service.requests

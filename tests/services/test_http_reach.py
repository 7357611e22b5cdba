"""How the HTTP probe gets there: connections, other hosts, certificates."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.services.http_speaker import (
    HTML,
    Authority,
    Beyond,
    answer,
    look,
    probe,
    speaking,
    text_of,
)
from warroom.domain.sample import Health
from warroom.hosts.base import TcpAddress
from warroom.probes.base import ProbeFault


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


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


async def test_every_look_ends_its_connection() -> None:
    async with speaking(answer(b"OK"), stays=True) as speaker:
        looked = probe(speaker.url)
        for _ in range(5):
            await looked.sample()
            await asyncio.wait_for(speaker.left.acquire(), 30)
    assert len(speaker.hears) == 5
    assert all(b"Connection: close" in head for head in speaker.hears)


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


async def test_plain_http_asked_of_an_https_port_that_answers_in_words_says_so() -> None:
    words = b"<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port"
    async with speaking(answer(words, "400 Bad Request", HTML)) as speaker:
        sample = await look(speaker.url)
    assert sample.health is Health.DOWN
    assert "speaks TLS, not plain HTTP" in sample.summary

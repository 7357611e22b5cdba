"""The TLS and DNS probes against real handshakes and this machine's resolver."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.services.http_speaker import Authority, Beyond, Here, speaking, text_of
from warroom.domain.clock import SystemClock
from warroom.domain.sample import Health
from warroom.hosts.base import Result
from warroom.probes._http_names import resolve
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.dns import DnsOptions, DnsProbe
from warroom.probes.tls import TlsOptions, TlsProbe


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def tls(port: int, *, on: Any = None, timeout: float = 5.0, **options: Any) -> TlsProbe:
    context = ProbeContext("shop", on or Here(), SystemClock(), timeout)
    return TlsProbe(TlsOptions(**{"host": "localhost", "port": port, **options}), context)


def dns(name: str, *expect: str, host: Any = None) -> DnsProbe:
    context = ProbeContext("apex", host or Here(), SystemClock(), 5.0)
    return DnsProbe(DnsOptions(name, expect), context)


async def test_a_good_certificate_says_its_days(authority: Authority) -> None:
    async with speaking(b"", tls=authority.serving(days=10)) as speaker:
        probe = tls(speaker.port, ca=str(authority.file))
        sample = await probe.sample()
        shown = text_of(await probe.detail(""))
    assert sample.summary == "certificate valid for 10 more days"
    assert sample.metrics["cert_days"] == pytest.approx(10, abs=0.1)
    assert "issuer: CN=Test Authority" in shown


async def test_a_refused_certificate_is_down_with_its_figures(authority: Authority) -> None:
    async with speaking(b"", tls=authority.serving(days=-2.5)) as speaker:
        sample = await tls(speaker.port, ca=str(authority.file)).sample()
    assert sample.health is Health.DOWN
    assert sample.summary.startswith("certificate expired 2 days ago")
    assert (sample.error, sample.rows[0].cells[1]) == ("", -3)


async def test_the_server_name_decides_whose_certificate_it_must_be(authority: Authority) -> None:
    async with speaking(b"", tls=authority.serving(names=("shop.example",))) as speaker:
        right = await tls(speaker.port, server_name="shop.example", ca=str(authority.file)).sample()
        wrong = await tls(speaker.port, ca=str(authority.file)).sample()
    assert right.health is Health.OK
    assert wrong.summary == "certificate is for shop.example, not localhost"


async def test_tls_through_another_host(authority: Authority, tmp_path: Path) -> None:
    host = Beyond(tmp_path / "s")
    serving = authority.serving(names=("inner.example",))
    async with speaking(b"", unix=host.path, tls=serving):
        sample = await tls(443, on=host, host="inner.example", ca=str(authority.file)).sample()
    assert sample.health is Health.OK


async def test_nobody_there_and_nobody_speaking_tls_are_told_apart() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ProbeFault, match=r"connection refused by 127\.0") as refused:
            await tls(bound.getsockname()[1]).sample()
    assert refused.value.down
    async with speaking(b"+OK POP3 ready\r\n", greets=True) as speaker:
        with pytest.raises(ProbeFault, match="does not speak TLS"):
            await tls(speaker.port).sample()
    async with speaking(b"", greets=True, stays=True) as speaker:
        with pytest.raises(ProbeFault, match=r"timed out after 1 s waiting for the TLS"):
            await tls(speaker.port, timeout=1.0).sample()


async def test_a_name_resolves_to_what_is_expected_or_says_what_it_does() -> None:
    sample = await dns("localhost").sample()
    assert sample.health is Health.OK
    found = {row.name for row in sample.rows}
    assert found & {"127.0.0.1", "::1"}
    assert sample.metrics["addresses"] == len(found)
    assert (await dns("localhost", *found).sample()).health is Health.OK
    wrong = await dns("localhost", "192.0.2.1").sample()
    assert wrong.health is Health.DOWN
    assert wrong.summary.endswith("(expected 192.0.2.1)")
    partly = await dns("localhost", "192.0.2.1", *found).sample()
    assert partly.health is Health.DEGRADED


async def test_a_dead_name_is_down() -> None:
    with pytest.raises(ProbeFault, match=r"shop\.invalid") as caught:
        await dns("shop.invalid").sample()
    assert caught.value.down


class Elsewhere:
    """Another machine whose getent says what the test wants."""

    name = "web1"

    def __init__(self, code: int, out: bytes) -> None:
        self.result, self.argv = Result((), code, out, b""), ()

    async def run(self, argv: Any, **_: Any) -> Result:
        self.argv = tuple(argv)
        return self.result


async def test_on_another_host_its_own_resolver_is_asked() -> None:
    out = b"192.0.2.7 STREAM shop.example\n192.0.2.7 DGRAM\n2001:db8::1 STREAM\n\x1b[2J x\n"
    host = Elsewhere(0, out)
    sample = await dns("shop.example", host=host).sample()
    assert host.argv == ("getent", "ahosts", "shop.example")
    assert [row.name for row in sample.rows] == ["192.0.2.7", "2001:db8::1"]
    with pytest.raises(ProbeFault, match=r"no such name: shop\.example"):
        await dns("shop.example", host=Elsewhere(2, b"")).sample()


async def test_a_name_is_looked_up_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio
    import threading

    asked, gate, real = [], threading.Event(), socket.getaddrinfo

    def slow(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        gate.wait(5)
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    both = [asyncio.ensure_future(resolve("localhost", port)) for port in (80, 443)]
    await asyncio.sleep(0)
    gate.set()
    first, second = await asyncio.gather(*both)
    assert asked == ["localhost"]
    assert [a.host for a in first] == [a.host for a in second]
    assert (first[0].port, second[0].port) == (80, 443)

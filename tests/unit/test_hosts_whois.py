"""Who an address belongs to is asked of a registry once, within a time limit, and cut to words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from warroom.hosts.base import HostError
from warroom.hosts.whois import asked_for, name_of, owner_of


class Registry:
    """A whois server (RFC 3912) on this machine: one line in, text out, closed."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = b""
        self.silent = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readline()).decode().strip())
        if self.silent:
            await reader.read()
        writer.write(self.answer)
        writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


async def test_the_registry_that_is_named_is_asked_and_what_tells_is_kept() -> None:
    first, second = Registry(), Registry()
    async with first.open() as port, second.open() as further:
        first.answer = f"% IANA\nrefer:        whois://127.0.0.1:{further}\n".encode()
        second.answer = b"% terms\ninetnum: 203.0.113.0 - 203.0.113.255\nremarks: no\ncountry: ZZ\n"
        server, pairs = await owner_of("203.0.113.7", server="localhost", port=port)
    assert server == "127.0.0.1"
    assert pairs == [("inetnum", "203.0.113.0 - 203.0.113.255"), ("country", "ZZ")]
    assert (first.asked, second.asked) == (["203.0.113.7"], ["203.0.113.7"])


async def test_who_refers_to_itself_or_to_another_protocol_is_not_asked_for_ever() -> None:
    registry = Registry()
    for refer in ("localhost", "rwhois://127.0.0.1:4321", "https://rdap.example/"):
        registry.asked.clear()
        registry.answer = f"refer: {refer}\nnetname: TEST\n".encode()
        async with registry.open() as port:
            _, pairs = await owner_of("203.0.113.7", server="localhost", port=port)
        assert pairs == [("netname", "TEST")]
        assert len(registry.asked) == 1


HOSTILE = b"netname: \x1b[2J\x9b\x00[/x][@click=app.bell]x[/] \xe2\x80\xae\xff\n"


async def test_what_it_says_is_harmless_and_cut() -> None:
    registry = Registry()
    registry.answer = HOSTILE + b"descr: " + b"y" * 10_000_000 + b"\n"
    async with registry.open() as port:
        _, pairs = await owner_of("203.0.113.7", server="localhost", port=port)
    assert [key for key, _ in pairs] == ["netname", "descr"]
    assert all(value.isprintable() and len(value) <= 200 for _, value in pairs)
    assert "[@click=app.bell]x[/]" in pairs[0][1]


async def test_silence_and_refusal_are_plain_lines() -> None:
    registry = Registry()
    registry.silent = True
    async with registry.open() as port:
        with pytest.raises(HostError, match="did not answer within 0 s"):
            await owner_of("203.0.113.7", server="localhost", port=port, timeout=0.2)
    with pytest.raises(HostError, match=r"localhost: .*[Cc]onnect"):
        await owner_of("203.0.113.7", server="localhost", port=port)


def test_only_an_address_or_a_range_is_asked_for() -> None:
    assert asked_for("203.0.113.0/24") == "203.0.113.0"
    assert asked_for(" 2001:DB8::1 ") == "2001:db8::1"
    for wrong in ("shop.example", "", "203.0.113.7\r\n-V evil", "1.2.3"):
        with pytest.raises(HostError, match="is no address"):
            asked_for(wrong)


async def test_loopback_has_the_name_that_this_machine_gives_it() -> None:
    assert await name_of("127.0.0.1") == "localhost"

"""A server on the loopback that sends exactly the bytes a test wants, certificates, and a probe."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from warroom.domain.clock import SystemClock
from warroom.domain.sample import Detail, Sample
from warroom.hosts.base import Address, UnixAddress
from warroom.probes.base import ProbeContext
from warroom.probes.http import HttpOptions, HttpProbe

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}


def answer(
    body: bytes = b"", status: str = "200 OK", headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of an HTTP/1.1 answer."""
    fields = {"Content-Length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1", "replace") + body


@dataclass
class Speaker:
    """`says` maps a path to the bytes sent for it; "" is for every other path. `hears` are the
    heads of the requests that came. With `stays`, a connection is left open after the bytes,
    and `left` counts those that the probe has ended."""

    says: dict[str, bytes] = field(default_factory=dict)
    hears: list[bytes] = field(default_factory=list)
    greets: bool = False
    stays: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self.greets:
                head = await reader.readuntil(b"\r\n\r\n")
                self.hears.append(head)
                self.heard.set()
                path = head.split(b" ")[1].decode()
                writer.write(self.says.get(path, self.says.get("", b"")))
            else:
                writer.write(self.says[""])
            await writer.drain()
            if self.stays:
                await reader.read()
                self.left.release()
        except (OSError, EOFError):
            return  # the probe hung up: that is its right
        finally:
            writer.close()


@asynccontextmanager
async def speaking(
    body: bytes | dict[str, bytes],
    *,
    tls: ssl.SSLContext | None = None,
    unix: Path | None = None,
    **traits: Any,
) -> AsyncIterator[Speaker]:
    """A speaker on a free port of 127.0.0.1, or on a unix socket."""
    speaker = Speaker(body if isinstance(body, dict) else {"": body}, **traits)
    speaker.scheme = "https" if tls else "http"
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(speaker.talk(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = (
        await asyncio.start_unix_server(connected, unix, ssl=tls)
        if unix
        else await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    )
    if not unix:
        speaker.port = server.sockets[0].getsockname()[1]
    try:
        yield speaker
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Authority:
    """Makes certificates; `file` is its own, for `ca =`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("Test Authority")
        self.file = folder / "authority.pem"
        builder = _builder(self._name, self._name, self._key, 0, 3650)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        signed = builder.sign(self._key, hashes.SHA256())
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def serving(
        self,
        *,
        names: tuple[str, ...] = ("localhost", "127.0.0.1"),
        common_name: str = "shop",
        begins: float = -30,
        days: float = 60,
        self_signed: bool = False,
    ) -> ssl.SSLContext:
        """A server's context with a certificate that begins in `begins` and ends in `days` days."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _named(common_name)
        builder = _builder(name, name if self_signed else self._name, key, begins, days)
        if names:
            entries = [_alternative(entry) for entry in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(entries), critical=False)
        signed = builder.sign(key if self_signed else self._key, hashes.SHA256())
        file = self._folder / f"{signed.serial_number}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(entry: str) -> x509.GeneralName:
    if entry[0].isdigit():
        return x509.IPAddress(ipaddress.ip_address(entry))
    return x509.DNSName(entry)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: float,
    days: float,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins) - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=days, minutes=1))
    )


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

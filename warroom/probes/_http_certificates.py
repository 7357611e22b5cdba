"""Certificates: trust settings, what a certificate says, and what is wrong with it in words."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from warroom.domain.text import harmless, shorten
from warroom.hosts.base import Address, UnixAddress

if TYPE_CHECKING:
    from cryptography import x509

DAY_S: Final = 86400.0
_NAMES: Final = 100

# OpenSSL's X509_V_ERR_* codes (openssl/x509_vfy.h)
_NOT_YET: Final = 9
_EXPIRED: Final = 10
_SELF_SIGNED: Final = (18, 19)
_UNKNOWN_ISSUER: Final = (2, 20, 21)
_WRONG_NAME: Final = (62, 64)


class TrustFault(Exception):
    """The certificate authorities that the config names cannot be used; one plain line."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says; every text is harmless, times are UTC."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    serial: str
    self_signed: bool

    def days_left(self, now: datetime) -> float:
        """Days until it expires; negative when it has."""
        return (self.not_after - now).total_seconds() / DAY_S


_contexts: dict[tuple[bool, str, float], ssl.SSLContext] = {}


def trust(verify: bool, ca: str) -> ssl.SSLContext:
    """The one context of all probes with these settings: reading the authorities takes 20 ms.

    `ca` is a PEM file or a folder of them, in place of the machine's own authorities; it is read
    again when it has changed. Raises TrustFault.
    """
    try:
        changed = Path(ca).stat().st_mtime if ca else 0.0
    except OSError as error:
        raise TrustFault(f"ca: {harmless(ca)}: {error.strerror}") from None
    key = (verify, ca, changed)
    if key not in _contexts:
        _contexts[key] = _context(verify, ca)
    return _contexts[key]


def _context(verify: bool, ca: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(**_authorities(ca))
    except ssl.SSLError:
        raise TrustFault(f"ca: {harmless(ca)} holds no PEM certificates") from None
    except OSError as error:
        raise TrustFault(f"ca: {harmless(ca)}: {error.strerror}") from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif not ca and not _has_authorities(context):
        import certifi  # comes with httpx; a machine without ca-certificates trusts nobody

        context.load_verify_locations(certifi.where())
    return context


def _authorities(ca: str) -> dict[str, Any]:
    if not ca:
        return {}
    return {"capath": ca} if Path(ca).is_dir() else {"cafile": ca}


def _has_authorities(context: ssl.SSLContext) -> bool:
    if context.cert_store_stats()["x509_ca"]:
        return True
    folder = ssl.get_default_verify_paths().capath
    return folder is not None and any(Path(folder).iterdir())


@lru_cache(maxsize=64)
def certificate(der: bytes) -> Certificate:
    """The certificate in `der`. Raises ValueError when it is none."""
    from cryptography import x509

    parsed = x509.load_der_x509_certificate(der)
    return Certificate(
        subject=_name(parsed.subject),
        issuer=_name(parsed.issuer),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        names=_alternatives(parsed),
        serial=f"{parsed.serial_number:x}",
        self_signed=parsed.subject == parsed.issuer,
    )


def _name(name: x509.Name) -> str:
    return shorten(harmless(name.rfc4514_string()), 200) or "(no name)"


def _alternatives(parsed: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses it is for (RFC 5280, section 4.2.1.6); common names do not count."""
    from cryptography import x509

    try:
        found = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    kinds = (x509.DNSName, x509.IPAddress)
    texts = (str(entry.value) for entry in found if isinstance(entry, kinds))
    return tuple(
        shorten(harmless(text), 100) for text, _ in zip(texts, range(_NAMES), strict=False)
    )


def age(now: datetime, then: datetime) -> str:
    """Whole days (or hours, or minutes) between two instants, in words.

    >>> age(datetime(2026, 11, 21), datetime(2026, 11, 18))
    '3 days'
    """
    seconds = abs((now - then).total_seconds())
    for unit, length in (("day", DAY_S), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return "moments"


def refusal(
    error: ssl.SSLCertVerificationError, seen: Certificate | None, name: str, now: datetime
) -> str:
    """Why a certificate was refused, in one line that names what to look at.

    `seen` is the certificate, when it could be fetched; `name` is what was asked for.
    """
    code = error.verify_code
    if code == _EXPIRED:
        if seen is None or seen.not_after > now:
            return "a certificate of the chain (an intermediate or its authority) has expired"
        return f"certificate expired {age(now, seen.not_after)} ago ({seen.not_after:%Y-%m-%d})"
    if code == _NOT_YET and seen is not None:
        return (
            f"certificate is not valid before {seen.not_before:%Y-%m-%d %H:%M} UTC: "
            "is a clock wrong?"
        )
    if code in _WRONG_NAME:
        return f"certificate is for {_audience(seen)}, not {name}"
    who = f" ({shorten(seen.issuer, 80)})" if seen else ""
    if code in _SELF_SIGNED:
        alone = seen is not None and seen.self_signed
        what = "is" if alone else "chain is"
        return f'certificate {what} self-signed{who}: name it with ca = "FILE"'
    if code in _UNKNOWN_ISSUER:
        return (
            f"certificate's issuer is not known here{who}: "
            'the server does not send the chain, or name the authority with ca = "FILE"'
        )
    return f"certificate refused: {harmless(error.verify_message)}"


def _audience(seen: Certificate | None) -> str:
    if seen is None:
        return "another name"
    return shorten(", ".join(seen.names[:3]), 80) or f"no host name at all ({seen.subject})"


async def fetch(address: Address, name: str) -> bytes | None:
    """The peer's certificate (DER) by a handshake that verifies nothing and sends nothing else.

    `name` is the host's name that is asked for. None when even that handshake fails.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        if isinstance(address, UnixAddress):
            opening = asyncio.open_unix_connection(address.path, ssl=context, server_hostname=name)
        else:
            opening = asyncio.open_connection(
                address.host, address.port, ssl=context, server_hostname=name
            )
        _, writer = await opening
    except OSError:
        return None
    secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
    der = secured.getpeercert(binary_form=True)
    writer.close()
    writer.transport.abort()
    return der

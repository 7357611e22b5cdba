"""One letter over SMTP, step by step, so that it is known how far it got.

Runs in a thread of its own: the standard library's client blocks. Before DATA is answered with
354 the server has nothing; after the final dot only its answer tells (RFC 5321, section 4.1.1.4).
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, Literal

from warroom.domain.text import harmless, harmless_bytes, shorten

Security = Literal["starttls", "tls", "none"]
_TEXT: Final = 200
_GOODBYE_S: Final = 0.5


class Refused(Exception):
    """The server did not take it: no use in trying again now."""


class NotReached(Exception):
    """There was no server to talk to, or it was too busy to listen."""


class Uncertain(Exception):
    """The letter was handed over and no answer came."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how; `password` is asked for only with a `user`."""

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)
    ca: str
    timeout: float


@dataclass(slots=True)
class Dispatch:
    """A letter on its way. `leaving` is true from the moment it cannot be taken back."""

    server: Server
    letter: EmailMessage
    sender: str
    to: tuple[str, ...]
    leaving: bool = False
    _client: smtplib.SMTP | None = None

    def run(self) -> str:
        """What the server said when it took it. Raises Refused, NotReached, Uncertain."""
        try:
            client = self._client = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise _not_reached(error) from None
        try:
            return self._handed_over(client)
        finally:
            _leave(client)

    def abort(self) -> None:
        """Cut the connection, so that the thread ends. From any thread."""
        connection = self._client.sock if self._client is not None else None
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _connected(self) -> smtplib.SMTP:
        server = self.server
        context = _trusting(server.ca)
        if server.security == "tls":
            return smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout, context=context
            )
        client = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
        if server.security == "starttls":
            self._client = client
            try:
                client.starttls(context=context)
            except smtplib.SMTPNotSupportedError:
                client.close()
                raise Refused("the server offers no STARTTLS: nothing was sent") from None
            except BaseException:
                client.close()
                raise
        return client

    def _handed_over(self, client: smtplib.SMTP) -> str:
        try:
            client.ehlo_or_helo_if_needed()
            if self.server.user:
                client.login(self.server.user, self.server.password)
            _expect(client.mail(self.sender), "the sender")
            refused = self._envelope(client)
            data = self.letter.as_bytes()
        except smtplib.SMTPAuthenticationError as error:
            raise Refused(f"user or password: {said(error.smtp_code, b'')}") from None
        except smtplib.SMTPResponseException as error:
            raise Refused(said(error.smtp_code, error.smtp_error)) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _not_reached(error) from None
        self.leaving = True
        try:
            code, answer = client.data(data)
        except smtplib.SMTPDataError as error:  # no 354: it did not want to begin
            raise Refused(said(error.smtp_code, error.smtp_error)) from None
        except (OSError, smtplib.SMTPException, ValueError):
            raise Uncertain("the connection was cut while the letter was handed over") from None
        if code != 250:
            raise Refused(said(code, answer))
        return said(code, answer) + (f"; not to {', '.join(refused)}" if refused else "")

    def _envelope(self, client: smtplib.SMTP) -> list[str]:
        """Name who gets it; those the server refuses. Raises Refused when it refuses all."""
        refused, last = [], ""
        for address in self.to:
            code, answer = client.rcpt(address)
            if code not in (250, 251):
                refused.append(address)
                last = said(code, answer)
            if code == 421:
                raise NotReached(last)
        if len(refused) == len(self.to):
            raise Refused(f"{last} (for {refused[-1]})")
        return refused


def _trusting(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a certificate"
        raise Refused(f"ca: {harmless(ca)}: {harmless(str(reason))}") from None


def _leave(client: smtplib.SMTP) -> None:
    """Say goodbye, without waiting for a server that does not answer: it is known how it ended."""
    with suppress(OSError, smtplib.SMTPException):
        if client.sock is not None:
            client.sock.settimeout(_GOODBYE_S)
            client.quit()
    client.close()


def said(code: int, answer: bytes | str) -> str:
    """An answer of a server, in one harmless line."""
    text = answer if isinstance(answer, str) else harmless_bytes(answer, limit=2048, lines=True)
    return shorten(harmless(" ".join(f"SMTP {code} {text}".split())), _TEXT)


def _expect(answer: tuple[int, bytes], what: str) -> None:
    code, text = answer
    if code == 421:
        raise NotReached(said(code, text))
    if code != 250:
        raise Refused(f"{what}: {said(code, text)}")


def _not_reached(error: Exception) -> Refused | NotReached:
    """A certificate will not be another in a second; a connection may be there."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(f"its certificate is not valid here: {harmless(error.verify_message)}")
    if isinstance(error, ssl.SSLError):
        return Refused(f"no TLS there: {harmless(error.reason or 'handshake failed')}")
    if isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        return NotReached(said(error.smtp_code, error.smtp_error))
    if isinstance(error, smtplib.SMTPResponseException):
        return Refused(said(error.smtp_code, error.smtp_error))
    if isinstance(error, TimeoutError):
        return NotReached("no answer")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return NotReached("the server closed the connection before it took anything")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return NotReached(shorten(harmless(str(reason).lower()), 100))

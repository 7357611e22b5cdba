"""E-mail, over the team's own SMTP server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Final, Literal

from warroom.channels._address import is_loopback, revealed
from warroom.channels.base import (
    Channel,
    ChannelContext,
    ChannelFault,
    ChannelSpec,
    Delivery,
    Message,
    Progress,
    Receipt,
    Stage,
    Watcher,
)
from warroom.config.values import Line, Secret
from warroom.domain.text import harmless, shorten

if TYPE_CHECKING:
    from warroom.channels._mail import Dispatch, Server

PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 8.0
_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}")
_NOBODY: Final = Line("")
_HOST: Final = re.compile(r"[A-Za-z0-9._:-]{1,253}")


@dataclass(frozen=True, slots=True)
class Options:
    """`port` follows from `security` when it is not given: 587, 465 or 25."""

    host: Line
    sender: Line = field(metadata={"key": "from", "doc": 'from = "incidents@shop.example"'})
    to: tuple[str, ...] = field(metadata={"doc": 'to = ["all@shop.example"]'})
    port: int = 0
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Line = _NOBODY
    password: Secret | None = field(
        default=None, metadata={"doc": 'password = "env:SMTP_PASSWORD"'}
    )
    ca: str = field(default="", metadata={"doc": "a file with the authority of its certificate"})

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise ValueError("host: the name or number of a mail server")
        if not 0 <= self.port <= 65535:
            raise ValueError("port: 1 to 65535")
        if not self.to:
            raise ValueError("to: names nobody")
        for key, addresses in (("from", (self.sender,)), ("to", self.to)):
            for address in addresses:
                if not _ADDRESS.fullmatch(address):
                    raise ValueError(f'{key}: "{shorten(harmless(address), 60)}" is no address')
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError("security: none is for a server on this machine only")
        if bool(self.user) is not bool(self.password):
            raise ValueError("user: user and password go together")
        if not self.user.isascii():
            raise ValueError("user: only ASCII goes through this login")
        if self.password is not None and self.password.is_literal:
            raise ValueError('password: does not belong in a config; write "env:NAME"')


class SmtpChannel:
    """Letters about one incident stand in one thread of whoever reads them."""

    def __init__(self, options: Options, context: ChannelContext) -> None:
        self._options, self._context = options, context

    async def where(self) -> str:
        to = self._options.to
        named = ", ".join(to[:3]) + (f" and {len(to) - 3} more" if len(to) > 3 else "")
        return f"{named} by {self._options.host}"

    def preview(self, message: Message) -> Sequence[tuple[str, str]]:
        return (
            ("from", self._options.sender),
            ("to", ", ".join(self._options.to)),
            ("subject", subject(message)),
        )

    async def send(self, message: Message, watch: Watcher) -> Receipt:
        try:
            server = await self._server()
        except ChannelFault as fault:
            return Receipt(Delivery.FAILED, str(fault))
        return await self._attempts(server, letter(self._options, message), watch)

    async def _server(self) -> Server:
        from warroom.channels._mail import Server

        options = self._options
        password = ""
        if options.password is not None:
            password = await revealed(options.password, self._context.host)
            if not password.isascii():
                raise ChannelFault("the password is not ASCII, which this login cannot carry")
        port = options.port or PORTS[options.security]
        limit = self._context.attempt / 2
        return Server(
            options.host, port, options.security, options.user, password, options.ca, limit
        )

    async def _attempts(self, server: Server, message: EmailMessage, watch: Watcher) -> Receipt:
        from warroom.channels._mail import Dispatch, NotReached, Refused, Uncertain

        clock = asyncio.get_running_loop().time
        end, wait = clock() + self._context.limit, _FIRST_WAIT_S
        place = harmless(server.host)
        while True:
            watch(Progress(f"sending by {place}", leaving=True))
            dispatch = Dispatch(server, message, self._options.sender, self._options.to)
            try:
                taken = await self._one(dispatch, min(self._context.attempt, end - clock()))
                return Receipt(Delivery.SENT, f"{place}: {taken}")
            except Refused as error:
                return Receipt(Delivery.FAILED, f"{place}: {error}")
            except Uncertain as error:
                return Receipt(Delivery.UNKNOWN, f"{place}: {error}; it may have arrived")
            except NotReached as error:
                if clock() + wait >= end:
                    limit = self._context.limit
                    return Receipt(Delivery.FAILED, f"{place}: {error}; not within {limit:.0f} s")
                watch(Progress(f"{place}: {error}: again in {wait:.0f} s", leaving=False))
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_S)

    async def _one(self, dispatch: Dispatch, limit: float) -> str:
        """One attempt, ended after `limit` seconds however slowly the server talks."""
        from warroom.channels._mail import NotReached, Uncertain

        running = asyncio.create_task(asyncio.to_thread(dispatch.run))
        try:
            done, _ = await asyncio.wait({running}, timeout=limit)
            if done:
                return running.result()
            leaving = dispatch.leaving
        finally:
            if not running.done():
                dispatch.abort()
                running.add_done_callback(lambda task: task.cancelled() or task.exception())
        if leaving:
            raise Uncertain(f"no answer within {limit:.0f} s")
        raise NotReached(f"no answer within {limit:.0f} s")


def letter(options: Options, message: Message) -> EmailMessage:
    """The letter: plain text, with an id of its own and a thread of the incident's."""
    domain = options.sender.rpartition("@")[2]
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(addr_spec=options.sender)
    made["To"] = tuple(Address(addr_spec=address) for address in options.to)
    made["Subject"] = subject(message)
    made["Message-ID"] = f"<{_plain(message.id)}@{domain}>"
    made["References"] = f"<incident.{_plain(message.origin)}@{domain}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
    made.set_content(message.text.encode("utf-8", "replace").decode("utf-8"))
    return made


def subject(message: Message) -> str:
    """One line, whatever the title holds."""
    word = "resolved" if message.stage is Stage.RESOLVED else message.status.value
    text = f"[{message.severity}] {message.title}: {word} ({message.incident})"
    text = " ".join(harmless(text).split())
    return shorten(text.encode("utf-8", "replace").decode("utf-8"), 200)


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "", text) or "warroom"


def _create(options: Options, context: ChannelContext) -> Channel:
    return SmtpChannel(options, context)


SPEC: Final = ChannelSpec("smtp", "e-mail", Options, _create, audience="stakeholders")

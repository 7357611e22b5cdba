"""A small real SMTP server for one test: RFC 5321 as far as a client that sends one letter goes.

It runs in an event loop of its own, so that it answers while a test blocks, and can be told to
misbehave at any step.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import dataclass, field
from typing import Final

from tests.support.services import Loop

CUT: Final = "<cut>"
"""As an answer: the connection is cut in its place."""
MUTE: Final = "<mute>"
"""As an answer: there is none, and the connection stays open."""


@dataclass
class Letter:
    """What was handed over, its dots undone."""

    sender: str
    to: list[str]
    content: str
    secure: bool
    user: str


@dataclass
class Session:
    """One connection."""

    secure: bool = False
    user: str = ""
    sender: str = ""
    to: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class Smtpd:
    """`answers` replace the usual one to a command (`RCPT`, or `RCPT bob@x` for one recipient);
    the greeting is `HELLO`, the answer to a letter's end `END`. `letters` is what was taken."""

    def __init__(
        self,
        loop: Loop,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        users: dict[str, str] | None = None,
    ) -> None:
        self._loop, self._tls, self._starttls = loop, tls, starttls
        self._users = users or {}
        self.answers: dict[str, str] = {}
        self.letters: list[Letter] = []
        self.sessions: list[Session] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        loop.run(self._start())

    async def _start(self) -> None:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """From now on connections are refused, until `accept`."""
        self._loop.run(self._stop())

    def accept(self) -> None:
        self._loop.run(self._start())

    def stop(self) -> None:
        self._loop.run(self._stop())

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        session = Session(secure=self._tls is not None)
        self.sessions.append(session)
        try:
            if await self._say(writer, self._answer("HELLO", "220 test ESMTP")):
                while await self._command(session, reader, writer):
                    pass
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # the client went away: there is nobody to tell
        except asyncio.CancelledError:
            pass  # stop() ends it; asyncio's own callback would report the cancellation
        finally:
            self._open.discard(task)
            writer.transport.abort()

    def _answer(self, step: str, usual: str) -> str:
        return self.answers.get(step, self.answers.get(step.partition(" ")[0], usual))

    async def _say(self, writer: asyncio.StreamWriter, answer: str) -> bool:
        """Whether the connection lives on."""
        if answer == CUT:
            return False
        if answer == MUTE:
            await asyncio.sleep(3600)
        writer.write((answer + "\r\n").encode("latin-1"))
        await writer.drain()
        return True

    async def _command(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        line = (await reader.readuntil(b"\n")).decode("latin-1").rstrip("\r\n")
        session.lines.append(line)
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO":
                return await self._say(writer, self._answer("EHLO", self._features(session)))
            case "STARTTLS" if self._starttls is not None:
                await self._say(writer, "220 go ahead")
                await writer.start_tls(self._starttls)
                session.secure = True
                return True
            case "AUTH":
                return await self._say(writer, self._answer("AUTH", self._login(session, rest)))
            case "MAIL":
                session.sender = rest.partition("<")[2].partition(">")[0]
                return await self._say(writer, self._answer("MAIL", "250 ok"))
            case "RCPT":
                address = rest.partition("<")[2].partition(">")[0]
                answer = self._answer(f"RCPT {address}", "250 ok")
                if answer.startswith("250"):
                    session.to.append(address)
                return await self._say(writer, answer)
            case "DATA":
                return await self._letter(session, reader, writer)
            case "QUIT":
                await self._say(writer, self._answer("QUIT", "221 bye"))
                return False
            case _:
                return await self._say(writer, "502 not here")

    def _features(self, session: Session) -> str:
        lines = ["test", "8BITMIME"]
        if self._starttls is not None and not session.secure:
            lines.append("STARTTLS")
        if self._users:
            lines.append("AUTH PLAIN")
        return "\r\n".join(
            f"250{' ' if n == len(lines) else '-'}{line}" for n, line in enumerate(lines, 1)
        )

    def _login(self, session: Session, rest: str) -> str:
        _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        if self._users.get(user) != password:
            return "535 5.7.8 no"
        session.user = user
        return "235 welcome"

    async def _letter(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        answer = self._answer("DATA", "354 go ahead")
        if not await self._say(writer, answer) or not answer.startswith("354"):
            return answer != CUT
        lines = []
        while (line := (await reader.readuntil(b"\n")).decode("utf-8").rstrip("\r\n")) != ".":
            lines.append(line.removeprefix(".") if line.startswith("..") else line)
        content = "\n".join(lines)
        answer = self._answer("END", "250 queued as 4711")
        if not answer.startswith(("4", "5")):
            self.letters.append(
                Letter(session.sender, session.to, content, session.secure, session.user)
            )
        return await self._say(writer, answer)

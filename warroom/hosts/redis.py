"""Redis on a host: one connection, opened when it is needed, its faults in plain words.

RedisFault         the server could not be asked, or said no
└── RedisLost      the connection broke under a command: it may or may not have run
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

from warroom.config.values import Secret
from warroom.hosts._reach import reached_by
from warroom.hosts._redis_url import RedisUrl, parse_redis_url
from warroom.hosts._redis_words import RedisFault, RedisLost, lost, refused
from warroom.hosts._urls import BadUrl
from warroom.hosts.base import Host

__all__ = ["BadUrl", "RedisFault", "RedisLost", "RedisSession", "RedisUrl", "parse_redis_url"]

CLIENT_NAME: Final = "warroom"
Command = tuple[str | int | bytes, ...]
_CUT: Final = re.compile("cut at once|broke|reset")
_SHUT_OUT: Final = ("NOAUTH", "MAXCLIENTS", "DENIED")
Answer = Any
"""bytes, int, None or a list of these; a RedisFault where the server refused that one command."""


class RedisSession:
    """One connection at most, one batch of commands at a time; opened again when it was lost.

    It speaks RESP2 (no HELLO, whose failure without a password misleads), names itself `warroom`
    where it may, and selects the URL's database only when told to: looking needs none.
    """

    def __init__(self, url: Secret, host: Host, *, timeout: float) -> None:
        self._secret, self._host, self._timeout = url, host, timeout
        self._connection: Any = None
        self._busy = asyncio.Lock()
        self.url = RedisUrl()
        """What the secret said when the connection was opened last."""

    async def ask(self, *commands: Command) -> list[Answer]:
        """The answers to `commands`, sent together. Raises RedisFault, HostError.

        A command that the server refuses answers with its RedisFault; only a connection that
        breaks (RedisLost) or cannot be had is raised.
        """
        async with self._busy:
            return await self._kept(await self._opened(), commands)

    async def ask_again(self, *commands: Command) -> list[Answer]:
        """As `ask`, but only over the connection that answered last: what was selected and learnt
        there still holds. Raises RedisFault when it is gone; then nothing was sent."""
        async with self._busy:
            connection = self._connection
            if connection is None or not connection.is_connected or connection.at_end:
                raise RedisFault(f"{self.url.place}: the connection broke", down=True)
            return await self._kept(connection, commands)

    async def one(self, *command: str | int) -> Answer:
        """The answer to one command. Raises RedisFault, also where the server refuses it."""
        answer = (await self.ask(command))[0]
        if isinstance(answer, RedisFault):
            raise answer
        return answer

    async def open(self) -> RedisUrl:
        """Connect now, if that is not so yet, and say where to. Raises RedisFault, HostError."""
        async with self._busy:
            await self._opened()
        return self.url

    async def close(self) -> None:
        """Close the connection; the session may be used again."""
        async with self._busy:
            await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _kept(self, connection: Any, commands: tuple[Command, ...]) -> list[Answer]:
        """The answers, over a connection that is not kept unless all of them were read."""
        try:
            return await self._batch(connection, commands)
        except BaseException:
            await self._drop()
            raise

    async def _batch(self, connection: Any, commands: tuple[Command, ...]) -> list[Answer]:
        from redis import exceptions as redis

        try:
            packed = connection.pack_commands(commands)
            await connection.send_packed_command(packed, check_health=False)
            return [await self._answer(connection, command) for command in commands]
        except (redis.RedisError, OSError, ValueError) as error:
            raise lost(error, self.url, connected=True) from error

    async def _answer(self, connection: Any, command: Command) -> Answer:
        """One answer. redis-py makes connection errors of what are the server's own words."""
        from redis import exceptions as redis

        try:
            return await connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except (redis.ResponseError, redis.BusyLoadingError, redis.AuthenticationError) as error:
            return refused(error, self.url, _name(command))
        except redis.ConnectionError as error:
            if "max number of clients" in str(error):
                return refused(error, self.url, _name(command))
            raise

    async def _opened(self) -> Any:
        known = self._connection
        if known is not None and known.is_connected and not known.at_end:
            return known
        await self._drop()
        try:
            async with asyncio.timeout(self._timeout):
                self._connection = await self._open()
        except TimeoutError as error:
            raise lost(error, self.url, connected=False) from error
        return self._connection

    async def _open(self) -> Any:
        from redis import exceptions as redis

        from warroom.hosts._redis_connection import connection_to
        from warroom.hosts.secrets import reveal

        try:
            self.url = parse_redis_url(await reveal(self._secret, self._host))
        except BadUrl as error:
            raise RedisFault(f"url: {error}") from None
        reached = await reached_by(self._host, self.url.address, RedisFault)
        connection = connection_to(reached, self.url, self._timeout)
        try:
            await connection.connect()
            (named,) = await self._batch(connection, (("CLIENT", "SETNAME", CLIENT_NAME),))
            if isinstance(named, RedisFault) and named.code in _SHUT_OUT:
                raise named
        except RedisLost as lost_at_once:
            await connection.disconnect(nowait=True)
            raise await _turned_away(connection, lost_at_once, self.url) from lost_at_once
        except (redis.RedisError, OSError, ValueError) as error:
            await connection.disconnect(nowait=True)
            fault = _unopened(error, self.url)
            raise await _turned_away(connection, fault, self.url) from error
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection


def _unopened(error: BaseException, url: RedisUrl) -> RedisFault:
    """Why no connection came about: the server refused to let us in, or was never reached."""
    from redis import exceptions as redis

    answers = (redis.ResponseError, redis.BusyLoadingError, redis.AuthenticationError)
    if isinstance(error, answers) or "max number of clients" in str(error):
        return refused(error, url, "AUTH")
    return lost(error, url, connected=False)


async def _turned_away(connection: Any, fault: RedisFault, url: RedisUrl) -> RedisFault:
    """`fault`, or what the server said when it cut a connection that had just been made."""
    if fault.code or not _CUT.search(str(fault)):
        return fault
    try:
        words = (await connection.overheard()).decode("utf-8", "replace")
    except (OSError, TimeoutError):
        words = ""
    if words.startswith("-"):
        return refused(Exception(words[1:].partition("\r")[0]), url, "AUTH")
    return RedisFault(str(fault), down=fault.down)


def _name(command: Command) -> str:
    """`SLOWLOG GET` of `SLOWLOG GET 10`: what an ACL rule names."""
    words = [str(word) for word in command[:2]]
    return " ".join(words if words[0] in _CONTAINERS else words[:1]).upper()


_CONTAINERS: Final = ("CLIENT", "SLOWLOG", "CONFIG", "LATENCY", "ACL", "MEMORY")

"""The one way to a Docker engine: connect, ask, act, stream.

EngineError
├── EngineAbsent    nothing usable answers: not running, no permission, not a Docker engine
├── EngineRefused   the engine answered and said no; `status` is its HTTP status
└── EngineLost      the answer broke off or never came: nobody knows what happened

Every message is one plain line. Requests follow the Docker Engine API reference, 1.24 to 1.44.
"""

from __future__ import annotations

import asyncio
import errno
import getpass
import grp
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from warroom.domain.text import harmless, shorten
from warroom.hosts.base import Address, Host, HostError, TcpAddress, UnixAddress
from warroom.hosts.docker_container import NAME
from warroom.hosts.docker_endpoint import EngineAbsent, endpoint, spelled

if TYPE_CHECKING:
    import aiodocker
    import aiohttp

__all__ = ["Engine", "EngineAbsent", "EngineLost", "EngineRefused", "connect", "part"]

OLDEST: Final = (1, 24)
"""Docker Engine 1.12, of 2016: older ones are not asked."""
KNOWN: Final = (1, 44)
"""The newest API whose answers are known here; newer engines are asked in it."""
_ID: Final = re.compile(r"sha256:[0-9a-f]{64}")
LINE_LIMIT: Final = 1024 * 1024
"""Bytes of one object in a stream; a longer one is dropped."""


class EngineRefused(HostError):
    """The engine answered with an error. `status` is the HTTP status (404: no such container)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class EngineLost(HostError):
    """The connection broke or the time was up before the answer was whole."""


def part(name: str) -> str:
    """`name` as a part of a request's path: of a container, a network, a volume, or an id. Raises
    EngineRefused for anything else."""
    if not (NAME.fullmatch(name) or _ID.fullmatch(name)):
        raise EngineRefused(f'"{shorten(harmless(name), 80)}" is no name', 404)
    return name


class Engine:
    """A connection to one engine; many requests and streams at once. Raises HostError only."""

    def __init__(self, client: aiodocker.Docker, address: Address, timeout: float) -> None:
        self._client, self._timeout = client, timeout
        self.address = address
        self.version = ""

    @property
    def where(self) -> str:
        """The address as DOCKER_HOST spells it, harmless."""
        return harmless(spelled(self.address))

    @property
    def api(self) -> str:
        """The version of the API that is spoken, e.g. `v1.41`."""
        return harmless(self._client.api_version)

    async def handshake(self) -> None:
        """Learn the engine's version and agree on an API. Raises EngineAbsent, EngineLost."""
        async with self._asking():
            said = await self._version()
            api, oldest = _api(said["ApiVersion"]), _api(said.get("MinAPIVersion") or "1.24")
        self.version = harmless(str(said.get("Version", "")))
        if api < OLDEST:
            raise EngineAbsent(
                f"Docker Engine {self.version} at {self.where} is too old: it speaks API "
                f"{api[0]}.{api[1]}, needed is {OLDEST[0]}.{OLDEST[1]} (Engine 1.12) or newer"
            )
        major, minor = max(min(api, KNOWN), oldest)
        self._client.api_version = f"v{major}.{minor}"

    async def _version(self) -> Mapping[str, Any]:
        """`GET /version`, which every engine answers: whoever refuses it is none."""
        import aiodocker

        try:
            said: Mapping[str, Any] = await self._client.version()
        except aiodocker.exceptions.DockerError as error:
            if not 400 <= error.status < 500:
                raise
            raise EngineAbsent(
                f"what answers at {self.where} is not a Docker engine: HTTP {error.status}"
            ) from error
        return said

    async def ping(self) -> None:
        """Ask for nothing, to learn whether anybody answers."""
        async with self._asking():
            await self._client.version()

    async def containers(
        self, *, stopped: bool = True, filters: Mapping[str, list[str]] | None = None
    ) -> list[Mapping[str, Any]]:
        """`GET /containers/json`: the engine's list, newest first."""
        async with self._asking():
            listed = await self._client.containers.list(all=stopped, filters=dict(filters or {}))
            return [dict(item._container) for item in listed]

    async def inspect(self, container: str) -> Mapping[str, Any]:
        """`GET /containers/{id}/json` by id or name. EngineRefused with status 404: unknown."""
        async with self._asking():
            said: Mapping[str, Any] = await self._container(container).show()
            return said

    async def restart(self, container: str, *, stop_timeout: int) -> None:
        """`POST /containers/{id}/restart`; returns when it has been started again."""
        async with self._asking(patience=stop_timeout):
            await self._container(container).restart(t=stop_timeout)

    async def stop(self, container: str, *, stop_timeout: int) -> None:
        """`POST /containers/{id}/stop`; returns when it has ended. One that is not running
        stays as it is."""
        async with self._asking(patience=stop_timeout):
            await self._container(container).stop(t=stop_timeout)

    async def start(self, container: str) -> None:
        """`POST /containers/{id}/start`; one that runs already stays as it is."""
        async with self._asking():
            await self._container(container).start()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        patience: float = 0.0,
    ) -> Any:
        """Any other request: the JSON of its answer, empty where it has none. What is put into
        `path` goes through `part`; `patience` is how many seconds longer than
        usual the answer may take."""
        async with self._asking(patience=patience):
            return await self._client._query_json(
                path, method, params=dict(params or {}), data=body
            )

    def _container(self, name: str) -> aiodocker.containers.DockerContainer:
        """A name goes into the path of a request: nothing but a name may."""
        if not NAME.fullmatch(name):
            raise EngineRefused(f'"{shorten(harmless(name), 80)}" is no name of a container', 404)
        return self._client.containers.container(name)

    @asynccontextmanager
    async def objects(
        self, path: str, params: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
        """JSON objects of a stream (`events`, `containers/{id}/stats`) as they come; the context
        is entered when the engine has accepted."""
        async with self.chunks(path, params) as chunks:
            yield _objects(chunks)

    @asynccontextmanager
    async def chunks(
        self, path: str, params: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Bytes of a stream (`containers/{id}/logs`) as they come."""
        with plainly(self.address):
            response = await self._opened(path, params)
        try:
            yield self._read(response)
        finally:
            response.close()

    async def _opened(self, path: str, params: Mapping[str, str]) -> aiohttp.ClientResponse:
        client = self._client
        url = f"{client.docker_host}/{client.api_version}/{path}"
        async with asyncio.timeout(self._timeout):
            response = await client.session.get(url, params=params)
            if response.status >= 400:
                text = await response.text()
                response.close()
                raise EngineRefused(_message(text), response.status)
        return response

    async def _read(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        with plainly(self.address):
            async for chunk in response.content.iter_any():
                yield chunk

    @asynccontextmanager
    async def _asking(self, *, patience: float = 0.0) -> AsyncIterator[None]:
        """One request: a time limit, and errors in plain words."""
        with plainly(self.address):
            async with asyncio.timeout(self._timeout + patience):
                yield

    async def close(self) -> None:
        """End every request and stream."""
        await self._client.close()
        await self._client.connector.close()


async def connect(host: Host, socket: str = "", *, timeout: float = 5.0) -> Engine:
    """A connection to the engine of `host`. `socket` as in `docker_endpoint.endpoint`; `timeout`
    in seconds holds for every single answer. Raises HostError, mostly EngineAbsent."""
    address = await endpoint(host, socket)
    near = await host.reach(address)
    engine = Engine(_client(near), address, timeout)
    try:
        await engine.handshake()
    except BaseException:
        await engine.close()
        raise
    return engine


def _client(near: Address) -> aiodocker.Docker:
    import aiodocker
    import aiohttp

    # no limit of connections: every running container holds a stream open
    connector: aiohttp.BaseConnector
    if isinstance(near, UnixAddress):
        connector, url = aiohttp.UnixConnector(near.path, limit=0), "unix://localhost"
    else:
        connector, url = aiohttp.TCPConnector(limit=0), f"http://{near.host}:{near.port}"
    return aiodocker.Docker(url=url, connector=connector)


def _api(text: str) -> tuple[int, int]:
    major, _, minor = str(text).partition(".")
    return int(major), int(minor)


async def _objects(chunks: AsyncIterator[bytes]) -> AsyncIterator[Mapping[str, Any]]:
    """Splits a stream into its lines. aiohttp's own `readline` raises on a long one, and an event
    carries every label of its container."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if not line.strip() or len(line) > LINE_LIMIT:
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                raise EngineLost("the Docker engine sent something that is not JSON") from error
            if isinstance(value, Mapping):
                yield value
        if len(rest) > LINE_LIMIT:
            rest = rest[:1] + rest[-LINE_LIMIT:]  # stays too long, so it is dropped when it ends


@contextmanager
def plainly(address: Address) -> Iterator[None]:
    """Turns whatever a request raises into a HostError of one plain line."""
    import aiodocker
    import aiohttp

    try:
        yield
    except HostError:
        raise
    except aiodocker.exceptions.DockerError as error:
        raise _translated(_cause(error), address) from error
    except (aiohttp.ClientError, OSError, ValueError, TypeError, KeyError) as error:
        raise _translated(error, address) from error


def _cause(error: Exception) -> BaseException:
    """aiodocker wraps a failed connection in an error of the made-up status 900."""
    wrapped = error.__cause__ or error.__context__
    return wrapped if getattr(error, "status", 0) == 900 and wrapped else error


def _translated(error: BaseException, address: Address) -> HostError:
    import aiodocker
    import aiohttp

    place = harmless(_place(address))
    match error:
        case aiodocker.exceptions.DockerError():
            return EngineRefused(_message(error.message), error.status)
        case aiohttp.ClientConnectorError():
            return _unconnected(error.os_error, address, place)
        case TimeoutError():
            return EngineLost(f"no answer from the Docker engine at {place}")
        case aiohttp.ClientResponseError() | ValueError() | TypeError() | KeyError():
            return EngineAbsent(f"what answers at {place} is not a Docker engine")
        case _:
            return EngineLost(f"the Docker engine at {place} broke the connection")


def _place(address: Address) -> str:
    if isinstance(address, TcpAddress):
        return f"{address.host}:{address.port}"
    return address.path


def _unconnected(error: OSError, address: Address, place: str) -> EngineAbsent:
    if error.errno in (errno.EACCES, errno.EPERM):
        user, group = harmless(_login()), _group(address)
        return EngineAbsent(
            f"may not use {place} — add the user {user} to group {group} and log in again"
        )
    if error.errno in (errno.ENOENT, errno.ECONNREFUSED):
        return EngineAbsent(f"no Docker engine at {place} — is docker running?", down=True)
    if error.errno in (errno.ENOTSOCK, errno.EPROTOTYPE):
        return EngineAbsent(f"{place} is not a Docker engine's socket")
    reason = error.strerror or str(error)
    return EngineAbsent(f"no way to a Docker engine at {place}: {reason}", down=True)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a uid without a name
        return "you"


def _group(address: Address) -> str:
    """The group that owns the socket, which is whom one must join."""
    if isinstance(address, UnixAddress):
        try:
            return harmless(grp.getgrgid(Path(address.path).stat().st_gid).gr_name)
        except (OSError, KeyError):
            return "docker"
    return "docker"


def _message(text: str) -> str:
    """What the engine says of an error, in one short harmless line."""
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if isinstance(said, Mapping) and "message" in said:
        text = str(said["message"])
    return shorten(harmless(text.strip()), 300) or "the Docker engine gave no reason"

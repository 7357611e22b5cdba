"""Where a machine's Docker engine listens: said in the config, in the environment, or found."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from warroom.domain.text import harmless
from warroom.hosts.base import Address, Host, HostUnreachable, TcpAddress, UnixAddress

USUAL_SOCKET: Final = "/var/run/docker.sock"
PLAIN_PORT: Final = 2375
"""The engine's port without TLS."""


class EngineAbsent(HostUnreachable):
    """Nothing that can be used answers as a Docker engine; nothing was asked of one.

    `down` says that the engine itself is out; otherwise it may be well, and we may not or cannot
    speak to it.
    """

    def __init__(self, message: str, *, down: bool = False) -> None:
        super().__init__(message)
        self.down = down


async def endpoint(host: Host, socket: str = "") -> Address:
    """The address of the engine as `host` sees it.

    `socket` is a path or a URL (`unix://`, `tcp://`). When empty, this machine is asked as the
    docker CLI asks it (DOCKER_HOST, DOCKER_CONTEXT, the current context of `config.json`), then
    the usual sockets are looked for: rootful, rootless, Docker Desktop, Podman.
    Raises EngineAbsent when there is none, HostError when the host cannot be asked.
    """
    if socket:
        return _address(socket, "socket")
    if host.name == "":
        named = _from_environment()
        return named or UnixAddress(next(filter(_is_there, _local_sockets()), USUAL_SOCKET))
    return UnixAddress(await _remote_socket(host))


def spelled(address: Address) -> str:
    """An address the way DOCKER_HOST spells it.

    >>> spelled(UnixAddress("/var/run/docker.sock"))
    'unix:///var/run/docker.sock'
    """
    if isinstance(address, UnixAddress):
        return f"unix://{address.path}"
    return f"tcp://{address.host}:{address.port}"


def _address(text: str, source: str) -> Address:
    if text.startswith("/"):
        return UnixAddress(text)
    shown = harmless(text)
    try:
        url = urlsplit(text)
        port = url.port or PLAIN_PORT
    except ValueError as error:
        raise EngineAbsent(f'{source} is "{shown}", which is no address: {error}') from error
    return _of_url(url, port, f"{source} is {url.scheme}://{harmless(url.hostname or '')}")


def _of_url(url: SplitResult, port: int, what: str) -> Address:
    if url.scheme == "unix":
        return UnixAddress(url.path)
    if url.scheme in ("tcp", "http") and url.hostname:
        if os.environ.get("DOCKER_TLS_VERIFY"):
            raise EngineAbsent(f"{what} with TLS: not spoken here; look over SSH with on = ...")
        return TcpAddress(url.hostname, port)
    if url.scheme == "ssh":
        raise EngineAbsent(f"{what}: name that machine under [hosts] and say so with on = ...")
    raise EngineAbsent(f"{what}: expected a path, unix:///path or tcp://host:port")


def _from_environment() -> Address | None:
    """What the docker CLI would use here, None when nothing is said."""
    if os.environ.get("DOCKER_HOST"):
        return _address(os.environ["DOCKER_HOST"], "DOCKER_HOST")
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = os.environ.get("DOCKER_CONTEXT") or _current_context(folder)
    if name in ("", "default"):
        return None
    shown = harmless(name)
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    try:
        said = json.loads(meta.read_bytes())["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f'Docker context "{shown}" cannot be read; see docker context ls'
        raise EngineAbsent(reason) from error
    return _address(str(said), f'Docker context "{shown}"')


def _current_context(folder: Path) -> str:
    """As the CLI does: no config, or one that is not JSON, names no context."""
    try:
        said = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return ""
    return str(said.get("currentContext", "")) if isinstance(said, dict) else ""


def _local_sockets() -> Iterator[str]:
    yield USUAL_SOCKET
    yield from _user_sockets(os.getuid(), os.environ.get("XDG_RUNTIME_DIR", ""))
    yield str(Path.home() / ".docker/run/docker.sock")
    yield "/run/podman/podman.sock"


def _user_sockets(uid: int, runtime: str = "") -> tuple[str, str]:
    runtime = runtime or f"/run/user/{uid}"
    return f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock"


def _is_there(path: str) -> bool:
    try:
        return Path(path).is_socket()
    except OSError:  # a folder that may not be entered
        return False


async def _remote_socket(host: Host) -> str:
    """The first of the usual sockets that is there; the environment of an SSH command is bare."""
    uid = (await host.run(["id", "-u"])).out.strip()
    candidates = [USUAL_SOCKET, *_user_sockets(int(uid) if uid.isdigit() else 0)]
    candidates.append("/run/podman/podman.sock")
    found = (await host.run(["ls", "-d", "--", *candidates])).out.decode("utf-8", "replace")
    there = found.split("\n")
    return next((path for path in candidates if path in there), USUAL_SOCKET)

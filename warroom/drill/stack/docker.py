"""A Docker engine to run containers on: the local one, or a private one that we start as root.

The private engine lives in a network and a mount namespace of its own (unshare(1)), so it neither
takes `docker0` from another engine nor leaves a mount behind. The image comes from no registry: it
is a static busybox, imported through the engine's API.
"""

from __future__ import annotations

import io
import os
import struct
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from warroom.drill.stack.program import Missing, Program, StartFailed, alive, find

ADVICE: Final = "start Docker, or as root: apt install docker.io busybox-static"
IMAGE: Final = "warroom-drill:busybox"
OWNER: Final = "warroom.drill"
"""The label whose value is the process id that a container belongs to."""
_APPLETS: Final = ("sh", "sleep", "echo", "date", "cat", "kill", "true", "false", "test", "printf")
_APPLETS_MORE: Final = ("head", "tail", "seq", "wget", "nc", "httpd", "dd", "ls", "rm", "touch")
_PT_INTERP: Final = 3


@dataclass(frozen=True)
class Engine:
    """An engine that answers on the unix socket `socket` and has the image `image`."""

    socket: Path
    image: str = IMAGE
    program: Program | None = None

    async def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        labels: Mapping[str, str] | None = None,
        health: Sequence[str] = (),
    ) -> str:
        """Starts a container and returns its id. `health` is the argv of its health check,
        run every two seconds."""
        body: dict[str, Any] = {
            "Image": self.image,
            "Cmd": list(argv),
            "Labels": {OWNER: str(os.getpid()), **(labels or {})},
            "StopTimeout": 1,
            "HostConfig": {"Memory": 32 * 1024 * 1024},
        }
        if health:
            second = 1_000_000_000
            check = {"Interval": 2 * second, "Timeout": second, "Retries": 2}
            body["Healthcheck"] = {"Test": ["CMD", *health], **check}
        made = await self._call("POST", "/containers/create", params={"name": name}, json=body)
        container: str = made["Id"]
        await self._call("POST", f"/containers/{container}/start")
        return container

    async def kill(self, name: str) -> None:
        """Kills a container and keeps it."""
        await self._call("POST", f"/containers/{name}/kill")

    async def restart(self, name: str) -> None:
        """Restarts a container, running or not."""
        await self._call("POST", f"/containers/{name}/restart", params={"t": "1"})

    async def running(self, name: str) -> bool:
        """Whether a container runs."""
        found = await self._call("GET", f"/containers/{name}/json")
        return bool(found["State"]["Running"])

    async def owned(self) -> dict[str, str]:
        """Containers of drills: id → the process id of the drill they belong to."""
        params = {"all": "true", "filters": f'{{"label":["{OWNER}"]}}'}
        found = await self._call("GET", "/containers/json", params=params)
        return {c["Id"]: c["Labels"][OWNER] for c in found}

    async def remove(self, container: str) -> None:
        """Ends and removes a container."""
        await self._call("DELETE", f"/containers/{container}", params={"force": "true", "v": "1"})

    async def add_image(self) -> None:
        """Imports the image if the engine does not have it."""
        repository, _, tag = self.image.partition(":")
        if await self._call("GET", f"/images/{self.image}/json", missing_ok=True) is None:
            params = {"fromSrc": "-", "repo": repository, "tag": tag}
            await self._call("POST", "/images/create", params=params, content=image_tar())

    async def stop(self) -> None:
        """Ends the engine if it is ours, its containers with it; else removes our containers."""
        if self.program:
            await self.program.stop(patience=15.0)
            return
        for container, owner in (await self.owned()).items():
            if owner == str(os.getpid()) or not alive(int(owner)):
                await self.remove(container)

    async def _call(self, method: str, path: str, missing_ok: bool = False, **request: Any) -> Any:
        import httpx

        transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
        async with httpx.AsyncClient(transport=transport, timeout=20.0) as client:
            answer = await client.request(method, f"http://docker{path}", **request)
        if answer.status_code == 404 and missing_ok:
            return None
        if answer.is_error:
            raise StartFailed(f"docker: {method} {path}: {answer.text.strip()[:200]}")
        kind = answer.headers.get("content-type", "")
        return (
            answer.json() if answer.content and path != "/images/create" and "json" in kind else ""
        )


async def start(folder: Path, *, prefer_private: bool = False) -> Engine:
    """The local engine, or a private one in `folder` when there is none and we are root.

    `prefer_private` turns the order round. Raises Missing or StartFailed.
    """
    image_tar()
    engine = None if prefer_private and _private_possible() else await _local()
    if engine is None:
        if not _private_possible():
            raise Missing(f"no Docker engine answers: {ADVICE}")
        engine = await _start_private(folder)
    await engine.add_image()
    return engine


def _private_possible() -> bool:
    try:
        find("dockerd", ""), find("unshare", "")
    except Missing:
        return False
    return os.geteuid() == 0


async def _local() -> Engine | None:
    """The engine that DOCKER_HOST or the usual sockets lead to, if it answers."""
    host = os.environ.get("DOCKER_HOST", "")
    runtime = os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")
    usual = ("/var/run/docker.sock", f"{runtime}/docker.sock")
    sockets = (host.removeprefix("unix://"),) if host.startswith("unix://") else usual
    if host and not host.startswith("unix://"):
        return None
    for path in map(Path, sockets):
        if path.is_socket() and os.access(path, os.W_OK) and await _answers(path):
            return Engine(path)
    return None


async def _start_private(folder: Path) -> Engine:
    home = folder / "docker"
    home.mkdir(mode=0o700)
    socket = home / "docker.sock"
    argv: list[str | Path] = [find("unshare", ADVICE), "--net", "--mount", find("dockerd", ADVICE)]
    argv += [
        "--data-root",
        home / "data",
        "--exec-root",
        home / "exec",
        "--host",
        f"unix://{socket}",
    ]
    argv += ["--pidfile", home / "docker.pid", "--iptables=false", "--ip6tables=false"]
    program = Program(argv, home / "dockerd.log", unprivileged=False)
    await program.ready(socket.is_socket, timeout=20.0)
    engine = Engine(socket, program=program)
    if not await _answers(socket):
        await engine.stop()
        raise StartFailed(f"dockerd does not answer: {program.said()}")
    return engine


async def _answers(socket: Path) -> bool:
    import httpx

    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    try:
        async with httpx.AsyncClient(transport=transport, timeout=5.0) as client:
            return (await client.get("http://docker/_ping")).status_code == 200
    except httpx.HTTPError:
        return False


def image_tar() -> bytes:
    """A root file system of a static busybox and links to it, as a tar. Raises Missing."""
    busybox = find("busybox", "apt install busybox-static").read_bytes()
    if not _static(busybox):
        raise Missing("busybox is there but not static: apt install busybox-static")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name in ("bin", "tmp", "etc"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(entry)
        entry = tarfile.TarInfo("bin/busybox")
        entry.size, entry.mode = len(busybox), 0o755
        tar.addfile(entry, io.BytesIO(busybox))
        for applet in (*_APPLETS, *_APPLETS_MORE):
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return made.getvalue()


def _static(program: bytes) -> bool:
    """Whether a 64-bit ELF program names no interpreter (elf(5), PT_INTERP)."""
    if program[:5] != b"\x7fELF\x02":
        return False
    (table,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    kinds = (struct.unpack_from("<I", program, table + i * size)[0] for i in range(count))
    return _PT_INTERP not in kinds

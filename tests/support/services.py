"""Which services the tests had, told in one line at the end; and what a test gets of them."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final, Protocol, TypeVar

import pytest

from warroom.drill.stack.docker import Engine
from warroom.drill.stack.program import Missing
from warroom.drill.stack.web import Faults, Request, Web

NAMES: Final = ("docker", "postgres", "redis", "nginx", "ssh", "systemd")
STATES: Final = pytest.StashKey[dict[str, str]]()
"""service → `ok`, or `SKIPPED (why)`, in this process."""


class Server(Protocol):
    async def stop(self) -> None: ...


S = TypeVar("S", bound=Server)
T = TypeVar("T")


@contextmanager
def running(
    name: str,
    config: pytest.Config,
    start: Callable[[], Coroutine[Any, Any, S]],
    *,
    required: bool = True,
) -> Iterator[S]:
    """The service while the tests of this process run.

    One that cannot be had skips the test, or fails it under REQUIRE_SERVICES=all; what no package
    of the distribution brings is not `required` even then, and the last line says so.
    """
    states = config.stash[STATES]
    try:
        server = asyncio.run(start())
    except Missing as missing:
        states[name] = f"SKIPPED ({missing})"
        if required and os.environ.get("REQUIRE_SERVICES") == "all":
            pytest.fail(f"REQUIRE_SERVICES=all, but {missing}", pytrace=False)
        pytest.skip(str(missing))
    except BaseException:
        states[name] = "FAILED to start"
        raise
    states[name] = "ok"
    try:
        yield server
    finally:
        asyncio.run(server.stop())


def merged(found: Sequence[Mapping[str, str]]) -> str:
    """The line about all services, of all test processes. What did not work anywhere wins."""
    words = []
    others = {name for part in found for name in part} - {*NAMES}
    for name in (*NAMES, *sorted(others)):
        states = {part[name] for part in found if name in part}
        worse = sorted(state for state in states if state != "ok")
        words.append(f"{name}={worse[0] if worse else 'ok' if states else 'unused'}")
    return f"services: {' '.join(words)}"


@dataclass(frozen=True)
class DockerEngine:
    """A Docker engine with an image, driven through the docker CLI so that any test may call it."""

    engine: Engine

    @property
    def socket(self) -> Path:
        return self.engine.socket

    @property
    def image(self) -> str:
        return self.engine.image

    def docker(self, *args: str) -> str:
        """What `docker ARGS` prints. Raises CalledProcessError with its stderr."""
        argv = ["docker", "--host", f"unix://{self.socket}", *args]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise AssertionError(f"docker {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def run(
        self,
        name: str,
        *argv: str,
        labels: Mapping[str, str] | None = None,
        health: str | None = None,
    ) -> str:
        """Starts a container and returns its full id; `health` is a shell command inside it."""
        options = ["--name", name, "--stop-timeout", "1", "--label", f"warroom.drill={os.getpid()}"]
        for key, value in (labels or {}).items():
            options += ["--label", f"{key}={value}"]
        if health is not None:
            options += ["--health-cmd", health, "--health-interval", "1s", "--health-retries", "1"]
        return self.docker("run", "--detach", *options, self.image, *argv)


class Loop:
    """An event loop in a thread of its own: what runs in it answers while a test blocks."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="services", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=120)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()


class HttpService:
    """A `Web` that answers from a thread of its own, so that sync and async tests can use it."""

    def __init__(self, loop: Loop, web: Web) -> None:
        self._loop, self._web = loop, web
        loop.run(web.start())

    @property
    def url(self) -> str:
        return self._web.url

    @property
    def port(self) -> int:
        return self._web.port

    @property
    def faults(self) -> Faults:
        return self._web.faults

    @property
    def requests(self) -> list[Request]:
        """The requests that came, oldest first."""
        return list(self._web.requests)

    def respond(
        self,
        path: str,
        status: int = 200,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> None:
        """Lays down the answer to every request for `path`; `delay` is in seconds."""
        self._web.respond(path, status, body, headers, delay)

    def refuse(self) -> None:
        """From now on connections are refused."""
        self._loop.run(self._web.refuse())

    def accept(self) -> None:
        """Listens again, on the same port."""
        self._loop.run(self._web.start())

    def stop(self) -> None:
        self._loop.run(self._web.stop())

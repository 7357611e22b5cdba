"""Real servers for tests, one set for each test process, on free ports and ended with it.

`@pytest.mark.service("redis")` says that a test needs a server; the fixture of the same name gives
it. A server that cannot be had skips the test with what to install; REQUIRE_SERVICES=all makes
that a failure. The very last line of a run says which servers there were.
"""

from __future__ import annotations

import gc
import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

from tests.support import disk, services, sshd, systemd
from tests.support.services import DockerEngine, HttpService, Loop, running
from tests.support.sshd import SshServer
from tests.support.systemd import Booted
from warroom.drill.stack import docker, nginx, postgres, program, redis
from warroom.drill.stack.nginx import Nginx
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.redis import Redis
from warroom.drill.stack.web import Web

_FIXTURES: Final = {
    "docker": "docker_engine",
    "postgres": "postgres_server",
    "redis": "redis_server",
    "nginx": "nginx_server",
    "ssh": "ssh_server",
    "systemd": "booted",
}
_ALL_STATES: Final = pytest.StashKey[list[dict[str, str]]]()


_UNHURRIED: Final[dict[str, Any]] = {
    "deadline": None, "suppress_health_check": [HealthCheck.too_slow]
}  # fmt: skip
settings.register_profile("steady", max_examples=50, derandomize=True, **_UNHURRIED)
settings.register_profile("thorough", max_examples=2000, **_UNHURRIED)
settings.load_profile("steady")
"""The same examples in every run, and no haste, since other processes share the processors;
`pytest --hypothesis-profile thorough` looks for new ones."""


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Consoles of tests keep what they could not save in a folder of the test run's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def stack_folder() -> Iterator[Path]:
    """Where the servers of this test process keep their files."""
    program.remove_orphans()
    folder = program.new_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server(stack_folder: Path, pytestconfig: pytest.Config) -> Iterator[Postgres]:
    """PostgreSQL; `postgres` needs no password on the socket, and nobody has one over TCP."""
    with running("postgres", pytestconfig, lambda: postgres.start(stack_folder)) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(stack_folder: Path, pytestconfig: pytest.Config) -> Iterator[Redis]:
    """Redis on a port of 127.0.0.1 and on a socket, without a password, with nothing on disk."""
    with running("redis", pytestconfig, lambda: redis.start(stack_folder, tcp=True)) as server:
        yield server


@pytest.fixture(scope="session")
def nginx_server(stack_folder: Path, pytestconfig: pytest.Config) -> Iterator[Nginx]:
    """nginx serving the files under `.root`."""
    with running("nginx", pytestconfig, lambda: nginx.start(stack_folder)) as server:
        yield server


@pytest.fixture(scope="session")
def docker_engine(stack_folder: Path, pytestconfig: pytest.Config) -> Iterator[DockerEngine]:
    """A Docker engine of our own where we may start one, else the local one."""

    async def start() -> docker.Engine:
        program.find("docker", "apt install docker.io")
        return await docker.start(stack_folder, prefer_private=True)

    with running("docker", pytestconfig, start) as engine:
        yield DockerEngine(engine)


@pytest.fixture(scope="session")
def ssh_server(stack_folder: Path, pytestconfig: pytest.Config) -> Iterator[SshServer]:
    """An sshd that lets us in as `box` of its `.config`."""
    with running("ssh", pytestconfig, lambda: sshd.start(stack_folder)) as server:
        yield server


@pytest.fixture(scope="session")
def booted(
    docker_engine: DockerEngine, stack_folder: Path, pytestconfig: pytest.Config
) -> Iterator[Booted]:
    """A machine that systemd booted, in a container of the engine's."""
    name = f"systemd-{os.getpid()}"
    with running(
        "systemd", pytestconfig, lambda: systemd.start(docker_engine, stack_folder, name)
    ) as machine:
        yield machine


@pytest.fixture(scope="session")
def service_loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def http_service(service_loop: Loop) -> Iterator[Callable[..., HttpService]]:
    """`http_service(tls=context)` starts another HTTP service for this test."""
    started: list[HttpService] = []

    def start(*, tls: ssl.SSLContext | None = None, access_log: Path | None = None) -> HttpService:
        service = HttpService(service_loop, Web(tls=tls, access_log=access_log))
        started.append(service)
        return service

    yield start
    for service in started:
        service.stop()


@pytest.fixture(autouse=True)
def _marked_services(request: pytest.FixtureRequest) -> None:
    """Starts what a test is marked to need."""
    for mark in request.node.iter_markers("service"):
        request.getfixturevalue(_FIXTURES[mark.args[0]])


def pytest_configure(config: pytest.Config) -> None:
    disk.use_memory(config)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes would compile us anew
    own: dict[str, str] = {}
    config.stash[services.STATES] = own
    config.stash[_ALL_STATES] = [own]


def pytest_collection_finish(session: pytest.Session) -> None:
    """What stays until the end is no garbage: to look through it again and again took a tenth of
    the time, and held up for a second what waits for less."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test process of pytest-xdist hands its states to the one that reports."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["services"] = session.config.stash[services.STATES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_ALL_STATES].append(getattr(node, "workeroutput", {}).get("services", {}))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        states: list[dict[str, str]] = config.stash[_ALL_STATES]
        print(services.merged(states))

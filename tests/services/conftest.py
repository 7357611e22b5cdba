"""Ways to the servers that several of these tests take."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.services import nginx_edge
from tests.services.commands import Made, made
from tests.services.docker_tunnel import Tunnel
from tests.services.far_host import Configured
from tests.services.nginx_edge import Edge
from tests.services.systemd_units import Unit
from tests.support.services import DockerEngine, running
from tests.support.sshd import SshServer
from tests.support.systemd import Booted
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.hosts.ssh import SshHost
from warroom.mitigations.base import unfenced

_numbers = count()


@pytest.fixture
def name(docker_engine: DockerEngine) -> Iterator[str]:
    """A name of its own for a test's container, which is removed after it."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    yield name
    if name in docker_engine.docker("ps", "-a", "--format", "{{.Names}}").split():
        try:
            docker_engine.docker("rm", "-f", name)
        except AssertionError as error:  # a request that a test cut off may come to its end now
            if "in progress" not in str(error) and "No such container" not in str(error):
                raise


@pytest.fixture
async def tunnel(docker_engine: DockerEngine, tmp_path: Path) -> AsyncIterator[Tunnel]:
    """A socket that leads to the engine and can be cut."""
    async with Tunnel(tmp_path / "t.sock", docker_engine.socket) as tunnel:
        yield tunnel


@pytest.fixture
async def host(ssh_server: SshServer) -> AsyncIterator[SshHost]:
    """Another machine, played by the sshd on this one."""
    host = SshHost("web1", "box", str(ssh_server.config))
    yield host
    await host.close()


@pytest.fixture
def shop() -> str:
    """The name of a service that no other test has."""
    return f"shop{next(_numbers)}"


@pytest.fixture
async def unit(booted: Booted) -> AsyncIterator[Unit]:
    """Mitigations of units of the machine that systemd booted."""
    hosts: list[SshHost] = []

    def make(verb: str, name: str, *, login: str = "booted", **options: Any) -> Made:
        fence = options.pop("fence", unfenced)
        hosts.append(SshHost("web1", login, str(booted.config)))
        return made(f"systemd.{verb}", {"unit": name, **options}, hosts[-1], fence=fence)

    yield make
    for host in hosts:
        await host.close()


@pytest.fixture(scope="session")
def edge_server(stack_folder: Path, pytestconfig: pytest.Config) -> Iterator[Edge]:
    with running("nginx", pytestconfig, lambda: nginx_edge.start(stack_folder)) as server:
        yield server


@pytest.fixture
def edge(edge_server: Edge) -> Edge:
    """An nginx whose config a test may change."""
    edge_server.clean()
    return edge_server


@pytest.fixture
async def configured(ssh_server: SshServer, tmp_path: Path) -> AsyncIterator[Configured]:
    """`configured(Port=1234)`: a host whose ssh config says other things first."""
    hosts: list[SshHost] = []

    def make(more: str = "", **options: object) -> SshHost:
        config = tmp_path / f"config{len(hosts)}"
        lines = "".join(f"  {name} {value}\n" for name, value in options.items())
        config.write_text(f"Host box\n{lines}\n{ssh_server.config.read_text()}\n{more}\n")
        hosts.append(SshHost("web1", "box", str(config)))
        return hosts[-1]

    yield make
    for host in hosts:
        await host.close()


@pytest.fixture(params=["here", "there"])
def place(request: pytest.FixtureRequest) -> Host:
    """This machine, and another."""
    if request.param == "here":
        return LocalHost()
    request.applymarker(pytest.mark.service("ssh"))
    far: SshHost = request.getfixturevalue("host")
    return far

"""Finding an engine as the docker CLI does, and taking a container's log apart."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest

from warroom.domain.text import LINE_LIMIT
from warroom.hosts.base import TcpAddress, UnixAddress
from warroom.hosts.containers import Frames, TerminalLines
from warroom.hosts.docker import EngineAbsent, EngineLost
from warroom.hosts.docker_container import Container, container, dependants, instant
from warroom.hosts.docker_endpoint import USUAL_SOCKET, endpoint
from warroom.hosts.local import LocalHost


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without anything said about Docker."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path


def say_context(home: Path, name: str, address: str) -> None:
    folder = home / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": address}}}
    (folder / "meta.json").write_text(json.dumps(meta))


@pytest.mark.parametrize(
    ("socket", "address"),
    [
        ("/x/docker.sock", UnixAddress("/x/docker.sock")),
        ("unix:///x/docker.sock", UnixAddress("/x/docker.sock")),
        ("tcp://10.0.0.5:2376", TcpAddress("10.0.0.5", 2376)),
        ("tcp://[::1]", TcpAddress("::1", 2375)),
    ],
)
async def test_what_the_config_says_wins(home: Path, socket: str, address: object):
    assert await endpoint(LocalHost(), socket) == address


@pytest.mark.parametrize(
    ("socket", "reason"),
    [
        ("ssh://me@box", r"name that machine under \[hosts\]"),
        ("npipe:////./pipe/docker", "expected a path, unix:///path or tcp://host:port"),
        ("tcp://x:99999999", "which is no address"),
        ("docker.sock", "expected a path"),
    ],
)
async def test_an_address_that_cannot_be_used_says_what_can(home: Path, socket: str, reason: str):
    with pytest.raises(EngineAbsent, match=reason):
        await endpoint(LocalHost(), socket)


async def test_docker_host_then_the_context_then_the_sockets(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    say_context(home, "rootless", "unix:///run/user/7/docker.sock")
    (home / ".docker/config.json").write_text('{"currentContext": "rootless"}')
    assert await endpoint(LocalHost()) == UnixAddress("/run/user/7/docker.sock")
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert await endpoint(LocalHost()) != UnixAddress("/run/user/7/docker.sock")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    assert await endpoint(LocalHost()) == TcpAddress("127.0.0.1", 2375)


async def test_a_context_that_is_gone_is_named(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_CONTEXT", "gone\x1b[31m")
    with pytest.raises(EngineAbsent, match=r"gone␛.* cannot be read") as absent:
        await endpoint(LocalHost())
    assert not absent.value.down


async def test_tls_is_refused_in_words(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.5:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    with pytest.raises(EngineAbsent, match="with TLS: not spoken here"):
        await endpoint(LocalHost())


async def test_a_config_that_is_not_json_is_let_pass_as_the_cli_does(home: Path):
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text("{")
    found = await endpoint(LocalHost())
    assert isinstance(found, UnixAddress)
    assert found.path.endswith(".sock")
    assert USUAL_SOCKET.endswith("docker.sock")


def frame(stream: int, text: bytes, nanos: int = 1) -> bytes:
    body = b"2026-11-21T11:28:04.%09dZ " % nanos + text
    return struct.pack(">BxxxL", stream, len(body)) + body


def test_frames_lose_their_headers_and_times():
    assert Frames().feed(frame(1, b"out\n") + frame(2, b"err\n", 2)) == b"out\nerr\n"


def test_frames_may_be_cut_anywhere():
    data, frames = frame(1, b"one\n") + frame(1, b"two\n", 2), Frames()
    pieces = [frames.feed(data[n : n + 1]) for n in range(len(data))]
    assert b"".join(pieces) == b"one\ntwo\n"


def test_a_long_line_in_pieces_is_not_cut_by_the_other_stream():
    frames = Frames()
    given = frames.feed(frame(1, b"a" * 16384) + frame(2, b"err\n", 2) + frame(1, b"b\n", 3))
    assert given == b"err\n" + b"a" * 16384 + b"b\n"


def test_a_line_without_end_is_given_once_it_is_too_long_to_keep():
    frames = Frames()
    given = b"".join(frames.feed(frame(1, b"a" * 16384, n)) for n in range(700))
    assert len(given) > 9_000_000
    assert len(frames.end()) <= LINE_LIMIT + 16384


def test_what_was_given_before_is_not_given_again():
    before = Frames()
    before.feed(frame(1, b"one\n", 5))
    again = Frames(before.newest)
    assert again.feed(frame(1, b"one\n", 5) + frame(1, b"two\n", 6)) == b"two\n"


def test_a_terminals_lines_lose_their_times_and_long_ones_are_joined():
    stamp = b"2026-11-21T11:28:04.000000005Z "
    data = stamp + b"one\r\n" + stamp + b"a" * 16384 + stamp + b"b\r\n" + stamp + b"open"
    lines = TerminalLines()
    given = b"".join(lines.feed(data[n : n + 1000]) for n in range(0, len(data), 1000))
    assert given == b"one\r\n" + b"a" * 16384 + b"b\r\n"
    assert lines.end() == b"open\n"
    assert TerminalLines(lines.newest).feed(data) == b""


def test_a_terminals_line_of_ten_megabytes_is_given_in_part_and_the_next_whole():
    stamp = b"2026-11-21T11:28:04.000000005Z "
    lines, data = TerminalLines(), stamp + b"a" * 10_000_000 + b"\n" + stamp + b"next\n"
    given = b"".join(lines.feed(data[n : n + 65536]) for n in range(0, len(data), 65536))
    long, following = given.splitlines()
    assert 1_000_000 < len(long) < 1_200_000
    assert following == b"next"


def test_what_is_no_log_is_not_kept_until_it_ends():
    with pytest.raises(EngineLost, match="a log that is none"):
        Frames().feed(b"HTTP/1.1 200 OK\r\n\r\n")


def test_bytes_that_are_no_text_go_through_untouched():
    assert Frames().feed(frame(1, b"\xff\x00\x1b[31m\n")) == b"\xff\x00\x1b[31m\n"


def test_an_instant_of_the_engine():
    at = instant("2026-11-21T11:28:04.123456789Z")
    assert at is not None
    assert at.isoformat() == "2026-11-21T11:28:04.123456+00:00"
    assert instant("0001-01-01T00:00:00Z") is None
    assert instant("soon") is instant(None) is None


def test_those_that_suffer_with_a_container():
    def make(name: str, mode: str = "", depends: str = "", project: str = "shop") -> Container:
        labels = {
            "com.docker.compose.project": project,
            "com.docker.compose.service": name,
            "com.docker.compose.depends_on": depends,
        }
        return container(
            {
                "Id": name * 8,
                "Name": f"/{name}",
                "Config": {"Labels": labels},
                "HostConfig": {"NetworkMode": mode},
            }
        )

    db = make("db")
    others = [
        db,
        make("api", depends="db:service_healthy:false,cache:service_started:false"),
        make("sidecar", mode=f"container:{db.id}"),
        make("web", depends="api:service_started:false"),
        make("other", depends="db:service_started:false", project="elsewhere"),
    ]
    assert [one.name for one in dependants(db, others)] == ["api", "sidecar"]

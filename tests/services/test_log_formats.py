"""What real servers write is read as they meant it, whatever their clients send."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.services.nginx_edge import Edge
from tests.support.sshd import SshServer
from warroom.logs.formats.base import Format
from warroom.logs.formats.own import chosen
from warroom.logs.recognise import recognise
from warroom.logs.record import read

MAIN = """log_format main_own '$remote_addr - $remote_user [$time_local] "$request" '
    '$status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" "$http_x_forwarded_for"';"""
TIMED = """log_format timed '$remote_addr:$remote_port $host $request_time "$upstream_addr" '
    '[$time_iso8601] $msec "$request_method $scheme://$host$request_uri" $status '
    '$bytes_sent|$http_user_agent|$http_x_odd $pipe$connection_requests';"""
OBJECT = """log_format object escape=json '{"time_iso8601":"$time_iso8601",'
    '"remote_addr":"$remote_addr","request":"$request","status":"$status",'
    '"body_bytes_sent":"$body_bytes_sent","http_user_agent":"$http_user_agent"}';"""

ASKED: tuple[tuple[str, bytes, bytes], ...] = (
    ("203.0.113.7", b"/", b"curl/8"),
    ("2001:db8::1", b"/?q=%22a%20b", b'we"ird \\ [x] 6.6.6.6 - - [21/Nov/2026:14:35:02 +0100] "'),
    ("203.0.113.8", b'/"x"', b"caf\xc3\xa9 \xff \x1b[31m"),
    ("198.51.100.9", b"/,client:6.6.6.6,server:y", b"|pipe|"),
)


def ask(port: int, client: str, path: bytes, agent: bytes) -> None:
    """One request, its bytes as they are."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
        stream.sendall(
            b"GET %b HTTP/1.1\r\nHost: shop.example\r\nX-Real-IP: %b\r\nUser-Agent: %b\r\n"
            b"X-Forwarded-For: 6.6.6.6\r\nX-Odd: 6.6.6.6|\r\nConnection: close\r\n\r\n"
            % (path, client.encode(), agent)
        )
        while stream.recv(65536):
            pass


async def lines_of(path: Path, count: int) -> list[bytes]:
    """What nginx wrote; it does so when the answer is sent."""
    async with asyncio.timeout(30):
        while not path.exists() or path.read_bytes().count(b"\n") < count:
            await asyncio.sleep(0.01)
    return path.read_bytes().split(b"\n")[:-1]


def said(line: bytes, fmt: Format) -> tuple[str, int, bool]:
    record = read(line, fmt)
    assert record is not None, line
    return record.client, record.status, record.at is not None


@pytest.mark.service("nginx")
async def test_a_log_format_reads_what_nginx_writes_with_it(edge: Edge) -> None:
    logs = {name: edge.home / f"{name}.log" for name in ("main_own", "timed", "object")}
    access = "".join(f"access_log {path} {name};\n" for name, path in logs.items())
    (edge.home / "conf.d" / "logs.conf").write_text(f"{MAIN}\n{TIMED}\n{OBJECT}\n{access}")
    before = edge.workers()
    os.kill(edge.program.pid, signal.SIGHUP)
    async with asyncio.timeout(30):
        while not edge.workers() or edge.workers() & before:
            await asyncio.sleep(0.01)
    for client, path, agent in ASKED:
        await asyncio.to_thread(ask, edge.port, client, path, agent)
    wanted = sorted(client for client, _, _ in ASKED)
    for text in (MAIN, TIMED, OBJECT):
        fmt = chosen(text)
        lines = await lines_of(logs[fmt.name], len(ASKED))
        found = [said(line, fmt) for line in lines]
        assert sorted(client for client, _, _ in found) == wanted
        assert all(status in (200, 400, 404) and timed for _, status, timed in found)
        known = recognise(lines)
        if fmt.name != "timed":
            assert known.format is not None and known.matched == len(lines)
            clients = [said(line, known.format)[0] for line in lines]
            assert sorted(clients) == wanted


@pytest.mark.service("ssh")
async def test_names_that_hold_an_address_give_none_to_what_sshd_says(
    ssh_server: SshServer,
) -> None:
    for name in ("from 6.6.6.6 port 22", "x 6.6.6.6 port 1", "root"):
        argv = ["ssh", "-F", "none", "-p", str(ssh_server.port), "-l", name,
                "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "IdentityFile=none",
                "-o", "UserKnownHostsFile=/dev/null", "127.0.0.1", "true"]  # fmt: skip
        done = await asyncio.to_thread(
            subprocess.run, argv, capture_output=True, check=False, timeout=30
        )
        assert done.returncode == 255
    async with asyncio.timeout(30):
        while ssh_server.log.read_bytes().count(b"6.6.6.6 port") < 4:
            await asyncio.sleep(0.01)
    lines = [line.strip() for line in ssh_server.log.read_bytes().split(b"\n")]
    fmt = chosen("sshd")
    records = [read(line, fmt) for line in lines]
    clients = [record.client for record in records if record is not None]
    assert clients.count("127.0.0.1") >= 4
    assert set(clients) <= {"127.0.0.1", ""}

"""What goes wrong when nginx's config is changed: refused before, or taken back byte for byte."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.services.nginx_edge import Edge
from warroom.domain.clock import SystemClock
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.mitigations import _nginx_change
from warroom.mitigations._nginx_block import Block
from warroom.mitigations._nginx_options import BlockOptions, LimitOptions, ReloadOptions
from warroom.mitigations._nginx_rules import HEADER
from warroom.mitigations.base import (
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    Output,
    Signature,
    spec,
)

CLIENT = "203.0.113.7"
EARLIER = f"{HEADER}\ndeny 198.18.0.1; # until lifted by bob in INC-1\n".encode()

Make = Callable[..., Block]


@pytest.fixture
def output() -> Output:
    return Output()


@pytest.fixture
def make(edge: Edge, output: Output) -> Make:
    def made(host: Host | None = None, **options: Any) -> Block:
        table = {"include": str(edge.include), "address": CLIENT, "nginx": edge.argv, **options}
        sign = lambda: Signature("ann", "", "INC-1")  # noqa: E731
        context = MitigationContext(host or LocalHost(), SystemClock(), output, sign=sign)
        return Block(BlockOptions(**table), context, {})

    return made


# Refused before anything is touched ------------------------------------------------------------


async def test_a_config_that_is_broken_already_is_told_and_left_alone(
    edge: Edge, make: Make
) -> None:
    block = make()
    card = await block.preview(None)
    edge.site.write_text("no_such_directive \x1b[31m[/x];\n")
    with pytest.raises(MitigationRefused, match="nginx -t fails already: unknown directive"):
        await make().preview(None)
    with pytest.raises(MitigationRefused, match="nothing was done: nginx -t fails already") as told:
        await block.perform(card)
    assert "\x1b" not in str(told.value)
    assert not edge.include.exists()


async def test_a_file_that_nginx_does_not_include_is_refused(edge: Edge, make: Make) -> None:
    with pytest.raises(MitigationRefused, match=r'write "include .*/elsewhere.conf;" in its http'):
        await make(include=str(edge.home / "elsewhere.conf")).preview(None)
    edge.site.write_text(f"location /x {{ include {edge.home}/inner.conf; }}\n")
    (edge.home / "inner.conf").write_text(f"{HEADER}\n")
    with pytest.raises(MitigationRefused, match="included in http, server, location"):
        await make(include=str(edge.home / "inner.conf")).preview(None)
    edge.site.write_text(f"include {edge.include};\n")
    edge.include.write_text(f"{HEADER}\n")
    with pytest.raises(MitigationRefused, match="included 2 times"):
        await make().preview(None)


async def test_a_file_that_is_not_warrooms_is_never_touched(edge: Edge, make: Make) -> None:
    block = make()
    card = await block.preview(None)
    for theirs in ("allow 10.0.0.0/8;\n", f"{HEADER}\nallow all;\n", "# \x1b[2J\u202e\n"):
        edge.include.write_text(theirs)
        with pytest.raises(MitigationRefused, match="is not warroom's to write") as told:
            await make().preview(None)
        assert str(told.value).isprintable()
        with pytest.raises(MitigationRefused, match="nothing was done"):
            await block.perform(card)
        assert edge.include.read_text() == theirs


async def test_a_link_is_refused_and_its_target_left_alone(edge: Edge, make: Make) -> None:
    target = edge.home / "target"
    target.write_bytes(EARLIER)
    edge.include.symlink_to(target)
    with pytest.raises(MitigationRefused, match="is a symbolic link"):
        await make().preview(None)
    assert target.read_bytes() == EARLIER


async def test_a_file_that_others_could_write_is_refused(edge: Edge, make: Make) -> None:
    edge.include.write_bytes(EARLIER)
    edge.include.chmod(0o664)
    with pytest.raises(MitigationRefused, match=r"others may write .* \(mode 0664\)"):
        await make().preview(None)
    edge.include.chmod(0o644)
    if os.getuid() == 0:
        os.chown(edge.include, 65534, 65534)
        with pytest.raises(MitigationRefused, match=r"belongs to somebody else .uid 65534"):
            await make().preview(None)


async def test_an_nginx_that_is_not_there_or_does_not_run_is_said_so(
    edge: Edge, make: Make
) -> None:
    with pytest.raises(Exception, match="no-such-nginx is not installed here"):
        await make(nginx=("/opt/no-such-nginx",)).preview(None)
    other = (*edge.argv, "-g", f"pid {edge.home}/other.pid;")
    with pytest.raises(MitigationRefused, match=r"pid. directive is duplicate|no pid in"):
        await make(nginx=other).preview(None)
    pid = edge.home / "nginx.pid"
    held = pid.read_text()
    try:
        pid.write_text("999999999\n")
        with pytest.raises(MitigationRefused, match="says 999999999, which is gone"):
            await make().preview(None)
        pid.write_text("")
        with pytest.raises(MitigationRefused, match="does not run here: there is no pid in"):
            await make().preview(None)
    finally:
        pid.write_text(held)


@contextmanager
def disk(edge: Edge, options: str) -> Iterator[None]:
    """The folder of the include on a file system of its own."""
    folder = str(edge.include.parent)
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


async def test_a_full_disk_leaves_the_old_file(edge: Edge, make: Make) -> None:
    with disk(edge, "size=8k"):
        edge.include.write_bytes(EARLIER)
        block = make()
        card = await block.preview(None)
        (edge.include.parent / "full").write_bytes(b"x" * 4096)
        with pytest.raises(MitigationRefused, match=r"nothing was done: .*no space left"):
            await block.perform(card)
        assert edge.include.read_bytes() == EARLIER
        left = sorted(file.name for file in edge.include.parent.iterdir())
        assert left == ["full", "warroom.conf"]


async def test_a_folder_that_cannot_be_written_leaves_the_old_file(edge: Edge, make: Make) -> None:
    with disk(edge, "size=64k"):
        edge.include.write_bytes(EARLIER)
        block = make()
        card = await block.preview(None)
        remount = ["mount", "-o", "remount,ro", str(edge.include.parent)]
        assert (await LocalHost().run(remount)).code == 0
        with pytest.raises(MitigationRefused, match=r"nothing was done: .*read-only"):
            await block.perform(card)
        assert edge.include.read_bytes() == EARLIER


# Taken back ------------------------------------------------------------------------------------


@pytest.fixture(params=[EARLIER, None], ids=["rules before", "no file before"])
def before(request: pytest.FixtureRequest, edge: Edge) -> bytes | None:
    if request.param is not None:
        edge.include.write_bytes(request.param)
    content: bytes | None = request.param
    return content


def content(edge: Edge) -> bytes | None:
    return edge.include.read_bytes() if edge.include.exists() else None


async def test_a_config_that_nginx_refuses_with_the_rule_is_taken_back(
    edge: Edge, make: Make, output: Output, before: bytes | None
) -> None:
    """Somebody breaks another file between our test and our write: here while it is written."""
    workers = edge.workers()

    class Breaking(LocalHost):
        async def replace_file(self, path: str, data: bytes, **more: Any) -> None:
            await super().replace_file(path, data, **more)
            edge.site.write_text("broken" if "deny 203" in data.decode() else "")

    with pytest.raises(
        MitigationFailed, match=r"nginx -t refuses it: .*as it was, and nginx goes on"
    ):
        await perform(make(Breaking()))
    assert content(edge) == before
    assert edge.workers() == workers


async def perform(block: Block) -> None:
    await block.perform(await block.preview(None))


async def test_a_reload_that_the_master_cannot_do_is_taken_back(
    edge: Edge, make: Make, before: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`nginx -t` is green, but the address of a new server is somebody else's."""
    monkeypatch.setattr(_nginx_change, "SETTLE_S", 3.5)
    workers = edge.workers()
    with socket.socket() as theirs:
        theirs.bind(("127.0.0.1", 0))
        theirs.listen()
        port = theirs.getsockname()[1]
        (edge.include.parent / "a.conf").write_text(f"server {{ listen 127.0.0.1:{port}; }}\n")
        with pytest.raises(MitigationFailed, match=r"did not take the new config .* as it was"):
            await perform(make())
    assert content(edge) == before
    assert edge.workers() == workers
    assert edge.ask(CLIENT) == 200


async def test_an_answer_that_proves_nothing_is_taken_back_and_loaded(
    edge: Edge, make: Make, before: bytes | None
) -> None:
    """nginx takes clients from another header: whom we name there is not denied."""
    block = make(verify_url=edge.url, verify_header="X-Other")
    with pytest.raises(MitigationFailed, match=r"answers 200 to 203.* reloaded with it"):
        await perform(block)
    assert content(edge) == before
    assert edge.ask(CLIENT) == 200


async def test_a_site_that_falls_over_with_the_rule_is_taken_back(
    edge: Edge, make: Make, before: bytes | None
) -> None:
    """The team's own 403 page leads to a service that is down: every answer would be a 502."""
    edge.site.write_text(
        "error_page 403 = @deny; location @deny { proxy_pass http://127.0.0.1:1; }\n"
        "location /health { deny all; }\n"
    )
    index = edge.home / "root" / "index.html"

    class Slow(LocalHost):
        async def replace_file(self, path: str, data: bytes, **more: Any) -> None:
            await super().replace_file(path, data, **more)
            index.chmod(0o000 if "deny 203" in data.decode() else 0o644)
            (edge.home / "root").chmod(0o755)

    try:
        with pytest.raises(MitigationFailed, match="answered 200 before and 502 now"):
            await perform(make(Slow(), verify_url=edge.url))
    finally:
        index.chmod(0o644)
    assert content(edge) == before


async def test_who_leaves_while_it_runs_leaves_everything_as_it_was(
    edge: Edge, make: Make, output: Output, before: bytes | None
) -> None:
    running = asyncio.create_task(perform(make()))
    async with asyncio.timeout(30):
        while not any(line.startswith("wrote") for line in output.lines):
            await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert content(edge) == before
    assert any("is as it was" in line for line in output.lines)
    assert edge.ask(CLIENT) == 200


# Told before -----------------------------------------------------------------------------------


async def test_what_else_a_reload_would_load_is_told(edge: Edge, make: Make) -> None:
    edge.site.write_text("location /new { return 204; }\n")
    later = time.time() + 60
    os.utime(edge.site, (later, later))
    for card in (
        await make().preview(None),
        await made("reload", ReloadOptions(nginx=edge.argv)).preview(None),
    ):
        [warning] = card.warnings
        assert warning.startswith("a reload also loads what else was changed on disk")
        assert str(edge.site) in warning


def made(verb: str, options: Any) -> Any:
    return spec(f"nginx.{verb}").create(options, MitigationContext(LocalHost(), SystemClock()))


async def test_rules_of_the_team_that_stand_in_its_way_are_told(edge: Edge, make: Make) -> None:
    edge.site.write_text("location /own { allow 10.0.0.0/8; try_files /index.html =404; }\n")
    (edge.include.parent / "a.conf").write_text("allow 203.0.113.0/24;\nsatisfy any;\n")
    (edge.include.parent / "z.conf").write_text("allow 203.0.113.0/24;\n")
    block = make()
    card = await block.preview(None)
    own, first, lax = card.warnings
    assert own == f"it does not hold in blocks with allow or deny of their own: {edge.site}:1"
    assert first.endswith("/a.conf:1")
    assert lax.startswith('"satisfy any" lets in')
    await block.perform(card)
    assert edge.ask(CLIENT) == 200, "nginx does as the card warned"


async def test_a_limit_in_a_server_is_refused(edge: Edge) -> None:
    options = LimitOptions(include=str(edge.site), nginx=edge.argv)
    with pytest.raises(
        MitigationRefused, match="included in a server: a limit wants it in the http"
    ):
        await made("limit", options).preview(None)

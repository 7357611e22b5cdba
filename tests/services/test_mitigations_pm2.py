"""Applications of a real PM2: the processes that were shown, by their ids, and nothing of their
environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.commands import Made, made, shaped
from tests.support import pm2
from tests.support.pm2 import Pm2Server
from tests.support.services import running
from tests.support.waiting import comes_true
from warroom.mitigations._pm2_list import _found
from warroom.mitigations.base import MitigationFailed, MitigationRefused, Verifiable


@pytest.fixture(scope="module")
def server(stack_folder: Path, pytestconfig: pytest.Config) -> Iterator[Pm2Server]:
    with running("pm2", pytestconfig, lambda: pm2.start(stack_folder), required=False) as started:
        yield started


def act(server: Pm2Server, verb: str, app: str = "api", **options: Any) -> Made:
    return made(f"pm2.{verb}", {"app": app, "home": str(server.home), **options})


async def test_a_restart_replaces_exactly_the_processes_that_were_shown(server: Pm2Server) -> None:
    server.fresh("other")
    server.fresh("api", instances=2)
    before, others = server.pids("api"), server.pids("other")
    one = act(server, "restart")
    card = await one.card()
    ids = [str(p["pm_id"]) for p in server.processes("api")]
    assert card.command == (f"env PM2_HOME={server.home} pm2 restart {' '.join(ids)} --no-color",)
    assert ("pids", ", ".join(map(str, before))) in card.hits
    assert card.warnings == (
        "all its processes are down for a moment; reload takes one after the other",
    )
    assert server.pids("api") == before, "a preview only reads"
    done = await one.perform(card)
    assert done.text.startswith("restarted api in ") and "2 online" in done.text
    assert not set(before) & set(server.pids("api"))
    assert server.pids("other") == others
    assert any("2 online" in line for line in one.output.lines)


async def test_a_reload_takes_them_one_after_the_other(server: Pm2Server) -> None:
    server.fresh("api", instances=2)
    before = server.pids("api")
    one = act(server, "reload")
    card = await one.card()
    ids = [process["pm_id"] for process in server.processes("api")]
    env = f"env PM2_HOME={server.home}"
    assert card.command == tuple(f"{env} pm2 reload {n} --no-color" for n in ids)
    done = await one.perform(card)
    assert done.text.startswith("reloaded api")
    assert not set(before) & set(server.pids("api"))


async def test_scaling_goes_up_and_back_down_again(server: Pm2Server) -> None:
    server.fresh("api", instances=2)
    up = act(server, "scale", by=1, expires="30m")
    card = await up.card()
    assert card.hits[0] == ("processes", "2 → 3")
    assert card.undo == "pm2.scale back to 2, to be done after 30m00s"
    done = await up.perform(card)
    assert (len(server.pids("api")), done.expires_s) == (3, 1800)
    assert done.undo is not None and done.undo.options["to"] == 2
    back = await made(done.undo.kind, done.undo.options).done()
    assert len(server.pids("api")) == 2
    assert back.text.startswith("api: 3 → 2 processes")


async def test_what_makes_no_sense_is_refused_in_words(server: Pm2Server) -> None:
    server.fresh("api", instances=2)
    for options, reason in (
        ({"by": -2}, "that would leave none"),
        ({"to": 2}, "has 2 processes already"),
        ({"by": 63}, "would be over 64"),
    ):
        with pytest.raises(MitigationRefused, match=reason):
            await act(server, "scale", **options).card()
    with pytest.raises(MitigationRefused, match=r"PM2 runs no application called ap$"):
        await act(server, "restart", "ap").card()
    assert len(server.pids("api")) == 2


async def test_processes_that_were_replaced_meanwhile_are_left_alone(server: Pm2Server) -> None:
    server.fresh("api", instances=2)
    cards = [
        (one, await one.card()) for one in (act(server, "restart"), act(server, "scale", by=1))
    ]
    server("restart", "api")
    now = server.pids("api")
    for one, card in cards:
        with pytest.raises(MitigationRefused, match="api is not what was shown: now 2 online"):
            await one.perform(card)
    assert server.pids("api") == now
    assert isinstance(cards[0][0].mitigation, Verifiable)
    said = await cards[0][0].mitigation.verify(cards[0][1])
    assert said.endswith("not those that were shown")


async def test_an_application_that_does_not_come_up_has_failed(server: Pm2Server) -> None:
    server.broken.unlink(missing_ok=True)
    server.fresh("breaks", file="breaks.js")
    assert await comes_true(server.up.exists)
    server.broken.touch()
    try:
        with pytest.raises(MitigationFailed, match=r"breaks (does not stay up|after)"):
            await act(server, "restart", "breaks", wait="15s").done()
    finally:
        server("delete", "breaks")
        server.broken.unlink()


async def test_nothing_of_an_environment_is_kept(server: Pm2Server) -> None:
    server.fresh("api", instances=2)
    assert "hunter2" in server("jlist"), "PM2 itself prints it"
    one = act(server, "restart")
    card = await one.card()
    done = await one.perform(card)
    assert "hunter2" not in repr((card, done, list(one.output.lines), vars(one.mitigation)))


async def test_without_a_daemon_none_is_started(server: Pm2Server, tmp_path: Path) -> None:
    for home in (tmp_path / "none", tmp_path / "stale"):
        with pytest.raises(MitigationRefused, match=r"no PM2 daemon runs for this user \(.*"):
            await made("pm2.restart", {"app": "api", "home": str(home)}).card()
        assert not home.exists()
    stale = tmp_path / "stale"
    stale.mkdir()
    (stale / "pm2.pid").write_text("999999999")
    os.mkfifo(stale / "rpc.sock")
    with pytest.raises(MitigationRefused, match="no PM2 daemon"):
        await made("pm2.restart", {"app": "api", "home": str(stale)}).card()
    assert sorted(p.name for p in stale.iterdir()) == ["pm2.pid", "rpc.sock"]


@pytest.mark.parametrize(
    "name", ["-f", "--all", "all", "json", "stdin", "0", "17", "", "a\nb", "a\x1bb", "x" * 101]
)
def test_only_the_name_of_an_application_is_taken(name: str) -> None:
    _, problems = shaped("pm2.restart", {"app": name})
    assert any("app: " in line for line in problems), problems


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"[1]", b"{}", b"[{}]", b'[{"name": "api"}]', b"[" * 100_000]
)
def test_what_is_no_list_of_processes_is_refused_and_not_repeated(data: bytes) -> None:
    with pytest.raises(MitigationRefused, match=r"^pm2 jlist does not print a list of"):
        if not _found(data, "api"):
            raise AssertionError("taken for an empty list")


def test_a_banner_before_the_list_does_no_harm() -> None:
    banner = b">>>> In-memory PM2 is out-of-date, do:\n>>>> $ pm2 update\n"
    listed = b'[{"pm_id":0,"name":"api\x1b","pid":7,"pm2_env":{"status":"online"}}]'
    (one,) = _found(banner + listed.replace(b"\x1b", b"\\u001b"), "api\x1b")
    assert (one.id, one.pid, one.name) == (0, 7, "api␛")

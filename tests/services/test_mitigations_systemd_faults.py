"""What goes wrong with a unit of a machine that systemd booted, and what a responder is told."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.services.commands import made
from tests.services.systemd_units import RUNS, STAYS, Unit, reaches
from tests.support.systemd import Booted
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Verifiable,
)

there = pytest.mark.service("systemd")


@there
async def test_a_unit_that_is_masked_after_the_card_is_not_restarted(
    booted: Booted, unit: Unit, shop: str
) -> None:
    """systemd itself refuses then, and the old run goes on."""
    booted.add(f"{shop}.service", RUNS)
    one = unit("restart", shop)
    card = await one.card()
    booted("systemctl", "mask", "--runtime", "--force", f"{shop}.service")
    booted("mv", f"/etc/systemd/system/{shop}.service", "/run/")
    booted("systemctl", "daemon-reload")
    run = booted.get(shop, "InvocationID")
    with pytest.raises(MitigationFailed, match=r"was not restarted: .*masked"):
        await one.perform(card)
    assert booted.get(shop, "InvocationID") == run


@there
@pytest.mark.parametrize("how", ["simple", "exec"])
async def test_a_unit_that_does_not_come_up_has_failed_with_its_last_words(
    booted: Booted, unit: Unit, shop: str, how: str
) -> None:
    """`simple` has started when it is forked, so systemctl says nothing; `exec` of a program that
    is not there is told at once."""
    booted.add(f"{shop}.service", RUNS)
    one = unit("restart", shop)
    card = await one.card()
    start = "/bin/sh -c 'echo bind: address in use; exit 3'" if how == "simple" else "/gone"
    booted.add(f"{shop}.service", f"Type={how}\nExecStart={start}", starts=False)
    with pytest.raises(MitigationFailed) as failed:
        await one.perform(card)
    words = str(failed.value)
    assert "its journal ends: " in words
    if how == "simple":
        assert f"{shop}.service was restarted, then: failed (failed)" in words
        assert any("bind: address in use" in line for line in one.output.lines)
    else:
        assert f"{shop}.service was not restarted: Job for {shop}.service failed" in words
        assert any("status=203/EXEC" in line for line in one.output.lines)


@there
async def test_no_right_to_do_it_is_said_as_it_is_and_sudo_gives_it(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", RUNS)
    run = booted.get(shop, "InvocationID")
    with pytest.raises(MitigationFailed, match=r"was not restarted: .*(Access denied|Interactive)"):
        await unit("restart", shop, login="booted-deploy").done()
    assert booted.get(shop, "InvocationID") == run
    one = unit("restart", shop, login="booted-deploy", sudo=True)
    card = await one.card()
    argv = f"sudo --non-interactive systemctl --no-ask-password restart -- {shop}.service"
    assert card.command == (argv,)
    done = await one.perform(card)
    assert done.evidence["run_after"] == booted.get(shop, "InvocationID") != run


@there
async def test_no_answer_in_time_leaves_it_unknown_and_it_can_be_asked_afterwards(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", STAYS)
    booted("touch", f"/tmp/{shop}.service")
    one = unit("restart", shop, wait="1s")
    card = await one.card()
    with pytest.raises(MitigationUncertain, match="systemd may go on with it"):
        await one.perform(card)
    assert isinstance(one.mitigation, Verifiable)
    said = await one.mitigation.verify(card)
    assert said.startswith(f"{shop}.service is deactivating (stop) since "), said
    assert said.endswith("; the run that was shown")
    booted("rm", f"/tmp/{shop}.service")
    await reaches(booted, shop, "ActiveState", "active")
    assert (await one.mitigation.verify(card)).endswith("; another run than the one shown")


@there
async def test_a_connection_cut_meanwhile_leaves_it_unknown_and_systemd_goes_on(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", STAYS)
    booted("touch", f"/tmp/{shop}.service")
    run = booted.get(shop, "InvocationID")
    one = unit("restart", shop)
    card = await one.card()
    running = asyncio.create_task(one.perform(card))
    await reaches(booted, shop, "ActiveState", "deactivating")
    booted.cut()
    with pytest.raises(MitigationUncertain, match=r"connection was cut.*may have been restarted"):
        await running
    assert booted.get(shop, "ActiveState") == "deactivating", "it was asked, and goes on"
    booted("rm", f"/tmp/{shop}.service")
    await reaches(booted, shop, "ActiveState", "active")
    assert booted.get(shop, "InvocationID") != run


@there
async def test_a_host_that_cannot_be_reached_any_more_changes_nothing(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", RUNS)
    run = booted.get(shop, "InvocationID")
    one = unit("restart", shop)
    card = await one.card()
    with booted.closed(), pytest.raises(MitigationRefused, match="nothing was done: web1"):
        await one.perform(card)
    assert booted.get(shop, "InvocationID") == run


async def test_where_systemd_does_not_run_it_says_so_plainly() -> None:
    if shutil.which("systemctl") is None or Path("/run/systemd/system").is_dir():
        pytest.skip("wants a systemctl on a machine that was not booted with systemd")
    with pytest.raises(MitigationRefused, match="systemd does not run here: System has not been"):
        await made("systemd.restart", {"unit": "shop"}).card()


async def test_where_there_is_no_systemctl_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MitigationRefused, match="systemctl is not installed here: no systemd here"):
        await made("systemd.restart", {"unit": "shop"}).card()


@there
async def test_cancelling_a_restart_ends_the_client_and_the_job_is_systemds(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", STAYS)
    booted("touch", f"/tmp/{shop}.service")
    running = asyncio.create_task(unit("restart", shop).done())
    await reaches(booted, shop, "ActiveState", "deactivating")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    look = ("sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
    async with asyncio.timeout(60):
        while f"restart -- {shop}.service" in await asyncio.to_thread(booted, *look):
            await asyncio.sleep(0.05)
    booted("rm", f"/tmp/{shop}.service")
    await reaches(booted, shop, "ActiveState", "active")

"""Units of systemd: the run that was shown, or nothing; and what its journal says afterwards.

Where systemd is not the first process nothing can be restarted, and booting one beside the
machine's own would reach into its files. So the acts run against programs that behave as the
manuals of systemctl(1) and journalctl(1) say (tests/support/systemctl.py), real processes on PATH;
what a machine without systemd answers comes from the real systemctl.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.services.commands import Made, made, shaped
from tests.support.hostile import everything, reached
from tests.support.systemctl import Units, units_in
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Risk,
    Verifiable,
)


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Units:
    found = units_in(tmp_path / "systemd")
    monkeypatch.setenv("PATH", f"{found.bin}:/usr/bin:/bin")
    return found


def unit(verb: str, name: str = "shop", **options: Any) -> Made:
    return made(f"systemd.{verb}", {"unit": name, **options})


async def test_a_restart_shows_the_unit_and_who_goes_with_it_and_proves_the_new_run(
    units: Units,
) -> None:
    units.add(
        "shop.service",
        Description="The shop",
        RequiredBy="pay.service",
        NRestarts="3",
        wanted_by=["multi-user.target", "pay.service"],
        journal=["listening on 8080"],
    )
    one = unit("restart")
    card = await one.card()
    assert card.command == ("systemctl --no-ask-password restart -- shop.service",)
    assert card.hits == (
        ("unit", "The shop"),
        ("state", "active (running) since Mon 2026-01-05 10:11:12 UTC"),
        ("main process", "pid 4711"),
        ("restarted by systemd", "3 times"),
        ("restarted with it", "pay.service"),
        ("wanted by", "multi-user.target"),
    )
    assert units.acts == [], "a preview only reads"
    done = await one.perform(card)
    assert units.acts == [["systemctl", "--no-ask-password", "restart", "--", "shop.service"]]
    assert done.text.startswith("restarted shop.service in ")
    assert done.evidence["run_before"] == "0" * 31 + "1"
    assert done.evidence["run_after"] == units.get("shop.service", "InvocationID")
    assert done.evidence["run_after"] != done.evidence["run_before"]
    assert list(one.output.lines) == ["listening on 8080", "restart was done"]


async def test_another_run_than_the_one_shown_is_left_alone(units: Units) -> None:
    units.add("shop.service")
    one = unit("restart")
    card = await one.card()
    units.set("shop.service", InvocationID="f" * 32)
    with pytest.raises(MitigationRefused, match=r"not in the run that was shown \(0{31}1\).*f{32}"):
        await one.perform(card)
    assert units.acts == []


async def test_stopping_destroys_is_undone_by_a_start_and_the_other_way_round(
    units: Units,
) -> None:
    units.add("shop.service", TriggeredBy="shop.timer")
    stop = unit("stop")
    card = await stop.card()
    assert (card.risk, card.word) == (Risk.DESTROY, "shop.service")
    assert card.warnings == ("shop.timer may start it again",)
    done = await stop.perform(card)
    assert units.get("shop.service", "ActiveState") == "inactive"
    assert done.undo is not None
    again = await made(done.undo.kind, done.undo.options).done()
    assert units.get("shop.service", "ActiveState") == "active"
    assert again.undo is not None and again.undo.kind == "systemd.stop"


async def test_a_reload_stays_in_the_same_run(units: Units) -> None:
    units.add("shop.service")
    done = await unit("reload").done()
    assert done.evidence["run_before"] == done.evidence["run_after"]
    assert done.text.startswith("reloaded shop.service")


@pytest.mark.parametrize(
    ("verb", "properties", "reason"),
    [
        ("reload", {"CanReload": "no"}, r"no reload \(ExecReload=\): restart it instead"),
        ("reload", {"ActiveState": "failed", "SubState": "failed"}, "does not run: failed"),
        ("start", {}, "is active .* already"),
        ("stop", {"ActiveState": "inactive", "SubState": "dead"}, "does not run: inactive"),
        ("restart", {"LoadState": "masked"}, "is masked: nothing can start it"),
        ("stop", {"RefuseManualStop": "yes"}, r"may not be stopped by hand"),
        ("restart", {"LoadState": "bad-setting"}, "cannot be used: bad-setting"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(
    units: Units, verb: str, properties: dict[str, str], reason: str
) -> None:
    units.add("shop.service", **properties)
    with pytest.raises(MitigationRefused, match=reason):
        await unit(verb).card()
    with pytest.raises(MitigationRefused, match=r"there is no unit gone\.service"):
        await unit(verb, "gone").card()
    assert units.acts == []


@pytest.mark.parametrize("how", ["quietly", "loudly"])
async def test_a_unit_that_does_not_come_up_has_failed_with_its_last_words(
    units: Units, how: str
) -> None:
    units.add("shop.service", breaks=how, journal=["bind: address in use"])
    with pytest.raises(MitigationFailed, match="its journal ends: restart was done") as failed:
        await unit("restart").done()
    assert ("Job for shop.service failed" if how == "loudly" else "exit-code") in str(failed.value)


async def test_no_right_to_do_it_is_said_as_it_is(units: Units) -> None:
    units.add("shop.service", denied=True)
    with pytest.raises(MitigationFailed, match="Interactive authentication required"):
        await unit("restart").done()


async def test_no_answer_in_time_leaves_it_unknown_and_it_can_be_asked_afterwards(
    units: Units,
) -> None:
    units.add("shop.service", takes=30.0)
    one = unit("restart", wait="1s")
    card = await one.card()
    with pytest.raises(MitigationUncertain, match="systemd may go on with it"):
        await one.perform(card)
    assert isinstance(one.mitigation, Verifiable)
    assert (await one.mitigation.verify(card)).endswith("; the run that was shown")
    units.set("shop.service", InvocationID="e" * 32)
    assert (await one.mitigation.verify(card)).endswith("; another run than the one shown")


async def test_a_oneshot_has_done_its_work_when_it_has_ended(units: Units) -> None:
    units.add("tidy.service", Type="oneshot", ActiveState="inactive", SubState="dead")
    units.set("tidy.service", InvocationID="")
    one = unit("start", "tidy")
    card = await one.card()
    assert ("state", "inactive (dead) since Mon 2026-01-05 10:11:12 UTC") in card.hits
    done = await one.perform(card)
    assert done.text.startswith("started tidy.service")


@pytest.mark.parametrize(
    "name", ["-rf", "--all", "a b", "a;b", "a\nb", "$(id)", "ä", "a/b", "*", "", "a" * 300]
)
def test_only_the_name_of_a_unit_is_taken(name: str) -> None:
    _, problems = shaped("systemd.restart", {"unit": name})
    assert any("not the name of a unit" in line for line in problems), problems


async def test_hostile_texts_of_a_unit_come_out_harmless(units: Units) -> None:
    text = everything().replace("\n", " ")
    units.add("shop.service", Description=text, journal=[text, "x" * 100_000])
    one = unit("restart")
    card = await one.card()
    done = await one.perform(card)
    texts = [t for hit in card.hits for t in hit] + [*one.output.lines, *done.evidence["journal"]]
    assert reached("\n".join(texts).encode()) == []
    assert max(map(len, one.output.lines)) <= 501


async def test_where_systemd_does_not_run_it_says_so_plainly() -> None:
    if shutil.which("systemctl") is None or Path("/run/systemd/system").is_dir():
        pytest.skip("wants a systemctl on a machine that was not booted with systemd")
    with pytest.raises(MitigationRefused, match="systemd does not run here: System has not been"):
        await unit("restart").card()


async def test_where_there_is_no_systemctl_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MitigationRefused, match="systemctl is not installed here: no systemd here"):
        await unit("restart").card()


async def test_cancelling_a_restart_ends_the_client(units: Units) -> None:
    units.add("shop.service", takes=30.0)
    one = unit("restart")
    running = asyncio.create_task(one.done())
    async with asyncio.timeout(10):
        while not units.acts:
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

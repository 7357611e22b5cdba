"""Units of a machine that systemd booted: the run that was shown, or nothing; and what its journal
says afterwards. It is reached as a responder reaches it, over SSH."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.services.commands import shaped
from tests.services.systemd_units import RUNS, Unit, reaches
from tests.support.cli import Shell, written
from tests.support.hostile import everything, reached
from tests.support.systemd import Booted
from warroom.mitigations.base import MitigationRefused, Risk

there = pytest.mark.service("systemd")


@there
async def test_a_restart_shows_the_unit_and_who_goes_with_it_and_proves_the_new_run(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", f"[Unit]\nDescription=The shop\n[Service]\n{RUNS}")
    pay = f"pay-{shop}.service"
    booted.add(pay, f"[Unit]\nRequires={shop}.service\n[Service]\n{RUNS}")
    pid, run = booted.get(shop, "MainPID"), booted.get(shop, "InvocationID")
    one = unit("restart", shop)
    card = await one.card()
    assert card.command == (f"systemctl --no-ask-password restart -- {shop}.service",)
    hits = dict(card.hits)
    assert hits.pop("state").startswith("active (running) since ")
    assert hits == {"unit": "The shop", "main process": f"pid {pid}", "restarted with it": pay}
    assert booted.get(shop, "InvocationID") == run, "a preview only reads"
    done = await one.perform(card)
    assert done.text.startswith(f"restarted {shop}.service in ")
    assert done.evidence["run_before"] == run
    assert done.evidence["run_after"] == booted.get(shop, "InvocationID") != run
    assert booted.get(shop, "MainPID") != pid
    assert booted.get(pay, "ActiveState") == "active"
    said = "\n".join(one.output.lines)
    assert "listening on 8080" in said and "Started " in said, said
    assert tuple(one.output.lines) == tuple(done.evidence["journal"])


@there
async def test_another_run_than_the_one_shown_is_left_alone(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", RUNS)
    one = unit("restart", shop)
    card = await one.card()
    booted("systemctl", "restart", shop)
    run = booted.get(shop, "InvocationID")
    with pytest.raises(MitigationRefused, match=rf"not in the run that was shown .*{run}"):
        await one.perform(card)
    assert booted.get(shop, "InvocationID") == run


@there
async def test_stopping_destroys_is_undone_by_a_start_and_the_other_way_round(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", RUNS)
    booted.add(f"{shop}.timer", "[Timer]\nOnCalendar=2099-01-01")
    stop = unit("stop", shop)
    card = await stop.card()
    assert (card.risk, card.word) == (Risk.DESTROY, f"{shop}.service")
    assert card.warnings == (f"{shop}.timer may start it again",)
    done = await stop.perform(card)
    assert booted.get(shop, "ActiveState") == "inactive"
    assert done.evidence["state_after"].startswith("inactive (dead)")
    assert done.undo is not None
    again = await unit(done.undo.kind.partition(".")[2], **options_of(done.undo.options)).done()
    assert booted.get(shop, "ActiveState") == "active"
    assert again.undo is not None and again.undo.kind == "systemd.stop"


def options_of(options: Any) -> dict[str, Any]:
    """What the ledger keeps of an undo, as the fixture `unit` takes it."""
    kept = dict(options)
    return {"name": kept.pop("unit"), **kept}


@there
async def test_a_reload_reaches_the_process_and_stays_in_the_same_run(
    booted: Booted, unit: Unit, shop: str
) -> None:
    trap = "trap \\'echo read my configuration again\\' HUP; echo ready"
    booted.add(
        f"{shop}.service",
        f"ExecStart=/bin/sh -c '{trap}; while :; do sleep 0.1; done'\n"
        "ExecReload=/bin/kill -HUP $MAINPID",
    )
    done = await unit("reload", shop).done()
    assert done.evidence["run_before"] == done.evidence["run_after"]
    assert done.text.startswith(f"reloaded {shop}.service")
    assert any("read my configuration again" in line for line in done.evidence["journal"])


@there
async def test_what_makes_no_sense_is_refused_in_words(
    booted: Booted, unit: Unit, shop: str
) -> None:
    guarded, idle, masked, bad = (f"{shop}-{word}" for word in ("guard", "idle", "mask", "bad"))
    booted.add(f"{shop}.service", RUNS)
    booted.add(f"{guarded}.service", f"[Unit]\nRefuseManualStop=yes\n[Service]\n{RUNS}")
    booted.add(f"{idle}.service", f"{RUNS}\nExecReload=/bin/true", starts=False)
    booted.add(f"{bad}.service", "ExecStart=relative/path", starts=False)
    booted("systemctl", "mask", f"{masked}.service")
    for verb, name, reason in (
        ("reload", shop, r"no reload \(ExecReload=\): restart it instead"),
        ("start", shop, "is active .* already"),
        ("stop", idle, "does not run: inactive"),
        ("reload", idle, "does not run: inactive|has no reload"),
        ("restart", masked, "is masked: nothing can start it before `systemctl unmask`"),
        ("stop", guarded, "may not be stopped by hand"),
        ("restart", bad, "cannot be used: bad-setting"),
        ("restart", f"{shop}-gone", rf"there is no unit {shop}-gone\.service"),
    ):
        with pytest.raises(MitigationRefused, match=reason):
            await unit(verb, name).card()


@there
async def test_a_service_that_systemd_starts_again_and_again_says_how_often(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(
        f"{shop}.service",
        "Restart=always\nRestartSec=0\nExecStart=/bin/sh -c "
        "'[ -e /tmp/%n ] && exec sleep 1d; touch /tmp/%n; exit 1'",
    )
    await reaches(booted, shop, "NRestarts", "1")
    assert ("restarted by systemd", "1 times") in (await unit("restart", shop).card()).hits


@there
async def test_a_unit_file_that_changed_on_disk_is_said(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}.service", RUNS)
    file = f"/etc/systemd/system/{shop}.service"
    booted("sh", "-c", f"echo '# a change' >>{file}; touch -d 2099-01-01 {file}")
    (warning,) = (await unit("restart", shop).card()).warnings
    assert warning == "its unit file has changed on disk: systemd still uses the one it read"


@there
async def test_a_unit_of_the_users_own_manager_needs_no_rights(
    booted: Booted, unit: Unit, shop: str
) -> None:
    folder = "/home/deploy/.config/systemd/user"
    script = f"mkdir -p {folder} && cat >{folder}/{shop}.service"
    booted("sh", "-c", script, stdin=f"[Service]\n{RUNS}\n", user="deploy")
    start = unit("start", shop, login="booted-deploy", user=True)
    card = await start.card()
    assert card.command == (f"systemctl --user --no-ask-password start -- {shop}.service",)
    assert card.target.id == f"systemd {shop}.service of the user on web1"
    done = await start.perform(card)
    assert any("listening on 8080" in line for line in done.evidence["journal"])
    with pytest.raises(MitigationRefused, match="there is no unit"):
        await unit("restart", shop, login="booted-deploy").card()
    await unit("stop", shop, login="booted-deploy", user=True).done()


@there
async def test_a_oneshot_has_done_its_work_when_it_has_ended(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(
        f"{shop}.service",
        "Type=oneshot\nExecStart=/bin/sh -c 'sleep 0.1; echo tidied up'",
        starts=False,
    )
    one = unit("start", shop)
    card = await one.card()
    assert ("state", "inactive (dead)") in card.hits
    done = await one.perform(card)
    assert done.text.startswith(f"started {shop}.service")
    assert any("tidied up" in line for line in done.evidence["journal"])


@there
async def test_an_instance_of_a_template_and_other_kinds_of_units_are_meant_by_their_whole_name(
    booted: Booted, unit: Unit, shop: str
) -> None:
    booted.add(f"{shop}@.service", RUNS, starts=False)
    await unit("start", f"{shop}@eu-1").done()
    assert booted.get(f"{shop}@eu-1.service", "ActiveState") == "active"
    booted.add(f"{shop}.target", "[Unit]\nDescription=All of it")
    await unit("stop", f"{shop}.target").done()
    assert booted.get(f"{shop}.target", "ActiveState") == "inactive"


@pytest.mark.parametrize(
    "name", ["-rf", "--all", "a b", "a;b", "a\nb", "$(id)", "ä", "a/b", "*", "", "a" * 300]
)
def test_only_the_name_of_a_unit_is_taken(name: str) -> None:
    _, problems = shaped("systemd.restart", {"unit": name})
    assert any("not the name of a unit" in line for line in problems), problems


@there
async def test_hostile_texts_of_a_unit_come_out_harmless(
    booted: Booted, unit: Unit, shop: str
) -> None:
    text = everything().replace("\n", " ").replace("\\", "\\\\").replace("%", "%%")
    booted.add(f"{shop}.service", f"[Unit]\nDescription=The {text}\n[Service]\n{RUNS}")
    script = f"cat >/tmp/{shop}"
    booted("sh", "-c", script, stdin=f"{everything()}\n{'x' * 100_000}\n")
    start = f"ExecStart=/bin/sh -c 'cat /tmp/{shop}; exec sleep 1d'"
    whole = f"[Unit]\nDescription=The {text}\n[Service]\n{start}\n"
    booted.add(f"{shop}.service", whole, starts=False)
    one = unit("restart", shop)
    card = await one.card()
    assert "PWN" in dict(card.hits)["unit"], "systemd takes such a description"
    done = await one.perform(card)
    texts = [t for hit in card.hits for t in hit] + [*one.output.lines, *done.evidence["journal"]]
    assert reached("\n".join(texts).encode()) == []
    assert max(map(len, one.output.lines)) <= 501


@there
def test_the_command_line_restarts_it_and_an_observers_does_not(
    booted: Booted, shop: str, tmp_path: Path
) -> None:
    """The whole way: config, gate, record, ~/.ssh/config, sshd, systemctl."""
    booted.add(f"{shop}.service", RUNS)
    (tmp_path / ".ssh").mkdir(mode=0o700)
    (tmp_path / ".ssh/config").write_text(booted.config.read_text())
    unit = '[[mitigation]]\nkind = "systemd.restart"\nkey = "b"\ntitle = "Restart the shop"\n'
    config = written(
        tmp_path, '[hosts.web1]\nssh = "booted"', f'{unit}on = "web1"\nunit = "{shop}"'
    )
    warroom = Shell(tmp_path, config)
    warroom("incident", "new", "it burns", "--severity", "P1")
    run = booted.get(shop, "InvocationID")
    observer = warroom("--observe", "run", "Restart the shop", "--yes", status=1)
    assert "observer mode: this console changes nothing" in observer.err
    assert booted.get(shop, "InvocationID") == run
    done = warroom("run", "Restart the shop", "--yes")
    assert f"restarted {shop}.service" in done.out + done.err
    assert booted.get(shop, "InvocationID") != run

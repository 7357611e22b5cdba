"""The machine probe: this machine as the kernel tells it, and nothing secret shown."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from warroom.domain.clock import SystemClock
from warroom.domain.sample import Detail, Health, Sample
from warroom.hosts.local import LocalHost
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.machine import SPEC, MachineOptions, MachineProbe


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"processes": 0}, "processes: 1 to 200"),
        ({"disks": ("var",)}, 'disks: "var" is not a mount point, such as "/var"'),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem.split(":", 1)[0]) as caught:
        MachineOptions(**options)  # type: ignore[arg-type]
    assert str(caught.value) == problem


def probe(**options: object) -> MachineProbe:
    context = ProbeContext("machine", LocalHost(), SystemClock(), 5.0)
    made = SPEC.create(MachineOptions(**options), context)  # type: ignore[arg-type]
    assert isinstance(made, MachineProbe)
    return made


def cell(sample: Sample, pid: int, column: str) -> object:
    place = [c.key for c in sample.columns].index(column)
    return next(row.cells[place] for row in sample.rows if row.cells[0] == pid)


@contextmanager
def running(*argv: str | bytes, **options: object) -> Iterator[int]:
    process = subprocess.Popen(argv, **options)  # type: ignore[call-overload]
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


BUSY = "import time; end = time.monotonic() + 60\nwhile time.monotonic() < end: pass"


async def test_figures_of_this_machine_are_those_that_the_kernel_tells() -> None:
    sample = await probe().sample()
    memory, disk = psutil.virtual_memory(), shutil.disk_usage("/")
    root = 100 * disk.used / (disk.used + disk.free)
    assert sample.health is Health.OK
    assert sample.metrics["memory_percent"] == pytest.approx(memory.percent, abs=10)
    assert sample.metrics["disk_percent"] >= root - 1
    assert 0 <= sample.metrics["cpu_percent"] <= sample.metrics["cpu_core_percent"] <= 100
    assert sample.metrics["load1"] == pytest.approx(os.getloadavg()[0], abs=3)
    assert all(len(row.cells) == len(sample.columns) for row in sample.rows)


async def test_a_busy_process_is_on_top_with_what_it_takes() -> None:
    with running("python3", "-c", BUSY, "--token=hunter2") as pid:
        machine = probe()
        await machine.sample()
        for _ in range(20):  # others may want the processors, or hold up a look between its parts
            await asyncio.sleep(0.5)
            sample = await machine.sample()
            shown = any(row.cells[0] == pid for row in sample.rows)
            if shown and 5 < (taken := float(str(cell(sample, pid, "cpu")))) <= 110:
                break
        assert 5 < taken <= 110
        assert str(cell(sample, pid, "command")).endswith("--token=••••")
        row = next(row for row in sample.rows if row.cells[0] == pid)
        assert row.data["pid"] == pid
        detail = await machine.detail(row.key)
    pairs = dict(detail.sections[0].pairs)
    assert (pairs["pid"], pairs["threads"], pairs["folder"]) == (str(pid), "1", str(Path.cwd()))
    with pytest.raises(ProbeFault, match=r"^process \d+ has ended$"):
        await machine.detail(row.key)


async def test_a_detail_never_shows_the_environment_of_a_process() -> None:
    with running("sleep", "60", env={"API_TOKEN": "hunter2", "PATH": os.environ["PATH"]}) as pid:
        started = int(psutil.Process(pid).create_time() * 100)
        detail = await probe().detail(f"{pid}-{started}")
    assert "sleep 60" in all_text(detail)
    assert "hunter2" not in all_text(detail)
    assert "API_TOKEN" not in all_text(detail)


def all_text(detail: Detail) -> str:
    return "\n".join(
        [detail.title]
        + [f"{name} {value}" for section in detail.sections for name, value in section.pairs]
        + [line for section in detail.sections for line in section.lines]
    )


async def test_a_process_that_calls_itself_hostile_names_is_shown_harmless(tmp_path: Path) -> None:
    name = b"\x1b]0;x\x07[/x][@click=app.bell]x[/]\xe2\x80\xae\x9b\xff\n== M disks"
    program = bytes(tmp_path) + b"/\x1b[31m\xe2\x80\xae)S"
    shutil.copy(shutil.which("sh") or "/bin/sh", program)
    waits = (b"-c", b"read x", name, b"x" * 100_000)
    with running(program, *waits, stdin=subprocess.PIPE) as pid:
        machine = probe(processes=200)
        sample = await machine.sample()
        row = next(row for row in sample.rows if row.cells[0] == pid)
        detail = await machine.detail(row.key)
    texts = [row.name, *(str(cell) for cell in row.cells), all_text(detail).replace("\n", "")]
    assert all(text.isprintable() for text in texts)
    assert "[@click=app.bell]x[/]" in texts[-1]  # told as it is, to be drawn as text
    assert len(str(row.cells[-1])) <= 400


async def test_only_the_disks_that_are_named_are_looked_at() -> None:
    machine = probe(disks=("/tmp",))
    sample = await machine.sample()
    assert sample.facts["disk"].startswith("/tmp ")
    assert [pair[0] for pair in (await machine.detail("")).sections[0].pairs] == ["/tmp"]
    with pytest.raises(ProbeFault, match=r"^disk /no/such: no such file or directory$"):
        await probe(disks=("/no/such",)).sample()


@pytest.mark.parametrize("key", ["x", "1", "1-2-3", "../1-2", "999999999-1", "1-1"])
async def test_a_key_that_names_no_process_is_a_plain_line(key: str) -> None:
    with pytest.raises(ProbeFault):
        await probe().detail(key)

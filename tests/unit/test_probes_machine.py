"""The machine probe: figures that add up, parsers that trust nobody, and nothing secret shown."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.clock import SystemClock
from warroom.domain.sample import Detail, Health, Sample
from warroom.hosts.local import LocalHost
from warroom.probes._machine_look import (
    Cpu,
    Disk,
    Look,
    Process,
    busiest,
    metrics,
    sample_of,
    size,
    without_secrets,
)
from warroom.probes._machine_there import LOOK, NotLinux, look, parts
from warroom.probes.base import ProbeContext, ProbeFault
from warroom.probes.machine import SPEC, MachineOptions, MachineProbe

GIB = 2**30
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)

# What a Debian 12 machine answered, shortened.
DEBIAN = b"""\
Welcome to the machine; == M stat
== M uptime
5004.15 6228.53
== M stat
cpu  321358 0 49512 622853 1661 0 885 280 0 0
cpu0 158915 0 22194 316439 423 0 224 139 0 0
cpu1 162442 0 27317 306414 1237 0 661 141 0 0
intr 4255570 0 0
btime 1795258220
== M meminfo
MemTotal:       24684096 kB
MemFree:        22264824 kB
MemAvailable:   23671484 kB
SwapTotal:       2097148 kB
SwapFree:        1048574 kB
HugePages_Total:       0
== M loadavg
2.19 3.60 3.33 1/339 13696
== M net/dev
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo: 388023397  442370    0    0    0     0          0         0 388023397  442370    0    0
  eth0: 443670909   14303    0    0    0     0          0         0   992810    8755    0    0
veth1a:  70000000    1430    0    0    0     0          0         0   992810    8755    0    0
== M page
4096
== M disks
Filesystem              1024-blocks     Used Available Capacity Mounted on
devtmpfs                   12334524        0  12334524       0% /dev
tmpfs                      24684096     2080  24682016       1% /dev/shm
/dev/vda                  264212084 24638464  81752448      24% /
/dev/vdb1                 100000000 95000000   5000000      95% /srv/my files
/dev/vda                  264212084 24638464  81752448      24% /var/lib/docker
/dev/loop3                   113536   113536         0     100% /snap/core/16202
overlay                   264212084 24638464  81752448      24% /var/lib/docker/overlay2/1/merged
== M inodes
Filesystem                Inodes  IUsed    IFree IUse% Mounted on
/dev/vda                16777216 430266 16346950    3% /
/dev/vdb1                      0      0        0     - /srv/my files
== M processes
10 (kworker/0:0H-events_highpri) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 0 -20 1 0 25 0 0 1844 0
1035 (ba)s h) S 1 1035 1035 0 -1 4194560 4014 4773 0 1366 12 24 18 37 20 0 1 0 2688 5763 1148 1844 0
== M commands
     10 root     [kworker/0:0H-events_highpri]
   1035 deploy   bash -c run --password=hunter2
"""

# The same of Alpine's busybox, where ps knows no -e and df no -l.
ALPINE_COMMANDS = b"""\
PID   USER     COMMAND
    1 root     /sbin/init
 1035 deploy   {serve} /bin/sh serve --port 80
"""
ALPINE_DISKS = b"""\
Filesystem           1024-blocks    Used Available Capacity Mounted on
overlay              264212084  24716860  81674052  23% /
/dev/vda             264212084  24716860  81674052  23% /etc/hosts
"""


def test_a_machines_answer_is_understood_part_by_part() -> None:
    one, words = look(parts(DEBIAN, "== M"))
    assert (one.uptime_s, one.load, len(one.cores)) == (5004.15, (2.19, 3.6, 3.33), 2)
    assert one.cpu == Cpu(busy=372035.0, waiting=1661.0, total=996549.0)
    assert round(one.memory_percent, 2) == 4.10  # (24684096 - 23671484) / 24684096
    assert round(one.swap_percent) == 50
    assert (one.received, one.sent) == (443670909, 992810)  # eth0 alone
    assert one.processes[1] == Process(1035, 2688, 0.36, 1148 * 4096)
    assert words["1035-2688"].command == "bash -c run --password=••••"
    assert (words["1035-2688"].user, words["1035-2688"].name) == ("deploy", "ba)s h")


def test_disks_are_the_real_ones_each_once_with_their_names_whole() -> None:
    one, _ = look(parts(DEBIAN, "== M"))
    assert [(disk.mount, round(disk.percent)) for disk in one.disks] == [
        ("/", 23),
        ("/srv/my files", 95),
    ]
    assert [disk.inodes_percent and round(disk.inodes_percent, 1) for disk in one.disks] == [
        2.6,
        None,
    ]
    assert one.fullest == one.disks[1]


def test_busybox_is_understood_as_well() -> None:
    found = parts(DEBIAN, "== M") | {"commands": ALPINE_COMMANDS, "disks": ALPINE_DISKS}
    one, words = look(found)
    assert [(disk.mount, round(disk.percent)) for disk in one.disks] == [
        ("/", 23),
        ("/etc/hosts", 23),
    ]
    assert words["1035-2688"].command == "{serve} /bin/sh serve --port 80"


@pytest.mark.parametrize("part", ["stat", "meminfo", "uptime", "loadavg", "processes", "net/dev"])
def test_an_answer_that_lacks_a_part_is_no_linux_and_no_crash(part: str) -> None:
    found = parts(DEBIAN, "== M")
    del found[part]
    with pytest.raises(NotLinux):
        look(found)


@given(st.sampled_from(["stat", "meminfo", "net/dev", "disks", "processes", "commands"]), st.data())
def test_any_bytes_in_any_part_are_understood_or_refused(part: str, data: st.DataObject) -> None:
    found = parts(DEBIAN, "== M")
    whole = found[part]
    place = data.draw(st.integers(0, len(whole)))
    found[part] = whole[:place] + data.draw(st.binary(max_size=40)) + whole[place:]
    try:
        one, words = look(found)
    except NotLinux:
        return
    shown = [word for w in words.values() for word in (w.name, w.user, w.command)]
    assert all(text.isprintable() for text in [*shown, *(disk.mount for disk in one.disks)])


def test_a_process_cannot_forge_a_part_by_its_name() -> None:
    mark = "== 8d1f"
    forged = b"== guess disks\n/dev/x 1 1 0 100% /\n"
    assert "disks" not in parts(b"%b uptime\n1 1\n%b" % (mark.encode(), forged), mark)


def a_look(at: float = 100.0, **changes: object) -> Look:
    plain: dict[str, object] = {
        "at": at,
        "cpu": Cpu(0, 0, 0),
        "cores": (Cpu(0, 0, 0), Cpu(0, 0, 0)),
        "load": (4.0, 2.0, 1.0),
        "memory_total": 8 * GIB,
        "memory_available": 6 * GIB,
        "swap_total": 0,
        "swap_free": 0,
        "disks": (Disk("/", 90 * GIB, 10 * GIB, 12.0), Disk("/var", GIB, 9 * GIB, 97.0)),
        "received": 0,
        "sent": 0,
        "uptime_s": 93784.0,
        "processes": (),
    }
    return Look(**(plain | changes))  # type: ignore[arg-type]


def test_figures_are_differences_over_the_time_between_two_looks() -> None:
    after = a_look(
        110.0,
        cpu=Cpu(12, 2, 20),
        cores=(Cpu(10, 0, 10), Cpu(2, 2, 10)),
        received=10_240,
        sent=1024,
    )
    assert metrics(a_look(), after) == {
        "cpu_percent": 60.0,
        "cpu_core_percent": 100.0,
        "iowait_percent": 10.0,
        "load1": 4.0,
        "load_per_cpu": 2.0,
        "memory_percent": 25.0,
        "swap_percent": 0.0,
        "rx_rate": 1024.0,
        "tx_rate": 102.4,
        "uptime_s": 93784.0,
        "processes": 0.0,
        "disk_percent": 90.0,
        "disk_free_bytes": 10.0 * GIB,
        "inodes_percent": 97.0,
    }


def test_counters_that_were_set_back_give_no_nonsense() -> None:
    before = a_look(cpu=Cpu(50, 5, 100), received=10**9)
    figures = metrics(before, a_look(110.0))
    assert (figures["cpu_percent"], figures["rx_rate"]) == (0.0, 0.0)


def test_the_facts_are_what_people_read() -> None:
    sample = sample_of("web", NOW, a_look(), a_look(110.0), [], {})
    assert sample.summary == "cpu 0%, memory 25%, disk / 90%"
    assert sample.facts == {
        "cpu": "0% of 2 cores",
        "load": "4.00 2.00 1.00",
        "memory": "2.0 / 8.0 GiB 25%",
        "swap": "none",
        "disk": "/ 90% (10 GiB free)",
        "inodes": "97% used",
        "network": "0 B/s received, 0 B/s sent",
        "uptime": "1d02h",
        "processes": "0",
    }


def test_the_busiest_processes_come_first_and_a_reused_pid_counts_anew() -> None:
    old = (Process(1, 5, 50.0, 1), Process(2, 5, 10.0, 9), Process(3, 5, 99.0, 1))
    new = (Process(1, 5, 55.0, 1), Process(2, 5, 10.0, 9), Process(3, 777, 1.0, 1))
    top = busiest(a_look(processes=old), a_look(110.0, processes=new), 3)
    assert [(process.key, share) for process, share in top] == [
        ("1-5", 50.0),
        ("3-777", 10.0),
        ("2-5", 0.0),
    ]
    assert len(busiest(a_look(processes=old), a_look(110.0, processes=new), 2)) == 2


@pytest.mark.parametrize(
    "command",
    [
        "app --db-password hunter2 --port 1",
        "app --api-key=hunter2",
        "PGPASSWORD=hunter2 psql",
        "psql postgres://app:hunter2@db/shop",
        "mysql -u root -phunter2 shop",
        "redis-cli -h db -a hunter2 info",
        "sshpass -p hunter2 ssh web1",
        "curl -H Authorization: Bearer hunter2 https://x",
    ],
)
def test_a_command_line_shows_no_secret(command: str) -> None:
    assert "hunter2" not in without_secrets(command)
    assert (
        without_secrets(command).split(" ", 1)[0].split("=")[0] == command.split("=")[0].split()[0]
    )


def test_sizes_are_short() -> None:
    assert [size(n) for n in (0, 1023, 1024, 10 * 1024, 1536 * 2**20, 5000 * 2**40)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "10 KiB",
        "1.5 GiB",
        "5000 TiB",
    ]


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


# --- this machine, as it is -----------------------------------------------------------------------


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
    assert sample.metrics["memory_percent"] == pytest.approx(memory.percent, abs=3)
    assert sample.metrics["disk_percent"] >= root - 1
    assert 0 <= sample.metrics["cpu_percent"] <= sample.metrics["cpu_core_percent"] <= 100
    assert sample.metrics["load1"] == pytest.approx(os.getloadavg()[0], abs=1)
    assert all(len(row.cells) == len(sample.columns) for row in sample.rows)


async def test_a_busy_process_is_on_top_with_what_it_takes() -> None:
    with running("python3", "-c", BUSY, "--token=hunter2") as pid:
        machine = probe()
        await machine.sample()
        await asyncio.sleep(0.5)
        sample = await machine.sample()
        assert 5 < float(str(cell(sample, pid, "cpu"))) <= 110
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


async def test_the_script_for_far_machines_agrees_with_this_one() -> None:
    argv = ["sh", "-c", LOOK, "warroom", "== M"]
    result = await LocalHost().run(argv, limit=2**22)
    there, words = look(parts(result.out, "== M"))
    assert there.memory_total == psutil.virtual_memory().total
    assert there.load == pytest.approx(os.getloadavg(), abs=1)
    assert len(there.cores) == psutil.cpu_count()
    own = next(process for process in there.processes if process.pid == os.getpid())
    assert own.memory == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert own.cpu_s == pytest.approx(sum(psutil.Process().cpu_times()[:2]), abs=1)
    assert words[own.key].user == psutil.Process().username()

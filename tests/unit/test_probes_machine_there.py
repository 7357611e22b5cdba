"""What a far machine answers is understood part by part, whoever wrote it."""

from __future__ import annotations

import os

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.hosts.local import LocalHost
from warroom.probes._machine_look import Cpu, Process
from warroom.probes._machine_there import LOOK, NotLinux, look, parts

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


async def test_the_script_for_far_machines_agrees_with_this_one() -> None:
    argv = ["sh", "-c", LOOK, "warroom", "== M"]
    result = await LocalHost().run(argv, limit=2**22)
    there, words = look(parts(result.out, "== M"))
    assert there.memory_total == psutil.virtual_memory().total
    assert there.load == pytest.approx(os.getloadavg(), abs=3)
    assert len(there.cores) == psutil.cpu_count()
    own = next(process for process in there.processes if process.pid == os.getpid())
    assert own.memory == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert own.cpu_s == pytest.approx(sum(psutil.Process().cpu_times()[:2]), abs=3)
    assert words[own.key].user == psutil.Process().username()

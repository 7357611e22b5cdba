"""Two looks at a machine make figures that add up, and show no secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

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

GIB = 2**30
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


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

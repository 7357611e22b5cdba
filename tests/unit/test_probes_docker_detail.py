"""The detail of a container: nothing that a terminal obeys, nothing that is a secret."""

from __future__ import annotations

from typing import Any

import pytest

from warroom.domain.sample import Section
from warroom.domain.text import harmless
from warroom.hosts.docker_container import container
from warroom.probes._docker_detail import masked, sections

HOSTILE = "\x1b[31m\x9b2J[/x][@click=app.bell]x[/]\u202e\x00\udcff\r\n\x07"


def inspected(**state: Any) -> dict[str, Any]:
    return {
        "Id": "a" * 64,
        "Name": "/shop-api",
        "Created": "2026-11-21T11:00:00Z",
        "Path": "node",
        "Args": ["server.js", "--token=hunter2"],
        "RestartCount": 3,
        "State": {
            "Status": "running",
            "StartedAt": "2026-11-21T11:00:01.5Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            **state,
        },
        "Config": {
            "Image": "shop:1",
            "Env": ["DATABASE_URL=postgres://app:hunter2@db/shop", "PATH=/bin"],
            "Labels": {"com.docker.compose.project": "shop", "traefik.auth": "admin:hunter2"},
        },
        "HostConfig": {
            "Memory": 64 * 2**20,
            "NanoCpus": 500_000_000,
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
        },
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None},
            "Networks": {"front": {"IPAddress": "10.0.0.5"}},
        },
        "Mounts": [{"Type": "bind", "Source": "/srv", "Destination": "/data", "RW": False}],
    }


def text(found: tuple[Section, ...]) -> str:
    lines = []
    for section in found:
        lines += [section.title, *(f"{name}: {value}" for name, value in section.pairs)]
        lines += section.lines
    return "\n".join(lines)


def test_everything_about_a_container_is_told():
    said = text(sections(inspected()))
    for line in (
        "state: running",
        "restarts: 3",
        "restart policy: on-failure, 5 times at most",
        "memory: 64 MiB",
        "CPUs: 0.5",
        "0.0.0.0:8080->80/tcp",
        "front: 10.0.0.5",
        "/srv → /data (read-only)",
        "com.docker.compose.project: shop",
    ):
        assert line in said


def test_no_secret_is_shown_and_the_environment_is_names_only():
    said = text(sections(inspected()))
    assert "hunter2" not in said
    assert "DATABASE_URL" in said
    assert "postgres://" not in said


@pytest.mark.parametrize(
    "command",
    [
        "redis-server --requirepass hunter2",
        "app --api-key=hunter2 --verbose",
        "PASSWORD=hunter2 app",
        "psql postgres://app:hunter2@db/shop",
        'app --config {"password":"hunter2"}',
    ],
)
def test_secrets_in_commands_are_masked(command: str):
    assert "hunter2" not in masked(command)


def test_the_last_five_health_checks_newest_first():
    log = [
        {
            "Start": f"2026-11-21T11:00:0{n}Z",
            "End": f"2026-11-21T11:00:0{n}.25Z",
            "ExitCode": n,
            "Output": f"check {n}",
        }
        for n in range(7)
    ]
    (checks,) = [s for s in sections(inspected(Health={"Log": log})) if s.title == "health checks"]
    assert checks.lines[0] == "11:00:06 UTC  exit 6  0.25 s  check 6"
    assert [line.rpartition(" ")[2] for line in checks.lines] == ["6", "5", "4", "3", "2"]


def test_no_field_brings_anything_to_the_terminal_that_it_obeys():
    bad = inspected(Error=HOSTILE, Health={"Status": HOSTILE, "Log": [{"Output": HOSTILE}]})
    bad |= {"Path": HOSTILE, "Name": f"/{HOSTILE}", "Mounts": [{"Name": HOSTILE}]}
    bad["Config"] = {"Image": HOSTILE, "Env": [f"{HOSTILE}=1"], "Labels": {HOSTILE: HOSTILE}}
    bad["NetworkSettings"] = {
        "Networks": {HOSTILE: {"IPAddress": HOSTILE}},
        "Ports": {HOSTILE: [{"HostIp": HOSTILE, "HostPort": HOSTILE}]},
    }
    for section in sections(bad):
        for line in (section.title, *section.lines, *(part for p in section.pairs for part in p)):
            assert line == harmless(line)
    one = container(bad)
    for value in (one.name, one.image, one.error, one.health, one.health_output, *one.ports):
        assert value == harmless(value)


def test_ten_megabytes_of_label_and_output_are_cut():
    flood = "x" * 10_000_000
    bad = inspected(Health={"Status": "unhealthy", "Log": [{"Output": flood}]})
    bad["Config"]["Labels"] = {"note": flood}
    assert len(text(sections(bad))) < 10_000
    assert len(container(bad).health_output) <= 200


def test_an_inspect_with_nothing_in_it_is_no_crash():
    assert container({}).state == ""
    assert sections({"State": None, "Config": {"Env": None, "Labels": None}, "Mounts": None})

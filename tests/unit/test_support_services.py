"""A run never hides which real servers it did without."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.services import STATES, Server, merged, running
from warroom.drill.stack.program import Missing


class Running:
    stopped = False

    async def stop(self) -> None:
        self.stopped = True


def config() -> Any:
    stash = pytest.Stash()
    stash[STATES] = {}
    return SimpleNamespace(stash=stash)


async def missing() -> Server:
    raise Missing("nginx is not on PATH: apt install nginx")


def test_a_server_that_cannot_be_had_skips_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("REQUIRE_SERVICES", raising=False)
    run = config()
    reason = "apt install nginx"
    with pytest.raises(pytest.skip.Exception, match=reason), running("nginx", run, missing):
        pass
    assert merged([run.stash[STATES]]) == (
        "services: docker=unused postgres=unused redis=unused "
        "nginx=SKIPPED (nginx is not on PATH: apt install nginx) ssh=unused "
        "systemd=unused"
    )


def test_a_skip_is_a_failure_when_all_services_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUIRE_SERVICES", "all")
    reason = "REQUIRE_SERVICES=all, but nginx"
    with pytest.raises(pytest.fail.Exception, match=reason), running("nginx", config(), missing):
        pass


def test_a_server_ends_with_its_tests_even_when_they_fail() -> None:
    server, run = Running(), config()

    async def start() -> Running:
        return server

    with pytest.raises(ZeroDivisionError), running("redis", run, start):
        _ = 1 / 0
    assert server.stopped
    assert run.stash[STATES] == {"redis": "ok"}


def test_a_skip_in_one_test_process_outweighs_success_in_another() -> None:
    line = merged([{"redis": "ok", "ssh": "ok"}, {"redis": "SKIPPED (why)"}])
    assert "redis=SKIPPED (why)" in line
    assert "ssh=ok" in line

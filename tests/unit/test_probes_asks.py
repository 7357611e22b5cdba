"""What a probe says that its looks ask, for evidence to say it: whom, for what, and no secret."""

from __future__ import annotations

from typing import Any

import pytest

from warroom.config.values import Secret
from warroom.domain.clock import SystemClock
from warroom.engine.evidence import ASKS, asked
from warroom.engine.monitor import Monitor
from warroom.hosts.local import LocalHost
from warroom.probes.base import ProbeContext, spec


class Named(LocalHost):
    """This machine under another name: nothing is asked of it here."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._called = name

    @property
    def name(self) -> str:
        return self._called


def monitor(kind: str, on: str = "", **options: Any) -> Monitor:
    """One that looks at a source of that kind and name, on the host called `on`."""
    made = spec(kind)
    probe = made.create(made.options(**options), ProbeContext(kind, Named(on), SystemClock(), 5.0))
    found = Monitor(SystemClock())
    found.add(probe, every=5.0, timeout=5.0)
    return found


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("http", {"url": "https://shop.example/health"}, "GET https://shop.example/health"),
        ("http", {"url": "http://a/b", "method": "HEAD"}, "HEAD http://a/b"),
        ("tls", {"host": "shop.example"}, "a TLS handshake with shop.example:443"),
        (
            "tls",
            {"host": "::1", "port": 8443, "server_name": "shop.example"},
            "a TLS handshake with [::1]:8443, as shop.example",
        ),
        (
            "dns",
            {"host": "shop.example"},
            "the addresses of shop.example, by this machine's resolver (getaddrinfo)",
        ),
        (
            "machine",
            {"disks": ("/", "/var")},
            "CPU, load, memory, swap, disks / /var, network and processes (psutil, /proc)",
        ),
    ],
)
def test_evidence_names_what_a_look_asks(kind: str, options: dict[str, Any], said: str) -> None:
    assert asked(kind, monitor(kind, **options).asks(kind)) == f"{kind} probe: {said}"


def test_on_another_host_it_is_that_one_which_is_asked() -> None:
    assert monitor("dns", on="web1", host="shop.example").asks("dns") == (
        "the addresses of shop.example, by the resolver of web1 (getent ahosts)"
    )
    assert "df -P /var; ps" in monitor("machine", on="web1", disks=("/var",)).asks("machine")


def test_nothing_secret_of_a_request_is_said() -> None:
    url = "https://shop.example/health?token=hunter2&deep=1"
    headers = {"Authorization": Secret("env:SHOP_TOKEN"), "X-Tenant": Secret("acme")}
    said = monitor("http", url=url, headers=headers).asks("http")
    assert said == "GET https://shop.example/health?…"


def test_a_kind_speaks_for_those_of_its_probes_that_say_nothing() -> None:
    assert asked("redis") == asked("redis", "", "") == "redis probe: INFO, SLOWLOG GET"
    assert asked("no such kind") == "no such kind probe"


def test_a_pane_of_many_endpoints_names_the_first_of_them() -> None:
    said = asked("http", *(f"GET http://{number}" for number in range(ASKS + 7)))
    assert said.endswith(f"GET http://{ASKS - 1}; and 7 more")

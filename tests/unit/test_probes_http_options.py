"""What a config may ask of the HTTP, TLS and DNS probes, and how it is told what it may not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from warroom.config.problems import Problem
from warroom.config.shape import shape
from warroom.probes.base import spec
from warroom.probes.dns import DnsOptions
from warroom.probes.http import HttpOptions
from warroom.probes.tls import TlsOptions

URL = "https://shop.example/health"


def problems_of(cls: type, table: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    shape(cls, table, ("probe", 0), problems)
    return problems


def test_a_full_table_is_shaped() -> None:
    table = {
        "url": URL,
        "headers": {"Authorization": "env:SHOP_TOKEN", "X-Tenant": "acme"},
        "expect_status": [200, 204],
        "expect": {"status": "UP"},
        "fields": {"queue": "queue.depth"},
        "slow": "250ms",
        "method": "HEAD",
    }
    problems: list[Problem] = []
    options = shape(HttpOptions, table, (), problems)
    assert problems == []
    assert options is not None
    assert (options.slow, options.expect_status) == (0.25, (200, 204))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/",
        "shop.example/health",
        "https://",
        "http://shop.example:0/",
        "http://shop.example:99999/",
        "http://[::1/",
        "http://shop.example/a b",
        "http://shop.example/\x1b[2J",
        "http://shop.example/\r\nX-Admin: 1",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_web_address_is_refused_at_its_key(url: str) -> None:
    (problem,) = problems_of(HttpOptions, {"url": url})
    assert problem.path == ("probe", 0, "url")


@pytest.mark.parametrize("user", ["user@", "user:pw@", "@", ":pw@"])
def test_a_user_in_the_address_is_refused_without_repeating_it(user: str) -> None:
    (problem,) = problems_of(HttpOptions, {"url": f"https://{user}shop.example/"})
    assert "does not belong in an address" in problem.message
    assert "pw" not in problem.message


@pytest.mark.parametrize(
    ("table", "key", "says"),
    [
        ({"headers": {"Authorization": "Bearer abc"}}, "headers", "holds a secret"),
        ({"headers": {"X-Api-Key": "abc"}}, "headers", "holds a secret"),
        ({"headers": {"Bad Name": "x"}}, "headers", "not the name of a header"),
        ({"expect_status": [99]}, "expect_status", "100 to 599"),
        ({"fields": {"latency_s": "a"}}, "fields", "is a metric of every endpoint"),
        ({"window": 0}, "window", "1 to 10000"),
        ({"method": "DELETE"}, "method", "not allowed"),
    ],
)
def test_a_mistake_is_named_at_its_key(table: dict[str, Any], key: str, says: str) -> None:
    (problem,) = problems_of(HttpOptions, {"url": URL, **table})
    assert problem.path == ("probe", 0, key)
    assert says in problem.message
    assert "abc" not in problem.message


def test_tls_and_dns_refuse_what_is_no_host() -> None:
    for host in ("", "https://shop.example", "a b", "a\x1b[2J"):
        assert problems_of(TlsOptions, {"host": host}), host
        assert problems_of(DnsOptions, {"host": host}), host
    assert problems_of(DnsOptions, {"host": "-h"})
    assert problems_of(DnsOptions, {"host": "shop.example", "expect": ["shop"]})
    assert problems_of(TlsOptions, {"host": "shop.example", "port": 0})
    assert problems_of(TlsOptions, {"host": "shop.example"}) == []


def test_options_do_not_take_the_keys_that_every_probe_has() -> None:
    common = {"kind", "name", "on", "every", "timeout"}
    for kind in ("http", "tls", "dns"):
        fields = spec(kind).options.__dataclass_fields__
        assert not common & fields.keys()


def test_reading_the_config_loads_no_client_library() -> None:
    code = (
        "import sys; import warroom.probes.http, warroom.probes.tls, warroom.probes.dns; "
        f"warroom.probes.http.HttpOptions(url={URL!r}); "
        "print(sorted({'httpx', 'httpcore', 'h11', 'cryptography', 'ssl'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['ssl']")

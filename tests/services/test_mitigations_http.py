"""Requests as mitigations against recording endpoints: made once, judged truly, secrets kept."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.services.commands import Made, made, shaped
from tests.services.http_recorder import Break, Endpoint
from tests.support.hostile import everything, reached
from warroom.drill.stack.program import free_port
from warroom.hosts.base import Host
from warroom.hosts.ssh import SshHost
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Verifiable,
)

TOKEN: Final = "hunter2-hunter2"
CUTS: Final = int(os.environ.get("WARROOM_CUTS", "20"))
"""How often a connection is cut at each phase."""


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", TOKEN)


def request(
    endpoint: Endpoint, path: str = "/maintenance", host: Host | None = None, **o: Any
) -> Made:
    return made("http.request", {"url": f"{endpoint.url}{path}", **o}, host)


def maintenance(endpoint: Endpoint, **more: Any) -> Made:
    table = {
        "method": "PUT",
        "bearer": "env:API_TOKEN",
        "json": {"enabled": True},
        "undo": {"json": {"enabled": False}},
        "expires": "30m",
        **more,
    }
    return request(endpoint, **table)


async def test_the_card_is_the_exact_request_with_its_secrets_masked(endpoint: Endpoint) -> None:
    one = maintenance(endpoint, headers={"X-Team": "shop", "X-Api-Key": "env:API_TOKEN"})
    card = await one.card()
    assert card.command == (
        f"PUT {endpoint.url}/maintenance",
        "X-Team: shop",
        "X-Api-Key: …",
        "Authorization: …",
        "Content-Type: application/json",
        '{"enabled":true}',
        "once, within 15s; any 2xx means it worked",
    )
    assert card.undo == (
        f'PUT {endpoint.url}/maintenance {{"enabled":false}}; it is to be taken back after 30m00s'
    )
    assert endpoint.came == [], "a preview only reads"
    done = await one.perform(card)
    (came,) = endpoint.came
    assert (came.line, came.json) == ("PUT /maintenance HTTP/1.1", {"enabled": True})
    assert came.headers["authorization"] == f"Bearer {TOKEN}"
    assert came.headers["x-api-key"] == TOKEN
    assert (done.text, done.expires_s) == ("HTTP 200: ok", 1800)
    assert TOKEN not in repr((card, done, list(one.output.lines), vars(one.mitigation)))


async def test_the_inverse_can_be_armed_from_the_record_alone(endpoint: Endpoint) -> None:
    done = await maintenance(endpoint).done()
    assert done.undo is not None
    assert TOKEN not in repr(done.undo)
    await made(done.undo.kind, done.undo.options).done()
    assert [came.json["enabled"] for came in endpoint.came] == [True, False]
    assert endpoint.came[1].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_secret_that_comes_back_is_not_shown(endpoint: Endpoint) -> None:
    endpoint.answer = (403, f"Bearer {TOKEN} may not")
    one = maintenance(endpoint)
    with pytest.raises(MitigationFailed, match="HTTP 403: Bearer … may not") as failed:
        await one.done()
    assert TOKEN not in repr((str(failed.value), list(one.output.lines)))


async def test_a_secret_that_is_missing_refuses_before_anything_is_sent(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = maintenance(endpoint)
    card = await one.card()
    monkeypatch.delenv("API_TOKEN")
    with pytest.raises(MitigationRefused, match="env:API_TOKEN is not set"):
        await one.perform(card)
    assert endpoint.came == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None), (204, None), (299, None),
        (302, MitigationFailed), (400, MitigationFailed), (404, MitigationFailed),
        (409, MitigationFailed), (429, MitigationFailed), (503, MitigationFailed),
        (500, MitigationUncertain), (502, MitigationUncertain), (504, MitigationUncertain),
    ],
)  # fmt: skip
async def test_a_status_is_judged_and_nothing_is_sent_again(
    endpoint: Endpoint, status: int, error: type[Exception] | None
) -> None:
    endpoint.answer = (status, "" if status == 204 else "said")
    one = maintenance(endpoint)
    if error is None:
        assert (await one.done()).evidence["status"] == status
    else:
        with pytest.raises(error, match=f"HTTP {status}"):
            await one.done()
    assert len(endpoint.came) == 1


async def test_expected_statuses_are_the_only_ones_that_mean_it_worked(endpoint: Endpoint) -> None:
    endpoint.answer = (409, "is on already")
    assert (await maintenance(endpoint, statuses=[200, 409]).done()).evidence["status"] == 409
    endpoint.answer = (201, "")
    with pytest.raises(MitigationFailed, match="HTTP 201"):
        await maintenance(endpoint, statuses=[200, 409]).done()


async def test_a_redirect_is_not_followed_with_whatever_was_sent(endpoint: Endpoint) -> None:
    async with Endpoint() as elsewhere:
        endpoint.answer = (307, "")
        endpoint.headers = f"Location: {elsewhere.url}/x?token=1\r\n"
        with pytest.raises(MitigationFailed, match=r"HTTP 307 to .*/x, which is not followed"):
            await maintenance(endpoint).done()
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("breaks", "error", "requests"),
    [
        ("begun", MitigationUncertain, 0),
        ("asked", MitigationUncertain, 1),
        ("half status", MitigationUncertain, 1),
        ("silent", MitigationUncertain, 1),
        ("half body", None, 1),
    ],
)
async def test_a_cut_at_any_phase_tells_no_lie_and_asks_once(
    endpoint: Endpoint, breaks: Break, error: type[Exception] | None, requests: int
) -> None:
    endpoint.breaks = breaks
    endpoint.answer = (200, "x" * 1000)
    rounds = 3 if breaks == "silent" else CUTS
    limit = 1.0 if breaks == "silent" else 15
    for _ in range(rounds):
        if error is None:
            assert (await maintenance(endpoint, timeout=limit).done()).evidence["status"] == 200
        else:
            with pytest.raises(error, match=r"after the request was sent; it may have happened"):
                await maintenance(endpoint, timeout=limit).done()
    assert (len(endpoint.came), endpoint.connections) == (rounds * requests, rounds)


async def test_a_cut_before_the_request_never_counts_as_done(endpoint: Endpoint) -> None:
    endpoint.breaks = "accepted"
    for _ in range(CUTS):
        with pytest.raises((MitigationUncertain, MitigationFailed)):
            await maintenance(endpoint).done()
    assert endpoint.came == []


async def test_where_nothing_listens_nothing_was_sent(endpoint: Endpoint) -> None:
    one = made("http.request", {"url": f"http://127.0.0.1:{free_port()}/x"})
    with pytest.raises(MitigationFailed, match="nothing was sent: connection refused"):
        await one.done()
    lost = made("http.request", {"url": "http://no-such-host.invalid/x"})
    with pytest.raises(MitigationFailed, match="nothing was sent: "):
        await lost.done()


@pytest.mark.service("ssh")
async def test_through_a_host_it_is_the_same(endpoint: Endpoint, host: SshHost) -> None:
    one = request(endpoint, host=host, json={"on": True})
    card = await one.card()
    assert card.host == "web1" and card.target.id.endswith(" from web1")
    await one.perform(card)
    assert endpoint.came[0].headers["host"] == f"127.0.0.1:{endpoint.port}"
    away = made("http.request", {"url": f"http://127.0.0.1:{free_port()}/"}, host)
    with pytest.raises(MitigationFailed, match="nothing was sent: "):
        await away.done()


async def test_a_certificate_that_is_not_trusted_ends_it_before_anything_is_sent(
    certificate: tuple[Path, Path],
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    async with Endpoint(tls=context) as endpoint:
        with pytest.raises(MitigationFailed, match="nothing was sent: its certificate is not tru"):
            await maintenance(endpoint).done()
        assert endpoint.came == []
        done = await maintenance(endpoint, ca=str(certificate[0])).done()
        assert done.text == "HTTP 200: ok" and len(endpoint.came) == 1
        with pytest.raises(MitigationFailed, match=r"ca: /nowhere/ca\.pem cannot be used"):
            await maintenance(endpoint, ca="/nowhere/ca.pem").done()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody trusts, and its key."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made_one = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made_one.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, private


async def test_what_verifies_it_is_asked_before_after_and_when_nobody_knows(
    endpoint: Endpoint,
) -> None:
    verify = {"url": f"{endpoint.url}/status", "text": '"enabled":true'}
    one = maintenance(endpoint, verify=verify)
    endpoint.answers["GET"] = (200, '{"enabled":false}')
    card = await one.card()
    assert card.hits == (("now", 'HTTP 200, ""enabled":true" is not in it'),)
    endpoint.answers["GET"] = (200, '{"enabled":true}')
    done = await one.perform(card)
    assert done.text.endswith('afterwards HTTP 200, ""enabled":true" is in it')
    assert isinstance(one.mitigation, Verifiable)
    endpoint.answers["GET"] = (503, "")
    assert (await one.mitigation.verify(card)).startswith("HTTP 503, not 200")
    assert {came.headers["authorization"] for came in endpoint.came} == {f"Bearer {TOKEN}"}
    assert len(endpoint.changes) == 1


async def test_a_token_does_not_go_to_another_place_that_verifies(endpoint: Endpoint) -> None:
    async with Endpoint() as elsewhere:
        one = maintenance(endpoint, verify={"url": f"{elsewhere.url}/status"})
        await one.card()
        assert "authorization" not in elsewhere.came[0].headers


ODD: Final = [
    "a/b", "a?b=c&d", "a#b", "a%2Fb", "../../admin", "a b", "日本", "\"}{", "{flag}", "-x", "a;b",
    "http://evil.example/", "@evil.example", "\\", "'", "$(id)", "😀",
]  # fmt: skip


async def test_whatever_a_value_holds_it_stays_one_part_of_the_request(endpoint: Endpoint) -> None:
    from urllib.parse import unquote

    for value in ODD:
        one = request(
            endpoint, "/flags/{flag}?by={flag}", inputs=[{"name": "flag"}], json={"flag": "{flag}"}
        )
        await one.done(flag=value)
        came = endpoint.came[-1]
        path, _, query = came.line.split(" ")[1].partition("?")
        assert unquote(path) == f"/flags/{value}" and path.count("/") == 2
        assert unquote(query) == f"by={value}" and "&" not in query
        assert came.json == {"flag": value}
    for value in (".", "..", "a\r\nX: y", "a\nb", "\0", ""):
        with pytest.raises(MitigationRefused, match=r"^flag: "):
            await request(endpoint, "/{flag}", inputs=[{"name": "flag"}]).card(flag=value)


async def test_a_number_is_sent_as_a_number(endpoint: Endpoint) -> None:
    inputs = [{"name": "percent", "type": "int", "pattern": "[0-9]{1,3}"}]
    body = {"rollout": "{percent}", "note": "{percent} %"}
    await request(endpoint, inputs=inputs, json=body).done(percent="25")
    assert endpoint.came[0].json == {"rollout": 25, "note": "25 %"}


async def test_an_answer_is_bounded_and_harmless(endpoint: Endpoint) -> None:
    endpoint.answer = (200, everything() + "x" * 10_000_000)
    one = maintenance(endpoint)
    done = await one.done()
    assert reached("\n".join([done.text, *one.output.lines]).encode()) == []
    assert len(done.text) < 300 and sum(map(len, one.output.lines)) < 70_000


async def test_an_address_kept_elsewhere_is_not_shown_and_a_token_in_one_is_masked(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", f"{endpoint.url}/T0/{TOKEN}")
    card = await made("http.request", {"url": "env:HOOK"}).card()
    assert card.command[0] == f"POST {endpoint.url}/…"
    assert TOKEN not in repr(card)
    card = await request(endpoint, "/x?api_key=abc&on=1").card()
    assert card.command[0] == f"POST {endpoint.url}/x?api_key=…&on=1"


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"url": "ftp://h/x"}, "url: not an address such as"),
        ({"url": "https://u:p@h/x"}, "a password does not belong in a config"),
        ({"url": "https://{host}/x", "inputs": [{"name": "host"}]}, "the host cannot be an input"),
        ({"url": "https://h/{x}"}, "url: {x} is not an input"),
        ({"url": "https://h/a b"}, "plain ASCII without spaces"),
        ({"url": "https://h", "bearer": "abc"}, "bearer: a token does not belong in a config"),
        ({"url": "https://h", "headers": {"X-Token": "abc"}}, "X-Token holds a secret"),
        ({"url": "https://h", "headers": {"A b": "c"}}, "is not the name of a header"),
        ({"url": "https://h", "headers": {"Host": "c"}}, "is not the name of a header"),
        ({"url": "https://h", "json": {"password": "x"}}, "password looks like a secret"),
        ({"url": "https://h", "json": {}, "body": "x"}, "body: there is json already"),
        ({"url": "https://h", "method": "BREW"}, "method: "),
        ({"url": "https://h", "statuses": [20]}, "statuses: from 100 to 599"),
        ({"url": "https://h", "expires": "5m"}, "expires: what takes it back then?"),
        ({"url": "https://h", "timeout": "1h"}, "timeout: from above 0 to 120"),
    ],
)
def test_a_config_that_would_be_dangerous_or_wrong_is_refused_in_words(
    table: dict[str, Any], line: str
) -> None:
    _, problems = shaped("http.request", table)
    assert any(line in problem for problem in problems), problems

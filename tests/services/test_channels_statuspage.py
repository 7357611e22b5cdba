"""The status page: one incident of ours on it, from the first update to the last."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.channels import Seen, channel, message
from tests.support.services import HttpService, Loop
from warroom.channels.base import Delivery, Stage
from warroom.domain.incident import Status
from warroom.drill.stack.web import Request, Response, Web, as_json

KEY = "k3y-of-the-page"


class Page:
    """As much of Statuspage's API as one page needs; `silent` creates and never answers."""

    def __init__(self) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.silent = False
        self.calls: list[tuple[str, str]] = []

    async def answer(self, request: Request) -> Response:
        self.calls.append((request.method, request.path))
        if request.headers.get("authorization") != f"OAuth {KEY}":
            return as_json({"error": "Could not authenticate"}, 401)
        if request.method == "GET" and request.path == "/v1/pages/shop1/incidents/unresolved":
            return as_json([i for i in self.incidents.values() if i["status"] != "resolved"])
        said = json.loads(request.body)["incident"]
        if request.method == "POST" and request.path == "/v1/pages/shop1/incidents":
            name = f"inc{len(self.incidents)}"
            self.incidents[name] = {"id": name, "bodies": [said["body"]], **said}
            if self.silent:
                await asyncio.sleep(3600)
            return as_json(self.incidents[name], 201)
        match = re.fullmatch(r"/v1/pages/shop1/incidents/(\w+)", request.path)
        if request.method == "PATCH" and match and match[1] in self.incidents:
            incident = self.incidents[match[1]]
            incident.update(said)
            incident["bodies"].append(said["body"])
            return as_json(incident)
        return as_json({"error": "not found"}, 404)


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def service(
    service_loop: Loop, page: Page, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HttpService]:
    monkeypatch.setenv("PAGE_KEY", KEY)
    made = HttpService(service_loop, Web(handler=page.answer))
    yield made
    made.stop()


def statuspage(service: HttpService, **more: Any) -> Any:
    options = {"page": "shop1", "key": "env:PAGE_KEY", "url": f"{service.url}/v1"}
    return channel("statuspage", options | more, attempt=1.0)


async def test_one_incident_is_opened_updated_and_resolved(
    service: HttpService, page: Page
) -> None:
    one = statuspage(service, components=["comp1"])
    first = await one.send(message(), Seen())
    assert (first.state, first.thread) == (Delivery.SENT, "inc0")
    later = message(
        stage=Stage.UPDATE, status=Status.MONITORING, text="A fix is in.", thread=first.thread
    )
    assert (await one.send(later, Seen())).thread == "inc0"
    last = message(stage=Stage.RESOLVED, status=Status.RESOLVED, text="Over.", thread="inc0")
    assert (await one.send(last, Seen())).state is Delivery.SENT
    (incident,) = page.incidents.values()
    assert incident["name"] == "Checkout answers 502"
    assert incident["status"] == "resolved"
    assert incident["impact_override"] == "major"
    assert incident["component_ids"] == ["comp1"]
    assert incident["bodies"] == [message().text, "A fix is in.", "Over."]


@pytest.mark.parametrize(
    ("status", "word"),
    [("investigating", "investigating"), ("identified", "identified"),
     ("mitigating", "identified"), ("monitoring", "monitoring"), ("resolved", "monitoring")],
)  # fmt: skip
async def test_every_status_has_the_pages_word(
    service: HttpService, page: Page, status: str, word: str
) -> None:
    await statuspage(service).send(message(status=Status(status), stage=Stage.UPDATE), Seen())
    assert page.incidents["inc0"]["status"] == word


@pytest.mark.parametrize(
    ("severity", "rank", "impact"),
    [("P0", 0, "critical"), ("P1", 1, "minor"), ("P2", 2, "minor"), ("P3", 3, "none")],
)
async def test_the_impact_follows_from_the_severity_unless_the_team_says_otherwise(
    service: HttpService, page: Page, severity: str, rank: int, impact: str
) -> None:
    one = statuspage(service, impact={"p1": "minor"})
    assert ("impact", impact) in one.preview(message(severity=severity, rank=rank))
    await one.send(message(severity=severity, rank=rank), Seen())
    assert page.incidents["inc0"]["impact_override"] == impact


async def test_another_console_that_knows_no_thread_goes_on_with_the_same_incident(
    service: HttpService, page: Page
) -> None:
    await statuspage(service).send(message(), Seen())
    receipt = await statuspage(service).send(message(text="More.", thread=""), Seen())
    assert receipt.thread == "inc0"
    assert list(page.incidents) == ["inc0"]
    other = message(origin="another-incident-of-that-day")
    assert (await statuspage(service).send(other, Seen())).thread == "inc1"


async def test_after_an_unknown_opening_no_second_incident_is_opened(
    service: HttpService, page: Page
) -> None:
    page.silent = True
    assert (await statuspage(service).send(message(), Seen())).state is Delivery.UNKNOWN
    page.silent = False
    receipt = await statuspage(service).send(message(text="Again."), Seen())
    assert (receipt.state, receipt.thread) == (Delivery.SENT, "inc0")
    assert list(page.incidents) == ["inc0"]


async def test_when_the_page_cannot_say_what_is_open_nothing_is_sent(
    service: HttpService, page: Page
) -> None:
    service.respond("/v1/pages/shop1/incidents/unresolved", 500, "oops")
    receipt = await statuspage(service).send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert receipt.text.startswith("not sent: ")
    assert "may have arrived" not in receipt.text
    service.respond("/v1/pages/shop1/incidents/unresolved", 200, '{"no": "list"}')
    assert (await statuspage(service).send(message(), Seen())).state is Delivery.FAILED
    assert not page.incidents


@pytest.mark.parametrize(
    "body",
    ["[1, null, []]", '[{"id": "../../x", "metadata": {"warroom": {"origin": "ORIGIN"}}}]',
     '[{"id": 3, "metadata": 4}]', '[{"metadata": {"warroom": "x"}}]'],
)  # fmt: skip
async def test_a_hostile_list_names_no_incident_of_ours(
    service: HttpService, page: Page, body: str
) -> None:
    hostile = body.replace("ORIGIN", message().origin)
    service.respond("/v1/pages/shop1/incidents/unresolved", 200, hostile)
    receipt = await statuspage(service).send(message(thread="../../../evil"), Seen())
    assert receipt.thread == "inc0"
    assert page.calls == [("POST", "/v1/pages/shop1/incidents")]


async def test_a_wrong_key_is_said_without_showing_it(
    service: HttpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_KEY", "wr0ng")
    one = statuspage(service)
    receipt = await one.send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "HTTP 401" in receipt.text
    assert "wr0ng" not in receipt.text + repr(one.__dict__)
    assert await one.where() == f"page shop1 at 127.0.0.1:{service.port}"

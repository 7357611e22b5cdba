"""Packaged definitions: whole, in words, and whatever the config says itself wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from tests.services.commands import shaped
from warroom.config.load import parse
from warroom.config.packaged import Definition, definitions, definitions_folder
from warroom.config.problems import ConfigError
from warroom.engine.members import MitigationMember, settled

FILE: Final = Path("warroom.toml")
GIVEN: Final[dict[str, dict[str, Any]]] = {
    "http.maintenance-on": {"url": "https://shop.example/maintenance"},
    "http.maintenance-off": {"url": "https://shop.example/maintenance"},
    "http.feature-on": {"url": "https://flags.example/{flag}"},
    "http.feature-off": {"url": "https://flags.example/{flag}"},
    "deploy.script": {"argv": ["./deploy.sh", "{version}"], "directory": "/srv/shop"},
    "rollback.script": {"argv": ["./rollback.sh"], "directory": "/srv/shop"},
}
"""What those need that cannot be known before."""


def members(source: str) -> tuple[MitigationMember, ...]:
    return settled(parse(source, FILE))[2]


def complaints(source: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        members(source)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("definition", definitions().values(), ids=lambda one: one.name)
def test_every_definition_is_right_and_says_what_it_needs(definition: Definition) -> None:
    common = ("kind", "title", "key", "on", "probe")
    table = {key: value for key, value in definition.table.items() if key not in common}
    _, problems = shaped(definition.kind, {**table, **GIVEN.get(definition.name, {})})
    assert problems == []
    assert definition.needs and definition.title != definition.name
    if definition.name in GIVEN:
        _, missing = shaped(definition.kind, table)
        assert missing, "what is needed is missed when it is not given"


def test_the_definitions_that_are_promised_are_there() -> None:
    assert {*definitions()} >= {
        "kubernetes.rollout-restart", "kubernetes.rollout-undo", "kubernetes.scale",
        "certbot.renew", "wordpress.cache-flush", "git.revert", "deploy.script", "rollback.script",
        "http.maintenance-on", "http.maintenance-off", "http.feature-on", "http.feature-off",
    }  # fmt: skip
    files = sorted(definitions_folder().glob("*.toml"))
    names = [n for f in files for n in f.read_text().splitlines() if n.startswith("name = ")]
    assert len(names) == len(definitions()), "no two of one name"


def test_an_entry_begins_as_the_definition_and_its_own_keys_win() -> None:
    (one,) = members(
        """[hosts.k]
ssh = "k"
[[mitigation]]
use = "kubernetes.scale"
key = "k"
title = "Scale the shop"
on = "k"
env = []
set = { app = "shop", namespace = "prod" }
expires = "2h"
timeout = "2m"
risk = "destroy"
"""
    )
    assert (one.entry.kind, one.entry.use) == ("command.run", "kubernetes.scale")
    assert (one.entry.title, one.entry.key, one.entry.on) == ("Scale the shop", "k", "k")
    assert one.options.argv[:3] == ("kubectl", "--namespace={namespace}", "scale")
    assert (one.options.env, one.options.expires, one.options.timeout) == ((), 7200, 120)
    assert [asked.name for asked in one.spec.inputs] == ["replicas"]
    assert (one.spec.timeout, one.spec.risk.value) == (130, "destroy")


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            'use = "kubernetes.scael"',
            '2:7: mitigation[0].use: no packaged mitigation is called "kubernetes.scael"; '
            'did you mean "kubernetes.scale"?',
        ),
        ("use = 3", "2:7: mitigation[0].use: no packaged mitigation is called 3"),
        (
            'use = "kubernetes.scale"\nkind = "http.request"',
            '3:1: mitigation[0].kind: kubernetes.scale is of kind "command.run" already; leave it',
        ),
        (
            'use = "kubernetes.scale"\nset = { ap = "x" }',
            '3:7: mitigation[0].set: "ap" is not an input; did you mean "app"?',
        ),
        ('use = "kubernetes.scale"\nexits = [900]', "3:9: mitigation[0].exits: exit codes"),
        ('use = "kubernetes.scale"\nexit = [0]', "3:1: mitigation[0].exit: unknown key; did you"),
        ('use = "deploy.script"', '1:3: mitigation[0]: "argv" is missing'),
        ('use = "http.maintenance-on"', '1:3: mitigation[0]: "url" is missing'),
        (
            'kind = "command.run"\nargv = ["true"]\nundo = "Bakc"',
            '4:8: mitigation[0].undo: no mitigation is called "Bakc"',
        ),
    ],
)
def test_mistakes_are_told_with_their_place(entry: str, line: str) -> None:
    found = complaints(f"[[mitigation]]\n{entry}\n")
    assert any(one.startswith(f"warroom.toml:{line}") for one in found), found


def test_an_undo_may_name_another_mitigation_by_title_or_by_its_packaged_name() -> None:
    one, other, third = members(
        """[[mitigation]]
kind = "command.run"
title = "Drain"
argv = ["drain", "{node}"]
inputs = [{ name = "node" }]
undo = "Fill"
[[mitigation]]
kind = "command.run"
title = "Fill"
argv = ["fill", "{node}"]
inputs = [{ name = "node" }]
undo = "Drain"
[[mitigation]]
use = "http.maintenance-on"
url = "https://shop.example/m"
undo = "http.maintenance-off"
"""
    )
    assert one.options.undo.options["argv"] == ["fill", "{node}"]
    assert other.options.undo.title == "Drain"
    assert (third.options.undo.kind, third.options.undo.title) == (
        "http.request", "Maintenance mode off",
    )  # fmt: skip


def test_a_probe_that_shows_the_effect_lends_nothing_to_another_kind() -> None:
    (one,) = members(
        """[hosts.web1]
ssh = "web1"
[[probe]]
kind = "http"
name = "api"
on = "web1"
url = "https://api.example/health"
headers = { Authorization = "env:TOKEN" }
[[mitigation]]
kind = "http.request"
probe = "api"
url = "https://flags.example/x"
"""
    )
    assert one.options.headers == {}
    assert (one.entry.probe, one.entry.on) == ("api", "")

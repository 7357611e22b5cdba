"""Actions: the config's and each pane's own, with what their probe lends them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import written
from warroom.config.problems import ConfigError
from warroom.domain.clock import SystemClock
from warroom.engine.actions import PANE_ACTIONS, Surroundings, actions_for
from warroom.engine.executor import Action
from warroom.engine.members import load_settings
from warroom.engine.talkers import TALKERS
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import Output, spec, unfenced

REDIS = '[[probe]]\nkind = "redis"\nname = "{name}"\nurl = "redis://{name}.example:6379/3"'
DOCKER = '[[probe]]\nkind = "docker"\nsocket = "/run/own.sock"'
FLUSH = '[[mitigation]]\nkey = "f"\nkind = "redis.flushdb"\n{more}'


def actions(folder: Path, *parts: str) -> tuple[Action, ...]:
    settings, probes, mitigations = load_settings(written(folder, *parts))
    host = LocalHost()
    hosts = dict.fromkeys(("", *settings.hosts), host)
    return actions_for(mitigations, Surroundings(probes, hosts, SystemClock(), settings=settings))


def test_a_pane_offers_what_fits_its_system(tmp_path: Path) -> None:
    found = actions(tmp_path, DOCKER, REDIS.format(name="cache"), '[[probe]]\nkind = "machine"')
    assert [(a.source, a.key, a.spec.kind) for a in found] == [
        ("docker", "r", "docker.restart"),
        ("docker", "S", "docker.stop"),
        ("docker", "s", "docker.start"),
        ("docker", "R", "docker.recreate"),
        ("docker", "W", "docker.scale"),
        ("docker", "Y", "docker.logs"),
        ("docker", "X", "docker.disconnect"),
        ("docker", "F", "docker.prune"),
        ("docker", "E", "docker.bulk"),
        ("cache", "F", "redis.flushdb"),
        ("cache", "E", "redis.flushall"),
        ("cache", "X", "redis.delete_pattern"),
        ("cache", "K", "redis.client_kill"),
        ("cache", "V", "redis.memory_purge"),
    ]
    assert all(a.id == f"pane:{a.source}:{a.spec.kind}" for a in found)


def test_every_kind_a_pane_offers_exists_and_acts_on_that_system() -> None:
    for system, offered in PANE_ACTIONS.items():
        for key, kind in offered:
            assert len(key) == 1
            assert spec(kind).acts_on == system


def test_the_configs_come_first_with_their_own_title_or_the_kinds(tmp_path: Path) -> None:
    found = actions(
        tmp_path,
        REDIS.format(name="cache"),
        FLUSH.format(more='title = "Empty the cart cache"'),
        '[[mitigation]]\nkind = "redis.flushdb"',
    )
    assert [(a.id, a.key, a.title) for a in found[:2]] == [
        ("config:0", "f", "Empty the cart cache"),
        ("config:1", "", spec("redis.flushdb").title),
    ]
    assert found[2].id == "pane:cache:redis.flushdb"


@pytest.mark.parametrize(
    ("more", "source"), [("", ""), ('probe = "cache"', "cache"), ('probe = "queue"', "queue")]
)
def test_a_mitigation_belongs_to_the_probe_it_names(tmp_path: Path, more: str, source: str) -> None:
    own = "" if more else 'url = "redis://elsewhere.example"'
    both = (REDIS.format(name="cache"), REDIS.format(name="queue"))
    found = actions(tmp_path, *both, FLUSH.format(more=f"{more}\n{own}"))
    assert found[0].source == source


def test_the_only_probe_of_its_kind_needs_no_name_and_two_must_be_told_apart(
    tmp_path: Path,
) -> None:
    first, *_ = actions(tmp_path, REDIS.format(name="cache"), FLUSH.format(more=""))
    assert first.source == "cache"
    with pytest.raises(ConfigError, match="which redis probe does it act on"):
        actions(
            tmp_path,
            REDIS.format(name="cache"),
            REDIS.format(name="queue"),
            FLUSH.format(more=""),
        )


def test_options_are_lent_by_the_probe_and_own_ones_win(tmp_path: Path) -> None:
    _, probes, (lent, own) = load_settings(
        written(
            tmp_path,
            REDIS.format(name="cache"),
            FLUSH.format(more=""),
            '[[mitigation]]\nkind = "redis.flushdb"\nurl = "redis://other.example"\ndb = 9',
        )
    )
    assert (lent.options.url, lent.options.db) == (probes[0].options.url, None)
    assert (own.options.url != probes[0].options.url, own.options.db) == (True, 9)


def test_every_arming_gets_a_mitigation_of_its_own(tmp_path: Path) -> None:
    (first, *_) = actions(tmp_path, DOCKER)
    made = [first.create(Output(), unfenced) for _ in range(2)]
    assert made[0] is not made[1]


def test_a_block_takes_the_row_of_top_talkers_and_is_measured_there(tmp_path: Path) -> None:
    block = '[[mitigation]]\nkey = "b"\nkind = "nginx.block"\ninclude = "/etc/nginx/conf.d/w.conf"'
    log = '[[log]]\nname = "edge"\npath = "/var/log/nginx/access.log"'
    [of_row] = actions(tmp_path, log, block)
    assert (of_row.takes_row, of_row.spec.acts_on, of_row.source) == (True, "talkers", TALKERS)
    [of_name] = actions(tmp_path, log, f'{block}\naddress = "203.0.113.7"')
    assert (of_name.takes_row, of_name.target) == (False, "203.0.113.7")

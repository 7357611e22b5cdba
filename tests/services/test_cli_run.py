"""`warroom run`: the console's executor and gate, without the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import Shell, output_of, written
from tests.support.services import DockerEngine
from tests.support.terminal import console
from warroom.drill.stack.redis import Redis

NAME: Final = "run-box"
ENDS_AT_ONCE: Final = ("sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done")


@pytest.fixture
def box(docker_engine: DockerEngine) -> Iterator[DockerEngine]:
    """An engine with one container."""
    docker_engine.run(NAME, *ENDS_AT_ONCE)
    yield docker_engine
    docker_engine.docker("rm", "--force", NAME)


@pytest.fixture
def shell(tmp_path: Path, box: DockerEngine) -> Shell:
    """A mitigation on the container, and an open incident."""
    config = written(
        tmp_path,
        f'[[probe]]\nkind = "docker"\nsocket = "{box.socket}"\n',
        f'[[mitigation]]\nkind = "docker.restart"\nkey = "b"\ntitle = "Restart the box"\n'
        f'container = "{NAME}"\n',
    )
    shell = Shell(tmp_path, config)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    return shell


def started(box: DockerEngine) -> str:
    return box.docker("inspect", "--format", "{{.State.StartedAt}}", NAME)


def kinds(shell: Shell) -> list[str]:
    return [event["kind"] for event in shell("incident", "show", "--json").json["events"]]


@pytest.mark.service("docker")
def test_a_dry_run_shows_the_card_and_does_nothing(shell: Shell, box: DockerEngine) -> None:
    before = started(box)
    answer = shell("run", "Restart the box", "--dry-run")
    assert answer.err == ""
    identity = box.docker("inspect", "--format", "{{.Id}}", NAME)
    for part in ("Restart", "[change]", NAME, identity[:12], "this machine", "undo"):
        assert part in answer.out, answer.out
    assert started(box) == before
    assert kinds(shell) == ["opened"]


@pytest.mark.service("docker")
def test_with_yes_it_runs_and_writes_down_what_came_of_it(shell: Shell, box: DockerEngine) -> None:
    before = started(box)
    answer = shell("run", "b", "--yes")
    assert answer.out == ""
    assert "done: " in answer.err
    assert started(box) > before
    assert kinds(shell)[:3] == ["opened", "mitigation requested", "mitigation outcome"]
    assert NAME in shell("export").out


@pytest.mark.service("docker")
def test_nothing_runs_unconfirmed(shell: Shell, box: DockerEngine) -> None:
    before = started(box)
    answer = shell("run", "b", status=2)
    assert (answer.out, answer.err.splitlines()[-1]) == ("", "not confirmed: add --yes")
    assert shell.config is not None
    with console(shell.folder, shell.config, "run", "b") as terminal:
        terminal.sees("run it? [y/N]")
        terminal.keys("n\r")
        assert terminal.ends() == 1
        assert "not run" in terminal.text
    assert started(box) == before
    assert kinds(shell) == ["opened"]


@pytest.mark.service("docker")
def test_it_asks_on_a_terminal(shell: Shell, box: DockerEngine) -> None:
    before = started(box)
    assert shell.config is not None
    with console(shell.folder, shell.config, "run", "b") as terminal:
        terminal.sees("Restart", NAME, "run it? [y/N]")
        terminal.keys("y\r")
        assert terminal.ends() == 0
        assert "done: " in terminal.text
    assert started(box) > before


@pytest.mark.service("docker")
def test_an_observer_changes_nothing(shell: Shell, box: DockerEngine) -> None:
    before = started(box)
    argv = ("--observe", "run", "b", "--yes")
    answer = shell(*argv, status=1)
    assert "refused: observer mode" in answer.err
    assert started(box) == before


@pytest.mark.service("docker")
def test_without_an_incident_nothing_runs(shell: Shell, box: DockerEngine) -> None:
    shell("incident", "close")
    before = started(box)
    assert "refused: open an incident first" in shell("run", "b", "--yes", status=1).err
    assert started(box) == before


@pytest.mark.service("docker")
def test_a_name_that_is_none_and_a_target_that_is_gone(shell: Shell, box: DockerEngine) -> None:
    wrong = shell("run", "Restart the bix", "--yes", status=2)
    assert wrong.err == (
        'no mitigation is called "Restart the bix"; did you mean "Restart the box"?\n'
    )
    box.docker("rm", "--force", NAME)
    gone = shell("run", "b", "--yes", status=1)
    assert (gone.out, gone.err.count("\n")) == ("", 1)
    assert gone.err.startswith("refused: ") and NAME in gone.err
    box.run(NAME, *ENDS_AT_ONCE)


@pytest.mark.service("docker")
def test_without_a_record_there_is_no_action(shell: Shell, box: DockerEngine) -> None:
    journal = shell.folder / "journal.db"
    journal.write_bytes(b"no journal at all" * 100)
    before = started(box)
    answer = shell("run", "b", "--yes", status=1)
    assert (answer.out, answer.err.count("\n")) == ("", 1)
    assert "Traceback" not in answer.err
    assert started(box) == before


@pytest.mark.service("redis")
def test_what_destroys_wants_its_word(tmp_path: Path, redis_server: Redis) -> None:
    cli = ["redis-cli", "-p", str(redis_server.port), "-n", "5"]
    output_of([*cli, "MSET", "a", "1", "b", "2"])
    url = redis_server.url.replace("/0", "/5")
    config = written(
        tmp_path,
        f'[[probe]]\nkind = "redis"\nurl = "{url}"\n',
        '[[mitigation]]\nkind = "redis.flushdb"\nkey = "f"\ntitle = "Flush the cache"\n',
    )
    shell = Shell(tmp_path, config)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    card = shell("run", "f", "--dry-run").out
    assert "[destroy]" in card and "2" in card
    refused = shell("run", "f", "--yes", status=2).err
    assert "this destroys: confirm with --type" in refused
    word = refused.rpartition('--type "')[2].partition('"')[0]
    assert "not confirmed" in shell("run", "f", "--yes", "--type", "db9", status=1).err
    assert output_of([*cli, "DBSIZE"]) == "2"
    assert "done: " in shell("run", "f", "--yes", "--type", word).err
    assert output_of([*cli, "DBSIZE"]) == "0"

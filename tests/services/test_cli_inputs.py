"""`warroom run` with inputs: given, asked for, refused; and what there is to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.commands import Recorder, recorder
from tests.support.cli import Shell, written
from tests.support.terminal import console


@pytest.fixture
def program(tmp_path: Path) -> Recorder:
    return recorder(tmp_path)


@pytest.fixture
def shell(tmp_path: Path, program: Recorder) -> Shell:
    """A command with two inputs, and an open incident."""
    config = written(
        tmp_path,
        '[[mitigation]]\nkind = "command.run"\nkey = "g"\ntitle = "Greet"\n'
        f'argv = ["{program.path}", "{{who}}", "{{how}}"]\n'
        'inputs = [{ name = "who", title = "whom" }, { name = "how", default = "warmly" }]',
        '[[mitigation]]\nuse = "kubernetes.scale"\nset = { app = "api" }',
    )
    shell = Shell(tmp_path, config)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    return shell


def test_values_are_set_and_defaults_stand_in(shell: Shell, program: Recorder) -> None:
    card = shell("run", "g", "--set", "who=a b; $(id)", "--dry-run").out
    assert f"{program.path} 'a b; $(id)' warmly" in card
    assert program.calls == []
    assert "done: exit code 0" in shell("run", "g", "--set", "who=a=b", "--yes").err
    shell("run", "Greet", "--set", "who=x", "--set", "how=coldly", "--yes")
    assert program.calls == [["a=b", "warmly"], ["x", "coldly"]]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], 'who: wants a value; --set who="..."'),
        (["--set", "wh=x"], '--set wh: not an input; did you mean "who"?'),
        (["--set", "who"], '--set who: write it as --set NAME="value"'),
        (["--set", "who=a\x1bb"], "who: one printable line of at most 1,000 characters"),
    ],
)
def test_what_is_missing_or_wrong_is_one_plain_line(
    shell: Shell, program: Recorder, given: list[str], line: str
) -> None:
    answer = shell("run", "g", "--yes", *given, status=2)
    assert answer.err.startswith(line) and answer.err.count("\n") == 1
    answer = shell("run", "g", "--yes", "--set", "who=-x", status=1)
    assert answer.err == "refused: who: -x looks like an option, and would be taken for one\n"
    assert program.calls == []


def test_on_a_terminal_it_asks_for_what_has_no_default(shell: Shell, program: Recorder) -> None:
    assert shell.config is not None
    with console(shell.folder, shell.config, "run", "g") as terminal:
        terminal.sees("whom:")
        terminal.keys("Ada\r")
        terminal.sees("run it? [y/N]")
        terminal.keys("y\r")
        assert terminal.ends() == 0
    assert program.calls == [["Ada", "warmly"]]


def test_an_observer_runs_nothing_whatever_is_given(shell: Shell, program: Recorder) -> None:
    answer = shell("--observe", "run", "g", "--set", "who=x", "--yes", status=1)
    assert "refused: observer mode" in answer.err
    assert program.calls == []


def test_everything_that_can_be_run_is_listed_with_what_it_needs(shell: Shell) -> None:
    out = shell("run", "--list").out
    own, _, packaged = out.partition("packaged, for")
    for part in ("g  Greet  [change]  command.run", "--set who=... whom", "default warmly"):
        assert part in own, own
    assert "Scale a deployment  [change]  kubernetes.scale" in own
    assert "--set app" not in own, "the config says it already"
    for part in ("certbot.renew  Renew the certificates", "needs wp (WP-CLI)", "--set replicas="):
        assert part in packaged, packaged
    assert "which one? `warroom run --list` names them" in shell("run", status=2).err
    unknown = shell("run", "git.revert", "--yes", status=2).err
    assert unknown == (
        'git.revert is not in the config: add [[mitigation]] with use = "git.revert"\n'
    )

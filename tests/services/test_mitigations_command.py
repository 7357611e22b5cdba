"""Commands as mitigations, here and over SSH: one word stays one word, and no process is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from tests.services.commands import Recorder, command, made, recorder, shaped, shell
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    Risk,
    Verifiable,
)

WHAT: Final = [{"name": "what"}]
ODD: Final = {
    "shell": "$(touch pwned); `id` && rm -rf / | cat > x < y & #",
    "quotes": """a'b"c\\d""",
    "spaces": "  two  words  ",
    "glob": "*?[a-z]{a,b}~",
    "template": "{what}{app}{{x}}",
    "percent": "%s%n%00",
    "unicode": "naïve 日本語 ✓ e\u0301",
    "digits": "１２٣",
    "markup": "[/x][@click=app.bell]y[/]",
    "path": "../../etc/passwd",
    "equals": "a=b",
    "bang": "!! !$ ^x^y",
}
"""Values that are taken, whole."""
NEVER: Final = {
    "newline": "a\nb",
    "return": "a\rb",
    "nul": "a\0b",
    "escape": "a\x1b[31mb",
    "c1": "a\x9bb",
    "bidi": "a\u202eb",
    "zero-width": "a\u200bb",
    "surrogate": "a\udcffb",
    "line-separator": "a\u2028b",
    "long": "x" * 1001,
    "empty": "",
}
"""Values that are refused."""


@pytest.fixture
def program(tmp_path: Path) -> Recorder:
    return recorder(tmp_path)


async def test_whatever_a_value_holds_it_stays_one_word(place: Host, program: Recorder) -> None:
    for value in ODD.values():
        one = command([str(program.path), "x", "{what}", "--at={what}", "y"], place, inputs=WHAT)
        await one.done(what=value)
    assert program.calls == [["x", value, f"--at={value}", "y"] for value in ODD.values()]
    assert not (program.path.parent / "pwned").exists()


@pytest.mark.parametrize("name", NEVER)
async def test_what_is_no_printable_line_is_refused_and_said_harmlessly(
    name: str, program: Recorder
) -> None:
    with pytest.raises(MitigationRefused) as refused:
        await command([str(program.path), "{what}"], inputs=WHAT).done(what=NEVER[name])
    assert str(refused.value).startswith("what: ")
    assert str(refused.value).isprintable()
    assert program.calls == []


@pytest.mark.parametrize("value", ["-rf", "--all", "-"])
async def test_a_value_that_looks_like_an_option_is_refused_unless_it_cannot_be_one(
    value: str, program: Recorder
) -> None:
    path = str(program.path)
    with pytest.raises(MitigationRefused, match="looks like an option"):
        await command([path, "{what}", "--", "x"], inputs=WHAT).done(what=value)
    await command([path, "--", "{what}"], inputs=WHAT).done(what=value)
    await command([path, "--app={what}"], inputs=WHAT).done(what=value)
    await command([path, "{what}"], inputs=[{"name": "what", "dash": True}]).done(what=value)
    assert program.calls == [["--", value], [f"--app={value}"], [value]]


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        ({"type": "int"}, ["0", "42", "900"], ["4.2", "1e3", "٤", "0x1", "007", "+1", " 1", "a"]),
        ({"type": "choice", "choices": ["blue", "green"]}, ["blue"], ["Blue", "red", "blue,green"]),
        ({"type": "duration"}, ["90s", "1.5m"], ["90", "soon", "5 m", "٥s"]),
        ({"pattern": "[a-z]+"}, ["api"], ["api2", "api\n", "api;x", "A"]),
    ],
)
async def test_every_type_of_input_takes_its_own_and_nothing_else(
    program: Recorder, declared: dict[str, Any], good: list[str], bad: list[str]
) -> None:
    inputs = [{"name": "what", **declared}]
    for value in good:
        await command([str(program.path), "{what}"], inputs=inputs).done(what=value)
    for value in bad:
        with pytest.raises(MitigationRefused, match=r"^what: "):
            await command([str(program.path), "{what}"], inputs=inputs).card(what=value)
    assert program.calls == [[value] for value in good]


async def test_defaults_stand_in_and_the_configs_own_values_cannot_be_changed(
    program: Recorder,
) -> None:
    inputs = [{"name": "app"}, {"name": "zone", "default": "eu"}]
    argv = [str(program.path), "{app}", "{zone}"]
    one = command(argv, inputs=inputs, set={"app": "api"})
    assert [asked.name for asked in one.spec.inputs] == ["zone"]
    await one.done()
    with pytest.raises(MitigationRefused, match="app is fixed by the config: api"):
        await one.card(app="web")
    with pytest.raises(MitigationRefused, match='"ap" is not an input'):
        await one.card(ap="web")
    with pytest.raises(MitigationRefused, match="app: wants a value"):
        await command(argv, inputs=inputs).card()
    assert program.calls == [["api", "eu"]]


async def test_it_sees_only_the_variables_it_may(
    place: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/k")
    monkeypatch.setenv("OTHER_TOKEN", "hunter2-hunter2")
    one = command(["env"], place, env=["KUBECONFIG", "NOT_SET"])
    await one.done()
    names = {line.partition("=")[0] for line in one.output.lines}
    own = {"_", "PWD", "SHLVL", "OLDPWD", "LC_CTYPE"}  # a shell's, on its way
    assert names - own <= {"PATH", "HOME", "LANG", "KUBECONFIG"}
    if isinstance(place, LocalHost):
        assert "KUBECONFIG=/k" in one.output.lines
    assert "PATH" in names


async def test_a_secret_of_its_environment_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_TOKEN", "hunter2-hunter2")
    table = {"env": ["API_TOKEN"], "preview": ["sh", "-c", 'echo "was $API_TOKEN"']}
    one = shell('echo "bearer $API_TOKEN"; exit 1', **table)
    card = await one.card()
    with pytest.raises(MitigationFailed) as failed:
        await one.perform(card)
    everything = repr((card, list(one.output.lines), str(failed.value)))
    assert "hunter2" not in everything
    assert "bearer ***" in str(failed.value)
    assert ("preview", "was ***") in card.hits


async def test_it_runs_in_its_folder_and_nowhere_when_there_is_none(
    place: Host, tmp_path: Path
) -> None:
    folder = tmp_path / "a b; c"
    folder.mkdir()
    one = command(["pwd"], place, directory=str(folder))
    done = await one.done()
    assert done.text.endswith(str(folder))
    assert f"in {folder}" in (await one.card()).command
    gone = command(["pwd"], place, directory=str(tmp_path / "gone"))
    with pytest.raises(MitigationRefused, match=r"nothing was done: .*gone is not a folder"):
        await gone.done()


async def test_the_exit_code_decides_and_the_last_lines_say_why(place: Host) -> None:
    one = shell("echo one; echo two >&2; exit 3", place)
    with pytest.raises(MitigationFailed, match=r"^exit code 3 after .*one") as failed:
        await one.done()
    assert "two" in str(failed.value)
    done = await shell("exit 3", place, exits=[0, 3]).done()
    assert done.evidence["exit"] == 3
    killed = shell("kill -KILL $$", place)
    with pytest.raises(MitigationFailed, match="exit code 137"):
        await killed.done()


async def test_a_program_that_is_missing_was_not_run(place: Host) -> None:
    with pytest.raises(MitigationRefused, match=r"nothing was done: .*-program is not installed"):
        await command(["no-such-program"], place).done()


async def test_the_card_shows_the_exact_argv_what_it_reads_and_what_takes_it_back(
    tmp_path: Path,
) -> None:
    state = tmp_path / "replicas"
    state.write_text("3\n")
    one = made(
        "command.run",
        {
            "argv": ["cp", "--", "{to}", str(state)],
            "inputs": [{"name": "to", "title": "from file"}],
            "reads": [{"name": "was", "title": "replicas now", "argv": ["cat", str(state)]}],
            "preview": ["echo", "will change"],
            "dry_run": ["echo", "would copy {to}"],
            "diff": {"before": ["printf", "a\\nb\\n"], "after": ["printf", "a\\nc\\n"]},
            "undo": {"title": "Put it back", "argv": ["tee", "{was}"]},
            "expires": "30m",
            "target": "replicas of {to}",
            "risk": "destroy",
            "moves": {"http_5xx": "down"},
        },
        title="Set the replicas",
    )
    card = await one.card(to="a b")
    assert card.command[0] == f"cp -- 'a b' {state}"
    assert card.hits == (
        ("from file", "a b"),
        ("replicas now", "3"),
        ("preview", "will change"),
        ("difference", " a"),
        ("difference", "-b"),
        ("difference", "+c"),
        ("dry run", "echo 'would copy a b'"),
        ("dry run", "would copy a b"),
    )
    assert (card.title, card.word, card.target.id) == (
        "Set the replicas", "replicas of a b", "command replicas of a b",
    )  # fmt: skip
    assert card.undo == "tee 3; it is to be taken back after 30m00s"
    assert (one.spec.risk, one.spec.moves) == (Risk.DESTROY, (("http_5xx", "down"),))
    state.write_text("4\n")
    with pytest.raises(MitigationRefused, match="replicas now was 3 when it was shown and is 4"):
        await one.perform(card)


async def test_an_undo_can_be_armed_from_the_record_alone(tmp_path: Path) -> None:
    flag = tmp_path / "{what}; on"
    one = command(
        ["touch", "--", "{what}"],
        inputs=WHAT,
        undo={"argv": ["rm", "--", "{what}"]},
        expires="10m",
    )
    done = await one.done(what=str(flag))
    assert flag.exists() and done.expires_s == 600
    assert done.undo is not None
    await made(done.undo.kind, done.undo.options).done()
    assert not flag.exists()


async def test_a_dry_run_that_fails_stands_first_among_the_warnings() -> None:
    one = command(["true"], dry_run=["sh", "-c", "echo no quota >&2; exit 4"], warnings=["slow"])
    card = await one.card()
    assert card.warnings == ("the dry run failed with exit code 4", "slow")
    assert ("dry run", "no quota") in card.hits


async def test_a_fact_that_cannot_be_read_refuses(tmp_path: Path) -> None:
    reads = [{"name": "n", "title": "count", "argv": ["echo", "many"], "pattern": "[0-9]+"}]
    with pytest.raises(MitigationRefused, match='count cannot be read: "many" does not look like'):
        await command(["true"], reads=reads).card()
    reads = [{"name": "n", "argv": ["sh", "-c", "echo no route >&2; exit 1"]}]
    with pytest.raises(MitigationRefused, match="n cannot be read: exit code 1: no route"):
        await command(["true"], reads=reads).card()


async def test_whether_it_happened_can_be_asked_afterwards(tmp_path: Path) -> None:
    one = command(["true"], verify=["ls", "--", str(tmp_path)])
    assert isinstance(one.mitigation, Verifiable)
    (tmp_path / "deployed").touch()
    said = await one.mitigation.verify(await one.card())
    assert said.endswith("exit code 0: deployed")
    assert not isinstance(command(["true"]).mitigation, Verifiable)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"argv": []}, "argv: a program and its arguments"),
        ({"argv": ["{what}"], "inputs": WHAT}, "argv: the program itself cannot be an input"),
        ({"argv": ["x", "{wat}"], "inputs": WHAT}, 'argv: {wat} is not an input; did you mean "w'),
        ({"argv": ["sh", "-c", "echo {what}"], "inputs": WHAT}, "read as program text"),
        ({"argv": ["sudo", "bash", "-ec", "x {what}"], "inputs": WHAT}, "read as program text"),
        ({"argv": ["python3", "-c", "x('{what}')"], "inputs": WHAT}, "read as program text"),
        ({"argv": ["node", "--eval={what}"], "inputs": WHAT}, "read as program text"),
        ({"argv": ["psql", "-c", "select {what}"], "inputs": WHAT}, "read as program text"),
        ({"argv": ["ssh", "h", "x", "{what}"], "inputs": WHAT}, 'use on = "HOST"'),
        ({"argv": ["x"], "inputs": [{"name": "pw", "type": "secret"}]}, 'env = ["NAME"]'),
        ({"argv": ["x"], "inputs": [{"name": "a", "type": "txt"}]}, 'did you mean "text"'),
        ({"argv": ["x"], "inputs": [{"name": "a", "type": "choice"}]}, "choices: belong to"),
        ({"argv": ["x"], "inputs": [{"name": "a", "pattern": "("}]}, "not a regular expression"),
        ({"argv": ["x"], "inputs": [{"name": "a"}, {"name": "a"}]}, "a is declared twice"),
        ({"argv": ["x"], "inputs": WHAT, "set": {"wat": "1"}}, 'set: "wat" is not an input'),
        ({"argv": ["x"], "env": ["A=secret"]}, "env: names of variables only"),
        ({"argv": ["x"], "directory": "deploy"}, "directory: a whole path"),
        ({"argv": ["x"], "exits": [300]}, "exits: exit codes from 0 to 255"),
        ({"argv": ["x"], "timeout": "2h"}, "timeout: from above 0 to 3600"),
        ({"argv": ["x"], "expires": "5m"}, "expires: what takes it back then?"),
        ({"argv": ["x"], "undo": "Nowhere"}, 'undo: "Nowhere" is not the title'),
        ({"argv": ["x"], "risk": "none"}, "allowed: change, destroy, read"),
    ],
)
def test_a_config_that_would_be_dangerous_or_wrong_is_refused_in_words(
    table: dict[str, Any], line: str
) -> None:
    _, problems = shaped("command.run", table)
    assert any(line in problem for problem in problems), problems

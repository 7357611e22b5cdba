"""The other commands, and what holds for all of them: config, trust, streams."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import WARROOM, Shell, home, output_of, written
from tests.support.services import HttpService
from tests.support.terminal import Terminal

RUNBOOK = """
# Checkout is slow

## Severity Levels
- **P1**: shop down, 15 minutes

## Playbook: look first
```bash
docker ps
rm -rf /var/lib/backups/*
```
- [ ] Tell support
"""


@pytest.fixture
def access_log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    with path.open("w") as log:
        for number in range(4000):
            ip = f"203.0.113.{number * number % 97}"
            status = 500 if number % 7 == 0 else 200
            log.write(
                f'{ip} - - [01/Jan/2026:12:00:{number % 60:02d} +0000] "GET /cart/{number % 5}'
                f' HTTP/1.1" {status} {number} "-" "curl/8"\n'
            )
    return path


# top ------------------------------------------------------------------------------------------


def test_top_counts_as_awk_does(tmp_path: Path, access_log: Path) -> None:
    told = output_of(["awk", "{n[$1]++} END {for (k in n) print n[k], k}", access_log])
    counted = {key: int(count) for count, key in (line.split() for line in told.splitlines())}
    shell = Shell(tmp_path)
    answer = shell("top", str(access_log), "-n", "200", "--json").json
    assert (answer["version"], answer["lines"], answer["parsed"]) == (1, 4000, 4000)
    assert {one["key"]: one["count"] for one in answer["top"]} == counted
    first = answer["top"][0]
    errors = f'$1 == "{first["key"]}" && $9 >= 500 {{n++}} END {{print n + 0}}'
    size = f'$1 == "{first["key"]}" {{n += $10}} END {{print n}}'
    assert first["status"]["5xx"] == int(output_of(["awk", errors, access_log]))
    assert first["bytes"] == int(output_of(["awk", size, access_log]))
    text = shell("top", str(access_log), "-n", "3").out.splitlines()
    assert [line.split()[2] for line in text] == [one["key"] for one in answer["top"][:3]]


@pytest.mark.parametrize(("by", "field"), [("url", "$7"), ("status", "$9")])
def test_top_counts_by_other_fields(tmp_path: Path, access_log: Path, by: str, field: str) -> None:
    told = output_of(["awk", f"{{n[{field}]++}} END {{for (k in n) print k, n[k]}}", access_log])
    counted = dict(line.split() for line in told.splitlines())
    answer = Shell(tmp_path)("top", str(access_log), "--by", by, "-n", "200", "--json").json
    assert {one["key"]: str(one["count"]) for one in answer["top"]} == counted


def test_top_reads_stdin_and_the_last_lines(tmp_path: Path, access_log: Path) -> None:
    shell = Shell(tmp_path)
    whole = shell("top", str(access_log), "--json").json
    assert shell("top", "-", "--json", stdin=access_log.read_bytes()).json["top"] == whole["top"]
    last = Counter(line.split()[0] for line in access_log.read_text().splitlines()[-100:])
    few = shell("top", str(access_log), "--last", "100", "-n", "200", "--json").json
    assert {one["key"]: one["count"] for one in few["top"]} == last


def test_top_says_what_it_took_a_file_for_and_can_be_told_better(
    tmp_path: Path, access_log: Path
) -> None:
    shell = Shell(tmp_path)
    assert shell("top", str(access_log), "-n", "1").err == f"{access_log}: combined\n"
    told = shell("top", str(access_log), "--json").json["files"]
    assert [(one["file"], one["format"]) for one in told] == [(str(access_log), "combined")]
    own = '$remote_addr - $remote_user [$time_local] "$request" $status $rest'
    mine = shell("top", str(access_log), "--format", own, "--json").json
    assert mine["format"] == "log_format"
    assert mine["parsed"] == mine["lines"]
    listed = shell("top", "--format", "list").out
    assert {"combined", "aws-alb", "auth"} <= {line.split()[0] for line in listed.splitlines()}
    wrong = shell("top", str(access_log), "--format", "combind", status=2)
    assert wrong.err == '--format: no format is called "combind"; did you mean combined?\n'
    wrong = shell("top", str(access_log), "--trust", "10.0.0.0/99", status=2)
    assert wrong.err.startswith("--trust: '10.0.0.0/99' does not appear to be")


def test_top_says_what_it_cannot_read(tmp_path: Path) -> None:
    answer = Shell(tmp_path)("top", "nothing.log", status=1)
    assert (answer.out, answer.err) == ("", "nothing.log: No such file or directory\n")
    (tmp_path / "odd.log").write_bytes(b"\xff\xfe \x1b]0;x\x07 no access log\n" * 3)
    for args in (["--json"], [], ["--by", "path"], ["--by", "agent", "--json"]):
        odd = Shell(tmp_path)("top", "odd.log", *args)
        assert "\x1b" not in odd.out + odd.err


# streams --------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, access_log: Path) -> None:
    with access_log.open("a") as log:
        for number in range(20_000):
            log.write(f'10.0.{number // 250}.{number % 250} - - [x] "GET / HTTP/1.1" 200 1 "" ""\n')
    argv = [*WARROOM, "top", str(access_log), "-n", "30000"]
    with subprocess.Popen(
        argv, env=home(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == f"{access_log}: combined\n".encode()
        assert process.wait(60) == 141, "as SIGPIPE would: no status of a monitoring plugin"


def test_the_config_is_named_before_or_after_the_command(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    service = http_service()
    service.respond("/", 200, "ok")
    config = str(
        written(tmp_path, f'[[probe]]\nkind = "http"\nname = "api"\nurl = "{service.url}/"\n')
    )
    shell = Shell(tmp_path)
    for args in (["--config", config, "check"], ["check", "--config", config]):
        assert " api " in shell(*args).out
    wrong = str(tmp_path / "none.toml")
    after = shell("--config", wrong, "check", "--config", config)
    assert " api " in after.out, "the one nearer to the command holds"
    assert shell("--config", wrong, "incident", "list", status=2).err.startswith(wrong)
    assert " api " in shell("check", env={"WARROOM_CONFIG": config}).out


def test_a_wrong_word_names_the_nearest(tmp_path: Path) -> None:
    answer = Shell(tmp_path)("chek", status=2)
    assert answer.out == ""
    assert 'no command is called "chek"; did you mean "check"?' in answer.err


def test_without_a_config_check_says_how_to_get_one(tmp_path: Path) -> None:
    answer = Shell(tmp_path)("check", status=2)
    assert (answer.out, answer.err.count("\n")) == ("", 1)
    assert "warroom init" in answer.err


# trust ----------------------------------------------------------------------------------------


def test_a_config_that_lay_there_is_trusted_once(tmp_path: Path) -> None:
    config = written(tmp_path, '[[probe]]\nkind = "dns"\nhost = "localhost"\n')
    shell = Shell(tmp_path)
    refused = shell("check", status=2)
    assert refused.out == ""
    assert "not been trusted" in refused.err and f"--config {config}" in refused.err
    for answer, status in (("n", 2), ("y", 0)):
        with Terminal([*WARROOM, "check"], tmp_path) as terminal:
            terminal.sees("Trust exactly this content")
            terminal.keys(f"{answer}\r")
            assert terminal.ends() == status
    assert "localhost" in shell("check").out or "dns" in shell("check").out
    config.write_text(config.read_text() + "\n# changed\n")
    assert "not been trusted" in shell("check", status=2).err


def test_a_config_that_others_may_write_is_refused_with_the_remedy(tmp_path: Path) -> None:
    config = written(tmp_path, '[[probe]]\nkind = "dns"\nhost = "localhost"\n')
    config.chmod(0o664)
    shell = Shell(tmp_path, config)
    for command in (["check"], ["incident", "list"], ["run", "x"]):
        answer = shell(*command, status=2)
        assert answer.out == ""
        assert answer.err.rstrip().endswith(f"run: chmod go-w {config}")
    output_of(["sh", "-c", answer.err.rpartition("run: ")[2]])
    assert "dns" in shell("check").out


# doctor, config, completion, init, runbook ------------------------------------------------------


def test_doctor_says_what_works_and_what_does_not(tmp_path: Path) -> None:
    config = written(tmp_path, '[[probe]]\nkind = "dns"\nhost = "localhost"\n')
    shell = Shell(tmp_path, config)
    well = shell("doctor", env={"COLUMNS": "120", "LINES": "40"})
    assert well.err == ""
    assert all(line.startswith("ok ") for line in well.out.splitlines()), well.out
    assert f"{tmp_path}/journal.db" in well.out, "the journal that the config names"
    assert f"{config}: 1 probes" in well.out
    (tmp_path / "empty").mkdir()
    ill = Shell(tmp_path / "empty")(
        "doctor", status=1, env={"TERM": "dumb", "COLUMNS": "40", "LINES": "10"}
    )
    wrong = [line.split()[1] for line in ill.out.splitlines() if line.startswith("wrong")]
    assert wrong == ["terminal", "size", "config"]
    config.write_text("[probe")
    assert f"{config}:" in shell("doctor", status=1).out


def test_config_path_says_which_and_why(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    nowhere = shell("config", "path", status=1)
    assert nowhere.out == ""
    assert [line.partition(" (")[0] for line in nowhere.err.splitlines()] == [
        f"not there: {tmp_path}/warroom.toml",
        f"not there: {tmp_path}/.config/warroom/warroom.toml",
        "not there: /etc/warroom/warroom.toml",
    ]
    own = tmp_path / ".config" / "warroom"
    own.mkdir(parents=True)
    written(own)
    assert shell("config", "path").out == f"{own}/warroom.toml\n"
    here = written(tmp_path)
    found = shell("config", "path")
    assert (found.out, found.err) == (f"{here}\n", "found by the current folder\n")
    assert shell("config", "path", "--config", "x.toml").out == "x.toml\n"


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    script = Shell(tmp_path)("completion", "bash").out
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "warroom"
    command.write_text(f'#!/bin/sh\nexec {" ".join(WARROOM)} "$@"\n')
    command.chmod(0o755)
    ask = f"""{script}
        COMP_WORDS=(warroom inc) COMP_CWORD=1 COMP_LINE='warroom inc'
        _warroom_completion warroom; echo "${{COMPREPLY[@]}}"
        COMP_WORDS=(warroom check --j) COMP_CWORD=2 COMPREPLY=()
        _warroom_completion warroom; echo "${{COMPREPLY[@]}}"
    """
    environment = home(tmp_path) | {"PATH": f"{bin_folder}:/usr/bin:/bin"}
    told = output_of(["bash", "--norc", "-c", ask], env=environment)
    assert told.split() == ["incident", "--json"]
    for shell in ("zsh", "fish"):
        assert "warroom" in Shell(tmp_path)("completion", shell).out


def test_init_writes_a_config_that_check_takes(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    printed = shell("init", within=60)
    settings = tomllib.loads(printed.out)
    assert any(probe["kind"] == "machine" for probe in settings["probe"])
    assert printed.err, "what was found and what was not is a message"
    told = shell("init", "-o", "new.toml", within=60)
    assert told.out == ""
    file = tmp_path / "new.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "there already" in shell("init", "-o", "new.toml", status=2).err
    assert "machine" in shell("check", "machine", "--config", "new.toml", status=None).out
    assert "not written" in shell("init", "-o", "no/folder.toml", status=1, within=60).err


def test_a_runbook_is_shown_and_linted(tmp_path: Path) -> None:
    (tmp_path / "book.md").write_text(RUNBOOK)
    shell = Shell(tmp_path)
    told = shell("runbook", "show", "book.md", "--json").json
    assert (told["version"], told["title"]) == (1, "Checkout is slow")
    assert set(told) >= {"schemes", "playbooks", "checklists", "templates", "contacts", "lint"}
    steps = [step for playbook in told["playbooks"] for step in playbook["steps"]]
    assert {step["risk"] for step in steps} <= {"read", "change", "destroy"}
    assert "destroy" in {step["risk"] for step in steps}
    assert "Tell support" in json.dumps(told["checklists"])
    assert "Checkout is slow" in shell("runbook", "show", "book.md").out
    lint = shell("runbook", "lint", "book.md", status=1)
    assert all(line.startswith("book.md:") for line in lint.out.splitlines())
    assert "rm -rf" in lint.out or "backups" in lint.out
    (tmp_path / "calm.md").write_text("# Calm\n\nNothing to run.\n")
    assert shell("runbook", "lint", "calm.md").err == "1 remark\n", "no reason to fail"
    gone = shell("runbook", "lint", "gone.md", status=2)
    assert (gone.out, gone.err.count("\n")) == ("", 1)

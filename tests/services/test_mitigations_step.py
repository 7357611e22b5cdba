"""Steps of a runbook on real shells: here, on another machine, in a container, on a database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.services.far_host import cut_connections, ends, pid_in
from tests.services.postgres_clients import psql
from tests.support.hostile import CORPUS
from tests.support.services import DockerEngine
from tests.support.sshd import SshServer
from warroom.config.settings import HostSettings, ProbeEntry, Settings
from warroom.config.values import Line, Name, Secret
from warroom.domain.clock import SystemClock
from warroom.drill.stack.postgres import Postgres
from warroom.engine.members import ProbeMember
from warroom.engine.playbook import Entry, entries
from warroom.engine.settling import Settling
from warroom.engine.shelf import Book
from warroom.hosts.base import Host
from warroom.hosts.local import LocalHost
from warroom.hosts.ssh import SshHost
from warroom.mitigations._step import RunReads, RunStep
from warroom.mitigations.base import (
    Card,
    Done,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Output,
)
from warroom.probes.base import spec
from warroom.runbooks.parse import parse


@dataclass
class Stage:
    """A runbook with one playbook, and where its steps may run."""

    text: str
    hosts: dict[str, Host] = field(default_factory=dict)
    probes: tuple[ProbeMember, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    limit_s: float = 20.0
    stale: str = ""

    def __post_init__(self) -> None:
        runbook = parse(f"# Team\n## Playbook: it burns\n{self.text}\n")
        self.book = Book(Path("/x/team.md"), "team.md", runbook, "", self.text)
        self.playbook = runbook.playbooks[0]
        self.output = Output()

    def listed(self) -> list[Entry]:
        return [e for e in entries(self.book, self.playbook) if e.is_runnable]

    def settled(self, entry: Entry) -> Any:
        hosts = {"": LocalHost(), **self.hosts}
        known = {n: HostSettings(Line("deploy@203.0.113.7")) for n in self.hosts}
        settling = Settling(Settings(hosts=known), hosts, self.probes)
        return settling.step(self.book, self.playbook, entry, self.values, self.limit_s, "",
                             lambda: self.stale)  # fmt: skip

    def context(self) -> MitigationContext:
        return MitigationContext(LocalHost(), SystemClock(), self.output)

    def step(self, index: int = 0) -> RunStep:
        return RunStep(self.settled(self.listed()[index]), self.context())

    async def card(self, index: int = 0) -> Card:
        return await self.step(index).preview(None)

    async def done(self, index: int = 0) -> Done:
        step = self.step(index)
        return await step.perform(await step.preview(None))


def bash(*lines: str) -> str:
    return "\n".join(["```bash", *lines, "```"])


async def test_exactly_the_bytes_of_the_file_run_and_their_output_is_kept() -> None:
    stage = Stage(bash("# who", "printf 'a  b\\n' |", '  tr a x; echo "it\'s\tdone"'))
    card = await stage.card()
    assert card.command == ("printf 'a  b\\n' |", '  tr a x; echo "it\'s␉done"')
    done = await stage.done()
    (exhibit,) = done.exhibits
    assert exhibit.text == "x  b\nit's    done"
    assert exhibit.query.startswith("printf 'a  b\\n' |")
    assert exhibit.title.startswith("Playbook: it burns, team.md:5: exit code 0 after")
    assert (done.evidence["exit"], done.evidence["lines"]) == (0, 2)


async def test_the_card_says_where_it_stands_what_it_does_and_what_is_wrong_with_it() -> None:
    card = await Stage(bash("# make room", "rm -rf /srv/backups/*.sql")).card()
    told = dict(card.hits)
    assert told["step"] == "team.md:5, Playbook: it burns"
    assert told["does"] == "make room"
    assert told["risk"] == "destroy: rm takes away for good"
    assert told["by"] == "bash -c"
    assert card.word == "team.md:5"
    assert any("backup" in warning or "rm" in warning for warning in card.warnings)


async def test_one_that_fails_says_so_and_keeps_what_it_said() -> None:
    with pytest.raises(
        MitigationFailed, match=r"exit code 3 after .*: no such container"
    ) as caught:
        await Stage(bash("echo 'no such container' >&2; exit 3")).done()
    assert caught.value.kept is not None
    assert caught.value.kept.exhibits[0].text == "no such container"


async def test_it_has_no_terminal_and_nothing_to_read(tmp_path: Path) -> None:
    stage = Stage(bash('cat; tty; read x; echo got "$x"; sudo -k; [ -t 0 ] || echo none'))
    assert (await stage.done()).exhibits[0].text.endswith("none")


async def test_the_endless_is_done_when_it_is_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("begun\n")
    step = Stage(bash(f"echo $$ > {tmp_path}/pid; tail -f {log}")).step()
    running = asyncio.create_task(step.perform(await step.preview(None)))
    pid = await pid_in(tmp_path / "pid")
    running.cancel()
    done = await running
    assert done.text.startswith("stopped after")
    assert await ends(pid)


async def test_the_endless_is_over_at_its_time_limit() -> None:
    done = await Stage(bash("tail -f /dev/null"), limit_s=0.3).done()
    assert done.text.startswith("ended at its time limit")


async def test_a_look_that_does_not_end_failed_and_a_change_is_unknown() -> None:
    with pytest.raises(MitigationFailed, match="ended at its time limit"):
        await Stage(bash("sleep 60"), limit_s=0.3).done()
    with pytest.raises(MitigationUncertain, match="what it did before that stays"):
        await Stage(bash("mkdir -p /tmp && sleep 60"), limit_s=0.3).done()


async def test_values_are_words_and_secrets_travel_in_the_environment(tmp_path: Path) -> None:
    stage = Stage(
        bash("cat <file-name>; echo $API_TOKEN; cat /proc/$$/cmdline"),
        values={"<file-name>": f"{tmp_path}/it's $(here)", "$API_TOKEN": "hunter2hunter2"},
    )
    (tmp_path / "it's $(here)").write_text("found\n")
    card = await stage.card()
    done = await stage.done()
    text = done.exhibits[0].text
    assert text.startswith("found\n***\n")
    for told in (text, repr(card), repr(done), repr(stage.step()._step)):
        assert "hunter2" not in told
    assert dict(card.hits)["$API_TOKEN"] == "from what was filled in"


async def test_a_secret_in_the_file_is_on_the_card_but_not_in_the_record() -> None:
    card = await Stage(bash("echo mysql -u root -phunter2x")).card()
    assert card.command == ("echo mysql -u root -phunter2x",)
    assert card.record == ("echo mysql -u root -p***",)
    done = await Stage(bash("echo mysql -u root -phunter2x")).done()
    assert "hunter2x" not in repr(done)


async def test_what_is_not_filled_in_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_THING", raising=False)
    for line, why in (("cat <file>", "<file> is not filled in"),
                      ("echo $NO_SUCH_THING", "not filled in, and not set")):  # fmt: skip
        with pytest.raises(MitigationRefused, match=why):
            Stage(bash(line)).step()


async def test_a_file_that_changed_since_it_was_shown_does_not_run(tmp_path: Path) -> None:
    stage = Stage(bash(f"mkdir {tmp_path}/ran"))
    step = stage.step()
    card = await step.preview(None)
    stage.stale = "team.md changed on disk"
    with pytest.raises(MitigationRefused, match="changed on disk"):
        await step.perform(card)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("evil", ["\x1b[31m", "\u202e", "\x9b", "\x07", "\u200b"])
def test_what_cannot_be_shown_as_it_is_does_not_run(evil: str) -> None:
    stage = Stage(bash(f"echo a{evil}b"))
    every = entries(stage.book, stage.playbook)
    assert stage.listed() == []
    assert all(evil not in repr(entry.text) for entry in every)


async def test_hostile_output_is_harmless_and_a_flood_is_bounded(tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.write_text("\n".join(CORPUS), "utf-8", "surrogatepass")
    stage = Stage(bash(f"cat {evil}; head -c 10000000 /dev/zero; yes | head -200000"))
    text = (await stage.done()).exhibits[0].text
    assert all(letter.isprintable() for letter in text.replace("\n", ""))
    assert len(text) < 220_000
    assert text.startswith("… ")


async def test_every_read_runs_into_one_entry_past_what_fails() -> None:
    stage = Stage(bash("echo one", "false", "echo three"))
    steps = [stage.settled(entry) for entry in stage.listed()]
    reads = RunReads("it burns", steps, stage.context())
    card = await reads.preview(None)
    assert [line for line in card.command if not line.startswith("#")] == [
        "echo one", "false", "echo three",
    ]  # fmt: skip
    done = await reads.perform(card)
    assert done.text == "2 of 3 worked; not: team.md:5"
    assert [one["state"] for one in done.evidence["steps"]] == ["done", "failed", "done"]
    (exhibit,) = done.exhibits
    assert "── team.md:6: echo three\nthree" in exhibit.text


async def test_what_does_more_than_look_never_runs_with_the_reads(tmp_path: Path) -> None:
    stage = Stage(bash(f"mkdir {tmp_path}/ran"))
    reads = RunReads("x", [stage.settled(stage.listed()[0])], stage.context())
    with pytest.raises(MitigationRefused, match="does not only look"):
        await reads.preview(None)


@pytest.mark.service("ssh")
async def test_what_follows_ssh_runs_on_that_host_of_the_config(host: SshHost) -> None:
    lines = ("ssh root@203.0.113.7", "echo $SSH_CONNECTION; echo $API_TOKEN; cat /proc/$$/cmdline")
    stage = Stage(bash(*lines), {"web1": host}, values={"$API_TOKEN": "hunter2hunter2"})
    card = await stage.card()
    assert card.host == "web1"
    assert card.warnings[0] == "as deploy, where the runbook says root"
    text = (await stage.done()).exhibits[0].text
    assert text.startswith("127.0.0.1 ")
    assert "***" in text
    assert "hunter2" not in text


async def test_a_host_that_the_config_does_not_have_is_refused() -> None:
    with pytest.raises(MitigationRefused, match=r"203.0.113.9 is not in the config: add \[hosts"):
        Stage(bash("ssh root@203.0.113.9", "df -h")).step()


@pytest.mark.service("ssh")
async def test_a_connection_that_is_cut_leaves_a_change_unknown(
    host: SshHost, ssh_server: SshServer, tmp_path: Path
) -> None:
    lines = ("ssh 203.0.113.7", f"mkdir -p /tmp; echo $$ > {tmp_path}/pid; sleep 60")
    step = Stage(bash(*lines), {"web1": host}).step()
    running = asyncio.create_task(step.perform(await step.preview(None)))
    await pid_in(tmp_path / "pid")
    await cut_connections(ssh_server)
    with pytest.raises(MitigationUncertain, match="it may have happened"):
        await running


@pytest.mark.service("docker")
async def test_what_follows_docker_exec_runs_in_that_container(
    docker_engine: DockerEngine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_engine.socket}")
    docker_engine.run(name, "sleep", "900")
    lines = (f"docker exec -it {name} sh", "hostname; echo $API_TOKEN")
    stage = Stage(bash(*lines), values={"$API_TOKEN": "hunter2hunter2"})
    assert dict((await stage.card()).hits)["by"] == f"docker exec {name} sh -c"
    said = (await stage.done()).exhibits[0].text.splitlines()
    assert said[1] == "***"
    assert docker_engine.docker("ps", "-q", "--filter", f"name={name}").strip() in said[0]


@pytest.mark.service("docker")
async def test_what_wants_a_terminal_as_runbooks_have_it_gets_one_where_nobody_types(
    docker_engine: DockerEngine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_engine.socket}")
    docker_engine.run(name, "sleep", "900")
    stage = Stage(bash(f"docker exec -it {name} sh -c 'tty; echo \"it is\" done; exit 4'"))
    told = dict((await stage.card()).hits)
    assert told["on"] == "a terminal of its own, by script(1), where nobody types"
    with pytest.raises(MitigationFailed, match="exit code 4") as caught:
        await stage.done()
    assert caught.value.kept is not None
    said = caught.value.kept.exhibits[0].text.splitlines()
    assert "/dev/pts/" in said[0]
    assert "it is done" in said


async def test_one_with_a_terminal_is_ended_whole(tmp_path: Path) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 900\n")
    program.chmod(0o700)
    step = Stage(bash(f"{program} exec -it web true")).step()
    running = asyncio.create_task(step.perform(await step.preview(None)))
    pid = await pid_in(tmp_path / "pid")
    running.cancel()
    await asyncio.wait({running})
    assert await ends(pid)


def postgres(server: Postgres) -> ProbeMember:
    kind = spec("postgres")
    dsn = Secret(server.dsn())
    entry = ProbeEntry("postgres", Name("db"), "", None, None, {"dsn": dsn}, ("probe", 0))
    return ProbeMember(entry, kind, kind.options(dsn=dsn))


@pytest.mark.service("postgres")
async def test_a_query_is_asked_read_only_and_shown_as_a_table(
    postgres_server: Postgres,
) -> None:
    text = (
        "```sql\nSELECT 7 AS pid, 'id' || chr(27) || 'le' AS state;\n"
        "SELECT g FROM generate_series(1,999) g;\n```"
    )
    stage = Stage(text, probes=(postgres(postgres_server),))
    done = await stage.done()
    lines = done.exhibits[0].text.splitlines()
    assert lines[:3] == ["pid  state", "7    id␛le", "g"]
    assert done.text.startswith("1 row, then the first 200 rows")
    assert len(lines) == 3 + 200


@pytest.mark.service("postgres")
async def test_a_function_that_writes_is_stopped_by_the_server(
    postgres_server: Postgres,
) -> None:
    body = "CREATE TABLE step_left (a int)"
    psql(
        postgres_server,
        f"CREATE OR REPLACE FUNCTION tidy() RETURNS void LANGUAGE sql AS '{body}'",
    )
    stage = Stage("```sql\nSELECT tidy();\n```", probes=(postgres(postgres_server),))
    with pytest.raises(MitigationFailed, match="the server said no") as caught:
        await stage.done()
    assert caught.value.kept is not None
    assert "read-only" in caught.value.kept.exhibits[0].text


async def test_without_a_database_in_the_config_a_query_says_so() -> None:
    with pytest.raises(MitigationRefused, match="no PostgreSQL is in the config"):
        Stage("```sql\nSELECT 1;\n```").step()

"""How far a playbook is follows from the events alone, and outlives a file that grew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.chains import ONCALL, Chain
from warroom.domain.events import Draft, Kind, seal
from warroom.domain.requests import Requests
from warroom.domain.timeline import mitigation_runs, project
from warroom.engine.playbook import Entry, State, What, entries, filled, standings
from warroom.engine.shelf import Book
from warroom.runbooks.model import Risk
from warroom.runbooks.parse import parse

TEXT = """# Team
## Playbook: it burns
**Symptoms:** hot

**Investigation:**
1. Is it hot?
2. Look with `docker ps -a`

```bash
ssh root@203.0.113.7
df -h
rm -rf /srv/x
```

```sql
SELECT 1;
```

```sql
DELETE FROM carts WHERE id = 1;
```

```promql
up
```
"""


def listed(text: str = TEXT) -> tuple[Entry, ...]:
    runbook = parse(text)
    return entries(Book(Path("/x/team.md"), "team.md", runbook, "", text), runbook.playbooks[0])


def test_its_lines_stand_in_the_order_of_the_file() -> None:
    told = [(e.what.value, e.line, e.text.split("\n")[0]) for e in listed()]
    assert told == [
        ("phase", 3, "Symptoms"),
        ("says", 3, "hot"),
        ("phase", 5, "Investigation"),
        ("asks", 6, "Is it hot?"),
        ("task", 7, "docker ps -a"),
        ("opens", 10, "ssh root@203.0.113.7"),
        ("task", 11, "df -h"),
        ("task", 12, "rm -rf /srv/x"),
        ("task", 15, "SELECT 1;"),
        ("task", 19, "DELETE FROM carts WHERE id = 1;"),
        ("task", 23, "up"),
    ]


def test_what_is_not_run_here_says_why() -> None:
    why = {e.text.split(" ")[0]: e.why_not for e in listed() if e.what is What.TASK}
    assert why["df"] == why["SELECT"] == why["rm"] == ""
    assert why["DELETE"].startswith("warroom's own connection only reads (DELETE)")
    assert why["up"] == (
        "warroom asks PostgreSQL alone by itself: c copies it for Prometheus' or Grafana's page"
    )
    assert next(e.risk for e in listed() if e.text.startswith("rm")) is Risk.DESTROY


def at_psql(*typed: str, opener: str = "psql $DATABASE_URL") -> list[tuple[What, int, str, bool]]:
    fence = "\n".join(("```bash", "# connect", opener, *typed, "```"))
    found = listed(f"# T\n## Playbook: x\n{fence}\n")
    return [(e.what, e.line, e.text, e.is_runnable and e.is_query) for e in found]


def test_what_is_typed_at_psql_is_asked_on_warrooms_own_connection() -> None:
    for opener in ("psql $DATABASE_URL", "docker exec -it shop-db psql -U postgres"):
        opens, asks = at_psql("", "SELECT count(*)", "FROM carts;", "\\q", opener=opener)
        assert opens == (What.OPENS, 5, opener, False)
        assert asks == (What.TASK, 7, "SELECT count(*)\nFROM carts;", True)


def test_at_psql_nothing_is_asked_that_changes_or_that_only_psql_knows() -> None:
    (_, changes) = at_psql("DELETE FROM carts;")
    assert changes == (What.TASK, 6, "DELETE FROM carts;", False)
    ((what, _, _, runs),) = at_psql("SELECT 1;", "\\! rm -rf /")
    assert (what, runs) == (What.TEXT, False)
    ((what, _, _, runs),) = at_psql("SHOW PROCESSLIST;", opener="mysql -u root")
    assert (what, runs) == (What.TEXT, False)


def test_the_same_command_twice_are_two_tasks_and_a_line_above_moves_none() -> None:
    twice = "# T\n## Playbook: x\n```bash\ndf -h\ndf -h\n```\n"
    one, two = listed(twice)
    assert one.key != two.key
    grown = listed(twice.replace("```bash", "Some prose first.\n\n```bash"))
    assert [e.key for e in grown] == [one.key, two.key]
    assert [e.line for e in grown] == [6, 7]


def asked(chain: Chain, kind: str, context: Any, name: str, risk: str = "read") -> int:
    """A request of that kind of mitigation."""
    data = {
        "kind": kind, "title": "it burns, team.md:11", "host": "", "context": context, "risk": risk,
        "target": {"id": f"step {name}", "label": "team.md:11"},
    }  # fmt: skip
    seq = len(chain.events) + 1
    draft = Draft(Kind.REQUESTED, chain.begin, ONCALL, "df", data)
    previous = chain.events[-1].digest if chain.events else ""
    chain.events.append(seal(f"id-{seq}", chain.incident, seq, chain.begin, draft, previous))
    return seq


def requested(chain: Chain, key: str, **more: Any) -> int:
    step = {"key": key, "place": "team.md:11", "playbook": "it burns", **more}
    return asked(chain, "runbook.step", {"step": step}, key)


def test_the_newest_run_or_mark_decides() -> None:
    chain = Chain()
    seq = requested(chain, "k", filled={"<x>": "old"})
    known = standings(chain.events, Requests(chain.events))
    assert (known["k"].state, known["k"].tries) == (State.RUNNING, 1)
    chain.add(
        Kind.OUTCOME, "it burns, team.md:11: failed: exit code 1", request=seq, state="failed"
    )
    known = standings(chain.events, Requests(chain.events))
    assert (known["k"].state, known["k"].words) == (State.FAILED, "exit code 1")
    chain.add(Kind.STEP, "skipped", key="k", mark="skipped", why="not here")
    known = standings(chain.events, Requests(chain.events))
    assert (known["k"].state, known["k"].words) == (State.SKIPPED, "not here")
    seq = requested(chain, "k", filled={"<x>": "new"})
    chain.add(Kind.OUTCOME, "it burns, team.md:11: done: exit code 0", request=seq, state="done")
    known = standings(chain.events, Requests(chain.events))
    assert (known["k"].state, known["k"].tries, known["k"].seq) == (State.DONE, 2, seq)
    assert filled(chain.events) == {"<x>": "new"}
    chain.add(Kind.STEP, "open again", key="k", mark="open")
    assert standings(chain.events, Requests(chain.events))["k"].state is State.OPEN


def test_what_only_looked_is_no_mitigation() -> None:
    chain = Chain()
    chain.open()
    for risk in ("read", "change"):
        asked(chain, "runbook.step", {}, risk, risk=risk)
    entries = project(chain.events, chain.begin).entries
    assert [run.request.data["risk"] for run in mitigation_runs(entries)] == ["change"]


def test_all_reads_at_once_say_how_each_ended() -> None:
    chain = Chain()
    steps = [{"key": "a"}, {"key": "b"}]
    seq = asked(chain, "runbook.reads", {"steps": steps}, "r")
    known = standings(chain.events, Requests(chain.events))
    assert {known["a"].state, known["b"].state} == {State.RUNNING}
    ended = [{"key": "a", "state": "done", "words": "exit code 0"}, {"key": "b", "state": "failed"}]
    chain.add(Kind.OUTCOME, "reads: done", request=seq, state="done", evidence={"steps": ended})
    known = standings(chain.events, Requests(chain.events))
    assert (known["a"].state, known["b"].state) == (State.DONE, State.FAILED)


def test_what_somebody_else_wrote_into_an_event_is_never_trusted_to_have_a_shape() -> None:
    chain = Chain()
    for context in (7, [], {"step": 7}, {"steps": "x"}, {"steps": [7, {"key": 3}]}):
        for kind in ("runbook.step", "runbook.reads"):
            asked(chain, kind, context, f"{kind} {context}")
    chain.add(Kind.STEP, "x", key=3, mark=[])
    chain.add(Kind.STEP, "x")
    assert "k" not in standings(chain.events, Requests(chain.events))
    assert filled(chain.events) == {}

"""What a team's Markdown says, and what it must never make us do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.effort import at_most
from warroom.domain.text import harmless
from warroom.runbooks.export import to_json
from warroom.runbooks.model import Risk, Runbook, RunbookError, Step, StepKind
from warroom.runbooks.parse import MAX_BYTES, decoded, parse, read
from warroom.runbooks.shell import commands

FOLDER = Path(__file__).parent / "runbooks"


@pytest.fixture(scope="module")
def harbour() -> Runbook:
    return read(FOLDER / "harbour.md")


@pytest.fixture(scope="module")
def tables() -> Runbook:
    return read(FOLDER / "tables.md")


def steps(runbook: Runbook, title: str) -> tuple[Step, ...]:
    (playbook,) = [p for p in runbook.playbooks if p.title == title]
    return playbook.steps


def test_every_shell_fence_is_a_step_also_within_lists_and_under_bold_lines(harbour: Runbook):
    source = (FOLDER / "harbour.md").read_text().splitlines()
    fences = [number for number, line in enumerate(source, 1) if line.strip() == "```bash"]
    assert [step.line for step in harbour.steps if step.language == "bash"] == fences
    assert len(fences) == 7


def test_severities_of_sections_keep_the_teams_own_promises(harbour: Runbook):
    (scheme,) = harbour.schemes
    assert scheme.name == "P0-P3"
    assert [(level.name, level.label, level.response_s) for level in scheme.levels] == [
        ("P0", "Blackout", 300.0),
        ("P1", "Storm", 1800.0),
        ("P2", "Swell", 14400.0),
        ("P3", "Ripple", 86400.0),
    ]
    assert scheme.levels[1].told == "tell the harbour master"


def test_severities_of_a_table_in_another_language(tables: Runbook):
    (scheme,) = tables.schemes
    assert [(level.name, level.label, level.response_s) for level in scheme.levels] == [
        ("SEV1", "Totalausfall", 900.0),
        ("SEV2", "Teilausfall", 3600.0),
        ("SEV3", "Kleinigkeit", 86400.0),
    ]


def test_severities_of_a_list():
    runbook = parse("# Severities\n- **P1** (critical): respond within 15 min\n- P2: 2 hours\n")
    assert [level.response_s for level in runbook.schemes[0].levels] == [900.0, 7200.0]


def test_playbooks_that_only_mention_severities_are_no_scheme():
    assert parse("## Playbooks\n### Outage (SEV1)\nx\n### Slow (SEV2)\ny\n").schemes == ()


def test_tasks_are_those_outside_of_code(harbour: Runbook):
    (checklist,) = harbour.checklists
    assert [(item.text, item.done) for item in checklist.items] == [
        ("Save the logs", False),
        ("Call the pilot", True),
        ("Write it down", False),
    ]


def test_kinds_of_code(harbour: Runbook, tables: Runbook):
    look = steps(harbour, "Look around")
    assert [(step.kind, step.is_runnable) for step in look] == [
        (StepKind.COMMAND, True),
        (StepKind.TEMPLATE, False),
        (StepKind.REMOTE, True),
    ]
    assert [step.kind for step in steps(tables, "Schritte")] == [
        StepKind.OUTPUT,  # a transcript, although it says console
        StepKind.COMMAND,
        StepKind.OUTPUT,
        StepKind.COMMAND,
        StepKind.CONFIG,
    ]


def test_prompts_are_taken_off_only_where_nothing_was_printed(tables: Runbook):
    transcript, prompted = steps(tables, "Schritte")[:2]
    assert transcript.parts == ()
    assert [part.text for part in prompted.parts] == [
        "docker ps",
        "docker compose restart <service>",
    ]
    assert prompted.placeholders == ("<service>",)


def test_a_query_over_lines_a_loop_and_a_heredoc_are_one_command_each(
    harbour: Runbook, tables: Runbook
):
    query = steps(harbour, "Playbook: Ledger slow")[0].parts[1]
    assert query.text.count("\n") == 3
    assert query.assessment.risk is Risk.READ
    loop, heredoc = steps(tables, "Schritte")[3].parts[2:]
    assert loop.text.startswith("for") and loop.text.endswith("done")
    assert heredoc.assessment.why == "writes to /etc/motd", "its body is text, not a command"


def test_each_step_has_the_risk_of_its_worst_command_and_says_why(harbour: Runbook):
    found = [
        (step.assessment.risk.value, step.assessment.why)
        for title in ("Playbook: Ledger slow", "Playbook: Hold full", "Playbook: Pirates")
        for step in steps(harbour, title)
    ]
    assert found == [
        ("read", "SHOW only reads"),
        ("change", "calls pg_terminate_backend"),
        ("destroy", "rm takes away for good"),
        ("change", "nginx is signalled or started"),
    ]


def test_inline_code_in_tables_is_a_step_when_it_is_a_command_or_a_query(harbour: Runbook):
    inline = [step for step in harbour.steps if step.language == "inline"]
    assert [(step.kind, step.command) for step in inline] == [
        (StepKind.COMMAND, "docker logs gate --tail 50"),
        (StepKind.QUERY, "SELECT * FROM pg_stat_activity;"),
    ]


def test_doubly_encoded_text_is_put_right(harbour: Runbook):
    template = harbour.templates[0]
    assert template.text.startswith("🚨 BLACKOUT")
    assert template.placeholders == ("[service]", "[Your Name]")


def test_contacts_come_from_lists_and_tables(harbour: Runbook):
    assert [(c.role, c.reach, c.when) for c in harbour.contacts] == [
        ("Pilot", "pilot@harbour.example", ""),
        ("Engineer", "[Phone]", ""),
        ("Master", "+49 40 000", "P0"),
    ]


def test_systems_are_discovered_from_the_commands(harbour: Runbook):
    assert to_json(harbour)["discovered"] == {
        "http": ["https://berths.example/health"],
        "logs": ["/var/log/ledger/error.log"],
        "containers": ["ledger", "gate"],
        "hosts": ["root@192.0.2.7"],
        "dns": [],
        "tls": [],
        "promql": ['up{job="berths"}'],
    }


def test_every_trap_is_flagged_on_its_line(harbour: Runbook, tables: Runbook):
    source = (FOLDER / "harbour.md").read_text().splitlines()

    def line(text: str) -> int:
        return next(number for number, found in enumerate(source, 1) if text in found)

    found = {(f.line, f.rule) for f in harbour.lint}
    for text, rule in [
        ("-psalt_water", "secret-on-command-line"),
        ("echo $LEDGER_API_KEY", "secret-echoed"),
        ("pg_terminate_backend", "terminate-unguarded"),
        ("rm -rf", "destroys-backups"),
        ("truncate", "destroys-evidence"),
        ("docker system prune", "destroys-without-scope"),
        ("nginx -s reload", "reload-without-test"),
        ("nginx -s reload", "block-without-deny"),
        ("git revert HEAD", "revert-of-head"),
        ("**Engineer**", "contact-not-filled-in"),
    ]:
        assert (line(text), rule) in found, rule
    messages = [f.message for f in tables.lint if f.rule.startswith("no-such-")]
    assert any("--component" in message for message in messages)
    assert any("--since" in message for message in messages)
    assert any("backups only lists" in message for message in messages)


@pytest.mark.parametrize(
    "command",
    [
        "nginx -t && nginx -s reload",
        'psql $URL -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> '
        "pg_backend_pid() AND backend_type = 'client backend' AND datname = 'shop' AND state IN "
        "('active', 'idle in transaction')\"",
        '[ -n "$API_KEY" ] && echo set',
        "mysql --defaults-extra-file=/root/.my.cnf -e 'SHOW PROCESSLIST'",
        "curl -fsS --max-time 5 https://shop.example/health",
        "find backups -name '*.sql' -mtime +14 -print",
        "git revert --no-edit 1a2b3c4",
        "doctl apps logs <app-id> web --tail 50",
    ],
)
def test_the_better_form_is_not_flagged(command: str):
    runbook = parse(f"```bash\n{command}\n```\n")
    assert [f.rule for f in runbook.lint if f.rule != "no-severities"] == []


def test_the_json_has_the_shape_that_is_promised(harbour: Runbook):
    document = to_json(harbour)
    assert list(document) == [
        "version", "title", "schemes", "playbooks", "checklists", "templates", "contacts",
        "discovered", "remedies", "escalation", "links", "placeholders", "lint",
    ]  # fmt: skip
    assert document["version"] == 1
    assert set(document["playbooks"][0]) == {"title", "steps", "phases"}
    step = document["playbooks"][0]["steps"][0]
    assert set(step) == {"line", "language", "command", "kind", "risk", "placeholders"}
    assert set(document["lint"][0]) == {"line", "rule", "level", "message"}
    assert document["title"] == "Harbour: when the lights go out"


HOSTILE = "a\x1b[31mb\x9b2J\u202e\x07[/x][@click=app.bell]x[/]\ud800"


def test_hostile_text_comes_out_harmless_everywhere():
    h = HOSTILE
    source = (
        f"# T{h}\n\n## Severity\n### P1 {h}\n- Response time: 5 min\n- Notify: {h}\n### P2 {h}\n"
        f"- Response time: 1 hour\n## Do{h}\n- [ ] task {h}\n\n**Label {h}**\n```bash\n"
        f"curl https://x.example/{h}\ndocker logs web{h}\n# c {h}\nrm -rf /x{h}\n```\n"
        f"```\nPost: [{h}]\n```\n## Contacts\n- **R{h}**: {h}\n"
    )
    runbook = parse(source)

    def texts(value: object) -> list[str]:
        if isinstance(value, dict):
            return [t for v in value.values() for t in texts(v)]
        if isinstance(value, list):
            return [t for v in value for t in texts(v)]
        return [value] if isinstance(value, str) else []

    for text in texts(to_json(runbook)):
        assert harmless(text, lines=True) == text, text
    for step in runbook.steps:
        for part in step.parts:
            told = part.text + part.comment + part.assessment.why
            assert harmless(told, lines=True) == told


def test_a_command_with_control_characters_is_the_worst_risk_and_flagged():
    runbook = parse("```bash\nls \u202e fr- mr\n```\n")
    assert runbook.steps[0].assessment.risk is Risk.DESTROY
    assert "control-characters" in {f.rule for f in runbook.lint}


def test_windows_line_ends_and_a_byte_order_mark_change_nothing():
    plain = (FOLDER / "harbour.md").read_text()
    windows = b"\xef\xbb\xbf" + plain.replace("\n", "\r\n").encode()
    assert to_json(parse(decoded(windows))) == to_json(parse(plain))


def test_what_is_no_runbook_is_refused_in_one_line(tmp_path: Path):
    cases: list[tuple[bytes, str]] = [
        (b"x" * 10_000_000, "larger than"),
        (b"```bash\nls\n```\n" * 100_000, "larger than"),
        (b"\n" * 20_000, "lines"),
        (b"\xff\xfe# no", "not UTF-8 text"),
    ]
    for data, words in cases:
        file = tmp_path / "run.md"
        file.write_bytes(data)
        with at_most(1.0), pytest.raises(RunbookError, match=words) as caught:
            read(file)
        assert "\n" not in str(caught.value)
    with pytest.raises(RunbookError, match="No such file"):
        read(tmp_path / "none.md")


FENCE = "```bash\n{}\n```"


@pytest.mark.parametrize(
    "source",
    [
        FENCE.format('echo " \' \\" $( `' * 12_000),
        FENCE.format("$(" * 120_000),
        FENCE.format("`a" * 20_000),
        FENCE.format("awk '" + "print " * 40_000 + "'"),
        FENCE.format("echo " + "$KEY" * 60_000),
        FENCE.format("cat <<EOF\n" * 9_000),
        "> " * 120_000,
        "- a\n" * 9_000,
        "[a]: b\n" * 9_000,
        "- " + "`a " * 80_000,
        "```sql\n" + "'" * 200_000 + "\n```",
    ],
    ids=lambda source: source[:14],
)
def test_no_input_makes_it_crawl(source: str):
    """Each of these took minutes, or for ever, with a nested or quadratic reading: the limit is
    generous for a busy machine and still far below that."""
    assert len(source) <= MAX_BYTES
    with at_most(5.0):
        try:
            parse(source)
        except RunbookError as refused:
            assert "\n" not in str(refused)


@pytest.mark.parametrize(
    "text",
    ["$(" * 120_000, "$((" * 80_000, "a|" * 100_000, "a;" * 100_000, "echo $(a) " * 20_000],
    ids=lambda text: text[:10],
)
def test_no_shell_text_makes_its_reader_crawl(text: str):
    with at_most(10.0):
        assert commands(text)


_PIECES = st.sampled_from(
    ["# P1\n", "```bash\n", "```\n", "~~~\n", "- [ ] x\n", "|a|b|\n|-|-|\n", "$ ls\n", "rm -rf /\n",
     "`docker ps a`", "**x:**\n", "<app-id>", "$(", "\"", "'", "<<EOF\n", "EOF\n", "| sh\n", "\\\n",
     "for i in x; do\n", "done\n", "    code\n", "> ", "\t", "ssh h\n", "curl -X DELETE http://x\n"]
) | st.text(max_size=6)  # fmt: skip


@given(pieces=st.lists(_PIECES, max_size=40))
@settings(deadline=None, max_examples=100)
def test_whatever_the_text_it_parses_and_only_runs_what_stands_in_it(pieces: list[str]):
    source = "".join(pieces)
    runbook = parse(source)
    assert runbook == parse(source), "deterministic"
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for step in runbook.steps:
        for part in step.parts:
            if part.assessment.why == "holds invisible control characters":
                continue
            for row in part.text.split("\n"):
                assert any(row.strip() in line.replace("\0", "�") for line in lines)

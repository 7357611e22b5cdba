"""What the linter finds in a runbook, where, and what it says instead."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from warroom.cli.root import warroom
from warroom.runbooks.lint import annotation
from warroom.runbooks.model import LintFinding, LintLevel, Runbook
from warroom.runbooks.parse import parse
from warroom.runbooks.rules.catalogue import RULES

TODAY = date(2026, 6, 1)


def linted(source: str) -> Runbook:
    return parse(source, TODAY)


def rules(source: str) -> set[str]:
    return {found.rule for found in linted(source).lint}


def sh(*lines: str) -> str:
    return "\n".join(("```bash", *lines, "```", ""))


PLAYBOOK = "## Pool exhausted\n\n**Symptoms:** slow\n\n**Fix:**\n"
SCHEME = "## Severity\n\n| Level | Response time |\n|-|-|\n| P1 | {} |\n| P2 | 1 hour |\n"

CASES = [
    # rule, what breaks it, what does not
    ("secret-on-command-line", sh("mysql -u root -phunter2 shop"),
     sh("mysql --defaults-extra-file=my.cnf")),
    ("secret-on-command-line", sh("redis-cli -a hunter2 ping"), sh("redis-cli ping")),
    ("secret-on-command-line", sh("curl -fsSm5 -u bob:hunter2 https://shop.example"),
     sh("curl -fsS --max-time 5 --netrc-file n https://shop.example")),
    ("secret-on-command-line", sh("psql postgresql://bob:hunter2@db/shop"),
     sh("psql service=shop")),
    ("secret-on-command-line", sh("PGPASSWORD=hunter2 psql shop -c 'SELECT 1'"),
     sh("PGPASSFILE=/root/.pgpass psql shop -c 'SELECT 1'")),
    ("secret-expands", sh('psql $DATABASE_URL -c "SELECT 1"'),
     sh("psql service=shop -c 'SELECT 1'")),
    ("secret-expands",
     sh('curl -f --max-time 5 -H "Authorization: Bearer $TOKEN" https://s.example'),
     sh("curl -f --max-time 5 --config header.cfg https://s.example")),
    ("secret-echoed", sh("echo $OPENAI_API_KEY"), sh('[ -n "$OPENAI_API_KEY" ] && echo set')),
    ("secret-echoed", sh("cat /srv/shop/.env"), sh("cut -d= -f1 /srv/shop/.env")),
    ("secret-echoed", sh("printenv"), sh("printenv HOME")),
    ("secret-in-file", "```yaml\nkey: AKIAABCDEFGHIJKLMNOP\n```\n", "```yaml\nkey: AKIA...\n```\n"),
    ("reload-without-test", sh("systemctl reload nginx"), sh("nginx -t && systemctl reload nginx")),
    ("reload-without-test", sh("systemctl reload haproxy.service"),
     sh("haproxy -c -f /etc/haproxy.cfg && systemctl reload haproxy")),
    ("block-without-deny", sh("# Block the address", "nginx -t && nginx -s reload"),
     sh("# Block the address", "echo 'deny 192.0.2.1;' | tee d.conf",
        "nginx -t && nginx -s reload")),
    ("destroys-backups", sh("rm -f /srv/backups/*.sql  # keep the newest"),
     sh("find /srv/backups -name '*.sql' -mtime +14 -print")),
    ("destroys-without-scope", sh("rm -rf /srv/*"), sh("rm /srv/shop/cache.tmp")),
    ("destroys-without-scope", sh("docker system prune -af --volumes"),
     sh("docker image prune --filter until=168h")),
    ("destroys-without-scope", sh("redis-cli FLUSHALL"), sh("redis-cli UNLINK cart:7")),
    ("destroys-without-scope", sh("kubectl delete pods --all"), sh("kubectl delete pod web-1")),
    ("destroys-without-scope", sh("git reset --hard origin/main"), sh("git stash -u")),
    ("destroys-without-scope", sh('psql service=shop -c "DELETE FROM carts;"'),
     sh('psql service=shop -c "DELETE FROM carts WHERE id = 7;"')),
    ("destroys-without-backup", sh("mysql shop < monday.sql"),
     sh("mysqldump shop > before.sql", "mysql shop < monday.sql")),
    ("destroys-without-backup", sh('psql service=shop -c "DROP TABLE carts"'),
     sh("pg_dump -t carts shop > c.sql", 'psql service=shop -c "DROP TABLE carts"')),
    ("destroys-without-backup", sh("tar -xzf uploads.tgz -C /var/www"), sh("tar -tzf uploads.tgz")),
    ("destroys-without-backup", sh("docker volume rm data"), sh("docker volume ls")),
    ("destroys-evidence", sh("truncate -s 0 /var/log/syslog"), sh("logrotate --force /etc/l.conf")),
    ("destroys-evidence", sh("> /var/log/nginx/error.log"), sh("echo x > /tmp/note")),
    ("destroys-evidence", sh("journalctl --vacuum-time=1d"), sh("journalctl --disk-usage")),
    ("destroys-evidence", sh("docker compose down"), sh("docker compose restart web")),
    ("terminate-unguarded",
     sh("psql s -c \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE state = 'active'\""),
     sh("psql s -c \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state IN "
        "('active', "
        "'idle in transaction') AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
        'AND datname = current_database()"')),
    ("no-such-command", sh("docker show web"), sh("docker inspect web")),
    ("no-such-command", sh("docker compose status"), sh("docker compose ps")),
    ("no-such-command", sh("kubectl rolling-update web"), sh("kubectl rollout restart deploy/web")),
    ("no-such-command", sh("kubectl rollout back deploy/web"),
     sh("kubectl rollout undo deploy/web")),
    ("no-such-command", sh("systemctl nginx restart"), sh("systemctl -H root@web1 restart nginx")),
    ("no-such-command", sh("doctl databases backups list ID"), sh("doctl databases backups ID")),
    ("no-such-command", sh("doctl compute support create-ticket"),
     sh("doctl compute droplet list")),
    ("no-such-option", sh("docker logs web --lines 50"), sh("docker logs -fn50 web")),
    ("no-such-option", sh("docker compose logs --last 5"),
     sh("docker compose -f a.yml logs --tail=5")),
    ("no-such-option", sh("kubectl -n prod logs web --lines 5"),
     sh("kubectl -n prod logs web --tail=5")),
    ("no-such-option", sh("doctl apps logs APP --since 5m"),
     sh("doctl apps logs APP web --tail 5")),
    ("no-such-option", sh("doctl apps get APP --format json"), sh("doctl apps get APP -o json")),
    ("no-such-option", sh("psql -y shop -c 'SELECT 1'"), sh("psql -XAtc 'SELECT 1' -h db shop")),
    ("no-such-option", sh("docker exec db psql --query 'SELECT 1'"),
     sh("docker exec db psql --command 'SELECT 1'")),
    ("no-such-option", sh("redis-cli --host cache ping"), sh("redis-cli -h cache -p 6380 ping")),
    ("no-such-option", sh("nginx -t && nginx -s restart"), sh("nginx -t && nginx -s reload")),
    ("no-such-option", sh("nginx -r"), sh("nginx -T")),
    ("retired-command", sh("docker-compose ps"), sh("docker compose ps")),
    ("curl-trusts", sh("curl https://shop.example"),
     sh("curl -fsS --max-time 5 https://shop.example")),
    ("runs-what-it-downloads", sh("curl -fm5 https://get.example/i.sh | sudo bash"),
     sh("curl -fm5 -o i.sh https://get.example/i.sh")),
    ("revert-of-head", sh("git revert HEAD"), sh("git revert --no-edit 1a2b3c4")),
    ("fence-not-closed", "```bash\nls -l\n\n## Next\n\nProse.\n", sh("ls -l")),
    ("broken-link", "# A\n\nSee [there](#no-where).\n",
     "# A b\n\nSee [there](#a-b), [x](b.md#y).\n"),
    ("broken-link", "See [the guide][guide-page].\n",
     "See [the guide][g].\n\n[g]: https://g.example\n"),
    ("playbook-without-verification", PLAYBOOK + sh("docker restart web"),
     PLAYBOOK + sh("docker restart web", "docker ps")),
    ("severity-without-response", SCHEME.format("-"), SCHEME.format("5 min")),
    ("no-severities", "# A\n", SCHEME.format("5 min")),
    ("contact-not-filled-in", "## Contacts\n- **Ann**: [Phone]\n",
     "## Contacts\n- **Ann**: +49 1\n"),
    ("address-not-filled-in", "- Grafana: https://[host]:3000\n", "- Grafana: https://g.example\n"),
    ("out-of-date", "**Last Updated:** May 1, 2025\n", "**Last Updated:** May 1, 2026\n"),
    ("out-of-date", "Last updated: 2026-01-01\nReview frequency: quarterly\n",
     "Last updated: 2026-01-01\n"),
    ("out-of-date", "---\nlast_reviewed: 2024-02-30\ndate: 2024-02-03\n---\n# A\n",
     "---\nlast_reviewed: 2026-02-03\n---\n# A\n"),
    ("control-characters", sh("ls \u202ex"), sh("ls x")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "bad", "good"), CASES, ids=lambda value: value[:40])
def test_the_bad_form_is_found_and_the_better_one_is_not(rule: str, bad: str, good: str):
    assert rule in rules(bad)
    assert rule not in rules(good)


def test_every_rule_is_shown_above():
    assert {rule for rule, _, _ in CASES} == set(RULES)


def test_a_finding_says_which_line_why_and_the_better_form():
    (found,) = [
        found
        for found in linted("# A\n\n" + sh("ls", "", "docker exec db psql --query x")).lint
        if found.rule == "no-such-option"
    ]
    assert (found.line, found.level) == (6, LintLevel.ERROR)
    assert "psql has no --query" in found.why and "postgresql.org" in found.why, "its source"
    assert found.better


def test_a_plugin_may_add_what_docker_and_kubectl_do_not_have():
    (found,) = [f for f in linted(sh("kubectl ctx staging")).lint if f.rule == "no-such-command"]
    assert found.level is LintLevel.WARN and "plugin" in found.why


def test_a_link_into_the_file_that_leads_nowhere_names_what_was_probably_meant():
    source = "# Guide\n\n## Roll back a release\n\nSee [below](#rollback-a-release).\n"
    (found,) = [f for f in linted(source).lint if f.rule == "broken-link"]
    assert found.better == "#roll-back-a-release"


def test_without_a_date_nothing_is_said_of_the_age():
    assert "out-of-date" not in {f.rule for f in parse("Last updated: 2001-01-01\n").lint}


def test_what_stands_in_a_transcript_or_a_template_is_no_step_to_judge():
    source = "```console\n$ rm -rf /srv/*\nremoved\n```\n\n```markdown\nrm -rf /srv/*\n```\n"
    assert "destroys-without-scope" not in rules(source)


def test_an_annotation_cannot_be_broken_out_of():
    found = LintFinding(3, "a-rule", LintLevel.WARN, "50% of\n::error::x", "b")
    assert annotation("docs/a:b,c.md", found) == (
        "::warning file=docs/a%3Ab%2Cc.md,line=3,title=a-rule::50%25 of%0A::error::x; b"
    )


def test_the_command_fails_a_pipeline_and_speaks_githubs_language(tmp_path: Path):
    book = tmp_path / "book.md"
    book.write_text(sh("docker restart web", "docker compose down"))
    run = CliRunner().invoke(warroom, ["runbook", "lint", "--format", "github", str(book)])
    assert run.exit_code == 1
    lines = [line for line in run.stdout.splitlines() if "destroys-evidence" in line]
    assert len(lines) == 1 and lines[0].startswith(f"::warning file={book},line=3,")
    book.write_text("# Calm\n")
    calm = CliRunner().invoke(warroom, ["runbook", "lint", "--format", "github", str(book)])
    assert calm.exit_code == 0, "a remark fails nothing"
    assert calm.stdout.startswith("::notice ")


def test_commands_that_are_right_are_not_taken_for_wrong_ones():
    lines = (Path(__file__).parent / "runbooks/right-commands.txt").read_text().splitlines()
    assert len(lines) > 70
    wrong = {
        line: [f.message for f in linted(sh(line)).lint if "no-such" in f.rule] for line in lines
    }
    assert {line: found for line, found in wrong.items() if found} == {}

"""A runbook's commands as a config: what is looked at, and which line said so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from warroom.cli.root import warroom
from warroom.domain.text import harmless
from warroom.engine.discover import from_runbooks, report, to_toml
from warroom.engine.members import load_settings
from warroom.runbooks.parse import parse

BOOKS = Path(__file__).parent / "runbooks"
SHAPES = sorted((BOOKS / "shapes").glob("*.md"))


def written(source: str, name: str = "book.md") -> str:
    """The config without its examples: what the runbook gave."""
    discovery = from_runbooks({name: parse(source)}, (name,))
    return to_toml(discovery).partition("# Examples")[0]


def sh(*lines: str) -> str:
    return "\n".join(("```bash", *lines, "```", ""))


def init(folder: Path, *args: str) -> Result:
    return CliRunner().invoke(warroom, ["init", "--from-runbook", *args])


@pytest.fixture
def book(tmp_path: Path) -> Path:
    file = tmp_path / "incident.md"
    file.write_text((BOOKS / "whole.md").read_text())
    file.chmod(0o600)
    return file


def test_the_whole_config_is_as_reviewed():
    expected = (BOOKS / "whole.toml").read_text()
    assert written((BOOKS / "whole.md").read_text(), "whole.md") == expected


def test_it_loads_and_doctor_has_nothing_against_it(book: Path, tmp_path: Path):
    config = tmp_path / "warroom.toml"
    made = init(tmp_path, str(book), "-o", str(config))
    assert (made.exit_code, made.stdout) == (0, "")
    settings, probes, _ = load_settings(config)
    assert {probe.entry.kind for probe in probes} == {
        "http", "docker", "postgres", "redis", "tls", "dns", "machine",
    }  # fmt: skip
    assert settings.incident.scheme == "P1-P4"
    assert settings.incident.runbooks == ("incident.md",), "as seen from the config's folder"
    assert settings.hosts["web1"].ssh == "deploy@web1"
    told = CliRunner().invoke(warroom, ["--config", str(config), "doctor"])
    assert f"{config}: {len(probes)} probes" in told.stdout
    assert "wrong  config" not in told.stdout


def test_each_entry_says_the_lines_that_it_came_from(book: Path, tmp_path: Path):
    config = tmp_path / "warroom.toml"
    init(tmp_path, str(book), "-o", str(config))
    source = book.read_text().splitlines()
    rows = config.read_text().partition("# Found too")[0].splitlines()
    entries = [number for number, row in enumerate(rows) if row in ("[[probe]]", "[[log]]")]
    assert len(entries) > 15
    for number in entries:
        where = rows[number + 1].removeprefix("# incident.md:").partition(": ")[0]
        assert all(source[int(line) - 1].strip() for line in where.split(", ")), rows[number + 1]


def test_no_secret_of_a_command_is_in_the_config_or_in_what_is_said():
    discovery = from_runbooks({"whole.md": parse((BOOKS / "whole.md").read_text())}, ("x",))
    assert "hunter2" not in to_toml(discovery) + report(discovery)
    for line in (
        "curl 'https://shop.example/x?api_key=hunter2'",
        "deploy --password hunter2",
        "PGPASSWORD=hunter2 psql -h db shop -c 'SELECT a FROM b'",
        "redis-cli -u redis://:hunter2@cache:6379 ping",
        "curl https://hooks.slack.com/services/hunter2",
    ):
        assert "hunter2" not in written(sh(line)), line
    assert "hunter2" not in written(
        "See https://bob:hunter2@x.example and [x](https://hooks.a/hunter2)"
    )


def test_what_there_is_no_probe_for_stands_as_a_comment_and_the_rest_at_the_end():
    text = written(sh("kubectl get pods", "mysql shop -e 'SHOW STATUS'", "certbot renew", "rustup"))
    assert "#   kubernetes: no probe for it yet (kubectl) (book.md:2)\n" in text
    assert "#   mysql: no probe for it yet (mysql) (book.md:3)\n" in text
    assert text.index("# What could not be placed") > text.index("# Named, and not looked at")
    assert "#   certbot renew: book.md:4\n" in text
    assert "#   rustup: book.md:5\n" in text


def test_what_is_typed_on_another_machine_is_looked_at_there():
    text = written(sh("ssh -i key.pem root@192.0.2.7", "df -h", "curl http://127.0.0.1/health"))
    assert '[hosts."192.0.2.7"]\n# book.md:2, 3, 4\nssh = "root@192.0.2.7"' in text
    assert text.count('on = "192.0.2.7"') == 2
    assert "machine" in written(sh("ssh web1 'free -m; df -h'"))


def test_what_runs_inside_a_container_is_not_taken_for_this_machines():
    text = written(sh("docker exec -it web bash", "cat /var/log/app.log", "df -h", "curl http://x"))
    assert 'argv = ["docker", "exec", "web", "tail", "-n", "0", "-F", "/var/log/app.log"]' in text
    assert 'kind = "machine"' not in text and 'kind = "http"' not in text


def test_what_is_not_filled_in_is_no_live_entry():
    text = written(
        sh("curl https://$HOST/health", "docker logs <name>", "dig <domain>", "ssh <host>")
    )
    assert '# url = "https://$HOST/health"' in text
    assert "\n[[log]]" not in text and 'kind = "dns"' not in text and "\n[hosts" not in text


def test_a_transcript_and_a_template_name_nothing():
    text = written(
        "```\n$ curl https://a.example\nok\n```\n```markdown\ncurl https://b.example\n```\n"
    )
    assert "example" not in text.partition("[incident]")[2]


def test_only_queries_that_read_and_are_whole_become_the_probes_own():
    text = written(
        sh(
            'psql $DB -c "SELECT count(*) FROM carts; DROP TABLE carts"',
            'psql $DB -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"',
            'psql $DB -c "SELECT * FROM carts WHERE id = <id>"',
            'psql $DB -c "SELECT id',
            '  FROM carts"',
        )
    )
    assert '[probe.queries]\nid-carts = "SELECT id FROM carts" # book.md:5\n' in text
    assert text.count("SELECT") == 1


def test_two_runbooks_become_one_config_and_a_system_of_both_stands_once():
    books = {"a.md": parse(sh("redis-cli ping")), "b.md": parse("\n" + sh("redis-cli info"))}
    text = to_toml(from_runbooks(books, ("a.md", "b.md")))
    assert text.count('\nkind = "redis"') == 1
    assert "# a.md:2; b.md:3: redis-cli asks it" in text
    assert 'runbooks = ["a.md", "b.md"]' in text


@pytest.mark.parametrize("file", SHAPES, ids=lambda file: file.stem)
def test_whatever_the_shape_the_config_loads(file: Path):
    from warroom.runbooks.parse import read

    to_toml(from_runbooks({file.name: read(file)}, (file.name,)))  # it reads its own text back


_WORDS = st.sampled_from(
    ["curl", "ssh", "docker", "exec", "logs", "psql", "redis-cli", "dig", "openssl", "s_client",
     "tail", "pm2", "systemctl", "journalctl", "-u", "-h", "-p", "-c", "-connect", "-d", "99999999",
     "https://[::1", "https://x:99999/", "http://a.example/\x1b", "x.example:0", "[/x]", "\u202e",
     "root@web1", "$X", "<y>", "'SELECT a FROM b'", "/var/log/a.log", "/var/log/\"'.log", "&&", "|",
     "\n", "'", "http://é.example", "a" * 300, "=", "--", "@", "unix:///x", "\x9b", "]]", "'''"]
)  # fmt: skip


@given(words=st.lists(_WORDS, max_size=25))
def test_whatever_the_commands_the_config_loads_and_is_harmless(words: list[str]):
    discovery = from_runbooks({"b\x1b.md": parse(sh(" ".join(words)))}, ("b.md",))
    text = to_toml(discovery)
    assert harmless(text, lines=True) == text
    assert harmless(report(discovery), lines=True) == report(discovery)


def test_a_file_that_is_none_is_one_line_and_nothing_is_written(tmp_path: Path, book: Path):
    config = tmp_path / "warroom.toml"
    gone = init(tmp_path, str(tmp_path / "gone.md"), "-o", str(config))
    assert gone.exit_code == 2 and "gone.md: No such file" in gone.stderr
    assert not config.exists()
    init(tmp_path, str(book), str(book), "-o", str(config))
    again = init(tmp_path, str(book), "-o", str(config))
    assert again.exit_code == 2 and "--force" in again.stderr
    stray = CliRunner().invoke(warroom, ["init", str(book)])
    assert stray.exit_code == 2 and "--from-runbook" in stray.stderr


OWN = """# Harbour
## Severity Levels
| Level | Response time | Updates |
|---|---|---|
| Critical | 5 minutes | every 15 minutes |
| High | < 30 min | every hour |
| Low "]\x1b[1m #x | Next business day | |
| Info | | |
"""


def test_severities_that_warroom_does_not_come_with_stand_in_it_with_the_line_of_each(
    tmp_path: Path,
):
    book = tmp_path / "own.md"
    book.write_text(OWN)
    config = tmp_path / "warroom.toml"
    assert init(tmp_path, str(book), "-o", str(config)).exit_code == 0
    settings, _, _ = load_settings(config)
    assert settings.scheme.name == settings.incident.scheme == "Critical-Info"
    said = [(level.name, level.response_s, level.update_s) for level in settings.scheme.levels]
    assert said == [
        ("Critical", 300.0, 900.0), ("High", 1800.0, 3600.0), ("Low", 86400.0, None),
        ("Info", None, None),
    ]  # fmt: skip
    text = config.read_text()
    assert '[[schemes.Critical-Info.levels]]\n# own.md:5\nname = "Critical"' in text
    assert "# own.md:8: it promises no response time" in text
    assert "\x1b" not in text


def test_severities_that_it_comes_with_are_named_and_not_repeated():
    text = written((BOOKS / "whole.md").read_text(), "whole.md")
    assert 'scheme = "P1-P4"' in text and "[[schemes." not in text

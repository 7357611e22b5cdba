"""A step that a pane answers already says so, and only where the config has the very system."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom.config.load import decode
from warroom.config.settings import Settings
from warroom.engine.answers import Answer, answer, of_part
from warroom.runbooks.parse import parse

CONFIG = """
[hosts.web1]
ssh = "deploy@web1"
[[probe]]
kind = "http"
name = "shop"
url = "https://shop.example/health"
[[probe]]
kind = "docker"
[[probe]]
kind = "postgres"
dsn = "env:DATABASE_URL"
queries = { waiting = "SELECT count(*) FROM orders WHERE state = 'waiting'" }
[[probe]]
kind = "redis"
url = "redis://localhost:6379/0"
[[probe]]
kind = "tls"
name = "shop certificate"
host = "shop.example"
[[probe]]
kind = "dns"
name = "shop dns"
host = "shop.example"
[[probe]]
kind = "machine"
name = "here"
[[probe]]
kind = "machine"
name = "web1"
on = "web1"
[[log]]
name = "edge"
path = "/var/log/nginx/access.log"
[[log]]
name = "api"
container = "shop-api"
[[log]]
name = "far"
path = "/var/log/nginx/error.log"
on = "web1"
[[log]]
name = "queue"
unit = "queue.service"
[[log]]
name = "worker"
pm2 = "worker"
[[log]]
name = "slow"
argv = ["docker", "exec", "shop-db", "tail", "-n", "0", "-F", "/var/log/mysql/slow.log"]
"""


@pytest.fixture(scope="module")
def settings() -> Settings:
    return decode(CONFIG.encode(), Path("/srv/warroom.toml")).settings


def found(commands: str, settings: Settings, language: str = "bash") -> Answer | None:
    book = parse(f"# Book\n\n## Look\n\n```{language}\n{commands}\n```\n")
    return answer(book.steps[0], settings)


@pytest.mark.parametrize(
    ("commands", "pane", "source"),
    [
        ("curl https://shop.example/health", "health", "shop"),
        ("curl -fsS https://shop.example/health/ | jq .status", "health", "shop"),
        ("docker ps", "docker", "docker"),
        ("docker ps -a | grep api", "docker", "docker"),
        ("docker stats --no-stream", "docker", "docker"),
        ("docker compose ps", "docker", "docker"),
        ("docker logs shop-api --tail 200 | grep -i error", "logs", "api"),
        ("docker exec -it shop-db cat /var/log/mysql/slow.log", "logs", "slow"),
        ("sudo tail -f /var/log/nginx/access.log", "logs", "edge"),
        ("ssh root@web1 tail -f /var/log/nginx/error.log", "logs", "far"),
        ("journalctl -u queue -f", "logs", "queue"),
        ("pm2 logs worker --lines 500", "logs", "worker"),
        ("redis-cli info", "redis", "redis"),
        ("redis-cli -h 127.0.0.1 INFO memory | grep used", "redis", "redis"),
        ("redis-cli ping && redis-cli INFO", "redis", "redis"),
        ('psql $DATABASE_URL -c "SELECT count(*) FROM pg_stat_activity;"', "postgres", "postgres"),
        (
            'psql "$DATABASE_URL" -c "SELECT count(*) FROM orders WHERE state = \'waiting\';"',
            "postgres",
            "postgres",
        ),
        ("openssl s_client -connect shop.example:443", "health", "shop certificate"),
        ("dig shop.example", "health", "shop dns"),
        ("df -h", "machine", "here"),
        ("top", "machine", "here"),
        ("ps aux | sort -rn -k 3 | head -10", "machine", "here"),
        ("ssh deploy@web1 free -m", "machine", "web1"),
        (
            "tail -10000 /var/log/nginx/access.log | awk '{print $1}' | sort | uniq -c | sort -nr",
            "talkers",
            "top talkers",
        ),
    ],
)
def test_a_pane_that_shows_it_is_named(
    commands: str, pane: str, source: str, settings: Settings
) -> None:
    got = found(commands, settings)
    assert got is not None
    assert (got.pane, got.source) == (pane, source)


@pytest.mark.parametrize(
    "commands",
    [
        "curl https://shop.example/checkout",
        "curl -X POST https://shop.example/health",
        "curl https://shop.example.evil/health",
        "docker restart shop-api",
        "docker logs shop-web",
        "docker compose logs",
        "docker inspect shop-api",
        "docker exec shop-api curl https://shop.example/health",
        "tail -f /var/log/nginx/other.log",
        "tail -f /var/log/nginx/error.log",
        "ssh web2 df -h",
        "ssh web2 tail -f /var/log/nginx/access.log",
        "redis-cli flushdb",
        "redis-cli --scan --pattern 'cart:*'",
        "redis-cli -h cache.example info",
        "docker exec shop-cache redis-cli info",
        "psql $OTHER_URL -c 'SELECT count(*) FROM pg_stat_activity'",
        "psql $DATABASE_URL -c 'SELECT * FROM orders'",
        "psql $DATABASE_URL -c 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity'",
        "psql $DATABASE_URL -c 'SELECT a FROM pg_stat_activity JOIN orders ON true'",
        "openssl s_client -connect shop.example:8443",
        "dig other.example",
        "ps aux | grep node",
        "df -h > /tmp/disks",
        "df -h\ndu -sh /srv",
        "docker ps; docker restart shop-api",
        "journalctl -f",
        "echo hello",
        "systemctl status queue",
        "ssh web1",
    ],
)
def test_what_no_pane_shows_of_this_very_system_is_no_answer(
    commands: str, settings: Settings
) -> None:
    assert found(commands, settings) is None


def test_a_query_is_answered_by_the_only_server_there_is(settings: Settings) -> None:
    sql = "SELECT pid, state FROM pg_stat_activity WHERE state = 'active'"
    got = found(sql, settings, "sql")
    assert got is not None
    assert (got.pane, got.source) == ("postgres", "postgres")
    assert found("SELECT * FROM orders", settings, "sql") is None
    two = decode((CONFIG + '[[probe]]\nkind = "postgres"\nname = "b"\ndsn = "env:B"\n').encode(),
                 Path("/srv/warroom.toml")).settings  # fmt: skip
    assert found(sql, two, "sql") is None


def test_a_teams_own_query_is_named_after_its_entry(settings: Settings) -> None:
    got = found("SELECT count(*) FROM orders WHERE state = 'waiting'", settings, "sql")
    assert got is not None
    assert got.says == "the postgres pane asks it: waiting"


def test_commands_that_are_answered_in_two_places_have_no_single_answer(settings: Settings) -> None:
    book = parse("# B\n\n## Look\n\n```bash\ndf -h\nredis-cli ping\n```\n")
    (step,) = book.steps
    assert answer(step, settings) is None
    panes = [got.pane for part in step.runnable if (got := of_part(part, settings))]
    assert panes == ["machine", "redis"]


def test_without_a_config_nothing_is_answered() -> None:
    for commands in ("df -h", "docker ps", "curl https://shop.example/health"):
        assert found(commands, Settings()) is None


@pytest.mark.parametrize(
    ("command", "row"),
    [
        ("docker ps", ""),
        ("docker ps -a | grep shop-api", "shop-api"),
        ("docker stats --no-stream shop-db", "shop-db"),
        ("docker compose ps web", "web"),
        ("docker-compose ps", ""),
    ],
)
def test_a_container_that_is_named_is_the_row_to_go_to(
    command: str, row: str, settings: Settings
) -> None:
    shown = found(command, settings)
    assert shown is not None
    assert (shown.pane, shown.row) == ("docker", row)

"""Where a step runs, how it behaves, and what of it is a secret."""

from __future__ import annotations

import pytest

from warroom.runbooks.fill import Unfillable
from warroom.runbooks.manner import (
    Manner,
    Misplaced,
    Place,
    asks_password,
    manner,
    placed,
    wants_tty,
)
from warroom.runbooks.model import Part
from warroom.runbooks.own_query import NotOwn, own_queries
from warroom.runbooks.parse import parse
from warroom.runbooks.veil import veiled


def part(text: str) -> Part:
    (step,) = parse(f"# Book\n```bash\n{text}\n```\n").steps
    return step.runnable[0]


@pytest.mark.parametrize(
    "text",
    [
        "tail -f /var/log/a.log", "sudo tail -50f a.log", "tail --follow=name a", "docker stats",
        "journalctl -fu shop", "docker logs -f web", "kubectl logs -f pod/a", "kubectl get po -w",
        "docker compose logs -f web", "ping example.com", "vmstat 1", "redis-cli monitor",
        "docker events", "pm2 logs shop --lines 50", "while true; do date; sleep 1; done",
        "tail -f a.log | grep error", "tcpdump -i eth0",
    ],
)  # fmt: skip
def test_what_goes_on_until_it_is_stopped(text: str) -> None:
    assert manner(part(text)) is Manner.ENDLESS


@pytest.mark.parametrize(
    "text",
    [
        "tail -500 a.log", "docker stats --no-stream", "docker logs web --tail 5", "ping -c 3 a",
        "vmstat 1 5", "journalctl -u shop", "redis-cli info", "pm2 logs --nostream", "top -bn1",
        "curl -f https://a.example", "grep -F x a.log", "docker ps -f name=web",
    ],
)  # fmt: skip
def test_what_ends_by_itself(text: str) -> None:
    assert manner(part(text)) is Manner.ENDS


@pytest.mark.parametrize("text", ["top  # look", "sudo nano a.conf", "less a.log", "watch -n 5 ls",
                                  "pm2 monit", "htop", "cat a | less"])  # fmt: skip
def test_what_takes_the_whole_terminal(text: str) -> None:
    assert manner(part(text)) is Manner.TERMINAL


def test_what_wants_a_terminal() -> None:
    assert wants_tty(part("docker exec -it db mariadb -u root -e 'SHOW PROCESSLIST;'"))
    assert wants_tty(part("kubectl exec -ti web-1 -- ls"))
    assert not wants_tty(part("docker exec -i db mariadb < a.sql"))
    assert not wants_tty(part("docker exec db ls -t"))
    assert not wants_tty(part("docker ps -a"))


def test_sudo_may_ask() -> None:
    assert asks_password(part("sudo systemctl restart redis"))
    assert not asks_password(part("sudo -n systemctl restart redis"))
    assert not asks_password(part("systemctl restart redis"))


def test_where_it_is_typed() -> None:
    assert placed(()) == Place()
    assert placed(("ssh", "-t", "root@203.0.113.7")) == Place(ssh="root@203.0.113.7")
    shell = placed(("docker", "exec", "-it", "-u", "app", "web", "bash")).shell
    assert shell == ("docker", "exec", "-u", "app", "web", "bash", "-c")
    assert placed(("kubectl", "exec", "-it", "web-1", "--", "sh")).shell[-2:] == ("sh", "-c")


@pytest.mark.parametrize(
    ("within", "why"),
    [
        (("ssh", "$HOST"), "not filled in"),
        (("ssh", "-i", "key", "a"), "~/.ssh/config"),
        (("ssh", "-oProxyCommand=x"), "~/.ssh/config"),
        (("psql", "shop"), "not into a shell"),
        (("docker", "exec", "-it", "<name>", "sh"), "not filled in"),
        (("docker", "exec", "--privileged", "web", "sh"), "is not known"),
        (("python3",), "not known here"),
    ],
)
def test_where_it_cannot_be_typed_safely_nothing_runs(within: tuple[str, ...], why: str) -> None:
    with pytest.raises(Misplaced, match=why):
        placed(within)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("mariadb -u root -proot_pass -e 'x'", "root_pass"),
        ("psql postgres://shop:hunter2@db/shop -c 'x'", "hunter2"),
        ("PGPASSWORD='hunter2 x' psql", "hunter2 x"),
        ("redis-cli -h a -a hunter2 ping", "hunter2"),
        ("curl -u admin:hunter2 http://a", "hunter2"),
        ('curl -H "Authorization: Bearer abcdef123" http://a', "abcdef123"),
        ("export AWS=AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ],
)
def test_a_secret_in_the_file_is_masked_in_the_record(text: str, secret: str) -> None:
    masked, found = veiled(text)
    assert found == (secret,)
    assert secret not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    "text",
    ["psql $DATABASE_URL", "curl -H 'Authorization: Bearer $T'", "mysql -p -u root", "ls -p"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert veiled(text) == (text, ())


def test_statements_are_asked_one_by_one_with_values_in_them() -> None:
    text = "SELECT 1; -- a;b\nSELECT ';' WHERE pid = <PID>;"
    assert own_queries(text, {"<PID>": "7"}) == ("SELECT 1", "-- a;b\nSELECT ';' WHERE pid = 7")
    with pytest.raises(Unfillable, match="only letters"):
        own_queries(text, {"<PID>": "7 OR true"})


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM carts WHERE id = 1", "SELECT pg_terminate_backend(1)",
        "SELECT 1; DROP TABLE a",
        'SELECT "pg_terminate_backend"(pid) FROM pg_stat_activity', "SELECT lo_export(1, 'x')",
        "SELECT U&\"\\0070g_cancel_backend\"(1)", "COPY a TO PROGRAM 'x'",
        "SET transaction_read_only = off",
        "SELECT dblink_exec('x')", "WITH x AS (DELETE FROM a RETURNING 1) SELECT 1", "\\! reboot",
        "SELECT set_config('a', 'b', false)", "BEGIN", "EXPLAIN ANALYZE DELETE FROM a", "  ",
        "SELECT pg_advisory_lock(1)", "/* x */ VACUUM", "SELECT pg_sleep(9)",
    ],
)  # fmt: skip
def test_the_own_connection_asks_nothing_that_acts(text: str) -> None:
    with pytest.raises(NotOwn):
        own_queries(text, {})

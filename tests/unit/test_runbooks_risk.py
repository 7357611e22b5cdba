"""What a command would do, told from its parsed arguments."""

from __future__ import annotations

import pytest

from warroom.runbooks.durations import seconds_in
from warroom.runbooks.risk import text_risk
from warroom.runbooks.shell import Redirect, commands, words

READ = """
df -h
docker ps -a | grep web
docker compose logs --tail=100 <service>
docker exec -it db psql -U app -c "SELECT 1; SHOW max_connections"
docker exec -i db sh -c 'df -h; free -m'
ssh deploy@web1 'uptime && free -m'
sudo tail -f /var/log/nginx/error.log
kubectl -n prod get pods
kubectl config current-context
systemctl status nginx
curl -sf https://shop.example/health | jq .status
curl -s -o /dev/null -w "%{http_code}" https://shop.example/
redis-cli -u $REDIS_URL info memory
redis-cli --bigkeys
redis-cli -h cache -p 6380 CONFIG GET maxmemory
psql $DATABASE_URL <<EOF
find /var/log -name '*.gz' -mtime +7 -print
awk '{print $1}' access.log | sort | uniq -c | sort -rn | head
sed -n '1,20p' app.log
openssl s_client -connect shop.example:443
watch -n 5 "curl -s https://shop.example/health"
aws ec2 describe-instances --region eu-central-1
journalctl -u shop --since "10 min ago"
ls 2>&1 > /dev/null
git branch
nginx -t
"""
CHANGE = """
docker restart logs
docker compose up -d --scale web=3
docker exec -it web bash
kubectl rollout undo deployment/web
systemctl restart nginx
nginx -s reload
curl -X POST https://shop.example/maintenance -d '{"on": true}'
redis-cli SET flag on
redis-cli CONFIG SET maxmemory 2gb
psql $DATABASE_URL -c "SELECT pg_terminate_backend(42)"
psql $DATABASE_URL -c "UPDATE carts SET open = false WHERE id = 7"
psql $DATABASE_URL -f fix.sql
mysql shop < dump.sql
docker logs web > web.log
curl -s https://get.example/install.sh | sh
./rollback.sh production
sort -o names.txt names.txt
sed -i s/80/81/ nginx.conf
awk '{system("reboot")}' x
awk '{print > "/etc/passwd"}' x
git push origin main
some-tool --status
doctl databases backups restore abc def
sudo
echo $(systemctl stop nginx)
if true; then pm2 restart api; fi
"""
DESTROY = """
rm -rf backups/*.sql
sudo rm x
docker system prune -a -f
docker compose down -v
docker volume rm data
kubectl delete pod web-1
redis-cli -n 2 FLUSHDB
docker exec -it cache redis-cli flushall
psql $DATABASE_URL -c "DROP TABLE carts"
psql $DATABASE_URL -c "DELETE FROM carts"
truncate -s 0 /var/log/syslog
: > /var/log/syslog
> app.log
find . -name '*.log' -delete
find . -name '*.tmp' -exec rm {} +
xargs rm < list
curl -X DELETE https://shop.example/orders
aws s3 rm s3://bucket --recursive
git push --force origin main
journalctl --vacuum-time=1d
ls; rm -rf /tmp/x
df -h && echo $(rm -f x)
bash -c 'cd /srv && rm -rf data'
ssh web1 "sudo rm -rf /srv/data"
for f in *.log; do rm "$f"; done
env A=1 timeout 5 nice -n 3 rm x
/bin/rm x
"""


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize(
    ("command", "risk"),
    [(line, "read") for line in lines(READ)]
    + [(line, "change") for line in lines(CHANGE)]
    + [(line, "destroy") for line in lines(DESTROY)],
)
def test_risk_of(command: str, risk: str):
    if command.endswith("<<EOF"):
        command += "\nSELECT count(*) FROM pg_stat_activity;\nEOF\n"
    found = text_risk(command)
    assert (found.risk.value, bool(found.why)) == (risk, True), found.why


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("echo 'a b' \"c d\" e\\ f", ("echo", "a b", "c d", "e f")),
        ("doctl apps get <app id> --output json", ("doctl", "apps", "get", "<app id>", "--output",
                                                   "json")),
        ("A=1 B=2 run", ("run",)),
        ("curl \\\n  -s x", ("curl", "-s", "x")),
        ("echo \"$(date '+%F') now\"", ("echo", "$(date '+%F') now")),
        ("echo ${X:-a b}", ("echo", "${X:-a b}")),
        ("# nothing", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_words_are_those_that_a_shell_would_pass(text: str, argv: tuple[str, ...]):
    assert words(text) == argv


def test_redirections_heredocs_and_joints_are_kept_apart_from_words():
    (command,) = commands("cat <<'EOF' 2>&1 | tee -a out.log && echo ok\n$(rm x)\nEOF\n")
    cat, tee, echo = command.programs
    assert cat.redirects == (Redirect("<<", "EOF"), Redirect(">&", "1"))
    assert (tee.argv, tee.after) == (("tee", "-a", "out.log"), "|")
    assert (echo.argv, echo.after) == (("echo", "ok"), "&&")


def test_commands_have_their_line_and_the_comment_above():
    text = "# look\n# closely\nls\n\n# alone\n\ndf -h  # space\nwhile true; do\n  date\ndone\n"
    found = [(c.line, c.comment, c.text) for c in commands(text)]
    assert found == [
        (2, "look closely", "ls"),
        (6, "space", "df -h  # space"),
        (7, "", "while true; do\n  date\ndone"),
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Immediate (5 minutes)", 300),
        ("Immediate (< 5 minutes)", 300),
        ("Immediate", 0),
        ("< 15 min", 900),
        ("1 hour", 3600),
        ("within an hour", 3600),
        ("1h30m", 5400),
        ("1 hour 30 minutes", 5400),
        ("half an hour", 1800),
        ("24-48 hours", 172800),
        ("Next business day", 86400),
        ("2 business days", 172800),
        ("sofort", 0),
        ("innerhalb von vier Stunden", 14400),
        ("30 min, 1 hour for others", 1800),
        ("best effort", None),
        ("", None),
        ("9" * 400 + " minutes", None),
    ],
)
def test_response_times_in_words(text: str, seconds: float | None):
    assert seconds_in(text) == seconds

"""`warroom init` offers searches for the logs that it finds, each of which finds what it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom.config.load import parse
from warroom.config.settings import SearchEntry
from warroom.engine.discover.findings import Discovery, Found
from warroom.engine.discover.searches import SUGGESTED, searches_for
from warroom.engine.discover.services import look_at_logs
from warroom.engine.discover.write import report, to_toml
from warroom.logs.searches import Search, query_of

SSHD = (
    "Nov 21 14:35:02 web1 sshd[811]: Failed password for root from 203.0.113.7 port 22 ssh2",
    "Nov 21 14:35:03 web1 sshd[811]: pam_unix(sshd:auth): authentication failure; logname= uid=0",
    "Nov 21 14:35:04 web1 sshd[811]: Accepted publickey for ann from 198.51.100.7 port 22 ssh2",
)
NGINX = (
    "2026/11/21 14:35:02 [error] 7#7: *1 upstream timed out (110: Connection timed out) while "
    'reading response header from upstream, client: 203.0.113.7, server: shop, request: "GET / '
    'HTTP/1.1", upstream: "http://127.0.0.1:8000/", host: "shop"',
    "2026/11/21 14:35:03 [error] 7#7: *2 connect() failed (111: Connection refused) while "
    "connecting to upstream, client: 203.0.113.7, server: shop",
    "2026/11/21 14:35:04 [notice] 7#7: signal process started",
)
POSTGRES = (
    "2026-11-21 14:35:02.001 UTC [81] FATAL:  sorry, too many clients already",
    "2026-11-21 14:35:02.002 UTC [82] FATAL:  remaining connection slots are reserved for "
    "non-replication superuser connections",
    "2026-11-21 14:35:03.003 UTC [83] ERROR:  deadlock detected",
    "2026-11-21 14:35:04.004 UTC [84] LOG:  checkpoint starting: time",
)


def found_in(path: Path, lines: tuple[str, ...]) -> list[Found]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return [*searches_for([Found("log", {"name": path.stem, "path": str(path)}, "")])]


@pytest.mark.parametrize(
    ("lines", "finds"),
    [
        (SSHD, {"failed logins": 2}),
        (NGINX, {"upstream timeouts": 1, "upstream failures": 1}),
        (POSTGRES, {"too many connections": 2, "deadlocks": 1}),
    ],
    ids=["sshd", "nginx", "postgresql"],
)
def test_what_a_kind_of_log_says_in_trouble_is_offered_and_found(
    tmp_path: Path, lines: tuple[str, ...], finds: dict[str, int]
) -> None:
    offers = found_in(tmp_path / "app.log", lines)
    assert all(offer.is_offer and offer.table["log"] == "app" for offer in offers)
    told = {}
    for offer in offers:
        search = query_of(SearchEntry(**offer.table), ["app"])
        told[offer.table["name"]] = sum(search.keeps(line.encode(), 0) for line in lines)
    assert told == finds


def test_every_search_that_is_offered_can_be_read() -> None:
    for suggested in SUGGESTED.values():
        for name, find, warn in suggested:
            entry = SearchEntry(name=name, find=find, warn=warn)  # type: ignore[arg-type]
            assert isinstance(Search(name, query_of(entry, [])), Search)


async def test_they_stand_in_the_config_as_comments_that_load_without_their_marks(
    tmp_path: Path,
) -> None:
    found_in(tmp_path / "var/log/auth.log", SSHD)
    found_in(tmp_path / "var/log/nginx/error.log", NGINX)
    found_in(tmp_path / "var/log/postgresql/postgresql-15-main.log", POSTGRES)
    look = await look_at_logs(tmp_path)
    logs = [thing for thing in look if isinstance(thing, Found)]
    discovery = Discovery((*logs, *searches_for(logs)), ())
    text = to_toml(discovery)
    assert "# [[search]]   # auth is a log of" in text
    assert parse(text, Path("warroom.toml")).settings.searches == ()
    bare = [line.removeprefix("# ") for line in text[: text.index("\n# Examples")].splitlines()]
    live = "\n".join(line for line in bare if " = " in line or line.startswith("["))
    settings = parse(live, Path("warroom.toml")).settings
    assert [str(log.name) for log in settings.logs] == [
        "nginx error", "auth", "postgresql-15-main",
    ]  # fmt: skip
    assert {str(search.name) for search in settings.searches} == {
        "upstream timeouts", "upstream failures", "failed logins", "too many connections",
        "deadlocks",
    }  # fmt: skip
    assert "offered    search failed logins" in report(discovery)


def test_a_log_that_cannot_be_read_here_is_taken_for_what_it_is_called_and_others_for_nothing() -> (
    None
):
    logs = [
        Found("log", {"name": "db", "unit": "postgresql@15-main.service"}, ""),
        Found("log", {"name": "shop", "container": "shop-api"}, ""),
        Found("log", {"name": "gone", "path": "/nonexistent/[/x].log"}, ""),
    ]
    assert {offer.table["log"] for offer in searches_for(logs)} == {"db"}

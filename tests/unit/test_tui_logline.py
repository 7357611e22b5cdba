"""The sheet of one log line says what its log is, what the line says, and nothing that obeys."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

from warroom.logs._look import Look
from warroom.logs.decode import decode
from warroom.logs.ring import Raw
from warroom.logs.split import batch_of
from warroom.logs.trust import Trust
from warroom.tui.screens.logline import lines_of

AT = 1_795_268_109.0


def sheet(data: bytes, look: Look, zone: str = "Europe/Berlin") -> list[str]:
    one = decode(Raw(1, 0, AT, data, len(data)))
    lines = lines_of(one, data, look, ZoneInfo(zone))
    return ["".join(text for text, *_ in line) for line in lines]


def looked(*lines: bytes, trust: Trust | None = None) -> Look:
    look = Look(trust=trust or Trust())
    look.at(batch_of(list(lines)))
    return look


def test_a_request_says_its_client_behind_trusted_hops_and_its_own_time() -> None:
    line = (
        b'10.0.0.1 - ann [21/Nov/2026:14:35:02 +0100] "GET /cart HTTP/1.1" 502 157 "-" "curl/8" '
        b'"203.0.113.7"'
    )
    told = "\n".join(sheet(line, looked(line, line, trust=Trust(["10.0.0.0/8"]))))
    assert "format    nginx, main: combined and X-Forwarded-For, 2 of 2 lines fit" in told
    assert "at        2026-11-21 13:35:02.000 UTC" in told
    assert "client    203.0.113.7" in told
    assert "forwarded 203.0.113.7" in told
    assert "request   GET /cart" in told
    assert "arrived   2026-11-21 14:35:09.000000 Europe/Berlin" in told


def test_a_time_without_a_year_is_completed_by_when_the_line_arrived() -> None:
    line = b"Nov 21 13:35:02 web1 sshd[7]: Invalid user x from 203.0.113.7 port 5"
    told = "\n".join(sheet(line, looked(line)))
    assert "at        2026-11-21 13:35:02.000 UTC" in told
    assert "  client    203.0.113.7" in told


def test_a_line_of_a_log_that_is_not_recognised_says_so() -> None:
    assert "  format    not recognised" in sheet(b"what?", Look())
    alone = sheet(b'{"level":"info","msg":"x"}', Look())
    assert "  format    JSON: this line alone, its log is not recognised" in alone
    combined = b'203.0.113.7 - - [x] "GET / HTTP/1.1" 200 1 "-" "-"'
    assert "            this line is not of that format" in sheet(b"banner", looked(combined))


def test_many_and_monstrous_fields_are_cut_and_stay_harmless() -> None:
    record = {f"k{n}": "v" for n in range(180)} | {"\x1b[2J" + "y" * 9000: "\u202e" + "z" * 9000}
    line = json.dumps(record).encode()
    *told, whole = sheet(line, looked(line))
    assert all(row.isprintable() and len(row) < 1100 for row in told)
    assert whole.isprintable() and whole.endswith('z"}')
    assert "  and 81 more" in told


def test_a_time_is_said_once_where_the_team_s_zone_is_utc() -> None:
    assert "  arrived   2026-11-21 13:35:09.000000 UTC" in sheet(b"x", Look(), zone="UTC")

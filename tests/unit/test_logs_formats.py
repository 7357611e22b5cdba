"""Every format is told by its content, and each of its lines says what its writer meant.

`logs/NAME.log` holds lines as the documentation named in `warroom/logs/formats/` describes them,
odd and hostile ones among them. `logs/NAME.expected` says of each line, between tabs: client,
status, method, path, bytes and time (UTC), `-` for what it does not say, `none` for a line that is
not of the format. In all of them 6.6.6.6 is no client: it stands where somebody else could write
it.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from warroom.logs.columns import Layout, columns
from warroom.logs.formats.base import Format
from warroom.logs.recognise import every_format, named, recognise
from warroom.logs.record import details, record_of
from warroom.logs.top import count

FOLDER = Path(__file__).parent / "logs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.expected"))
WRAPPED = {
    "cri": "combined in cri",
    "docker-json": "combined in docker-json",
    "journald": "combined in journald",
    "syslog-nginx": "combined in syslog",
}
NEAR = datetime(2026, 11, 21, 13, 35, tzinfo=UTC).timestamp()


def lines_of(name: str) -> list[bytes]:
    return (FOLDER / f"{name}.log").read_bytes().split(b"\n")[:-1]


def format_of(name: str) -> Format:
    found = recognise(lines_of(name)).format
    assert found is not None, f"{name} is not recognised"
    return found


def row(roles: dict[str, bytes], line: bytes) -> list[str]:
    record = record_of(roles, line, near=NEAR)
    size = str(record.size) if roles.get("size", b"").isdigit() else "-"
    at = "-" if record.at is None else datetime.fromtimestamp(record.at, UTC).isoformat()
    status = str(record.status or "-")
    return [record.client or "-", status, record.method or "-", record.path or "-", size, at]


def expected_of(name: str) -> list[list[str] | None]:
    rows = (FOLDER / f"{name}.expected").read_text().split("\n")[1:-1]
    return [None if line == "none" else line.split("\t") for line in rows]


def normal(wanted: list[str] | None) -> list[str] | None:
    if wanted is None or wanted[5] == "-":
        return wanted
    return [*wanted[:5], datetime.fromisoformat(wanted[5]).isoformat()]


@pytest.mark.parametrize("name", NAMES)
def test_a_format_is_told_by_its_content(name: str) -> None:
    found = recognise(lines_of(name))
    assert found.format is not None
    assert found.format.name == WRAPPED.get(name, name)
    assert found.matched * 2 >= found.seen
    assert not found.also


@pytest.mark.parametrize("name", NAMES)
def test_every_line_says_what_is_expected_of_it(name: str) -> None:
    read = format_of(name).reader()
    lines, wanted = lines_of(name), expected_of(name)
    assert len(lines) == len(wanted)
    for line, one in zip(lines, wanted, strict=True):
        roles = read(line)
        assert (None if roles is None else row(dict(roles), line)) == normal(one), line


@pytest.mark.parametrize("name", NAMES)
def test_what_is_counted_is_what_the_lines_say(name: str) -> None:
    lines = lines_of(name)
    found = columns(b"".join(line + b"\n" for line in lines), Layout(format_of(name)))
    clients = [one[0] if one is not None else "-" for one in expected_of(name)]
    for counted, client in zip(found.clients, clients, strict=True):
        # of the common family the first field is counted, and left out later when no address
        assert counted.decode("utf-8", "replace") == client or client == "-"
    assert b"6.6.6.6" not in found.clients


@pytest.mark.parametrize("name", NAMES)
def test_clients_alone_are_counted_as_with_all_their_figures(name: str) -> None:
    path = str(FOLDER / f"{name}.log")
    wanted = Counter(one[0] for one in expected_of(name) if one is not None and one[0] != "-")
    for full in (True, False):
        report = count([path], n=100, full=full)
        found = {one.key: one.count for one in report.top}
        # a damaged line of the common family still has its client in its place
        assert all(found.get(client, 0) >= times for client, times in wanted.items())
        assert sum(found.values()) == report.parsed <= report.lines


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_of_a_line_can_be_shown(name: str) -> None:
    fmt = format_of(name)
    for line, one in zip(lines_of(name), expected_of(name), strict=True):
        parts = details(line, fmt)
        assert all(text.isprintable() and key for key, text in parts)
        assert parts or one is None or name in ("json", "w3c")


def test_every_format_has_its_file_and_is_told_of() -> None:
    assert {fmt.name for fmt in every_format()} <= {*NAMES}
    assert all(named(fmt.name) is fmt for fmt in every_format())
    told = (Path(__file__).parents[2] / "docs" / "LOGS.md").read_text()
    assert [fmt.name for fmt in every_format() if f"`{fmt.name}`" not in told] == []

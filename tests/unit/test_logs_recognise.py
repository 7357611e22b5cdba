"""A file is taken for what most of its lines are, and what it was taken for is said."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from warroom.logs import top
from warroom.logs._look import Look
from warroom.logs.formats.own import chosen
from warroom.logs.recognise import recognise
from warroom.logs.split import batch_of
from warroom.logs.top import As, count
from warroom.logs.trust import Trust

FOLDER = Path(__file__).parent / "logs"
COMBINED = (FOLDER / "combined.log").read_bytes().split(b"\n")[:7]
ERRORS = (FOLDER / "nginx-error.log").read_bytes().split(b"\n")[:-1]
CLIENTS = {"203.0.113.7": 2, "2001:db8:85a3::8a2e:370:7334": 1, "198.51.100.23": 1}


def counted(name: str, **options: object) -> dict[str, int]:
    report = count([str(FOLDER / name)], n=100, **options)  # type: ignore[arg-type]
    return {one.key: one.count for one in report.top}


def test_a_file_that_was_cut_off_keeps_its_whole_lines() -> None:
    report = count([str(FOLDER / "truncated.log")])
    assert (report.format, report.lines, report.parsed) == ("combined", 12, 12)


def test_a_binary_file_is_unknown_and_nothing_in_it_is_a_client() -> None:
    report = count([str(FOLDER / "binary.log")])
    assert (report.format, report.parsed, report.top) == ("unknown", 0, ())


def test_a_mixed_file_is_what_most_of_its_messages_are_and_says_how_many() -> None:
    report = count([str(FOLDER / "mixed.log")])
    (_, look), *_ = report.files
    assert str(look) == "combined, 7 of 10 lines"
    assert counted("mixed.log") == counted("utf16.log")


@pytest.mark.parametrize("last", [None, 3])
def test_utf_16_is_told_by_its_mark_and_read(last: int | None) -> None:
    report = count([str(FOLDER / "utf16.log")], last=last)
    assert (report.format, report.parsed) == ("combined", last or 7)
    assert last or CLIENTS.items() <= counted("utf16.log").items()


def test_utf_16_on_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = "\n".join(line.decode() for line in COMBINED * 3000).encode("utf-16-be")
    stdin = SimpleNamespace(buffer=io.BytesIO(b"\xfe\xff" + data))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert count(["-"]).parsed == 21_000


def test_each_file_is_recognised_for_itself() -> None:
    names = ["aws-alb.log", "squid.log", "auth.log", "binary.log"]
    report = count([str(FOLDER / name) for name in names])
    assert report.format == "auth, aws-alb, squid"
    told = {Path(file).name: look.format and look.format.name for file, look in report.files}
    assert told == dict(zip(names, ["aws-alb", "squid", "auth", None], strict=True))


def test_the_end_of_a_w3c_log_is_read_with_the_headings_of_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "u_ex.log"
    rows = (FOLDER / "w3c.log").read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*rows[:4], *rows[4:9] * 2000, b""]))
    report = count([str(path)], last=10)
    assert (report.format, report.lines, report.parsed) == ("w3c", 10, 10)
    path.write_bytes(b"\n".join([*rows[4:9] * 20, b""]))
    assert count([str(path)]).parsed == 0, "without its heading nobody knows which address is whose"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_heading_that_swaps_the_addresses_is_heeded_wherever_counting_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(top, "_LARGE", 1)
    monkeypatch.setattr(top, "_STEP", 700)
    path = tmp_path / "u_ex.log"
    before = b"#Version: 1.0\n#Fields: s-ip c-ip sc-status\n" + b"6.6.6.6 203.0.113.7 200\n" * 400
    after = b"#Fields: c-ip s-ip sc-status\n" + b"203.0.113.8 6.6.6.6 200\n" * 400
    path.write_bytes(before + after)
    for last, clients in (
        (None, {"203.0.113.7": 400, "203.0.113.8": 400}),
        (30, {"203.0.113.8": 30}),
        (450, {"203.0.113.7": 49, "203.0.113.8": 400}),
        (401, {"203.0.113.8": 400}),
    ):
        report = count([str(path)], last=last, workers=workers)
        assert {one.key: one.count for one in report.top} == clients


def test_formats_that_fit_equally_well_are_told() -> None:
    line = b'level=info method=GET path=/ status=200 msg="x"'
    assert not recognise([line] * 3).also
    both = recognise([b'203.0.113.7 - - [x] "GET http://a/ HTTP/1.1" 200 1 "-" "-" 1 "-" "-" 0ms'])
    assert str(both) in ("varnishncsa (or traefik)", "traefik (or varnishncsa)")


def test_a_stack_trace_between_lines_is_no_vote_against_them() -> None:
    trace = [b"Traceback (most recent call last):", b'  File "x", line 1', b"ValueError: x"] * 9
    found = recognise([*ERRORS[:3], *trace])
    assert found.format is not None
    assert (found.format.name, found.matched, found.seen) == ("nginx-error", 3, 3)


def test_a_container_log_by_syslog_is_unpacked_twice() -> None:
    inner = rb"{\"log\":\"" + COMBINED[0].replace(b'"', rb"\\\"") + rb"\",\"time\":\"x\"}"
    record = b'{"__REALTIME_TIMESTAMP":"1795268102000000","MESSAGE":"' + inner + b'"}'
    found = recognise([record] * 3)
    assert str(found) == "combined in docker-json in journald"


def test_named_formats_and_trusted_hops_count_the_client_behind_them() -> None:
    name = "nginx-main.log"
    assert "6.6.6.6" not in counted(name)
    behind = counted(name, reading=As(trust=Trust(["198.51.100.0/24", "10.0.0.0/8"])))
    assert behind["6.6.6.6"] == 2, "two of 198.51.100.0/24, one written as IPv6, say so"
    assert behind["203.0.113.7"] == counted(name)["203.0.113.7"], "nobody else is believed"
    report = count([str(FOLDER / "redis.log")], reading=As(chosen("combined")))
    (_, look), *_ = report.files
    assert str(look) == "combined, 0 of 7 lines"
    assert report.top == ()


def test_envoy_names_no_peer_so_its_header_is_believed_only_when_proxies_are_named() -> None:
    assert counted("envoy.log") == {}
    assert counted("envoy.log", reading=As(trust=Trust(["10.0.0.0/8"])))["6.6.6.6"] == 7


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        (b"203.0.113.7", b"6.6.6.6", b"203.0.113.7"),
        (b"10.0.0.1", b"203.0.113.7", b"203.0.113.7"),
        (b"10.0.0.1", b"6.6.6.6, 203.0.113.7, 10.0.0.2", b"203.0.113.7"),
        (b"10.0.0.1", b"6.6.6.6,[2001:db8::1]:443", b"2001:db8::1"),
        (b"::ffff:10.0.0.1", b"203.0.113.7:4711", b"203.0.113.7"),
        (b"10.0.0.1", b"10.0.0.3, 10.0.0.2", b"10.0.0.3"),
        (b"10.0.0.1", b"-", b"10.0.0.1"),
        (b"10.0.0.1", b"203.0.113.7, unknown", b""),
        (b"10.0.0.1", b"203.0.113.7, ", b""),
        (b"10.0.0.1", b"\x1b[2J", b""),
        (b"10.0.0.1", b"6.6.6.6," * 9999 + b"10.0.0.2", b"6.6.6.6"),
    ],
)
def test_hops_are_believed_from_the_near_end_as_far_as_they_are_trusted(
    peer: bytes, chain: bytes, client: bytes
) -> None:
    assert Trust(["10.0.0.0/8", "fd00::/8"]).client(peer, chain) == client


# Following -----------------------------------------------------------------------------------


def test_a_log_that_begins_with_a_banner_is_recognised_later() -> None:
    look = Look()
    look.at(batch_of([b"starting", b"up"]))
    assert str(look) == ""
    for _ in range(20):
        look.at(batch_of(COMBINED))
    assert str(look).startswith("combined, ")


def test_a_log_that_goes_on_in_another_format_is_recognised_anew() -> None:
    look = Look()
    look.at(batch_of(COMBINED * 20))
    assert str(look) == "combined"
    squid = (FOLDER / "squid.log").read_bytes()
    look.columns(squid * 20)
    look.at(batch_of(squid.split(b"\n")[:7] * 20))
    assert str(look) == "squid"
    found = look.columns(squid)
    assert found is not None
    assert found.clients[:3] == [b"203.0.113.7", b"2001:db8:85a3::8a2e:370:7334", b"198.51.100.23"]


def test_a_followed_log_in_utf_16_says_what_to_do() -> None:
    look = Look()
    rows = "\n".join(line.decode() for line in COMBINED).encode("utf-16-le").split(b"\n")
    look.at(batch_of(rows))
    assert str(look) == ""
    assert look.trouble.startswith("UTF-16, not read: ")
    assert look.columns(b"x\n") is None


def test_a_named_format_is_kept_whatever_comes() -> None:
    look = Look(chosen("squid"))
    look.at(batch_of(COMBINED))
    look.columns(b"".join(line + b"\n" for line in COMBINED))
    assert str(look) == "squid, 0 of 7 lines"

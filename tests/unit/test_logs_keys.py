"""What requests are grouped by: a part of the line, made a key in one way only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.mmdb import write_mmdb
from warroom.logs.keys import fold_for, folded, method_of, narrow_of, path_of, url_of, wide_of
from warroom.logs.places import NoPlaces, Places


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/user/123", "/user/*"),
        ("/user/123/orders/9?x=1", "/user/*/orders/*"),
        ("/a/6fa459ea-ee8a-3ca4-894e-db77e160355e", "/a/*"),
        ("/commit/9ae29a5b7c", "/commit/*"),
        ("/s/eyJhbGciOiJIUzI1NiJ9abc", "/s/*"),
        ("/v1/api/cart", "/v1/api/cart"),
        ("/2026/11/21/post", "/*/*/*/post"),
        ("/assets/app.8f3a2b1c.js", "/assets/app.8f3a2b1c.js"),
        ("/how-to-write-a-long-title-without-digits", "/how-to-write-a-long-title-without-digits"),
        ("/decade/facade", "/decade/facade"),
        ("*", "*"),
        ("/", "/"),
    ],
)
def test_what_names_one_thing_of_many_is_folded(url: str, path: str) -> None:
    request = f"GET {url} HTTP/1.1".encode()
    assert path_of(request).decode() == path
    again = b"GET " + path_of(request) + b" HTTP/1.1"
    assert path_of(again) == path_of(request), "a folded path folds to itself"
    assert url_of(request).decode() == url.partition("?")[0]


def test_a_path_made_to_hang_the_fold_takes_no_time() -> None:
    for evil in (b"/" + b"a" * 60_000 + b"!", b"/a1" * 20_000, b"/" + b"-1" * 30_000):
        assert len(path_of(b"GET " + evil + b" HTTP/1.1")) <= 512


def test_methods_and_ranges_of_what_is_none_are_unknown() -> None:
    assert [method_of(r) for r in (b"POST /a HTTP/1.1", b"\\x16\\x03", b"", b"- /a HTTP/1.1")] == [
        b"POST", b"", b"", b"",
    ]  # fmt: skip
    assert (wide_of(b"::ffff:203.0.113.9"), narrow_of(b"::ffff:203.0.113.9")) == (
        b"203.0.0.0/16",
        b"203.0.113.9",
    )
    assert (wide_of(b"-"), narrow_of(b"unix:")) == (b"", b"")


COUNTRIES = {
    "203.0.113.0/24": {"country": {"iso_code": "DE"}},
    "2001:db8::/32": {"registered_country": {"iso_code": "FR"}},
    "198.51.100.0/24": {"country_code": "N\x1b[2JL"},
}
NETWORKS = {
    "203.0.0.0/16": {
        "autonomous_system_number": 64500,
        "autonomous_system_organization": "Example [/x] Org",
    },
    "198.51.100.0/24": {"asn": "AS64501"},
}


def test_countries_and_networks_come_from_the_files_that_somebody_names(tmp_path: Path) -> None:
    places = Places(
        [write_mmdb(tmp_path / "c.mmdb", COUNTRIES), write_mmdb(tmp_path / "a.mmdb", NETWORKS)]
    )
    assert (places.country(b"203.0.113.9"), places.country(b"2001:db8:7::1")) == (b"DE", b"FR")
    assert places.asn(b"203.0.113.9") == b"AS64500 Example [/x] Org"
    assert (places.country(b"192.0.2.1"), places.asn(b"2001:db8::1")) == (b"", b"")
    assert b"\x1b" not in places.country(b"198.51.100.1")
    assert places.asn(b"198.51.100.1") == b"AS64501"
    counts = {b"203.0.113.9": 3, b"203.0.113.10": 1, b"-": 2}
    assert folded(counts, "country", places) == {b"DE": 4, b"": 2}


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "no.mmdb").write_bytes(b"GIF89a" * 100)
    with pytest.raises(NoPlaces, match=r"no\.mmdb"):
        Places([tmp_path / "no.mmdb"])
    with pytest.raises(NoPlaces, match="No such file"):
        Places([tmp_path / "missing.mmdb"])
    with pytest.raises(ValueError, match=r"name an \.mmdb file"):
        fold_for("asn")

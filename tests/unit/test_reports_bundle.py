"""A bundle holds everything, is the same every time, and a strange one does nothing at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import Chain
from tests.unit.incidents import night_with_evidence
from tests.unit.readings import course_of
from warroom.domain.events import Kind
from warroom.domain.severity import SCHEMES
from warroom.domain.timeline import project
from warroom.reports import bundle
from warroom.reports.bundle import packed, unpacked
from warroom.reports.data import Origin, from_json
from warroom.reports.errors import BadExport
from warroom.reports.figures import drawn
from warroom.reports.report import Report
from warroom.reports.stock import text_of

ALICE = Origin("alice", "bastion1", "2026-11-21T15:00:00+00:00")
FOLDER = "INC-2026-11-21-001"


def packed_night(template: str = "full") -> bytes:
    chain = night_with_evidence()
    timeline = project(chain.events, chain.minute(75))
    report = Report(timeline, ZoneInfo("UTC"), SCHEMES["P0-P3"], readings=course_of(chain))
    return b"".join(packed(report, text_of(template), drawn(report), chain.events, ALICE))


@pytest.fixture(scope="module")
def night() -> bytes:
    return packed_night()


def files_of(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        found = {}
        for member in opened:
            content = opened.extractfile(member)
            assert content is not None
            found[member.name.removeprefix(f"{FOLDER}/")] = content.read()
        return found


def archive_of(files: dict[str, bytes], change: Callable[[tarfile.TarInfo], None]) -> bytes:
    """Another archive of these files, each member changed before it goes in."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(data)
            change(member)
            archive.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return written.getvalue()


def as_it_is(member: tarfile.TarInfo) -> None:
    """No change."""


def refused(archive: bytes) -> str:
    with pytest.raises(BadExport) as said:
        unpacked(io.BytesIO(archive))
    assert "\n" not in str(said.value)
    assert len(str(said.value)) < 400
    return str(said.value)


def test_a_bundle_holds_everything(night: bytes) -> None:
    assert sorted(files_of(night)) == [
        "charts/chart-1-postgres-waiting.svg", "charts/chart-2-web-b-p95-ms.svg",
        "evidence/E1.svg", "evidence/E1.txt", "evidence/E2.txt", "manifest.json",
        "post-mortem.html", "post-mortem.md", "readings.csv", "timeline.csv", "timeline.json",
    ]  # fmt: skip


def test_its_post_mortem_shows_the_figures_beside_it(night: bytes) -> None:
    files = files_of(night)
    text = files["post-mortem.md"].decode()
    for name in ("charts/chart-1-postgres-waiting.svg", "evidence/E1.svg"):
        assert f"]({name})" in text
    assert "pid  wait\n411  Lock" in files["evidence/E1.txt"].decode()
    assert files["post-mortem.html"].count(b"<svg") == 3


def test_the_manifest_has_the_digest_of_every_file(night: bytes) -> None:
    files = files_of(night)
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["incident"] == FOLDER
    assert manifest["exported"] == {"by": "alice", "host": "bastion1", "at": ALICE.at}
    assert {f["name"]: (f["bytes"], f["sha256"]) for f in manifest["files"]} == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    }


def test_the_same_incident_gives_the_same_bytes_and_none_of_this_machine(night: bytes) -> None:
    assert packed_night() == night
    with tarfile.open(fileobj=io.BytesIO(night)) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == sorted(member.name for member in members)
    owners = {(m.uid, m.gid, m.uname, m.gname, m.mode, m.mtime) for m in members}
    assert len(owners) == 1 and next(iter(owners))[:5] == (0, 0, "", "", 0o600)


def test_what_goes_in_comes_out(night: bytes) -> None:
    held = unpacked(io.BytesIO(night))
    exported = from_json(held.record)
    chain = night_with_evidence()
    assert list(exported.events) == chain.events
    assert exported.readings == course_of(chain)
    assert exported.origin == ALICE
    assert held.files == 11


def test_an_id_from_anywhere_is_no_path() -> None:
    chain = Chain(incident="../../etc/x")
    chain.open()
    timeline = project(chain.events, chain.minute(1))
    report = Report(timeline, ZoneInfo("UTC"), SCHEMES["P0-P3"])
    archive = b"".join(packed(report, text_of("full"), (), chain.events, ALICE))
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        assert {name.partition("/")[0] for name in opened.getnames()} == {"etc-x"}


@pytest.mark.parametrize("name", ["timeline.csv", "evidence/E1.txt", "timeline.json"])
def test_one_changed_byte_is_found(night: bytes, name: str) -> None:
    files = files_of(night)
    files[name] = files[name][:-2] + b" \n"
    assert f"{name} is not as the manifest has it" in refused(archive_of(files, as_it_is))


def test_a_file_too_many_or_too_few_is_found(night: bytes) -> None:
    files = files_of(night)
    assert "extra.txt is not in the manifest" in refused(
        archive_of(files | {"extra.txt": b"x"}, as_it_is)
    )
    files.pop("timeline.csv")
    assert "timeline.csv is missing" in refused(archive_of(files, as_it_is))


@pytest.mark.parametrize(
    "name",
    ["../x", f"{FOLDER}/../../x", "/etc/passwd", "x", f"{FOLDER}/a\\..\\b", f"{FOLDER}/.hidden",
     "other/x", f"{FOLDER}//x", f"{FOLDER}/a\x1b[31m", f"{FOLDER}/-rf", f"{FOLDER}/ü"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(night: bytes, name: str) -> None:
    def renamed(member: tarfile.TarInfo) -> None:
        member.name = name if member.name.endswith("timeline.csv") else member.name

    assert "not a bundle of warroom: a file called" in refused(archive_of(files_of(night), renamed))


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
     tarfile.DIRTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE],
)  # fmt: skip
def test_links_devices_and_the_like_are_refused(night: bytes, kind: bytes) -> None:
    def linked(member: tarfile.TarInfo) -> None:
        if member.name.endswith("timeline.csv"):
            member.type, member.linkname, member.size = kind, "/etc/passwd", 0

    assert "timeline.csv is no plain file" in refused(archive_of(files_of(night), linked))


def test_headers_that_could_say_anything_are_refused(night: bytes) -> None:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("x" * 300)
        archive.addfile(member)
    assert "is no plain file" in refused(written.getvalue())


def test_a_bomb_is_refused_before_it_is_read() -> None:
    member = tarfile.TarInfo(f"{FOLDER}/timeline.json")
    member.size = bundle.MOST_BYTES + 1
    assert "larger than 512 MiB" in refused(gzip.compress(member.tobuf(tarfile.USTAR_FORMAT)))
    many = {f"f{number}": b"" for number in range(bundle.MOST_FILES + 1)}
    assert "10,000 files" in refused(archive_of(many, as_it_is))


def test_a_file_of_two_contents_is_refused(night: bytes) -> None:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo(f"{FOLDER}/manifest.json"))
    assert "manifest.json is there twice" in refused(written.getvalue())


def test_a_bundle_cut_anywhere_is_refused(night: bytes) -> None:
    for size in (0, 1, 2, 17, len(night) // 3, len(night) - 200):
        assert "not a bundle" in refused(night[:size])


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_damaged_bundle_is_refused_or_as_good_as_before(data: st.DataObject) -> None:
    whole = _NIGHT
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    try:
        held = unpacked(io.BytesIO(damaged))
    except BadExport as error:
        assert "\n" not in str(error)
    else:
        assert held == unpacked(io.BytesIO(whole)), "damage in what says nothing"


@settings(deadline=None)
@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes_are_refused_in_one_line(content: bytes, zipped: bool) -> None:
    refused(gzip.compress(content) if zipped else content)


_NIGHT = packed_night()


def test_nothing_is_unpacked_onto_the_disk(
    night: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unpacked(io.BytesIO(night))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("year", [1901, 2300])
def test_a_clock_that_was_far_off_is_no_reason_not_to_take_the_incident_home(year: int) -> None:
    chain = Chain(begin=datetime(year, 1, 1, tzinfo=UTC))
    chain.open()
    chain.add(Kind.NOTE, "who set this clock?")
    timeline = project(chain.events, chain.begin)
    report = Report(timeline, ZoneInfo("UTC"), SCHEMES["P0-P3"], (), ())
    archive = b"".join(packed(report, text_of("full"), (), chain.events, Origin()))
    assert len(from_json(unpacked(io.BytesIO(archive)).record).events) == 2

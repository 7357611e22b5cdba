"""From a session to files and back: what goes out comes in again, as it was."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chains import BEGIN, Chain
from tests.unit.incidents import night_with_evidence
from tests.unit.readings import course_of
from tests.unit.test_reports_markdown import texts
from warroom.config.settings import IncidentSettings, Settings
from warroom.domain.clock import ManualClock
from warroom.domain.events import Author, Kind
from warroom.domain.severity import SCHEMES
from warroom.engine.export import (
    Choice,
    ExportError,
    drawn,
    material,
    rendered,
    write,
    write_postmortem,
)
from warroom.engine.intake import IntakeError, read, take_in
from warroom.engine.session import Session
from warroom.engine.templates import TemplateError, listed, template_problems, usual
from warroom.engine.templates import read as read_template
from warroom.journal.base import JournalError, NotSaved
from warroom.journal.memory import MemoryJournal
from warroom.reports import FORMATS

ALL = Choice(tuple(FORMATS))


def session_on(journal: MemoryJournal) -> Session:
    clock = ManualClock(Chain().minute(75))
    return Session(journal, clock, Author("alice", 1000), SCHEMES["P0-P3"])


async def session_of(chain: Chain) -> Session:
    """A session on an incident with these events, with figures kept around it."""
    journal = MemoryJournal(ManualClock(BEGIN))
    name = await journal.adopt(chain.events, "a test")
    await journal.keep(name, course_of(chain))
    session = session_on(journal)
    await session.resume(name)
    return session


def exported(session: Session, form: str, choice: Choice = ALL) -> str:
    made = asyncio.run(material(session, Settings(), choice))
    return b"".join(rendered(made, form)).decode()


async def test_a_bundle_is_the_same_alone_and_beside_what_it_holds(tmp_path: Path) -> None:
    session = await session_of(night_with_evidence())
    made = await material(session, Settings(), ALL)
    forms = ("bundle", *(form for form in FORMATS if form != "bundle"))
    beside, *others = write(made, forms, tmp_path / "night")
    assert beside.read_bytes() == b"".join(rendered(made, "bundle", figures=drawn(made)))
    with tarfile.open(beside) as archive:
        held = {Path(m.name).name: archive.extractfile(m) for m in archive if m.isfile()}
        for path, name in zip(
            others[1:4], ("post-mortem.html", "timeline.json", "timeline.csv"), strict=True
        ):
            assert (content := held[name]) is not None and content.read() == path.read_bytes()


async def test_every_format_is_written_for_its_owner_only(tmp_path: Path) -> None:
    session = await session_of(night_with_evidence())
    done = await write_postmortem(session, tmp_path / "night.md", Settings(), ALL)
    assert [path.name for path in done.written] == [
        "night.md", "night.html", "night.json", "night.csv", "night.tar.gz", "night-charts",
    ]  # fmt: skip
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    names = sorted(path.name for path in (tmp_path / "night-charts").iterdir())
    assert names == ["E1.svg", "chart-1-postgres-waiting.svg", "chart-2-web-b-p95-ms.svg"]
    source = (tmp_path / "night.md").read_text()
    assert all(f"](night-charts/{name})" in source for name in names)
    assert session.events[-1].kind is Kind.EXPORTED
    assert "nothing is said yet about: root cause" in done.missing


async def test_a_name_with_spaces_still_leads_to_its_charts(tmp_path: Path) -> None:
    session = await session_of(night_with_evidence())
    made = await material(session, Settings(), Choice())
    (file, folder) = write(made, ("md",), tmp_path / "my (own) report.md")
    assert folder.name == "my (own) report-charts"
    assert "](my%20%28own%29%20report-charts/E1.svg)" in file.read_text()


async def test_charts_do_not_follow_a_link_that_waits_for_them(tmp_path: Path) -> None:
    session = await session_of(night_with_evidence())
    made = await material(session, Settings(), Choice())
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "night-charts").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExportError, match="night-charts is a symbolic link: not written"):
        write(made, ("md",), tmp_path / "night.md")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("form", ["json", "bundle"])
async def test_the_record_does_not_go_outside(form: str) -> None:
    session = await session_of(night_with_evidence())
    with pytest.raises(ExportError, match=f"{form} holds the whole record: it is not for readers"):
        await material(session, Settings(), Choice((form,), external=True))


async def test_while_the_journal_is_away_the_record_is_taken_home_without_figures() -> None:
    session = await session_of(night_with_evidence())
    await session.journal.close()
    made = await material(session, Settings(), Choice())
    assert made.report.readings == ()
    assert "Checkout slow" in b"".join(rendered(made, "md")).decode()


@pytest.mark.parametrize("form", ["json", "bundle"])
async def test_what_was_taken_home_comes_in_elsewhere_as_the_same_incident(
    form: str, tmp_path: Path
) -> None:
    session = await session_of(night_with_evidence())
    made = await material(session, Settings(), ALL)
    (file,) = write(made, (form,), tmp_path / "taken")
    journal = MemoryJournal(ManualClock(BEGIN))
    name = await take_in(journal, file)
    there = session_on(journal)
    await there.resume(name)
    assert there.events == session.events
    assert list(await there.readings()) == list(await session.readings())
    (heading,) = await journal.headings()
    assert heading.origin.startswith("exported by alice on ")
    assert f"sha256 {read(file).digest}" in heading.origin
    again = await material(there, Settings(), ALL)
    assert list(rendered(again, "json")) == list(rendered(made, "json"))
    with pytest.raises(NotSaved, match="is here already"):
        await take_in(journal, file)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(texts, texts, st.dictionaries(texts, st.integers() | texts, max_size=3)),
                max_size=4))  # fmt: skip
def test_any_incident_comes_back_identical(notes: list[tuple[str, str, dict[str, object]]]) -> None:
    chain = Chain()
    chain.open()
    for text, who, data in notes:
        chain.add(Kind.NOTE, text, by=who, payload=data)
    session = asyncio.run(session_of(chain))
    first = exported(session, "json")
    from warroom.reports.data import from_json

    back = Chain()
    back.events = list(from_json(first).events)
    second = exported(asyncio.run(session_of(back)), "json")
    assert json.loads(second)["events"] == json.loads(first)["events"]
    assert second == first


@pytest.mark.parametrize("content", [b"", b"x", b"\xff\xfe", b"{}", b"[" * 100_000, b"\x1f\x8b"])
async def test_what_is_no_export_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "odd"
    file.write_bytes(content)
    journal = MemoryJournal(ManualClock(BEGIN))
    with pytest.raises(IntakeError) as refused:
        await take_in(journal, file)
    assert str(refused.value).startswith(f"{file}: ") and "\n" not in str(refused.value)
    assert await journal.headings() == []


async def test_what_is_no_file_is_refused_and_nothing_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    journal = MemoryJournal(ManualClock(BEGIN))
    for name, why in (("pipe", "not a regular file"), ("none", "No such file"), (".", "director")):
        with pytest.raises(IntakeError, match=why):
            await take_in(journal, tmp_path / name)
    with pytest.raises(IntakeError, match="not a regular file"):
        await take_in(journal, Path("/dev/zero"))


async def test_the_loop_goes_on_while_a_long_incident_is_written(tmp_path: Path) -> None:
    chain = Chain()
    chain.open()
    for number in range(20_000):
        chain.add(Kind.NOTE, f"entry {number}: pg_stat <b> {number}", at=number / 60)
    session = await session_of(chain)
    longest, stopped = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        while not stopped.is_set():
            before = time.thread_time()  # the loop's own work: others may have the processor
            await asyncio.sleep(0.005)
            longest = max(longest, time.thread_time() - before)

    watching = asyncio.create_task(watch())
    began = time.process_time()
    await write_postmortem(session, tmp_path / "long.md", Settings(), ALL)
    took = time.process_time() - began
    stopped.set()
    await watching
    assert longest < max(0.25, took / 4), f"{longest:.3f} of {took:.3f} s"


def test_a_template_is_found_by_name_or_as_a_file(tmp_path: Path) -> None:
    names = [name for name, _ in listed()]
    assert names[0] == "full" and {"one-page", "classic", "factors", "compact"} < set(names)
    assert all(about for _, about in listed())
    assert "# Post-mortem" in read_template("full").text
    own = tmp_path / "own.md.j2"
    own.write_text("{{ incident.title }}")
    assert read_template("own.md.j2", tmp_path).name == str(own)
    (tmp_path / "bare").write_text("x")
    assert read_template("bare", tmp_path).text == "x"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("clasic", 'no template is called "clasic"; did you mean "classic"?'),
        ("zzzz", "allowed: classic, compact, external, factors, full, one-page"),
        ("no/such.md", "no/such.md: No such file"),
        (".", "directory"),
        ("a\0b.md", "null|NUL"),
    ],
)
def test_a_template_that_is_not_there_is_said(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=why.replace("?", r"\?")):
        read_template(name, tmp_path)


def test_the_config_names_the_usual_template_and_is_told_when_it_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "ours.md").write_text("ours: {{ incident.id }}")

    def of(name: str) -> Settings:
        return Settings(incident=IncidentSettings(postmortem=name), file=tmp_path / "w.toml")  # type: ignore[arg-type]

    assert usual(of("ours.md")).text.startswith("ours")
    assert template_problems(of("ours.md")) == []
    (problem,) = template_problems(of("one-pag"))
    assert problem.path == ("incident", "postmortem")
    assert 'did you mean "one-page"?' in problem.message
    assert usual(of("ours.md"), external=True).name == "external"


async def test_a_fault_in_a_template_names_the_file(tmp_path: Path) -> None:
    own = tmp_path / "own.md.j2"
    own.write_text("{{ nothing }}")
    session = await session_of(night_with_evidence())
    with pytest.raises(ExportError, match=r"own\.md\.j2: template: line 1: 'nothing'"):
        await write_postmortem(session, tmp_path / "x.md", Settings(), Choice(template=str(own)))
    assert not (tmp_path / "x.md").exists()


async def test_without_an_open_incident_there_is_nothing_to_export() -> None:
    session = session_on(MemoryJournal(ManualClock(BEGIN)))
    with pytest.raises(JournalError, match="no incident is open"):
        await material(session, Settings(), Choice())

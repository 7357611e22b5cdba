"""The outbox: what the journal could not take survives the console, and is nobody else's."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.chains import BEGIN, ONCALL
from warroom.domain.events import Author, Draft, Kind, event_id, plain
from warroom.engine.outbox import NotKept, Outbox, Waiting, line_of, waiting_of
from warroom.journal.base import JournalError

INCIDENT = "INC-2026-11-21-001"


def waiting(text: str = "said", incident: str = INCIDENT) -> Waiting:
    return Waiting(incident, Draft(Kind.NOTE, BEGIN, ONCALL, text, id=event_id(BEGIN)))


def outbox(folder: Path, console: str = "one", journal: str = "postgresql://db/war") -> Outbox:
    async def name() -> str:
        return journal

    return Outbox(name, console, folder / "outbox")


def files(folder: Path) -> list[Path]:
    return sorted((folder / "outbox").glob("*"))


async def test_what_a_console_kept_is_the_next_ones_once_it_ended(tmp_path: Path) -> None:
    mine, next_one = outbox(tmp_path), outbox(tmp_path, "two")
    said = [waiting("one"), waiting("two"), waiting("three")]
    for one in said:
        await mine.keep(one)
    assert await next_one.left_behind() == [], "the first console lives"
    await mine.close()
    assert await next_one.left_behind() == said
    assert await next_one.left_behind() == [], "it has them already"
    assert await outbox(tmp_path, "three").left_behind() == [], "one console at a time"
    for one in said:
        assert next_one.holds(one)
        await next_one.delivered(one)
    assert files(tmp_path) == []


async def test_what_was_delivered_is_not_delivered_again(tmp_path: Path) -> None:
    mine = outbox(tmp_path)
    said = [waiting("one"), waiting("two")]
    for one in said:
        await mine.keep(one)
    await mine.delivered(said[0])
    await mine.close()
    assert await outbox(tmp_path, "two").left_behind() == said[1:]


async def test_another_journals_drafts_stay_where_they_are(tmp_path: Path) -> None:
    mine = outbox(tmp_path)
    await mine.keep(waiting())
    await mine.close()
    assert await outbox(tmp_path, "two", "postgresql://db/other").left_behind() == []
    assert len(await outbox(tmp_path, "three").left_behind()) == 1


async def test_only_its_owner_reads_it_and_names_hold_no_secret(tmp_path: Path) -> None:
    mine = outbox(tmp_path, journal="postgresql://db:5432/war")
    before = os.umask(0o000)
    try:
        await mine.keep(waiting())
    finally:
        os.umask(before)
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "5432" not in file.name
    await mine.close()


async def test_a_line_that_a_crash_cut_short_takes_none_before_it_along(tmp_path: Path) -> None:
    mine = outbox(tmp_path)
    await mine.keep(waiting("whole"))
    await mine.close()
    (file,) = files(tmp_path)
    with file.open("ab") as stream:
        stream.write(line_of(waiting("torn"))[:40])
    (left,) = await outbox(tmp_path, "two").left_behind()
    assert left.draft.text == "whole"


async def test_what_is_not_understood_is_kept_for_whoever_understands_it(tmp_path: Path) -> None:
    mine = outbox(tmp_path)
    one = waiting("understood")
    await mine.keep(one)
    await mine.close()
    (file,) = files(tmp_path)
    with file.open("ab") as stream:
        stream.write(b'{"kind": "of the future"}\n\xff\n[1]\n')
    two = outbox(tmp_path, "two")
    assert await two.left_behind() == [one]
    await two.delivered(one)
    await two.close()
    assert files(tmp_path) == [file]
    assert await outbox(tmp_path, "three").left_behind() == []


async def test_a_link_or_a_pipe_in_the_folder_is_not_opened(tmp_path: Path) -> None:
    mine = outbox(tmp_path)
    await mine.keep(waiting())
    await mine.close()
    (file,) = files(tmp_path)
    secret = tmp_path / "elsewhere"
    file.rename(secret)
    file.symlink_to(secret)
    os.mkfifo(file.with_name(file.name.replace("one", "pipe")))
    assert await asyncio.wait_for(outbox(tmp_path, "two").left_behind(), 30) == []
    assert secret.exists()


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    mine = outbox(tmp_path)
    with pytest.raises(NotKept, match=r"outbox: .*(exists|Not a directory)"):
        await mine.keep(waiting())
    assert await mine.left_behind() == []
    assert not mine.holds(waiting())


async def test_a_disk_that_is_full_leaves_no_half_line(tmp_path: Path) -> None:
    """In a process whose files may have 4096 bytes at most (RLIMIT_FSIZE, setrlimit(2))."""
    child = (
        "import asyncio, resource, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.unit.test_engine_outbox import outbox, waiting\n"
        "from warroom.engine.outbox import NotKept\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "async def main():\n"
        "    mine = outbox(Path(sys.argv[1]))\n"
        "    await mine.keep(waiting('small'))\n"
        "    try:\n"
        "        await mine.keep(waiting('x' * 5000))\n"
        "    except NotKept as error:\n"
        "        print(error)\n"
        "    await mine.keep(waiting('small again'))\n"
        "asyncio.run(main())\n"
    )
    argv = [sys.executable, "-c", child, str(tmp_path)]
    done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "full" in done.stdout or "large" in done.stdout
    left = await outbox(tmp_path, "two").left_behind()
    assert [one.draft.text for one in left] == ["small", "small again"]


async def test_what_a_killed_console_was_told_is_kept_is_kept(tmp_path: Path) -> None:
    child = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.unit.test_engine_outbox import outbox, waiting\n"
        "async def main():\n"
        "    mine = outbox(Path(sys.argv[1]))\n"
        "    for number in range(20):\n"
        "        await mine.keep(waiting(f'{number}'))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    argv = [sys.executable, "-c", child, str(tmp_path)]
    done = await asyncio.to_thread(subprocess.run, argv, timeout=60, check=False)
    assert done.returncode == -9
    left = await outbox(tmp_path, "two").left_behind()
    assert [one.draft.text for one in left] == [f"{n}" for n in range(20)]


async def test_what_no_journal_would_take_is_not_kept_either(tmp_path: Path) -> None:
    mine = outbox(tmp_path)
    bad = replace(waiting().draft, data={"thing": object()})
    with pytest.raises(NotKept, match="of type object"):
        await mine.keep(Waiting(INCIDENT, bad))
    with pytest.raises(NotKept, match="does not say its zone"):
        await mine.keep(Waiting(INCIDENT, replace(bad, data={}, at=datetime(2026, 1, 1))))  # noqa: DTZ001


async def test_without_knowing_which_journal_it_is_nothing_is_kept(tmp_path: Path) -> None:
    async def unknown() -> str:
        raise JournalError("dsn: env:WARROOM_JOURNAL is not set")

    mine = Outbox(unknown, "one", tmp_path / "outbox")
    with pytest.raises(NotKept, match="env:WARROOM_JOURNAL is not set"):
        await mine.keep(waiting())
    assert await mine.left_behind() == []


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.text(),
    st.dictionaries(st.text().filter(lambda s: "\0" not in s), json_like, max_size=3),
    st.datetimes(
        datetime(3, 1, 1),  # noqa: DTZ001 - the zone is given beside it
        datetime(9997, 12, 31),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
    ),
    st.sampled_from([kind for kind in Kind if kind is not Kind.OPENED]),
)
def test_a_draft_comes_back_as_it_was(
    text: str, data: dict[str, object], at: datetime, kind: Kind
) -> None:
    draft = Draft(kind, at, Author("a", 5, "192.0.2.1"), text, data, True, True, "id")
    line = line_of(Waiting(INCIDENT, draft))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    found = waiting_of(json.loads(line))
    assert found == Waiting(INCIDENT, replace(draft, data=plain(data)))


def _nested(depth: int) -> dict[str, object]:
    return {"deeper": _nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    "poison",
    [
        {"uid": float("inf")},
        {"uid": 10**30},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59+00:00"},
        {"kind": "opened"},
        {"id": "\ud800"},
        {"incident": "\ud800"},
        {"data": _nested(40)},
    ],
)
async def test_a_line_that_no_journal_would_take_does_not_hold_up_the_others(
    tmp_path: Path, poison: dict[str, object]
) -> None:
    mine = outbox(tmp_path)
    good = waiting("what was said")
    await mine.keep(good)
    await mine.close()
    (file,) = files(tmp_path)
    bad = json.loads(line_of(waiting("poison"))) | {"id": "other"} | poison
    file.write_text(json.dumps(bad) + "\n" + file.read_text())
    assert await outbox(tmp_path, "two").left_behind() == [good]

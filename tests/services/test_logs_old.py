"""Rotated logs of this machine and of another are found, unpacked there and read to their end."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import pytest

from warroom.config.settings import LogEntry
from warroom.config.values import Name
from warroom.domain.clock import SystemClock
from warroom.hosts.base import Host, HostError
from warroom.logs.engine import SourceState
from warroom.logs.history import OldLog, put_away


async def read_whole(host: Host, path: Path, limit: int = 1 << 20) -> OldLog:
    entry = LogEntry(Name(path.name[:60]), on=host.name, path=str(path))
    old = OldLog(entry, host, clock=SystemClock(), limit=limit)
    old.start()
    try:
        async with asyncio.timeout(30):
            while not (old.whole or old.status()[0].error):
                old.changed.clear()
                await old.changed.wait()
    finally:
        await old.stop()
    return old


NAMES = ("a[1].log.1", "a[1].log.2.gz", "a[1].log.10.gz", "a[1].log-20261120.gz",
         "a[1].log-20261119.gz", "a[1]-2026-11-18.log")  # fmt: skip


async def test_what_rotation_made_is_found_newest_first_and_nothing_else(
    place: Host, tmp_path: Path
) -> None:
    log = tmp_path / "a[1].log"
    for name in (log.name, *NAMES, "a1.log.1", "b.log.1", "new\nline a[1].log"):
        (tmp_path / name).touch()
    (tmp_path / "a[1].log.d").mkdir()
    assert [Path(path).name for path in await put_away(place, str(log))] == [*NAMES]
    with pytest.raises(HostError, match="No such file"):
        await put_away(place, str(tmp_path / "none" / "a.log"))


async def test_every_line_comes_and_stands_at_its_own_time(place: Host, tmp_path: Path) -> None:
    path = tmp_path / "odd name \x1b[31m.gz"
    lines = [f"2024-11-21T14:{n // 60:02}:{n % 60:02}Z line {n}" for n in range(3000)]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    old = await read_whole(place, path)
    assert old.whole
    assert old.status()[0].state is SourceState.FOLLOWING
    raws = [*old.ring.forward(0)]
    assert [raw.data.decode() for raw in raws] == lines
    assert all(raws[n].at <= raws[n + 1].at for n in range(len(raws) - 1))
    assert raws[-1].at == old.newest == 1732200599.0
    assert old.talkers.requests == 0, "it is not what comes now"


async def test_of_a_long_one_the_newest_lines_are_kept_and_the_others_counted(
    place: Host, tmp_path: Path
) -> None:
    path = tmp_path / "long.log.1.gz"
    path.write_bytes(gzip.compress(b"".join(b"%06d %s\n" % (n, b"x" * 90) for n in range(20_000))))
    old = await read_whole(place, path, limit=300_000)
    status = old.status()[0]
    assert status.lines == 20_000
    assert status.dropped == 20_000 - old.ring.count > 15_000
    assert old.ring.size <= 300_000
    assert next(old.ring.backward(old.ring.last)).data.startswith(b"019999 ")


async def test_a_cut_archive_gives_what_is_whole_and_says_that_it_is_cut(
    place: Host, tmp_path: Path
) -> None:
    path = tmp_path / "cut.log.2.gz"
    packed = gzip.compress(b"".join(b"%d\n" % n for n in range(50_000)), compresslevel=1)
    path.write_bytes(packed[: len(packed) // 2])
    old = await read_whole(place, path)
    status = old.status()[0]
    assert status.state is SourceState.FAULT
    assert "unexpected end of file" in status.error
    assert status.lines > 1000

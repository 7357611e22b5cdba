"""A room whose systems show laid-down samples on a clock that stands still, for pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.events import ALICE
from tests.support.staged import NoOptions, Stage, member
from warroom.config.settings import IncidentSettings, LogEntry, MitigationEntry, Settings
from warroom.config.values import Name, TimeZone
from warroom.domain.clock import ManualClock
from warroom.domain.events import Kind
from warroom.domain.incident import Role, Status
from warroom.domain.sample import Cell, Column, Detail, Health, Row, Sample, Section
from warroom.domain.severity import SCHEMES
from warroom.engine.checks import load_checks
from warroom.engine.members import MitigationMember, ProbeMember
from warroom.engine.room import Room
from warroom.engine.session import Session
from warroom.journal.memory import MemoryJournal
from warroom.mitigations.base import Card, Done, MitigationSpec, Risk, Target
from warroom.probes._docker_rows import COLUMNS as DOCKER
from warroom.probes._machine_look import COLUMNS as MACHINE
from warroom.probes._postgres_rows import COLUMNS as POSTGRES
from warroom.probes._redis_view import COLUMNS as REDIS
from warroom.probes.http import COLUMNS as HTTP

BEGAN = datetime(2026, 11, 21, 13, 23, 1, tzinfo=UTC)
NOW = BEGAN + timedelta(seconds=761)
MIB = 1024.0 * 1024

LOG = """\
2026-11-21T13:35:38Z INFO  GET /cart 200 41ms
2026-11-21T13:35:39Z WARN  pool: waited 2.1 s for a connection
2026-11-21T13:35:40Z ERROR POST /checkout 503 pool exhausted after 5 s
2026-11-21T13:35:40Z INFO  GET /products/7 200 12ms
2026-11-21T13:35:41Z ERROR POST /checkout 503 pool exhausted after 5 s
2026-11-21T13:35:41Z DEBUG retry 2 of 3 for order 4711 by Zoë 漢字
"""


class Restart:
    """A mitigation of which only the card is looked at."""

    async def preview(self, row: Row | None) -> Card:
        return Card(
            kind="docker.restart",
            title="Restart container",
            host="",
            target=Target("3f9ac2d1e07b", "shop-api"),
            command=("docker restart --time 10 3f9ac2d1e07b",),
            hits=(("state", "running since 00:41:10, unhealthy"), ("share of requests", "34 %")),
            undo="nothing to undo: it starts again with the same image and settings",
            risk=Risk.CHANGE,
            warnings=("these systems serve people",),
        )

    async def perform(self, card: Card) -> Done:
        return Done("running again after 1.2 s")

    async def close(self) -> None:
        """Nothing is held."""


def source(
    name: str,
    health: Health,
    summary: str,
    columns: Sequence[Column],
    rows: Sequence[tuple[Health | None, Sequence[Cell]]],
    metrics: dict[str, float],
    facts: dict[str, str],
) -> Stage:
    """One look that is always the same; the name of a row is its first cell."""
    made = tuple(
        Row(f"{name}-{n}", str(cells[0]).strip("└ "), tuple(cells), ill)
        for n, (ill, cells) in enumerate(rows)
    )
    sample = Sample(name, NOW, health, summary, metrics, tuple(columns), made, facts)
    return Stage([sample], detail=Detail(name, (Section("State", (("image", "shop/api:1.4"),)),)))


def endpoint(name: str, status: str, latency: float, course: str, avail: float, note: str) -> Stage:
    ill = Health.OK if status == "200" else Health.DOWN
    row = (name, status, latency, course, avail, 41, note)
    return source(name, ill, note or status, HTTP, [(None, row)], {"latency_s": latency}, {})


def _docker() -> Stage:
    ok, bad = Health.OK, Health.DEGRADED
    rows: list[tuple[Health | None, Sequence[Cell]]] = [
        (bad, ("shop-api", "running", "unhealthy", 93.2, 412 * MIB, 80.5, 81_000.0, 66_000.0,
               2470, 3, "shop", "api", "shop/api:1.4")),
        (ok, ("shop-web", "running", "healthy", 3.1, 64 * MIB, 12.5, 91_000.0, 220_000.0,
              93_784, 0, "shop", "web", "nginx:1.27")),
        (Health.DOWN, ("shop-worker", "exited (137)", None, None, None, None, None, None,
                       None, 0, "shop", "worker", "shop/api:1.4")),
    ]  # fmt: skip
    return source("docker", Health.DEGRADED, "2 up, 1 exited", DOCKER, rows, {}, {})


def _postgres() -> Stage:
    rows: list[tuple[Health | None, Sequence[Cell]]] = [
        (Health.DEGRADED, ("4711", "shop", "shop", "import", "10.0.0.9", "idle in transaction",
                           611.0, 611.0, None, "", "UPDATE stock SET quantity = quantity - 1")),
        (Health.DEGRADED, ("└ 4790", "shop", "shop", "api", "10.0.0.7", "active",
                           48.0, 48.0, "Lock", "4711", "SELECT * FROM stock FOR UPDATE")),
        (None, ("4801", "shop", "shop", "api", "10.0.0.7", "idle", 3.0, None, None, "", "COMMIT")),
    ]  # fmt: skip
    metrics = {"connections_percent": 98.0, "waiting": 1.0}
    facts = {"connections": "98/100", "states": "12 active, 85 idle", "waiting": "1, 1 blocked"}
    return source("postgres", Health.OK, "98/100 connections", POSTGRES, rows, metrics, facts)


def _redis() -> Stage:
    rows: list[tuple[Health | None, Sequence[Cell]]] = [
        (None, (17, 125.0, 0.214, "10.0.0.7:41014", "api", "KEYS cart:*"))
    ]
    metrics = {"hit_percent_now": 31.0, "memory_percent": 82.0, "memory_max_bytes": 512 * MIB}
    facts = {"hit rate": "31%", "memory": "420 of 512 MiB", "clients": "41 of 10,000",
             "ops": "2,410/s", "keys": "db0 48,211"}  # fmt: skip
    return source("redis", Health.OK, "hit 31%", REDIS, rows, metrics, facts)


def _machine() -> Stage:
    rows: list[tuple[Health | None, Sequence[Cell]]] = [
        (None, (2201, "shop", 61.0, 512 * MIB, 6.2, 9120.0, "node /srv/api/server.js")),
        (None, (811, "postgres", 22.5, 220 * MIB, 2.7, 48_000.0, "postgres: shop shop idle")),
    ]
    metrics = {"cpu_percent": 71.0, "memory_percent": 64.0, "disk_percent": 91.0}
    facts = {"cpu": "71% of 4 cores", "memory": "5.1 / 8.0 GiB 64%", "disk": "/var 91%",
             "load": "4.10 3.90 2.20"}  # fmt: skip
    return source("machine", Health.OK, "cpu 71%, disk /var 91%", MACHINE, rows, metrics, facts)


def members() -> tuple[ProbeMember, ...]:
    """Seven sources: three endpoints and one of every other kind."""
    return (
        member("api", "http", endpoint("api", "200", 0.043, "3,4,3,5,9,7,8,6,9,9", 97.3, "")),
        member("web", "http", endpoint("web", "200", 0.012, "2,2,3,2,2,2,3,2,2,2", 100.0, "")),
        member(
            "checkout",
            "http",
            endpoint("checkout", "503", 5.01, "1,1,1,9,9,9,9,9,9,9", 31.0, "pool exhausted"),
        ),
        member("docker", "docker", _docker()),
        member("postgres", "postgres", _postgres()),
        member("redis", "redis", _redis()),
        member("machine", "machine", _machine()),
    )


def settings(log: Path) -> Settings:
    return Settings(
        incident=IncidentSettings(timezone=TimeZone("Europe/Berlin")),
        probes=tuple(one.entry for one in members()),
        logs=(LogEntry(Name("api"), path=str(log)),),
    )


async def staged(log: Path) -> Room:
    """A room in the thirteenth minute of an incident, its journal in memory."""
    clock = ManualClock(BEGAN)
    journal = MemoryJournal(clock)
    await _lived_through(Session(journal, clock, ALICE, SCHEMES["P0-P3"]), clock)
    spec = MitigationSpec(
        "docker.restart", "Restart", NoOptions, lambda *_: Restart(), Risk.CHANGE, "docker"
    )
    entry = MitigationEntry("docker.restart", "Restart the API", "R", "", {}, ("mitigation", 0))
    checks, _ = load_checks()
    probes, acting = members(), (MitigationMember(entry, spec, NoOptions()),)
    return Room(settings(log), probes, acting, checks, journal, ALICE, clock=clock)


async def _lived_through(session: Session, clock: ManualClock) -> None:
    await session.begin("Checkout answers 503", "P2")
    clock.advance(95)
    await session.assign(Role.COMMANDER, "alice")
    await session.set_severity("P1")
    clock.advance(240)
    await session.set_status(Status.IDENTIFIED)
    await session.note("4711 holds the row that every checkout wants", starred=True)
    await session.record(Kind.EVIDENCE, "api: ERROR POST /checkout 503 pool exhausted after 5 s")
    clock.advance((NOW - clock.now()).total_seconds())

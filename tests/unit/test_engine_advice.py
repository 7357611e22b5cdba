"""What is wrong with the systems leads to the playbook that is about it, or to none."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from warroom.engine.advice import ENOUGH, MOST, Trouble, advise
from warroom.engine.shelf import Book
from warroom.engine.topics import is_broad, names, topics
from warroom.runbooks.parse import parse

DRILL = Path(__file__).parents[2] / "warroom" / "drill" / "runbook.md"
HARBOUR = """
# When the harbour burns

## Playbooks

### Connection pool used up
**Symptoms:**
- "Too many connections" in the log
- Slow answers

**Investigation:**
```bash
psql "$DATABASE_URL" -c "SELECT count(*) FROM pg_stat_activity;"
```

### Redis failure
**Symptoms:**
- Every lookup is a cache miss
- "Connection refused" errors

**Mitigation:**
```bash
sudo systemctl restart redis
```

### Memory runs out
**Symptoms:**
- OOM kills

### Weather API failure
**Symptoms:**
- Timeout errors from the weather service's side
- Rate limit errors

### Crane cannot be moved
**Symptoms:**
- The crane stands still

### Restore from backup
```bash
ls -lh backups/
```

## What to look at

| Symptom | Check | Command |
| --- | --- | --- |
| 5xx errors | Backend logs | `docker logs backend` |
| Slow responses | Database | `docker stats --no-stream` |
"""


def book(text: str, name: str = "harbour.md") -> Book:
    return Book(Path("/srv") / name, name, parse(text), name, text)


def trouble(kind: str, text: str, check: str = "", source: str = "", **more: bool) -> Trouble:
    return Trouble(source or kind, kind, text, check, "", **more)


POOL = trouble("postgres", "98% of the connection slots are taken", "postgres.connections")
LOCKS = trouble("postgres", "4 queries wait for a lock", "postgres.waiting")
REDIS = trouble("redis", "connection refused", is_down=True)
MISSES = trouble("redis", "only 31% of the lookups hit", "redis.hit-rate")
FULL = trouble("redis", "99% of maxmemory is in use", "redis.memory")
OOM = trouble("docker", "1 container(s) killed for want of memory", "docker.oom")
ENDED = trouble("docker", "1 container(s) ended and should not have", "docker.failed")
BAD = trouble("http", "502 Bad Gateway", source="web", is_down=True)
SLOW = trouble("http", "answers take 4.1 s", "http.slow", source="web")
WEATHER = trouble("http", "indicator is major, not none", source="weather-status", is_down=True)
CERT = trouble("tls", "the certificate has 2 days left", "tls.days")
DISK = trouble("machine", "the fullest disk is 93 % full", "machine.disk")
MEMORY = trouble("machine", "98 % of the memory is used", "machine.memory")
CPU = trouble("machine", "the CPU is 97 % busy", "machine.cpu")
NAMES = trouble("dns", "no such name", is_down=True)
FLOOD = trouble("talkers", "one network sends 83% of what is let in", "shop.one-range")
ERRORS = trouble("talkers", "43% of the answers are errors of the shop (5xx)", "shop.errors")
LOGINS = trouble("searches", "40 lines a minute: authentication failure", "search.logins")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (POOL, "Connection pool used up"),
        (LOCKS, ""),
        (REDIS, "Redis failure"),
        (MISSES, "Redis failure"),
        (FULL, "Redis failure"),
        (OOM, "Memory runs out"),
        (MEMORY, "Memory runs out"),
        (ENDED, ""),
        (BAD, "5xx errors: docker logs backend"),
        (SLOW, "Slow responses: docker stats --no-stream"),
        (WEATHER, "Weather API failure"),
        (CERT, ""),
        (DISK, ""),
        (CPU, ""),
        (NAMES, ""),
        (FLOOD, ""),
        (LOGINS, ""),
    ],
    ids=lambda value: value.text[:30] if isinstance(value, Trouble) else "",
)
def test_a_trouble_leads_to_what_is_about_it_or_nowhere(seen: Trouble, expected: str) -> None:
    found = advise([seen], [book(HARBOUR)])
    assert next((one.title for one in found), "") == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (POOL, "Playbook: checkouts fail"),
        (LOCKS, "Playbook: checkouts fail"),
        (FULL, "Playbook: the cache is full"),
        (MISSES, "Playbook: the cache is full"),
        (ENDED, "Playbook: a container is gone"),
        (BAD, "Playbook: a container is gone"),
        (FLOOD, "Playbook: one network floods the shop"),
        (CPU, ""),
        (CERT, ""),
    ],
    ids=lambda value: value.text[:30] if isinstance(value, Trouble) else "",
)
def test_each_scenario_of_the_drill_leads_to_its_playbook(seen: Trouble, expected: str) -> None:
    found = advise([seen], [book(DRILL.read_text("utf-8"))])
    assert next((one.title for one in found), "") == expected


def test_what_is_wrong_inside_comes_before_what_visitors_see_of_it() -> None:
    shop = trouble("http", "503 Service Unavailable; body says DOWN: orders", source="checkout")
    failing = trouble("talkers", "5% of the answers are errors of the shop (5xx)")
    titles = [one.title for one in advise([shop, failing, LOCKS], [book(DRILL.read_text("utf-8"))])]
    assert titles == ["Playbook: checkouts fail", "Playbook: a container is gone"]
    (first, *_) = advise([shop, ENDED, failing], [book(DRILL.read_text("utf-8"))])
    assert first.title == "Playbook: a container is gone"
    assert first.trouble is ENDED
    (first, *_) = advise([shop, FLOOD, failing], [book(DRILL.read_text("utf-8"))])
    assert first.title == "Playbook: one network floods the shop"


KNOWN = {
    "2866a2426ca9": {
        "POOL": 86, "LOCKS": 86, "REDIS": 0, "OOM": 114, "ENDED": 114, "BAD": 178, "SLOW": 0,
        "DISK": 114, "MEMORY": 114, "CPU": 114, "NAMES": 148, "FLOOD": 204, "ERRORS": 178,
    },
    "b4025f3f9b5d": {
        "POOL": 175, "LOCKS": 0, "REDIS": 267, "MISSES": 267, "FULL": 267, "OOM": 207, "ENDED": 0,
        "BAD": 0, "SLOW": 0, "CERT": 0, "DISK": 0, "MEMORY": 207, "CPU": 0, "FLOOD": 300,
    },
    "d0c0a455ad73": {
        "POOL": 162, "REDIS": 0, "ENDED": 148, "BAD": 148, "SLOW": 176, "CERT": 190, "DISK": 0,
        "MEMORY": 176, "CPU": 176, "FLOOD": 0, "NAMES": 0,
    },
    "472df05f2b44": {
        "POOL": 163, "REDIS": 0, "OOM": 204, "BAD": 59, "ERRORS": 59, "MEMORY": 204, "CPU": 204,
        "LOGINS": 62, "FLOOD": 0,
    },
    "05e647a11925": {
        "POOL": 0, "REDIS": 480, "MISSES": 480, "OOM": 478, "CPU": 477, "MEMORY": 478, "BAD": 0,
        "FLOOD": 0, "CERT": 0,
    },
}  # fmt: skip
"""Lines of teams' own runbooks, by the files' digests; 0: nothing is suggested."""


@pytest.mark.parametrize("digest", KNOWN)
def test_a_teams_own_runbook_is_suggested_as_reviewed(digest: str) -> None:
    folder = os.environ.get("WARROOM_RUNBOOKS", "")
    if not folder:
        pytest.skip("WARROOM_RUNBOOKS names no folder")
    for file in sorted(Path(folder).iterdir()):
        if hashlib.sha256(file.read_bytes()).hexdigest().startswith(digest):
            shelf = [book(file.read_text("utf-8"))]
            found = {name: advise([globals()[name]], shelf) for name in KNOWN[digest]}
            lines = {name: next((o.line for o in one), 0) for name, one in found.items()}
            assert lines == KNOWN[digest]
            return
    pytest.skip(f"no file of digest {digest} there")


def test_the_reason_names_the_figure_and_the_words_that_fit() -> None:
    (first, *_) = advise([POOL], [book(HARBOUR)])
    assert first.because == (
        'postgres: 98% of the connection slots are taken; title "Connection pool used up"'
    )
    (first, *_) = advise([MISSES], [book(HARBOUR)])
    assert first.because.endswith('; symptom "Every lookup is a cache miss"')


def test_the_best_come_first_a_playbook_stands_once_and_there_are_few() -> None:
    shelf = [book(HARBOUR), book(DRILL.read_text("utf-8"), "drill.md")]
    found = advise([BAD, SLOW, POOL, LOCKS, MISSES, FULL, OOM], shelf)
    assert len(found) == MOST
    assert [one.rank for one in found] == sorted((one.rank for one in found), reverse=True)
    places = [(one.book.name, one.line) for one in found]
    assert len(set(places)) == len(places)
    assert min(one.score for one in found) >= ENOUGH
    assert advise([POOL, LOCKS], shelf) == advise([POOL, LOCKS], shelf)


def test_nothing_wrong_and_no_runbook_suggest_nothing() -> None:
    assert advise([], [book(HARBOUR)]) == ()
    assert advise([POOL], []) == ()


def test_a_phrase_is_read_before_the_words_in_it() -> None:
    assert topics("connection refused") == {"down"}
    assert topics("Connection timeouts") == {"connections", "slow"}
    assert topics("slow queries") == {"database", "slow"}
    assert topics("WebSocket") == frozenset()
    assert names("Weather API failure") == {"weather", "api"}
    assert is_broad("Database issues")
    assert not is_broad("Database connections")


@pytest.mark.parametrize(
    "hostile",
    ["[/x] connection pool [@click=app.bell]x[/]", "\x1b[31m pool \x9b \u202e", "a" * 10_000_000,
     "connection " * 1_000_000, "too many " * 200_000, "not respond" * 200_000],
    ids=["markup", "escapes", "long", "words", "phrases", "stems"],
)  # fmt: skip
def test_whatever_a_text_holds_it_is_read_in_a_moment(hostile: str) -> None:
    from tests.support.effort import at_most

    with at_most(1.0):
        topics(hostile)
        advise([trouble("postgres", hostile)], [book(HARBOUR)])

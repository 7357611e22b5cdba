"""Whole incidents for tests of what is made from them."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.chains import Chain
from tests.unit.test_reports_markdown import HOSTILE
from warroom.domain.events import Kind
from warroom.domain.evidence import Evidence, EvidenceKind


def outage() -> Chain:
    """One whole incident."""
    chain = Chain()
    chain.open("Checkout answers 502")
    chain.add(Kind.HEALTH, "web down: 502 (was 200)", at=-3, starred=True, after="down")
    chain.add(Kind.ROLE, "incident commander: alice", at=1, role="incident commander",
              person="alice")  # fmt: skip
    chain.add(Kind.SEVERITY, "severity P2 → P1 (P0-P3)", at=2, severity="P1", was="P2")
    note = chain.add(Kind.NOTE, "suspecting the poool", at=4, by="alice")
    chain.add(Kind.AMENDED, "suspecting the connection pool", at=5, by="alice", seq=note.seq)
    secret = chain.add(Kind.NOTE, "password is hunter2", at=5, by="bob")
    chain.add(Kind.RETRACTED, "secret", at=5, by="bob", seq=secret.seq)
    chain.add(Kind.NOTE, "from the log:\n  FATAL: too many clients\n\nlegal was told", at=6,
              by="bob", internal=True)  # fmt: skip
    restart = chain.add(
        Kind.REQUESTED, "Restart api: docker restart shop-api", at=7, by="alice", host="web1",
        target={"id": "f00", "label": "shop-api"}, command=["docker restart shop-api"],
    )  # fmt: skip
    chain.add(Kind.OUTCOME, "Restart api: done: restarted in 2.1 s", at=8, by="alice",
              request=restart.seq, state="done")  # fmt: skip
    chain.add(Kind.EFFECT, "Restart api: worked: waiting 7 → 0", at=9, by="alice",
              request=restart.seq, verdict="worked")  # fmt: skip
    chain.add(Kind.REQUESTED, "Flush cache: FLUSHDB", at=10, by="bob",
              target={"id": "0", "label": "db0"})  # fmt: skip
    chain.status("monitoring", 12)
    chain.add(Kind.ROLE, "incident commander: bob (was alice)", at=20, by="bob",
              role="incident commander", person="bob")  # fmt: skip
    chain.add(Kind.ROLE, "scribe: carol", at=21, by="carol", role="scribe", person="carol")
    chain.status("resolved", 50)
    for name, text in {
        "summary": "Checkout was down for 12% of users.",
        "impact": "About 500 orders were lost.",
        "root_cause": "max_connections was 100;\na deploy doubled the pools.",
        "resolution": "The pools were made smaller.",
        "went_well": "The alert came after 3 minutes.",
    }.items():
        chain.add(Kind.FIELD, f"{text}", at=55, field=name)
    item = chain.add(Kind.ACTION_ITEM, "Alert at 80% of connections", at=56, owner="dba",
                     due="2026-12-01")  # fmt: skip
    chain.add(Kind.AMENDED, at=57, seq=item.seq, data={"done": True})
    chain.add(Kind.ACTION_ITEM, "Write down who owns the pools", at=58)
    chain.add(Kind.EXPORTED, "post-mortem.md", at=59)
    chain.status("closed", 60)
    return chain


def autumn_night() -> Chain:
    """Clocks in Berlin go back at 01:00 UTC on 2026-10-25: half past two comes twice."""
    chain = Chain(datetime(2026, 10, 24, 21, 30, tzinfo=UTC), "INC-2026-10-24-001")
    chain.open("Batch jobs run twice")
    chain.add(Kind.NOTE, "before midnight", at=15)
    chain.add(Kind.NOTE, "after midnight here, not yet in UTC", at=75)
    chain.add(Kind.NOTE, "half past two", at=3 * 60)
    chain.add(Kind.NOTE, "half past two again", at=4 * 60)
    chain.add(Kind.NOTE, "half past three", at=5 * 60)
    return chain


def hostile() -> Chain:
    """Every hostile text as a note, by an author of that name."""
    chain = Chain()
    chain.open(HOSTILE[0] + HOSTILE[2])
    for number, text in enumerate(HOSTILE):
        chain.add(Kind.NOTE, text, at=number, by=text)
    return chain


def night_with_evidence() -> Chain:
    """A short incident in which people kept what they saw, guessed, and told others."""
    chain = Chain()
    chain.open("Checkout slow", severity="P1")
    kept = Evidence(
        EvidenceKind.ROWS, "Waiting queries", "pid  wait\n411  Lock\n412  Lock", "postgres", "db1",
        "wait_event is not null", chain.minute(-5), chain.minute(3),
        picture=((("pid  wait", "head"),), (("411  ", ""), ("Lock", "down bold"))),
    )  # fmt: skip
    note = chain.add(Kind.NOTE, "everything waits for 411, see [E1]", at=3, by="alice",
                     evidence=[kept.as_data()], tags=["detection"])  # fmt: skip
    log = Evidence(EvidenceKind.LINES, "log ``` lines", "a\n```\n# no heading\n![x](http://evil)")
    chain.add(Kind.EVIDENCE, "", at=4, by="bob", to=note.seq, evidence=[log.as_data()])
    chain.add(Kind.HYPOTHESIS, "hypothesis: a migration holds the lock", at=5, by="alice",
              hypothesis="h1")  # fmt: skip
    chain.add(Kind.HYPOTHESIS, "confirmed: pg_locks names it", at=6, by="bob", hypothesis="h1",
              state="confirmed", reason="pg_locks names it")  # fmt: skip
    chain.add(Kind.UPDATE, "status page: initial", at=10, by="carol", starred=True,
              audience="status page", stage="initial", channel="page", state="sent")  # fmt: skip
    restart = chain.add(Kind.REQUESTED, "End 411: pg_terminate_backend", at=12, by="alice",
                        target={"id": "411", "label": "411"}, host="db1")  # fmt: skip
    chain.add(Kind.OUTCOME, "End 411: done", at=12.5, by="alice", request=restart.seq, state="done")
    chain.add(Kind.EFFECT, "End 411: worked: waiting 7 → 0", at=13, by="alice", request=restart.seq,
              verdict="worked", before={"waiting": 7, "active": 9},
              after={"waiting": 0, "active": 9})  # fmt: skip
    chain.add(Kind.NOTE, "10.0.0.7 and db1 are fine again, said bob", at=14, by="carol",
              starred=True)  # fmt: skip
    chain.status("resolved", 20)
    return chain


STORIES = {
    "outage": outage,
    "autumn_night": autumn_night,
    "hostile": hostile,
    "evidence": night_with_evidence,
}

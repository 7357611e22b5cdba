"""Which playbook the live findings speak for, and the words that say so. Pure; no model.

A trouble and a playbook fit when they are about the same things (`topics`): a word in the title
counts three, in a symptom two, in a step one; what tells incidents apart (a shortage of
connections) counts twice what every system may have (errors). Only a playbook that is about the
system or names the very trouble is suggested, and none below `ENOUGH`: a responder who is sent
the wrong way loses more than one who is sent nowhere. What is wrong inside comes before what
visitors see of it: pages answer 503 because queries wait for a lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from warroom.domain.sample import Health
from warroom.domain.text import shorten
from warroom.engine.topics import GENERAL, SPECIFIC, SYSTEMS, is_broad, names, topics

if TYPE_CHECKING:
    from warroom.engine.room import Room
    from warroom.engine.shelf import Book
    from warroom.runbooks.model import Playbook, Remedy

ENOUGH: Final = 5
"""The least score that is shown."""
MOST: Final = 3
"""Suggestions at a time."""

_TITLE: Final = 3
_SYMPTOM: Final = 2
_WIDTH: Final = 60
_OUTSIDE: Final = frozenset({"http", "talkers"})
"""Kinds that see what visitors see: mostly what follows from something else."""

_OF_KIND: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "postgres": frozenset({"database"}),
        "mysql": frozenset({"database"}),
        "redis": frozenset({"cache"}),
        "docker": frozenset({"container", "service"}),
        "http": frozenset({"web", "service"}),
        "talkers": frozenset({"web", "service"}),
        "machine": frozenset({"machine"}),
        "tls": frozenset({"certificate"}),
        "dns": frozenset({"dns"}),
    }
)
_OF_CHECK: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "postgres.connections": frozenset({"connections"}),
        "postgres.waiting": frozenset({"lock"}),
        "postgres.longest-query": frozenset({"slow"}),
        "postgres.idle-in-transaction": frozenset({"lock"}),
        "postgres.replication-lag": frozenset({"replication"}),
        "postgres.deadlocks": frozenset({"lock"}),
        "postgres.slots": frozenset({"replication"}),
        "postgres.cache-hit": frozenset({"slow"}),
        "postgres.wraparound": frozenset(),
        "redis.hit-rate": frozenset({"miss"}),
        "redis.memory": frozenset({"full"}),
        "redis.evictions": frozenset({"full", "miss"}),
        "redis.rejected": frozenset({"connections"}),
        "redis.blocked": frozenset({"slow"}),
        "redis.replication-lag": frozenset({"replication"}),
        "docker.restarting": frozenset({"down", "crash"}),
        "docker.unhealthy": frozenset({"down"}),
        "docker.failed": frozenset({"down", "crash"}),
        "docker.oom": frozenset({"memory", "crash"}),
        "docker.memory": frozenset({"memory"}),
        "http.slow": frozenset({"slow"}),
        "http.availability": frozenset({"down", "errors"}),
        "http.certificate": frozenset({"certificate"}),
        "machine.disk": frozenset({"disk"}),
        "machine.inodes": frozenset({"disk"}),
        "machine.memory": frozenset({"memory"}),
        "machine.swap": frozenset({"memory"}),
        "machine.cpu": frozenset({"cpu"}),
        "machine.load": frozenset({"cpu"}),
        "tls.days": frozenset({"certificate"}),
    }
)
"""What the checks that come with warroom are about; any other check is read by its message."""
_ANYBODYS: Final = frozenset({"api", "app", "www", "prod", "production", "main", "backend", "live"})
"""Names that say nothing."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is not well now: a finding (`check`), or a source's own health."""

    source: str
    kind: str
    text: str
    check: str = ""
    row: str = ""
    is_down: bool = False

    @property
    def topics(self) -> frozenset[str]:
        """The system's own, and those of what is wrong with it."""
        known = _OF_CHECK.get(self.check)
        about = topics(f"{self.check} {self.text}") if known is None else known
        if self.is_down:
            about = about | {"down"}
        return _OF_KIND.get(self.kind, frozenset()) | about

    @property
    def is_inside(self) -> bool:
        """Whether it may be the cause: a part's own trouble, or one that has a name of its own."""
        return self.kind not in _OUTSIDE or bool(self.topics & SPECIFIC - {"5xx"})

    @property
    def names(self) -> frozenset[str]:
        """What its system is called, where that is a name at all."""
        called = names(f"{self.source} {self.row}".replace("-", " ").replace("_", " "))
        return called - _ANYBODYS


@dataclass(frozen=True, slots=True)
class Advice:
    """A playbook that fits, or a row of a table (`remedy`; `playbook` is then the section that
    holds it, if any). `line` is where it stands; `because` what is wrong, and the words for it."""

    book: Book
    line: int
    title: str
    score: int
    trouble: Trouble
    said: str
    playbook: Playbook | None = None
    remedy: Remedy | None = None

    @property
    def rank(self) -> tuple[bool, int]:
        """Greater is better."""
        return self.trouble.is_inside, self.score

    @property
    def because(self) -> str:
        return f"{self.trouble.source}: {self.trouble.text}; {self.said}"


def advise(troubles: Iterable[Trouble], books: Sequence[Book]) -> tuple[Advice, ...]:
    """The playbooks and remedies that fit best, best first; at most MOST."""
    best: dict[tuple[int, int], Advice] = {}
    for trouble in troubles:
        for number, book in enumerate(books):
            for found in _fitting(trouble, book):
                before = best.get((number, found.line))
                if before is None or found.rank > before.rank:
                    best[number, found.line] = found
    order = sorted(sorted(best), key=lambda place: best[place].rank, reverse=True)
    return tuple(best[place] for place in order[:MOST])


def troubles(room: Room) -> tuple[Trouble, ...]:
    """What is not well in the room now, a source's findings in the order of its checks."""
    found: list[Trouble] = []
    for name, sample in room.monitor.latest.items():
        kind, own = room.monitor.kind(name), room.findings(name)
        found += [Trouble(name, kind, f.message, f.check, f.row) for f in own]
        if sample.health in (Health.DOWN, Health.DEGRADED) and not own:
            text, is_down = sample.error or sample.summary, sample.health is Health.DOWN
            found.append(Trouble(name, kind, shorten(text, _WIDTH), is_down=is_down))
    return tuple(found)


def _fitting(trouble: Trouble, book: Book) -> Iterator[Advice]:
    for playbook in book.runbook.playbooks:
        if playbook.is_incident:
            score, said = _fit(trouble, _profile(playbook))
            if score >= ENOUGH:
                yield Advice(book, playbook.line, playbook.title, score, trouble, said, playbook)
    for remedy in book.runbook.remedies:
        score, said = _fit(trouble, _Profile(remedy.symptom, topics(remedy.symptom), ()))
        if score >= ENOUGH:
            title = f"{remedy.symptom}: {remedy.action}" if remedy.action else remedy.symptom
            inside = _around(book, remedy.line)
            made = Advice(book, remedy.line, title, score, trouble, said, inside, remedy)
            yield replace(made, said=f'the table says "{shorten(remedy.symptom, _WIDTH)}"')


def _around(book: Book, line: int) -> Playbook | None:
    above = [each for each in book.runbook.playbooks if each.line <= line]
    return above[-1] if above else None


# A playbook, read once -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Profile:
    title: str
    titled: frozenset[str]
    symptoms: tuple[tuple[str, frozenset[str]], ...]
    steps: frozenset[str] = frozenset()

    @property
    def is_plain(self) -> bool:
        """Whether its title is one trouble and nothing else: "High error rates"."""
        return bool(self.titled & (GENERAL | SPECIFIC)) and not names(self.title) - _FILLERS

    @property
    def is_of_something_else(self) -> bool:
        """Whether its title names what no word here stands for: "Weather API failure"."""
        return not self.titled & _NAMING and bool(names(self.title) - _FILLERS)


_NAMING: Final = SYSTEMS | SPECIFIC
_FILLERS: Final = frozenset(
    {"high", "low", "too", "many", "usage", "use", "rate", "rates", "time", "times", "playbook",
     "common", "increased", "elevated", "exhausted", "exhaustion", "response", "responses", "the"}
)  # fmt: skip


@lru_cache(maxsize=512)
def _profile(playbook: Playbook) -> _Profile:
    told = [each.text for phase in playbook.phases for each in phase.instructions]
    ran = [f"{part.comment} {part.text}" for step in playbook.steps for part in step.parts]
    queries = ["sql" for step in playbook.steps if step.kind.value == "query"]
    steps = frozenset().union(*map(topics, (*told, *ran, *queries)))
    symptoms = tuple((text, topics(text)) for text in playbook.symptoms)
    return _Profile(playbook.title, topics(playbook.title), symptoms, steps)


# How well both fit -----------------------------------------------------------------------------


def _fit(trouble: Trouble, book: _Profile) -> tuple[int, str]:
    """The score, and the words that make it; 0 when they have nothing in common."""
    about = trouble.topics
    called = bool(trouble.names & {word for name in names(book.title) for word in _forms(name)})
    symptom, by_symptom = _best_symptom(about, book)
    described = about & frozenset().union(*(found for _, found in book.symptoms))
    touched = about & (book.titled | described)
    plain = book.is_plain and book.titled <= about
    broad = is_broad(book.title) and bool(book.titled & about & _NAMING)
    if not (called or plain or touched & (SPECIFIC if book.is_of_something_else else _NAMING)):
        return 0, ""
    if not (broad or about & (touched | book.steps) & (GENERAL | SPECIFIC)):
        return 0, ""  # the system alone says nothing of what is wrong with it
    score = sum(_weigh(topic, book, described) for topic in about)
    score += 3 * called + 2 * plain + 2 * broad
    score += bool(symptom & SYSTEMS and symptom - SYSTEMS)
    by_title = len(book.titled & about) >= len(symptom) or not by_symptom
    where, words = ("title", book.title) if by_title else ("symptom", by_symptom)
    return score, f'{where} "{shorten(words, _WIDTH)}"'


def _weigh(topic: str, book: _Profile, described: frozenset[str]) -> int:
    weight = 2 if topic in SPECIFIC else 1
    stepped = weight if topic in book.steps and topic not in GENERAL | {"service", "web"} else 0
    if topic in book.titled:
        return _TITLE * weight
    if topic in described:
        return _SYMPTOM * weight + (stepped and 1)
    return stepped


def _best_symptom(about: frozenset[str], book: _Profile) -> tuple[frozenset[str], str]:
    """What the nearest symptom shares with the trouble, and that symptom."""
    shared = [(about & found, text) for text, found in book.symptoms]
    best = max(shared, key=lambda one: (len(one[0] & SPECIFIC), len(one[0])), default=None)
    return best if best is not None and best[0] else (frozenset(), "")


def _forms(word: str) -> tuple[str, ...]:
    return word, word.removesuffix("s")

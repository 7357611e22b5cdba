"""What a piece of text is about: which system, and what is wrong with it. Words, no model.

Longer phrases are read first and taken out of the text: "connection refused" is no shortage of
connections. Words of runbooks in English, and the commonest in German, French and Spanish.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

SYSTEMS: Final = frozenset({"database", "cache", "container", "service", "web", "machine"})
"""What can be ill."""
SPECIFIC: Final = frozenset(
    {"connections", "memory", "cpu", "disk", "certificate", "dns", "traffic", "lock", "miss",
     "full", "auth", "replication", "5xx"}
)  # fmt: skip
"""Troubles that tell one kind of incident from another."""
GENERAL: Final = frozenset({"down", "errors", "slow", "crash"})
"""Troubles that every system may have: they say something only of a system that is named."""

_LONGEST: Final = 2000
"""Characters of one text that are read."""

_PHRASES: Final = (
    ("down", r"connections? (?:was |is |were )?(?:refused|reset)|not respond\w*|won'?t start"
             r"|no answer|does not answer|cannot be reached|injoignable|nicht erreichbar"),
    ("slow", r"(?:slow|long)[- ]?(?:running )?(?:quer(?:y|ies)|response)s?|response times?"
             r"|connection timeouts?|timed? ?outs?|high latency"),
    ("memory", r"out of memory|oom\w*|want of memory|memory leaks?"),
    ("5xx", r"\b5xx\b|\b50[0-9](?:/50[0-9])*\b"),
    ("errors", r"error rates?"),
    ("auth", r"log(?:ged)? ?in|sign ?in|\b40[13](?:/40[13])*\b"),
    ("certificate", r"let'?s encrypt|(?:ssl|tls|x509)(?: error| certificate)?s?"),
    ("traffic", r"repeated requests|many requests|too many requests|one network"
                r"|same ip(?: range| address)?s?|top (?:ips?|talkers)|single ips?"),
    ("disk", r"no space|disk space"),
    ("lock", r"idle in (?:a )?transaction\w*|dead ?locks?"),
    ("miss", r"hit rate|miss rate|of the lookups hit"),
    ("full", r"max ?memory|takes nothing more"),
)  # fmt: skip
_BOTH: Final = MappingProxyType(
    {
        "slow": (("connections", r"connection timeouts?"), ("database", r"quer(?:y|ies)")),
        "5xx": (("errors", r"."),),
    }
)
"""Phrases that are about a second thing, too."""
_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "database": r"databases?|db|postgres\w*|psql|pg_\w+|mysql|mariadb|sql|datenbank\w*"
                    r"|bases? de donn[ée]es|bases? de datos",
        "cache": r"caches?|redis\S*|memcached?|valkey\S*|zwischenspeicher",
        "container": r"containers?|docker\S*|pods?|compose",
        "service": r"services?|dienste?|servicios?",
        "web": r"web|(?:web)?(?:sites?|seiten?|pages?)|applications?|apps?|http\w*|endpoints?"
               r"|frontends?|health checks?",
        "machine": r"servers?|machines?|hosts?|nodes?|resources?",
        "connections": r"connections?|pools?|slots?|threads_connected|max_connections"
                       r"|verbindung\w*|connexions?|conexiones",
        "memory": r"memory|ram|heap|swap|speicher|m[ée]moire|memoria",
        "cpu": r"cpus?|processors?|load|prozessor\w*",
        "disk": r"disks?|inodes?|df|du|festplatte\w*|disques?|discos?",
        "certificate": r"certificates?|certs?|certbot|openssl|zertifikat\w*|certificats?",
        "dns": r"dns|dig|nslookup|nxdomain|resolution|resolves?",
        "traffic": r"traffic|d?dos|flood\w*|attacks?|crawlers?|bots?",
        "lock": r"locks?|locked|blocked|blocking|sperre\w*",
        "miss": r"miss|misses|evict\w*",
        "full": r"full|fills?|filled|voll|pleine?",
        "auth": r"auth|authenticat\w*|oauth|unauthori[sz]ed|jwt\w*|passwords?",
        "replication": r"replicat\w*|replicas?|standby",
        "down": r"down|outages?|unreachable|unavailable|refused|offline|gone|dead|killed|ausfall"
                r"|fail\w*|panne|ca[íi]d[ao]",
        "errors": r"errors?|exceptions?|fehler\w*|erreurs?|errores",
        "slow": r"slow\w*|latency|langsam\w*|lente?\w*",
        "crash": r"crash\w*|restarting|exited|ended",
    }
)  # fmt: skip
_TROUBLE: Final = re.compile(
    r"\b(?:issues?|problems?|failures?|troubles?|incidents?|probleme?|problèmes?)\b", re.IGNORECASE
)


def _compiled(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?!\w)", re.IGNORECASE)


_FIRST: Final = tuple((topic, _compiled(words)) for topic, words in _PHRASES)
_THEN: Final = tuple((topic, _compiled(words)) for topic, words in _WORDS.items())
_ALSO: Final = {
    first: tuple((topic, re.compile(words, re.IGNORECASE)) for topic, words in more)
    for first, more in _BOTH.items()
}


def topics(text: str) -> frozenset[str]:
    """What `text` is about.

    >>> sorted(topics("Database Connection Pool Exhausted"))
    ['connections', 'database']
    >>> sorted(topics('"Connection refused" errors'))
    ['down', 'errors']
    """
    return _read(text[:_LONGEST])[0]


def is_broad(title: str) -> bool:
    """Whether it is about every trouble of the system that it names: "Database issues"."""
    return _TROUBLE.search(title[:_LONGEST]) is not None


def names(text: str) -> frozenset[str]:
    """The words of `text` that no topic takes: what people call their own systems, in lower case.

    >>> sorted(names("OpenAI API failure"))
    ['api', 'openai']
    """
    return _read(text[:_LONGEST])[1]


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The topics, and the words that are left."""
    found: set[str] = set()
    rest = text.replace("’", "'")
    for topic, pattern in _FIRST:
        hits = [match[0] for match in pattern.finditer(rest)]
        if hits:
            found.add(topic)
            said = " ".join(hits)
            found.update(more for more, words in _ALSO.get(topic, ()) if words.search(said))
            rest = pattern.sub(" . ", rest)
    for topic, pattern in _THEN:
        if pattern.search(rest):
            found.add(topic)
            rest = pattern.sub(" . ", rest)
    left = re.findall(r"[^\W\d_]{3,}", _TROUBLE.sub(" ", rest).casefold())
    return frozenset(found), frozenset(left)

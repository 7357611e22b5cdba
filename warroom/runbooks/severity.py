"""Severity schemes: from sections, from a table, or from a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.durations import seconds_in
from warroom.runbooks.model import RunbookScheme, SchemeLevel
from warroom.runbooks.outline import ListItem, Paragraph, Section, Table, plain

_LEVEL: Final = re.compile(
    r"\b(?:(P|S)([0-5])|(SEV|Sev|sev|Severity|Schweregrad|Gravité|Gravedad)[- ]?([0-5])"
    r"|(?:Priority|Priorität|Priorité|Prioridad)[- ]?([0-5]))\b"
)
_RANGE: Final = re.compile(r"[0-5]\s*[-–/+]\s*(?:P|S|SEV)?[0-5]", re.IGNORECASE)
_ABOUT: Final = (
    "severit", "priorit", "incident level", "classification", "schweregrad", "gravité", "sévérité",
    "gravedad", "severidad", "gravità",
)  # fmt: skip
_RESPONSE: Final = (
    "response", "respond", "acknowledge", "time to ack", "reaktion", "antwortzeit", "réponse",
    "prise en charge", "respuesta", "resposta", "risposta",
)  # fmt: skip
_UPDATE: Final = ("update", "cadence", "status every", "aktualisierung")
_TOLD: Final = ("communication", "escalation", "notif", "audience", "who", "kommunikation")
_LABEL: Final = (
    "description",
    "definition",
    "meaning",
    "impact",
    "what",
    "beschreibung",
    "bedeutung",
)


def schemes(sections: Sequence[Section]) -> tuple[RunbookScheme, ...]:
    """Every scheme that the file defines, each once by its name."""
    found: dict[str, RunbookScheme] = {}
    for levels in (*_of_sections(sections), *_of_blocks(sections)):
        if len({level.name for level in levels}) == len(levels) >= 2:
            ordered = tuple(sorted(levels, key=_order))
            name = f"{ordered[0].name}-{ordered[-1].name}"
            if name not in found or _promises(ordered) > _promises(found[name].levels):
                found[name] = RunbookScheme(name, ordered)
    return tuple(found.values())


_WORDS: Final = {
    "critical": 0, "kritisch": 0, "critique": 0, "crítico": 0, "crítica": 0, "critico": 0,
    "blocker": 0, "urgent": 1, "major": 1, "high": 1, "hoch": 1, "haute": 1, "élevée": 1,
    "alta": 1, "alto": 1, "medium": 2, "moderate": 2, "mittel": 2, "moyenne": 2, "media": 2,
    "minor": 3, "low": 4, "niedrig": 4, "gering": 4, "basse": 4, "faible": 4, "baja": 4,
    "informational": 5, "info": 5,
}  # fmt: skip
"""Severities of teams that number none, worst first."""


def worded(text: str) -> str:
    """The severity that `text` names by a word alone, where it stands first.

    >>> worded("🔴 **Critical** (all is down)"), worded("Highly available")
    ('Critical', '')
    """
    first = re.search(r"[^\W\d_]+", text[:40])
    word = first[0].casefold() if first else ""
    return word.capitalize() if word in _WORDS else ""


def _order(level: SchemeLevel) -> tuple[int, str]:
    return _WORDS.get(level.name.casefold(), 0), level.name


def level_name(text: str) -> str:
    """The one severity that `text` names, as `P1` or `SEV1`; empty for none or several.

    >>> level_name("High (P2)"), level_name("sev-1: outage"), level_name("P0/P1 only")
    ('P2', 'SEV1', '')
    """
    names = {_canonical(match) for match in _LEVEL.finditer(text[:200])}
    return names.pop() if len(names) == 1 and not _RANGE.search(text[:200]) else ""


def _canonical(match: re.Match[str]) -> str:
    if match[5]:
        return f"P{match[5]}"
    return f"SEV{match[4]}" if match[3] else f"{match[1]}{match[2]}"


def _promises(levels: Iterable[SchemeLevel]) -> int:
    return sum(level.response_s is not None for level in levels)


def _of_sections(sections: Sequence[Section]) -> Iterator[list[SchemeLevel]]:
    """Sibling headings that name one level each, where severity is spoken of or times are given;
    by a word alone, only where both are so."""
    for path, siblings in groupby(sections, key=lambda s: (s.level, s.path)):
        numbered, by_word = [], []
        for section in siblings:
            pairs = _pairs(section)
            if name := level_name(section.title):
                numbered.append(_from_pairs(name, section.title, section.line, pairs))
            elif name := worded(section.title):
                by_word.append(_from_pairs(name, section.title, section.line, pairs))
        is_about = any(word in title.casefold() for title in path[1][-1:] for word in _ABOUT)
        if is_about or _promises(numbered):
            yield numbered
        if is_about and _promises(by_word) and not numbered:
            yield by_word


def _of_blocks(sections: Sequence[Section]) -> Iterator[list[SchemeLevel]]:
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Table):
                yield _of_table(block)
        items = [block for block in section.blocks if isinstance(block, ListItem)]
        yield [level for item in items for level in _of_item(item)]


def _of_table(table: Table) -> list[SchemeLevel]:
    titles = [plain(cell).casefold() for cell in table.header]
    if not any(word in title for title in titles for word in _RESPONSE):
        return []
    levels = []
    for line, cells in table.rows:
        texts = [plain(cell) for cell in cells]
        name = (level_name(texts[0]) or worded(texts[0])) if texts else ""
        if name:
            pairs = list(zip(titles, texts, strict=False))
            label = _first(pairs, _LABEL) or texts[0]
            levels.append(_from_pairs(name, label, line, pairs))
    return levels


def _of_item(item: ListItem) -> Iterator[SchemeLevel]:
    """`- **P1** (critical): respond within 15 min`."""
    text = plain(item.text)
    head, _, promise = text.partition(":")
    name = level_name(head)
    seconds = seconds_in(promise or text)
    if name and seconds is not None and _LEVEL.match(text):
        yield SchemeLevel(name, _label(head, name), item.line, seconds)


def _from_pairs(name: str, title: str, line: int, pairs: Sequence[tuple[str, str]]) -> SchemeLevel:
    response = _first(pairs, _RESPONSE)
    update = _first([pair for pair in pairs if not _is(pair[0], _RESPONSE)], _UPDATE)
    return SchemeLevel(
        name=name,
        label=_label(title, name),
        line=line,
        response_s=seconds_in(response) if response else None,
        update_s=seconds_in(update) if update else None,
        told=harmless(_first(pairs, _TOLD)),
    )


def _first(pairs: Iterable[tuple[str, str]], words: Sequence[str]) -> str:
    return next((value for key, value in pairs if _is(key, words)), "")


def _is(key: str, words: Sequence[str]) -> bool:
    return any(word in key for word in words)


def _pairs(section: Section) -> list[tuple[str, str]]:
    """`**Key:** value` lines of a section's paragraphs and items; keys in lower case."""
    pairs = []
    for block in section.blocks:
        if isinstance(block, (Paragraph, ListItem)):
            for line in block.text.split("\n"):
                key, colon, value = plain(line).partition(":")
                if colon and len(key) <= 40:
                    pairs.append((key.strip(" -").casefold(), value.strip()))
    return pairs


def _label(title: str, name: str) -> str:
    """The words of a title besides the level's name.

    >>> _label("P0 - Critical (Site Down)", "P0"), _label("High (P2)", "P2")
    ('Critical', 'High')
    """
    if name.casefold() in _WORDS:
        title = re.split(re.escape(name), title, maxsplit=1, flags=re.IGNORECASE)[-1]
    rest = _LEVEL.sub("", title, count=1).replace("()", "").strip(" -–—:,")
    return harmless(rest.partition("(")[0].strip(" -–—:,") or rest.strip("()") or name)

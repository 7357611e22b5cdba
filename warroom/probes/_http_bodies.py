"""What the body of a health answer says, by the conventions that services follow. Pure.

Known are Spring Boot's actuator (`/actuator/health`), ASP.NET Core health checks, health+json
(draft-inadarei-api-health-check), NestJS terminus, Statuspage v2 (`/api/v2/summary.json`),
Kubernetes' verbose text (`/livez?verbose`), a plain status or flag, and a plain word. Nothing here
raises, whatever the body holds; a word that is not known is said, never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from warroom.domain.sample import Health
from warroom.domain.text import harmless, shorten
from warroom.probes._http_words import UNMISTAKABLE, meaning, plain

DEPTH: Final = 8
"""Levels of nested components that are followed."""
COMPONENTS: Final = 1000
"""Components that are read from one body."""

_STATE_KEYS: Final = ("status", "health", "state")
_FLAG_KEYS: Final = ("healthy", "isHealthy", "ok", "success", "up", "alive", "ready")
_PART_KEYS: Final = (
    "components",
    "entries",
    "results",
    "checks",
    "details",
    "info",
    "error",
    "services",
    "dependencies",
    "subsystems",
)
_STRICT_PARTS: Final = frozenset(("details", "info", "error", "results"))
"""Containers that often hold plain data: their strings are not states."""
_NAME_KEYS: Final = ("name", "component", "componentName", "key", "service", "componentId", "id")
_NOTE_KEYS: Final = ("output", "description", "message", "exception", "error", "reason")
_KUBERNETES: Final = re.compile(r"^\[([+-])\](\S{1,200}) (.*)$", re.MULTILINE)
_PLAIN_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Component:
    """A part that the body names: `path` is dotted, `health` None when its word is not known."""

    path: str
    word: str
    health: Health | None
    note: str = ""

    @property
    def is_ill(self) -> bool:
        return self.health in (Health.DEGRADED, Health.DOWN)


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a body says. `health` is None when it says nothing that we understand; `word` is the
    body's own; all texts are harmless."""

    convention: str = ""
    word: str = ""
    health: Health | None = None
    components: tuple[Component, ...] = ()
    remark: str = ""

    @property
    def failing(self) -> tuple[str, ...]:
        """Paths of the ill components that have no ill component within; in the body's order."""
        ill = dict.fromkeys(c.path for c in self.components if c.is_ill)
        around = {p[:at] for p in ill for at, char in enumerate(p) if char == "."}
        return tuple(path for path in ill if path not in around)

    @property
    def verdict(self) -> Health | None:
        """`health`, but never OK while a component is ill."""
        if self.health is Health.OK and self.failing:
            return Health.DEGRADED
        return self.health


def json_of(body: bytes) -> object:
    """The JSON value in `body`. Raises ValueError (too deep or too large counts as that)."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def lookup(value: object, path: str) -> object:
    """What stands at a dotted `path` (`checks.0.status`; a key may hold dots). Raises KeyError.

    >>> lookup({"db": {"pool.size": 3}}, "db.pool.size")
    3
    """
    if not path:
        return value
    if isinstance(value, Mapping):
        parts = path.split(".")
        for end in range(len(parts), 0, -1):
            key = ".".join(parts[:end])
            if key in value:
                return lookup(value[key], ".".join(parts[end:]))
    head, _, rest = path.partition(".")
    if isinstance(value, list) and head.isascii() and head.isdigit() and len(head) < 9:
        index = int(head)
        if index < len(value):
            return lookup(value[index], rest)
    raise KeyError(path)


def as_text(value: object) -> str:
    """A JSON value as people write it in a config: `true`, `3`, `UP`; harmless, shortened."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shorten(harmless(text), 200)


def understand(body: bytes) -> Understanding:
    """What `body` says about the health of the service that sent it."""
    try:
        value = json_of(body)
    except ValueError:
        return _of_text(body[:65536].decode("utf-8-sig", "replace"))
    if isinstance(value, Mapping):
        return _of_object(value)
    word = as_text(value) if isinstance(value, (str, bool)) else ""
    return Understanding("a plain word", word, meaning(value)) if word else Understanding()


def _of_text(text: str) -> Understanding:
    lines = _KUBERNETES.findall(text)
    if lines:
        return _of_kubernetes(lines)
    line = text.strip()
    if not line or len(line) > _PLAIN_LIMIT or "\n" in line or line.startswith("<"):
        return Understanding()
    head = re.split(r":| - ", line, maxsplit=1)[0]
    health = meaning(line) or meaning(head)
    shown = shorten(harmless(line), 60)
    if health is None:
        return Understanding(word=shown, remark=f'"{shown}" is not a word that is known here')
    return Understanding("a plain word", shown, health)


def _of_kubernetes(lines: list[tuple[str, str, str]]) -> Understanding:
    parts = []
    for sign, name, rest in lines[:COMPONENTS]:
        health = Health.OK if sign == "+" else Health.DOWN
        word = rest.strip().partition(":")[0]
        parts.append(Component(_shown(name), _shown(word), health, _shown(rest)))
    health = Health.worst(part.health for part in parts if part.health)
    word = "failed" if health is Health.DOWN else "ok"
    return Understanding("Kubernetes verbose text", word, health, tuple(parts))


def _of_object(value: Mapping[str, Any]) -> Understanding:
    status = value.get("status")
    if isinstance(status, Mapping) and isinstance(status.get("indicator"), str):
        return _of_statuspage(value, status)
    word, health = _state(value)
    parts: list[Component] = []
    for part in _parts(value, "", 0):
        parts.append(part)
        if len(parts) == COMPONENTS:
            break
    if not word:
        parts = [part for part in parts if part.health is not None]
        if parts:
            health = Health.worst(part.health for part in parts if part.health)
    if not word and not parts:
        return _of_error(value)
    remark = f'"{word}" is not a word that is known here' if word and health is None else ""
    return Understanding(_convention(value, word), word, health, tuple(parts), remark)


def _of_statuspage(value: Mapping[str, Any], status: Mapping[str, Any]) -> Understanding:
    word = _shown(status["indicator"])
    parts = tuple(_parts(value, "", 0))[:COMPONENTS]
    remark = _shown(status.get("description"))
    return Understanding("Statuspage v2", word, meaning(status["indicator"]), parts, remark)


def _of_error(value: Mapping[str, Any]) -> Understanding:
    """A body without any state that still complains: `{"error": "no database"}`."""
    error = value.get("error") or value.get("errors")
    if not isinstance(error, (str, list)):
        return Understanding()
    said = shorten(as_text(error), 80)
    return Understanding("an error in the body", f"error {said}", Health.DEGRADED)


def _state(node: Mapping[str, Any]) -> tuple[str, Health | None]:
    """The node's own word and its meaning; an empty word when it has none."""
    for key in _STATE_KEYS:
        word = node.get(key)
        if isinstance(word, (str, bool)) or (isinstance(word, int) and meaning(word)):
            return shorten(as_text(word), 60), meaning(word)
    for key in _FLAG_KEYS:
        if isinstance(node.get(key), bool):
            return f"{key} {str(node[key]).lower()}", meaning(node[key])
    return "", None


def _parts(node: Mapping[str, Any], path: str, depth: int) -> Iterator[Component]:
    """Every component within `node`, a parent before its children."""
    if depth >= DEPTH:
        return
    twice = isinstance(node.get("details"), Mapping) and "info" in node  # terminus repeats itself
    for key, value in node.items():
        if twice and key in ("info", "error"):
            continue
        if key in _PART_KEYS:
            yield from _container(value, path, depth, strict=key in _STRICT_PARTS)
        elif key not in _STATE_KEYS:
            yield from _sibling(key, value, path, depth)


def _container(value: object, path: str, depth: int, *, strict: bool) -> Iterator[Component]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _member(name, part, path, depth, strict=strict)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            if isinstance(part, Mapping):
                yield from _member(_name(part, str(index)), part, path, depth, strict=True)


def _member(
    name: str, value: object, path: str, depth: int, *, strict: bool
) -> Iterator[Component]:
    here = f"{path}.{_shown(name)}" if path else _shown(name)
    if isinstance(value, list):  # health+json: a list of measurements under one name
        for part in value:
            if isinstance(part, Mapping):
                yield from _node(here, part, depth)
    elif isinstance(value, Mapping):
        yield from _node(here, value, depth)
    elif not strict and isinstance(value, (str, bool)):
        yield Component(here, _shown(as_text(value)), meaning(value))


def _node(path: str, node: Mapping[str, Any], depth: int) -> Iterator[Component]:
    word, health = _state(node)
    if word:
        yield Component(path, word, health, _note(node))
    yield from _parts(node, path, depth + 1)


def _sibling(key: str, value: object, path: str, depth: int) -> Iterator[Component]:
    """A key that is no known container: a part only if it, or something in it, says so itself."""
    here = f"{path}.{_shown(key)}" if path else _shown(key)
    if isinstance(value, str) and plain(value[:64]) in UNMISTAKABLE:
        yield Component(here, _shown(value), Health.DOWN)
    elif isinstance(value, Mapping) and depth < DEPTH:
        word, health = _state(value)
        if word and health is not None:
            yield from _node(here, value, depth)
        elif not word:
            yield from _parts(value, here, depth + 1)


def _name(node: Mapping[str, Any], default: str) -> str:
    return next((node[k] for k in _NAME_KEYS if isinstance(node.get(k), str)), default)


def _note(node: Mapping[str, Any]) -> str:
    found = next((node[k] for k in _NOTE_KEYS if isinstance(node.get(k), str)), "")
    return shorten(harmless(found), 160)


def _shown(text: object) -> str:
    return shorten(harmless(text), 60) if isinstance(text, str) else ""


def _convention(value: Mapping[str, Any], word: str) -> str:
    if word in ("UP", "DOWN", "OUT_OF_SERVICE", "UNKNOWN"):
        return "Spring actuator"
    if word in ("Healthy", "Degraded", "Unhealthy"):
        return "ASP.NET health checks"
    if word in ("pass", "warn", "fail"):
        return "health+json"
    if word in ("ok", "error", "shutting_down") and "details" in value:
        return "NestJS terminus"
    return "a status" if word else "components"

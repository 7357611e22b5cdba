"""What has to be filled in before a command can run or a text be sent."""

from __future__ import annotations

import re
from typing import Final

_ANGLE: Final = re.compile(r"<[A-Za-z][A-Za-z0-9 _.-]{0,60}>")
_VARIABLE: Final = re.compile(r"\$(?:([A-Z][A-Z0-9_]{1,60})\b|\{([A-Z][A-Z0-9_]{1,60})[:}])")
_SQUARE: Final = re.compile(r"\[(?![ xX]\]|(?:P|S|SEV)[0-5]\])[^\[\]\n]{2,80}\](?!\()")
_DATE: Final = re.compile(r"\bY{4}-?M{2}-?D{2}(?:-N{3})?\b|\bHH:MM(?::SS)?\b")
_XXX: Final = re.compile(r"\b[a-z]{1,8}-x{3,}\b")
_ASSIGNED: Final = re.compile(
    r"(?:^|[\s;&(])([A-Z][A-Z0-9_]{1,60})=|\b(?:for|read) ([A-Z][A-Z0-9_]{1,60})\b"
)
_SHELLS_OWN: Final = frozenset(
    {"PATH", "HOME", "USER", "PWD", "HOSTNAME", "SHELL", "UID", "RANDOM", "IFS", "OLDPWD"}
)


def placeholders(text: str, *, prose: bool = False) -> tuple[str, ...]:
    """Placeholders as they stand in `text`, each once, in order.

    In a command: `<app-id>`, `$DATABASE_URL`, `i-xxx`, dates of letters. In prose (`prose`) also
    `[Your Name]`, but no `$VARIABLES`. What the command sets itself is none.

    >>> placeholders('doctl apps logs <app-id> && psql "$DATABASE_URL"')
    ('<app-id>', '$DATABASE_URL')
    >>> placeholders("Commander: [Your Name] at HH:MM", prose=True)
    ('[Your Name]', 'HH:MM')
    """
    patterns = [_ANGLE, _DATE, _XXX, _SQUARE if prose else _VARIABLE]
    found = [match for pattern in patterns for match in pattern.finditer(text)]
    own = {match[1] or match[2] for match in _ASSIGNED.finditer(text)} | _SHELLS_OWN
    names: dict[str, None] = {}
    for match in sorted(found, key=lambda match: match.start()):
        variable = (match[1] or match[2]) if match.re is _VARIABLE else ""
        if variable not in own:
            names[f"${variable}" if variable else match[0]] = None
    return tuple(names)

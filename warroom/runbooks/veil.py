"""Secrets that stand in a command themselves: what the record must not repeat."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
_NAMED: Final = r"[A-Z0-9_]{0,60}(?:PASSWORD|PASSWD|_PWD|TOKEN|SECRET|API_KEY|CLI_AUTH)"
_WORD: Final = r"(?![$<*])(?:'[^'\n]*'|\"[^\"$\n]*\"|[^\s'\"$|;&]+)"
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"[a-z][a-z0-9+.-]{1,20}://[^/?#:\s@]{0,80}:(?P<x>(?![$<*])[^/?#\s@]{1,200})@",
        rf"\b{_NAMED}=(?P<x>{_WORD})",
        rf"\b(?:mysql|mariadb|mysqldump|mysqladmin|mariadb-dump)\b[^|;&\n]{{0,300}}?\s-p(?P<x>{_WORD})",
        rf"\b(?:redis-cli|valkey-cli)\b[^|;&\n]{{0,300}}?\s(?:-a|--pass)\s+(?P<x>{_WORD})",
        rf"\s--password[= ](?P<x>{_WORD})",
        r"\s(?:-u|--user)[= ]['\"]?[^\s:'\"$]{1,80}:(?P<x>(?![$<*])[^\s'\"$]{1,200})",
        r"Authorization:\s*(?:Bearer|Basic|Token)\s+(?P<x>(?![$<*])[^\s'\"$]{4,4000})",
        r"(?P<x>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}"
        r"|\bxox[abprs]-[A-Za-z0-9-]{10,80}|\bsk-(?:proj-|live_)?[A-Za-z0-9_-]{20,80}"
        r"|\bdop_v1_[0-9a-f]{64}|\bglpat-[A-Za-z0-9_-]{20})",
    )
)


def veiled(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` with what is secret in it masked, and those secrets.

    >>> veiled("mariadb -u root -proot_pass -e 'SHOW STATUS'")
    ("mariadb -u root -p*** -e 'SHOW STATUS'", ('root_pass',))
    >>> veiled("psql $DATABASE_URL -c 'SELECT 1'")[1]
    ()
    """
    spans: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        spans += [match.span("x") for match in pattern.finditer(text)]
    pieces, found, at = list[str](), dict[str, None](), 0
    for start, end in sorted(spans):
        if start < at:
            continue
        pieces += [text[at:start], MASK]
        found[text[start:end].strip("'\"")] = None
        at = end
    return "".join(pieces) + text[at:], tuple(secret for secret in found if secret)

"""JSON for scripts, that a terminal may show, too."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_CONTROLS: Final = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""What `domain.text.harmless` makes a picture and JSON (RFC 8259, section 7) leaves as it is."""


def print_json(value: dict[str, Any]) -> None:
    """One JSON document on stdout, `version` first."""
    document = json.dumps({"version": 1, **value}, ensure_ascii=False, indent=2)
    print(escaped(document), flush=True)


def escaped(document: str) -> str:
    r"""JSON with nothing that a terminal obeys: the same values, written as escapes.

    >>> escaped('{"title": "\x9b31m"}') == r'{"title": "\u009b31m"}'
    True
    """
    return _CONTROLS.sub(lambda found: json.dumps(found[0])[1:-1], document)

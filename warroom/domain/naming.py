"""What an incident's chat channel is called, from a team's pattern. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from warroom.domain.incident import Incident

WIDTH: Final = 80
"""Characters of a channel's name that chats take, without the `#`."""
_WORDS: Final = re.compile(r"YYYY|MM|DD|NNN|description")
_REST: Final = re.compile(r"#?[a-z0-9_-]*")
_NUMBER: Final = re.compile(r"-(\d{3,9})$")


def check(pattern: str) -> None:
    """Raises ValueError (`channel: message`) for a pattern that names no channel."""
    if pattern and not _REST.fullmatch(_WORDS.sub("", pattern)):
        raise ValueError(
            "channel: lower-case letters, digits, - and _, with YYYY, MM, DD, NNN and description: "
            '"#incident-YYYYMMDD-description"'
        )
    if len(_WORDS.sub("", pattern)) > WIDTH // 2:
        raise ValueError(f"channel: longer than a channel's name may be ({WIDTH} characters)")


def channel_name(pattern: str, incident: Incident) -> str:
    """The channel of an incident; empty without a pattern.

    Dates are those of the opening in UTC and NNN is the number of the day, as in the incident's
    id; the description is its title in letters that any chat takes, cut where it is too long.
    """
    number = _NUMBER.search(incident.id)
    opened = incident.opened_at
    values = {
        "YYYY": f"{opened:%Y}",
        "MM": f"{opened:%m}",
        "DD": f"{opened:%d}",
        "NNN": number[1] if number else "001",
        "description": "",
    }
    room = WIDTH - len(_WORDS.sub(lambda word: values[word[0]], pattern).removeprefix("#"))
    values["description"] = slug(incident.title)[: max(room, 1)].strip("-") or "incident"
    return _WORDS.sub(lambda word: values[word[0]], pattern)[: WIDTH + 1]


def slug(text: str) -> str:
    """`text` as a part of a name: ASCII letters and digits, everything else a hyphen.

    >>> slug("Checkout: 5xx überall!")
    'checkout-5xx-uberall'
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")

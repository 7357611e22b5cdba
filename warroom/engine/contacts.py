"""Whom to call: the config's contacts and the runbooks', in the order of the escalation ladder.

Nothing here needs a network: it is there when nothing else is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from warroom.config.settings import ContactSettings
from warroom.config.values import NAME_WIDTH, Line, Name
from warroom.domain.text import harmless, shorten

if TYPE_CHECKING:
    from warroom.runbooks.model import Contact

_MAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()/.-]{4,30}[0-9]")


def in_order(contacts: Iterable[ContactSettings]) -> tuple[ContactSettings, ...]:
    """Level 1 first, those on no ladder last; within a level as the team wrote them."""
    return tuple(sorted(contacts, key=lambda contact: contact.level or 10))


def reaches(contact: ContactSettings) -> tuple[tuple[str, str], ...]:
    """The ways to reach somebody, the quickest first: (phone, chat or email; what it is)."""
    ways = (("phone", contact.phone), ("chat", contact.chat), ("email", contact.email))
    return tuple((name, value) for name, value in ways if value)


def of_runbook(said: Contact) -> ContactSettings | None:
    """A runbook's contact; None when it names no way to reach anybody.

    Runbooks write everything in one cell: what looks like a number or an address is taken for
    one, anything else stays as it stands, under chat.
    """
    reach = harmless(said.reach).strip()
    mail, phone = _MAIL.search(reach), _PHONE.search(reach)
    if not reach:
        return None
    return ContactSettings(
        name=Name(shorten(harmless(said.role).strip() or "contact", NAME_WIDTH)),
        phone=Line(phone[0] if phone else ""),
        email=Line(mail[0] if mail else ""),
        chat=Line("" if mail or phone else reach),
        when=Line(harmless(said.when).strip()),
    )

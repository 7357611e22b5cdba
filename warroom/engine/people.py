"""Who does what: roles taken, handed over and given back, each in one event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from warroom.domain.events import Event, Kind
from warroom.domain.incident import Incident, Role, Status
from warroom.domain.severity import Scheme
from warroom.domain.text import harmless
from warroom.engine.session import Session

_SHORT: Final = {"ic": Role.COMMANDER, "comms": Role.COMMUNICATIONS, "lead": Role.COMMUNICATIONS}


def role_named(word: str) -> Role:
    """The role of that name, or the only one with a word that begins so.

    Raises ValueError with the roles there are.

    >>> role_named("ic"), role_named("scr")
    (<Role.COMMANDER: 'incident commander'>, <Role.SCRIBE: 'scribe'>)
    """
    said = word.casefold().strip()
    if said in _SHORT:
        return _SHORT[said]
    fit = [role for role in Role if any(part.startswith(said) for part in role.value.split())]
    if said and (len(fit) == 1 or said in list(Role)):
        return fit[0] if len(fit) == 1 else Role(said)
    raise ValueError(f'"{word[:40]}" is no role; there are: {", ".join(Role)}')


def read(text: str) -> tuple[Role, str, bool]:
    """The role and the person that a line says, and whether the role is given back.

    `scribe anna` gives it, `scribe -anna` takes it back. Raises ValueError, one plain line.

    >>> read("incident commander anna")
    (<Role.COMMANDER: 'incident commander'>, 'anna', False)
    >>> read("scribe -ben")
    (<Role.SCRIBE: 'scribe'>, 'ben', True)
    """
    words = text.split()
    whole = next((r for r in Role if text.casefold().startswith(f"{r.value} ")), None)
    role = whole or role_named(words[0] if words else "")
    person = " ".join(words[len(role.value.split()) if whole else 1 :])
    if not person.removeprefix("-").strip():
        raise ValueError(f'who? write it as "{role} NAME", or "{role} -NAME" to take it back')
    return role, person.removeprefix("-").strip(), person.startswith("-")


async def take_over(session: Session, role: Role, person: str, was: str) -> Event:
    """`person` has the role in place of `was`. Raises NoIncident, NotSaved."""
    person = harmless(person.strip())
    data = {"role": role.value, "person": person, "was": was}
    return await session.record(Kind.ROLE, f"{role}: {was} → {person}", data)


async def release(session: Session, role: Role, person: str) -> Event:
    """`person` does not have the role any more, nobody instead. Raises NoIncident, NotSaved."""
    person = harmless(person.strip())
    data = {"role": role.value, "person": person, "released": True}
    return await session.record(Kind.ROLE, f"{role}: {person} gave it back", data)


async def conclude(session: Session, status: Status, doubts: str) -> Event:
    """Set the status; what spoke against it stands in the timeline.

    Raises NoIncident, NotSaved.
    """
    if not doubts or session.incident is None:
        return await session.set_status(status)
    was = session.incident.status
    data = {"status": status.value, "was": was.value, "doubts": doubts}
    return await session.record(Kind.STATUS, f"status {was} → {status} ({doubts})", data)


def may_close(incident: Incident, scheme: Scheme, login: str) -> str:
    """Why `login` should not close, in one line; empty when they may."""
    level = scheme.find(incident.severity)
    if level is None or not level.closers:
        return ""
    holders: Sequence[str] = [h for role in level.closers for h in incident.roles.get(role, ())]
    if login.casefold() in (holder.casefold() for holder in holders):
        return ""
    who = " or ".join(level.closers)
    named = f" ({', '.join(holders)})" if holders else " (nobody is)"
    return f"{incident.severity} is closed by the {who}{named}"

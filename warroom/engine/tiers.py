"""How much confirmation an action wants: by its risk, and by where it acts. Pure.

            elsewhere             in production
read        Enter                 Enter
change      Enter                 its verb typed, such as "restart"
destroy     the target's name     the target's name, and a second person where the config says so
"""

from __future__ import annotations

from warroom.mitigations.base import Card, Risk


def word(card: Card, *, production: bool) -> str:
    """What must be typed to confirm; empty when Enter is enough."""
    if card.risk is Risk.DESTROY:
        return card.target.label
    if card.risk is Risk.CHANGE and production:
        return verb(card.kind)
    return ""


def verb(kind: str) -> str:
    """What a kind does, in one word.

    >>> verb("docker.restart"), verb("command.run")
    ('restart', 'run')
    """
    return kind.rpartition(".")[2] or kind


def persons(card: Card, *, production: bool, own: int, destructive: int) -> int:
    """How many persons must want it. `own` is what its entry says (0: nothing), `destructive`
    what `[incident]` says of what destroys in production."""
    if own:
        return own
    return destructive if production and card.risk is Risk.DESTROY else 1

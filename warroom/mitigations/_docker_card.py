"""What a responder sees before a container is restarted, stopped or started. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from warroom.domain.clock import span
from warroom.domain.text import harmless
from warroom.hosts.docker_container import Container
from warroom.mitigations.base import Card, MitigationRefused, Risk, Target

Verb = Literal["restart", "stop", "start"]

PAST: Final[dict[Verb, str]] = {"restart": "restarted", "stop": "stopped", "start": "started"}
RISKS: Final[dict[Verb, Risk]] = {
    "restart": Risk.CHANGE,
    # nothing brings it back by itself: a restart policy does not apply to what was stopped
    "stop": Risk.DESTROY,
    "start": Risk.CHANGE,
}
_UNDO: Final[dict[Verb, str]] = {
    "restart": "nothing takes it back: what the old run held in memory is gone",
    "stop": "docker.start starts the same container again: docker start {name}",
    "start": "docker.stop stops it again: docker stop {name}",
}


def refusal(verb: Verb, one: Container) -> str:
    """Why `verb` makes no sense for a container in this state; empty when it does."""
    if verb == "start" and one.has_process:
        return f"{one.name} is {one.state} already"
    if verb == "stop" and (one.has_ended or one.state == "created"):
        return f"{one.name} is not running: {one.words}"
    if one.state == "removing":
        return f"{one.name} is being removed"
    return ""


def card(
    verb: Verb,
    one: Container,
    suffering: Sequence[Container],
    *,
    host: str,
    where: str,
    stop_timeout: int,
    now: datetime,
) -> Card:
    """`suffering` are the containers that depend on `one`. Raises MitigationRefused."""
    reason = refusal(verb, one)
    if reason:
        raise MitigationRefused(reason)
    return Card(
        kind=f"docker.{verb}",
        title=f"{verb.capitalize()} {one.name}",
        host=host,
        target=Target(one.id, one.name, {"started_at": one.started}),
        command=command(verb, one, where, stop_timeout),
        hits=_hits(verb, one, suffering, now),
        undo=_UNDO[verb].format(name=one.name),
        risk=RISKS[verb],
        warnings=_warnings(verb, one),
        context={"restarts": one.restarts},
    )


def command(verb: Verb, one: Container, where: str, stop_timeout: int) -> tuple[str, ...]:
    """The request, then what does the same at a prompt."""
    query = "" if verb == "start" else f"?t={stop_timeout}"
    option = "" if verb == "start" else f" -t {stop_timeout}"
    return (
        f"POST /containers/{one.short}/{verb}{query} on {harmless(where)}",
        f"docker {verb}{option} {one.name}",
    )


def _hits(
    verb: Verb, one: Container, suffering: Sequence[Container], now: datetime
) -> tuple[tuple[str, str], ...]:
    hits = [("container", f"{one.short}, image {one.image}"), ("state", _state(one, now))]
    if one.project:
        hits.append(("compose", f"{one.project} / {one.service}"))
    hits.append(("restarts so far", str(one.restarts)))
    if one.has_process and verb != "start":
        ports = ", ".join(one.ports) or "none published"
        hits += [("ports", ports), ("connections", "all open ones are cut; how many is not known")]
    if suffering and verb != "start":
        names = ", ".join(sorted(other.name for other in suffering))
        hits.append(("depend on it", names))
    return tuple(hits)


def _state(one: Container, now: datetime) -> str:
    health = f", {one.health}" if one.health else ""
    if one.has_process and one.started_at:
        up = span(max(0.0, (now - one.started_at).total_seconds()))
        return f"{one.state} for {up}{health}"
    return one.words


def _warnings(verb: Verb, one: Container) -> tuple[str, ...]:
    warnings = []
    if one.removed_when_ended and verb == "stop":
        warnings.append("it was started with --rm: stopping it removes it, and nothing undoes that")
    if one.oom and verb in ("restart", "start"):
        warnings.append("it was OOM killed: with the same memory limit it may be again")
    if one.state == "paused" and verb == "restart":
        warnings.append("it is paused: somebody may have done so to look into it")
    return tuple(warnings)

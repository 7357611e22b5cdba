"""What is to become of a compose service, and what a responder sees of it before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warroom.mitigations._compose import Compose, Service
from warroom.mitigations._docker_engine import amount, table
from warroom.mitigations._docker_replicas import Replica


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: `new` are the names of those to come, `going` those to go; `compose`
    does it where there is nothing to copy."""

    service: Service
    now: tuple[Replica, ...]
    want: int
    new: tuple[str, ...] = ()
    going: tuple[Replica, ...] = ()
    compose: Compose | None = None

    @property
    def running(self) -> tuple[Replica, ...]:
        return tuple(one for one in self.now if one.runs)

    @property
    def identity(self) -> dict[str, str]:
        """Every run of the service."""
        return {one.now.short: one.now.started for one in self.now}


def argv(plan: Plan, compose: Compose) -> tuple[str, ...]:
    """What the compose program is told."""
    name = plan.service.name
    return compose.argv(
        "up", "--detach", "--no-deps", "--no-build", "--no-recreate", "--scale",
        f"{name}={plan.want}", name,
    )  # fmt: skip


def names(found: Sequence[Replica]) -> str:
    """Their names in a row."""
    return ", ".join(one.now.name for one in found) or "none"


def hits(plan: Plan) -> tuple[tuple[str, str], ...]:
    """The blast radius: who comes, who goes, and what that takes."""
    lines = [("replicas", f"{len(plan.running)} → {plan.want}"), ("compose", plan.service.label)]
    ended = [one for one in plan.now if not one.runs]
    if ended:
        lines.append(("ended", f"{names(ended)}: left as they are, and not counted"))
    for one in plan.going:
        state = f"{one.now.words}{f', {one.now.health}' if one.now.health else ''}"
        lines.append((one.now.name, f"{state}: it is stopped and removed, with what it serves"))
    if plan.new:
        like = plan.now[-1]
        lines += [
            ("new", ", ".join(plan.new)),
            ("like", f"{like.now.name}, image {like.now.image}"),
        ]
        memory = table(like.found, "HostConfig").get("Memory") or 0
        most = f"{amount(memory)} each at most" if memory else "each without a limit"
        lines.append(("memory", most))
    if plan.compose is not None:
        lines.append(("made by", str(plan.compose)))
    return tuple(lines)


def warnings(plan: Plan) -> tuple[str, ...]:
    """What a responder should think of first."""
    lines = []
    if plan.going:
        lines.append("their logs go with them; the newest lines are kept as evidence")
    images = {str(one.found.get("Image")) for one in plan.running}
    if len(images) > 1:
        lines.append("its replicas run different images: somebody may be deploying")
    if plan.new and any(table(plan.now[-1].found, "Config").get("Volumes") or ()):
        lines.append("volumes without a name are empty in a new replica")
    return tuple(lines)

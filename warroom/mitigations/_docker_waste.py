"""What of a Docker engine nobody uses, from `GET /system/df`. Pure.

docker calls an image dangling that has neither a tag nor a digest, a volume unused that no
container names, running or not, and build cache reclaimable that is neither in use nor shared with
an image (docs.docker.com/engine/manage-resources/pruning; `docker system df`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from warroom.domain.clock import span
from warroom.hosts.docker_container import Container
from warroom.mitigations._docker_engine import amount, said, table

Ended = tuple[Container, datetime | None]
"""A container that does not run, and since when: since it ended or, if it never ran, was made."""
Kind = Literal["container", "image", "volume", "cache"]
CONTAINERS: Final = "containers"
IMAGES: Final = "images"
CACHE: Final = "build cache"
ALL: Final = "containers, images and build cache"
UNNAMED: Final = "volumes without a name"
VOLUMES: Final = "all volumes"
CHOICES: Final = (ALL, CONTAINERS, IMAGES, CACHE, UNNAMED, VOLUMES)
_NONE: Final = ("<none>:<none>", "<none>@<none>")
_MADE_UP: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that would be removed; `size` is in bytes, `words` say what it is."""

    kind: Kind
    key: str
    words: str
    size: int


@dataclass(frozen=True, slots=True)
class Waste:
    """What would be removed; `cache` is how many records of the build cache of which size, and
    `spared` what is left alone and why."""

    pieces: tuple[Piece, ...]
    cache: tuple[int, int] = (0, 0)
    spared: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(piece.size for piece in self.pieces) + self.cache[1]

    def of(self, kind: Kind) -> tuple[Piece, ...]:
        return tuple(piece for piece in self.pieces if piece.kind == kind)

    @property
    def is_empty(self) -> bool:
        return not self.pieces and not self.cache[0]

    @property
    def words(self) -> str:
        """`3 containers, 2 images, 14 records of build cache`."""
        counts = Counter(piece.kind for piece in self.pieces)
        parts = [_many(count, kind) for kind, count in counts.items()]
        if self.cache[0]:
            parts.append(f"{_many(self.cache[0], 'record')} of build cache")
        return ", ".join(parts) or "nothing"


def waste(
    what: str, df: Mapping[str, Any], ended: Sequence[Ended], now: datetime, older: float
) -> Waste:
    """What the choice `what` would remove. `ended` are the containers that do not run; those that
    ended less than `older` seconds ago are spared: they may be evidence."""
    pieces: list[Piece] = []
    spared: list[str] = []
    going: list[Ended] = []
    if what in (ALL, CONTAINERS):
        going = [(one, since) for one, since in ended if _age(since, now) >= older]
        pieces += _containers(going, df, now)
        young = len(ended) - len(going)
        if young:
            spared.append(f"{_many(young, 'container')} that ended less than {span(older)} ago")
    if what in (ALL, IMAGES):
        pieces += _images(df, [one for one, _ in going])
    if what in (UNNAMED, VOLUMES):
        pieces += _volumes(df, named=what == VOLUMES)
        if what == UNNAMED:
            left = len(list(_volumes(df, named=True))) - len(pieces)
            spared += [f"{_many(left, 'unused volume')} that somebody gave a name"] if left else []
    return Waste(tuple(pieces), _cache(df) if what in (ALL, CACHE) else (0, 0), tuple(spared))


def usage(df: Mapping[str, Any]) -> str:
    """Everything that docker keeps, as `docker system df` sums it up."""
    cache = _list(df, "BuildCache")
    volumes = sum(max(0, _number(table(one, "UsageData"), "Size")) for one in _list(df, "Volumes"))
    sizes = {
        "images": (len(_list(df, "Images")), _number(df, "LayersSize")),
        "containers": (
            len(_list(df, "Containers")),
            sum(_number(one, "SizeRw") for one in _list(df, "Containers")),
        ),
        "volumes": (len(_list(df, "Volumes")), volumes),
        "build cache": (len(cache), sum(_number(one, "Size") for one in cache)),
    }
    return ", ".join(f"{name} {count:,} ({amount(size)})" for name, (count, size) in sizes.items())


def _containers(going: Iterable[Ended], df: Mapping[str, Any], now: datetime) -> Iterable[Piece]:
    sizes = {one.get("Id"): _number(one, "SizeRw") for one in _list(df, "Containers")}
    for one, since in going:
        size = sizes.get(one.id, 0)
        age = f" {span(_age(since, now))} ago" if since else ""
        yield Piece("container", one.id, f"{one.name}: {one.words}{age}, {amount(size)}", size)


def _images(df: Mapping[str, Any], going: Sequence[Container]) -> Iterable[Piece]:
    """Those that are dangling, and used by none but containers that go before them."""
    goes = {one.id for one in going}
    users = Counter(
        str(one.get("ImageID"))
        for one in _list(df, "Containers")
        if one.get("Id") not in goes
    )  # fmt: skip
    for one in _list(df, "Images"):
        names = [*(one.get("RepoTags") or ()), *(one.get("RepoDigests") or ())]
        key = str(one.get("Id", ""))
        if any(name not in _NONE for name in names) or users[key]:
            continue
        size = max(0, _number(one, "Size") - max(0, _number(one, "SharedSize")))
        words = f"{key.removeprefix('sha256:')[:12]}: {amount(_number(one, 'Size'))}"
        yield Piece("image", key, f"{words}, {amount(size)} of it its own", size)


def _volumes(df: Mapping[str, Any], *, named: bool) -> Iterable[Piece]:
    for one in _list(df, "Volumes"):
        name, used = str(one.get("Name", "")), table(one, "UsageData")
        if used.get("RefCount") != 0 or not (named or _MADE_UP.fullmatch(name)):
            continue
        size = max(0, _number(used, "Size"))
        yield Piece("volume", name, f"{said(name, 60)}: {amount(size)}", size)


def _cache(df: Mapping[str, Any]) -> tuple[int, int]:
    free = [
        one for one in _list(df, "BuildCache") if not (one.get("InUse") or one.get("Shared"))
    ]  # fmt: skip
    return len(free), sum(_number(one, "Size") for one in free)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _age(since: datetime | None, now: datetime) -> float:
    """In seconds; 0 where nobody knows."""
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _list(of: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = of.get(key)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _number(of: Mapping[str, Any], key: str) -> int:
    value = of.get(key)
    return value if isinstance(value, int) else 0

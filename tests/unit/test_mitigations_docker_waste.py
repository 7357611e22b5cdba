"""What nobody uses, from what `docker system df` says; and in which order several are done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.hostile import CORPUS
from warroom.domain.text import harmless
from warroom.hosts.docker_container import Container
from warroom.mitigations._docker_bulk import Step, in_order
from warroom.mitigations._docker_waste import (
    ALL,
    CACHE,
    CONTAINERS,
    IMAGES,
    UNNAMED,
    VOLUMES,
    usage,
    waste,
)
from warroom.mitigations.base import Card, Risk, Target

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OLD = Container("a" * 64, "old", "shop:1", "exited", exit_code=1)
YOUNG = Container("b" * 64, "young", "shop:1", "exited", exit_code=137, oom=True)
ENDED = ((OLD, NOW - timedelta(days=3)), (YOUNG, NOW - timedelta(hours=2)))
DAY = 86400.0


def df(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "LayersSize": 3_000_000,
        "Containers": [
            {"Id": OLD.id, "ImageID": "sha256:of-old", "SizeRw": 5000},
            {"Id": YOUNG.id, "ImageID": "sha256:of-young"},
        ],
        "Images": [
            {"Id": "sha256:named", "RepoTags": ["shop:1"], "Size": 10, "SharedSize": 0},
            {"Id": "sha256:by-digest", "RepoTags": None, "RepoDigests": ["shop@sha256:1"]},
            {"Id": "sha256:of-old", "RepoTags": ["<none>:<none>"], "Size": 900, "SharedSize": 300},
            {"Id": "sha256:of-young", "RepoTags": [], "Size": 7, "SharedSize": -1},
        ],
        "Volumes": [
            {"Name": "c" * 64, "UsageData": {"RefCount": 0, "Size": 70}},
            {"Name": "data", "UsageData": {"RefCount": 0, "Size": 7000}},
            {"Name": "d" * 64, "UsageData": {"RefCount": 1, "Size": 1}},
            {"Name": "e" * 64, "UsageData": {"RefCount": -1, "Size": -1}},
            {"Name": "f" * 64, "UsageData": None},
        ],
        "BuildCache": [
            {"ID": "x", "Size": 40, "InUse": False, "Shared": False},
            {"ID": "y", "Size": 400, "InUse": True, "Shared": False},
            {"ID": "z", "Size": 4000, "InUse": False, "Shared": True},
        ],
    }
    return found | more


def keys(what: str, older: float = DAY) -> list[str]:
    return [piece.key for piece in waste(what, df(), ENDED, NOW, older).pieces]


def test_what_each_choice_takes() -> None:
    assert keys(CONTAINERS) == [OLD.id]
    assert keys(CONTAINERS, 0) == [OLD.id, YOUNG.id]
    assert keys(UNNAMED) == ["c" * 64]
    assert keys(VOLUMES) == ["c" * 64, "data"]
    assert keys(CACHE) == []
    assert waste(CACHE, df(), ENDED, NOW, DAY).cache == (1, 40)


def test_an_image_goes_when_only_containers_use_it_that_go_before_it() -> None:
    assert keys(IMAGES) == []
    assert keys(ALL) == [OLD.id, "sha256:of-old"]
    assert keys(ALL, 0) == [OLD.id, YOUNG.id, "sha256:of-old", "sha256:of-young"]


def test_it_says_how_much_that_is_and_what_is_spared() -> None:
    found = waste(ALL, df(), ENDED, NOW, DAY)
    assert found.size == 5000 + 600 + 40
    assert found.words == "1 container, 1 image, 1 record of build cache"
    assert found.spared == ("1 container that ended less than 1d00h ago",)
    assert waste(UNNAMED, df(), ENDED, NOW, DAY).spared == (
        "1 unused volume that somebody gave a name",
    )
    assert usage(df()) == (
        "images 4 (3 MB), containers 2 (5 kB), volumes 5 (7.07 kB), build cache 3 (4.44 kB)"
    )


def test_of_what_nobody_knows_when_it_ended_nothing_is_taken() -> None:
    assert waste(CONTAINERS, df(), [(OLD, None)], NOW, DAY).is_empty


@pytest.mark.parametrize("answer", [{}, {"Images": None}, {"Volumes": "x", "Containers": [7]}])
def test_an_answer_that_is_none_has_no_waste(answer: dict[str, Any]) -> None:
    assert waste(VOLUMES, answer, [], NOW, 0).is_empty
    assert usage(answer).startswith("images 0 (0 B)")


@pytest.mark.parametrize("text", [*CORPUS.values(), "x" * 10_000_000, "\udc80"])
def test_a_hostile_volume_is_shown_and_moves_nothing(text: str) -> None:
    volumes = [{"Name": text, "UsageData": {"RefCount": 0, "Size": 1}}]
    (piece,) = waste(VOLUMES, df(Volumes=volumes), [], NOW, 0).pieces
    assert piece.words == harmless(piece.words)
    assert len(piece.words) < 100


def step(name: str) -> Step:
    target = Target(name, name, {"started_at": ""})
    return Step(None, Card("x", "x", "", target, (), (), "", Risk.CHANGE))  # type: ignore[arg-type]


def service(name: str, *needs: str) -> Container:
    return Container(
        name, name, "i", "running", project="shop", service=name, depends_on=needs
    )  # fmt: skip


def test_what_others_need_is_first_and_with_a_stop_last() -> None:
    known = {
        "api": service("api", "db", "cache"), "web": service("web", "api"), "db": service("db"),
        "cache": service("cache", "db"), "other": service("other"),
    }  # fmt: skip
    steps = [step(name) for name in ("web", "other", "api", "db", "cache")]
    names = [one.name for one in in_order(steps, known, last_first=False)]
    assert names == ["db", "cache", "api", "web", "other"]
    assert [one.name for one in in_order(steps, known, last_first=True)] == names[::-1]


def test_a_circle_and_one_that_is_not_listed_end_all_the_same() -> None:
    known = {"a": service("a", "b"), "b": service("b", "a")}
    steps = [step(name) for name in ("a", "b", "c")]
    found = [one.name for one in in_order(steps, known, last_first=False)]
    assert sorted(found) == ["a", "b", "c"]

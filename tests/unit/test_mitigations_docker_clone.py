"""A container like another: what is the same, and what only one can have. From inspects alone."""

from __future__ import annotations

from typing import Any

import pytest

from warroom.mitigations._compose import service_of
from warroom.mitigations._docker_clone import (
    NUMBER_LABEL,
    fixed_ports,
    image_of,
    replica,
    twin,
    unnamed_volumes,
)
from warroom.mitigations.base import MitigationRefused

ID = "0123456789ab" + "c" * 52
MADE_UP = "d" * 64


def inspected(**more: Any) -> dict[str, Any]:
    """A replica with all that a container can have."""
    found: dict[str, Any] = {
        "Id": ID, "Name": "/shop-api-1", "Image": "sha256:1",
        "Config": {
            "Image": "shop:1", "Hostname": ID[:12], "Env": ["A=1"], "MacAddress": "",
            "Labels": {NUMBER_LABEL: "1"},
        },
        "HostConfig": {
            "NetworkMode": "shop_default", "Binds": ["/srv:/srv:ro"],
            "Mounts": [{"Type": "volume", "Target": "/cache"}],
        },
        "Mounts": [
            {"Type": "bind", "Source": "/srv", "Destination": "/srv"},
            {"Type": "volume", "Name": MADE_UP, "Destination": "/data", "RW": False},
            {"Type": "volume", "Name": "e" * 64, "Destination": "/cache", "RW": True},
        ],
        "NetworkSettings": {"Networks": {
            "shop_default": {
                "NetworkID": "1" * 64, "Aliases": ["api", "shop-api-1", ID[:12]],
                "IPAMConfig": {"IPv4Address": "10.0.0.7"}, "Links": None,
            },
            "edge": {"NetworkID": "2" * 64, "Aliases": [ID[:12]], "IPAMConfig": None},
        }},
    }  # fmt: skip
    return found | more


def with_host(**more: Any) -> dict[str, Any]:
    return inspected(HostConfig={"NetworkMode": "default", **more})


def test_the_same_again_keeps_addresses_aliases_and_volumes() -> None:
    made = twin(inspected(), "shop:1")
    body = made.body
    assert "Hostname" not in body, "the engine gives the new one its own"
    assert body["Env"] == ["A=1"]
    assert body["NetworkingConfig"]["EndpointsConfig"] == {
        "shop_default": {
            "Aliases": ["api", "shop-api-1"], "IPAMConfig": {"IPv4Address": "10.0.0.7"},
        }
    }  # fmt: skip
    assert made.networks == {"2" * 64: {}}
    assert body["HostConfig"]["Binds"] == ["/srv:/srv:ro", f"{MADE_UP}:/data:ro"]
    assert body["HostConfig"]["Mounts"][0]["Source"] == "e" * 64


def test_one_more_has_what_only_one_can_have_anew() -> None:
    body = replica(inspected(), "shop:1", 2, "shop-api-2").body
    assert body["Labels"][NUMBER_LABEL] == "2"
    assert body["HostConfig"]["Binds"] == ["/srv:/srv:ro"]
    assert body["NetworkingConfig"]["EndpointsConfig"] == {
        "shop_default": {"Aliases": ["api", "shop-api-2"]}
    }


def test_what_was_inspected_is_never_changed() -> None:
    found = inspected()
    twin(found, "x")
    replica(found, "x", 2, "y")
    assert found == inspected()


def test_a_changed_config_has_another_digest() -> None:
    one, two = inspected(), inspected()
    two["HostConfig"]["Memory"] = 1
    assert twin(one, "x").digest == twin(inspected(), "x").digest != twin(two, "x").digest


def test_one_that_was_taken_out_of_its_own_network_is_not_put_back_by_the_way() -> None:
    found = inspected()
    del found["NetworkSettings"]["Networks"]["shop_default"]
    with pytest.raises(MitigationRefused, match="taken out of its own network shop_default"):
        twin(found, "x")


@pytest.mark.parametrize("mode", ["host", "container:abc"])
def test_a_borrowed_network_takes_no_name_and_no_ports(mode: str) -> None:
    found = inspected()
    found["HostConfig"]["NetworkMode"] = mode
    found["Config"] |= {"Hostname": "other", "ExposedPorts": {"80/tcp": {}}}
    made = twin(found, "x")
    assert "Hostname" not in made.body
    assert ("ExposedPorts" in made.body) is (mode == "host")
    assert "NetworkingConfig" not in made.body


@pytest.mark.parametrize(
    ("called", "tags", "moved"),
    [
        ("shop", ["shop:latest"], False),
        ("docker.io/library/shop:1", ["shop:1"], False),
        ("ghcr.io:443/a/shop", ["ghcr.io:443/a/shop:latest"], False),
        ("shop@sha256:" + "a" * 64, [], True),
        ("shop:1", ["shop:2"], True),
        ("shop:1", None, True),
        ("0123456789ab", [], False),
    ],
)
def test_the_image_that_runs_is_asked_for_by_its_name_while_that_means_it(
    called: str, tags: list[str] | None, moved: bool
) -> None:
    known = [{"Id": "sha256:1", "RepoTags": tags}]
    image, now = image_of({"Image": "sha256:1", "Config": {"Image": called}}, known)
    assert now is moved
    assert image == (called if not moved and called[0] != "0" else "sha256:1")


def test_an_image_that_is_gone_is_said() -> None:
    with pytest.raises(MitigationRefused, match="not on the engine any more"):
        image_of(inspected(), [])


def test_ports_that_only_one_can_have() -> None:
    bindings = {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}], "81/tcp": [{"HostPort": ""}],
        "82/tcp": None, "83/tcp": [{"HostPort": "9000-9010"}], "84/tcp": [{"HostPort": "0"}],
    }  # fmt: skip
    assert fixed_ports(with_host(PortBindings=bindings)) == ("8080",)
    assert fixed_ports(with_host(PortBindings=None)) == ()


def test_volumes_that_nobody_named() -> None:
    assert [place for _, place, _ in unnamed_volumes(inspected())] == ["/data", "/cache"]
    assert unnamed_volumes({}) == ()


@pytest.mark.parametrize(
    ("files", "folder", "found"),
    [
        ("/srv/a.yml,/srv/b.yml", "/srv", ("/srv/a.yml", "/srv/b.yml")),
        ("a.yml", "/srv", ("/srv/a.yml",)),
        ("a.yml", "", ()),
        ("a.yml", "-x", ()),
        ("", "/srv", ()),
        ("/a\0b", "/srv", ()),
        (",".join(["/x"] * 11), "/srv", ()),
        ("/" + "x" * 10_000_000, "/srv", ()),
    ],
    ids=range(8),
)
def test_compose_files_of_labels_are_whole_paths_or_none(
    files: str, folder: str, found: tuple[str, ...]
) -> None:
    labels = {"": "shop", ".project.config_files": files, ".project.working_dir": folder}
    named = {f"com.docker.compose{key}": value for key, value in labels.items()}
    named |= {"com.docker.compose.project": "shop", "com.docker.compose.service": "api"}
    service = service_of(named)
    assert service is not None
    assert service.files == found

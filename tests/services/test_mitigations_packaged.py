"""Packaged definitions with the programs that they are for: git, and kubectl's own requests."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.commands import Made, made
from tests.services.kube_api import KubeApi
from tests.support import acme
from tests.support.cli import output_of
from tests.support.services import running
from warroom.config.packaged import definitions
from warroom.mitigations.base import MitigationFailed, MitigationRefused


def packaged(name: str, **own: Any) -> Made:
    """A packaged mitigation with keys of its own."""
    definition = definitions()[name]
    common = ("kind", "title", "key", "on", "probe")
    table = {key: value for key, value in definition.table.items() if key not in common}
    return made(definition.kind, {**table, **own}, title=definition.title)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout of three commits."""
    folder = tmp_path / "shop"
    git = ["git", "-C", str(folder)]
    output_of(["git", "init", "--quiet", str(folder)])
    output_of([*git, "config", "user.name", "Ada"])
    output_of([*git, "config", "user.email", "ada@shop.example"])
    for number in (1, 2, 3):
        (folder / f"file{number}").write_text("x")
        output_of([*git, "add", "."])
        output_of([*git, "commit", "--quiet", "--message", f"change {number} \u202e[/x]"])
    return folder


async def test_a_revert_shows_the_commits_it_would_touch_and_can_be_taken_back(
    repository: Path,
) -> None:
    head = output_of(["git", "-C", str(repository), "rev-parse", "HEAD"])
    one = packaged("git.revert", directory=str(repository))
    card = await one.card(commits="HEAD~2..HEAD")
    preview = [text for what, text in card.hits if what == "preview"]
    assert any("change 3" in line for line in preview)
    assert any("change 2" in line for line in preview)
    assert not any("change 1" in line for line in preview)
    assert all("\u202e" not in line for line in preview)
    assert ("HEAD now", head) in card.hits
    done = await one.perform(card)
    assert sorted(p.name for p in repository.glob("file*")) == ["file1"]
    assert done.undo is not None
    await made(done.undo.kind, done.undo.options).done()
    assert output_of(["git", "-C", str(repository), "rev-parse", "HEAD"]) == head
    assert len(list(repository.glob("file*"))) == 3


async def test_a_revert_after_somebody_else_committed_is_refused(repository: Path) -> None:
    one = packaged("git.revert", directory=str(repository))
    card = await one.card(commits="HEAD")
    git = ["git", "-C", str(repository)]
    output_of([*git, "commit", "--quiet", "--allow-empty", "--message", "another"])
    with pytest.raises(MitigationRefused, match=r"HEAD now was .* when it was shown and is"):
        await one.perform(card)


@pytest.mark.parametrize("value", ["--abort", "-n", "HEAD;id", "a b", "--", "@", "$(id)"])
async def test_only_commits_are_taken(repository: Path, value: str) -> None:
    with pytest.raises(MitigationRefused, match=r"^commits: "):
        await packaged("git.revert", directory=str(repository)).card(commits=value)


@pytest.fixture
async def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KubeApi]:
    if shutil.which("kubectl") is None and os.environ.get("REQUIRE_SERVICES") != "all":
        pytest.skip("kubectl is not on PATH")
    async with KubeApi(tmp_path) as api:
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
        monkeypatch.setenv("HOME", str(tmp_path))  # where it keeps what it discovered
        yield api


async def test_a_deployment_is_scaled_from_what_it_was_and_back(cluster: KubeApi) -> None:
    one = packaged("kubernetes.scale", set={"namespace": "prod", "app": "api"}, preview=["true"])
    card = await one.card(replicas="5")
    assert ("replicas now", "3") in card.hits
    assert card.target.label == "prod/api"
    assert cluster.changes == [], "a preview only reads"
    done = await one.perform(card)
    assert cluster.replicas == 5
    assert done.undo is not None
    await made(done.undo.kind, done.undo.options).done()
    assert cluster.replicas == 3
    cluster.replicas = 4
    with pytest.raises(MitigationRefused, match="replicas now was 3 when it was shown and is 4"):
        cluster.replicas = 3
        stale = await one.card(replicas="6")
        cluster.replicas = 4
        await one.perform(stale)
    assert cluster.replicas == 4


async def test_a_rollout_restart_patches_that_deployment_and_no_other(cluster: KubeApi) -> None:
    own = {"namespace": "prod", "app": "api"}
    await packaged("kubernetes.rollout-restart", set=own, preview=["true"]).done()
    (change,) = cluster.changes
    assert change[:2] == ("PATCH", "/apis/apps/v1/namespaces/prod/deployments/api")
    annotations = change[2]["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations
    with pytest.raises(MitigationRefused, match=r"generation now cannot be read: .*not found"):
        await packaged("kubernetes.rollout-restart").card(namespace="prod", app="web")


@pytest.mark.parametrize("app", ["-l", "API", "a/b", "a b", "api,web", "--all", "$(id)", "a;b"])
async def test_only_names_of_deployments_are_taken(app: str) -> None:
    with pytest.raises(MitigationRefused, match=r"^app: "):
        await packaged("kubernetes.rollout-restart").card(app=app)


@pytest.fixture
def authority(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> Iterator[acme.Authority]:
    """Signs for a site on this machine, whose first certificate it signed."""
    with running("acme", pytestconfig, lambda: acme.start(tmp_path)) as started:
        monkeypatch.setenv("HOME", str(started.home))
        monkeypatch.setenv("PYTHONWARNINGS", "ignore")  # the authority's own one is nobody's
        yield started


async def test_a_certificate_is_renewed_after_a_dry_run_that_the_card_shows(
    authority: acme.Authority,
) -> None:
    first = authority.serial
    authority.due()
    one = packaged("certbot.renew")
    card = await one.card()
    assert authority.serial == first, "a dry run changes nothing of the site's"
    assert card.command[0] == "certbot renew --non-interactive --no-random-sleep-on-renew"
    told = "\n".join(text for _, text in card.hits)
    assert f"Domains: {acme.DOMAIN}" in told
    assert f"Simulating renewal of an existing certificate for {acme.DOMAIN}" in told
    assert "all simulated renewals succeeded" in told
    assert card.warnings == ()
    done = await one.perform(card)
    assert "all renewals succeeded" in "\n".join(done.evidence["output"])
    assert authority.serial == authority.issued[-1] != first
    await authority.pebble.stop()
    card = await one.card()
    assert card.warnings == ("the dry run failed with exit code 1",)
    with pytest.raises(MitigationFailed, match=r"exit code 1.*renew"):
        await one.perform(card)
    assert authority.serial == authority.issued[-1], "the old one is still there"


async def test_a_teams_own_script_is_run_where_it_lies(tmp_path: Path) -> None:
    script = tmp_path / "deploy.sh"
    script.write_text('#!/bin/sh\necho "deploying $2 in $(pwd)"; [ "$2" != bad ]\n')
    script.chmod(0o755)
    argv = ["./deploy.sh", "--", "{version}"]
    done = await packaged("deploy.script", argv=argv, directory=str(tmp_path)).done(version="v1.2")
    assert done.text.endswith(f"deploying v1.2 in {tmp_path}")
    with pytest.raises(MitigationFailed, match="exit code 1"):
        await packaged("deploy.script", argv=argv, directory=str(tmp_path)).done(version="bad")

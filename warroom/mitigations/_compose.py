"""The compose project that a container belongs to, by its labels, and the compose program for it.

Labels are foreign text: whoever makes an image can set them. So the program only gets files that
root or we alone can write to, and it is only used where its own hash of the service says that the
files still mean the container that runs (`config --hash`; label `config-hash`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from warroom.domain.text import harmless, harmless_bytes
from warroom.hosts.base import CommandMissing, Host, HostError
from warroom.hosts.docker_container import PROJECT_LABEL, SERVICE_LABEL

ONE_OFF_LABEL: Final = "com.docker.compose.oneoff"
HASH_LABEL: Final = "com.docker.compose.config-hash"
_FILES_LABEL: Final = "com.docker.compose.project.config_files"
_FOLDER_LABEL: Final = "com.docker.compose.project.working_dir"
_ENV_LABEL: Final = "com.docker.compose.project.environment_file"
_WORD: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,200}")
_LOOK_S: Final = 15.0
_MOST: Final = 10
"""Files of a project."""


class Unusable(Exception):
    """Why compose is not used, in a few words."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a project. `files` are whole paths where the labels say so."""

    project: str
    name: str
    files: tuple[str, ...] = ()
    folder: str = ""
    env_files: tuple[str, ...] = ()
    hash: str = ""

    @property
    def label(self) -> str:
        return f"{self.project} / {self.name}"


@dataclass(frozen=True, slots=True)
class Compose:
    """A program and what it is told before every command."""

    prefix: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        """`docker compose 2.26.1`, or `docker-compose 1.29.2`."""
        name = "docker compose" if self.prefix[0] == "docker" else self.prefix[0]
        return f"{name} {self.version}"

    def argv(self, *words: str) -> tuple[str, ...]:
        return (*self.prefix, *words)


def service_of(labels: Mapping[str, Any]) -> Service | None:
    """The service that a container's labels name; None when they name none, or no proper one."""
    project, name = str(labels.get(PROJECT_LABEL, "")), str(labels.get(SERVICE_LABEL, ""))
    one_off = str(labels.get(ONE_OFF_LABEL, "")).lower() == "true"
    if one_off or not (_WORD.fullmatch(project) and _WORD.fullmatch(name)):
        return None
    folder = str(labels.get(_FOLDER_LABEL, ""))
    return Service(
        project,
        name,
        _paths(str(labels.get(_FILES_LABEL, "")), folder),
        folder if folder.startswith("/") else "",
        _paths(str(labels.get(_ENV_LABEL, "")), folder),
        str(labels.get(HASH_LABEL, "")),
    )


def filters(service: Service) -> dict[str, list[str]]:
    """Finds the containers of a service, those of `compose run` left out."""
    return {
        "label": [
            f"{PROJECT_LABEL}={service.project}",
            f"{SERVICE_LABEL}={service.name}",
            f"{ONE_OFF_LABEL}=False",
        ]
    }


async def program(host: Host, engine: str, service: Service) -> Compose:
    """The compose program of `host` for the engine at `engine`, with the service's own files.

    Raises Unusable when there is none, or its files cannot be used; then nothing was asked of it.
    """
    if not service.files:
        raise Unusable("its labels name no compose file")
    for path in (*service.files, *service.env_files):
        await _check(host, path)
    found = await _installed(host, engine)
    words = ["--project-name", service.project]
    if service.folder:
        words += ["--project-directory", service.folder]
    for path in service.files:
        words += ["--file", path]
    for path in service.env_files:
        words += ["--env-file", path]
    return Compose((*found.prefix, *words), found.version)


async def unchanged(host: Host, compose: Compose, service: Service) -> None:
    """Raises Unusable when the files mean another container than the one that runs."""
    out = await _said(host, compose.argv("config", "--hash", service.name))
    hashes = dict(line.split(None, 1) for line in out.splitlines() if " " in line)
    if not service.hash:
        raise Unusable("it has no label that tells whether its files have changed")
    if hashes.get(service.name, "").strip() != service.hash:
        raise Unusable("its compose files mean another config than the one that runs")


async def _installed(host: Host, engine: str) -> Compose:
    """`docker compose`, else `docker-compose`."""
    for prefix in (("docker", "--host", engine, "compose"), ("docker-compose", "--host", engine)):
        try:
            done = await host.run((*prefix, "version", "--short"), timeout=_LOOK_S)
        except CommandMissing:
            continue
        except HostError as error:
            raise Unusable(str(error)) from error
        version = harmless_bytes(done.out, limit=100).strip("␊ ").removeprefix("v")
        if done.code == 0 and re.fullmatch(r"[0-9][0-9A-Za-z.+~-]*", version):
            return Compose(prefix, version)
    raise Unusable("neither docker compose nor docker-compose is there")


async def _check(host: Host, path: str) -> None:
    """Raises Unusable for a file that is away, that is reached through a link, or that somebody
    else may write or replace: it, or a folder above it (one with the sticky bit may be written to
    by others, who cannot rename our entries there: unlink(2))."""
    own = (await _said(host, ("id", "-u"))).strip()
    shown = harmless(path)
    if (await _said(host, ("readlink", "-f", "--", path))).removesuffix("\n") != path:
        raise Unusable(f"{shown} is reached through a link")
    chain = (path, *map(str, PurePosixPath(path).parents))
    try:
        done = await host.run(("stat", "-c", "%u %a", "--", *chain), timeout=_LOOK_S)
    except HostError as error:
        raise Unusable(str(error)) from error
    found = re.findall("^([0-9]+) ([0-7]+)$", done.out.decode("ascii", "replace"), re.MULTILINE)
    if done.code or len(found) != len(chain):
        raise Unusable(f"{shown} is not there")
    for number, (owner, mode) in enumerate(found):
        if owner not in ("0", own):
            raise Unusable(f"{shown} belongs to somebody else, or a folder above it does")
        sticky = number > 0 and int(mode, 8) & 0o1000
        if int(mode, 8) & 0o022 and not sticky:
            raise Unusable(f"others may write to {shown}, or to a folder above it")


async def _said(host: Host, argv: Sequence[str]) -> str:
    try:
        done = await host.run(argv, timeout=_LOOK_S)
    except HostError as error:
        raise Unusable(str(error)) from error
    if done.code:
        words = harmless_bytes(done.err.strip().splitlines()[-1] if done.err.strip() else b"")
        raise Unusable(f"{harmless(argv[0])} ended with {done.code}: {words[:200]}")
    return done.out.decode("utf-8", "replace")


def _paths(label: str, folder: str) -> tuple[str, ...]:
    """The files of a label: a list with commas, whole or as seen from the project's folder."""
    if not label or "\0" in label or len(label) > 4096:
        return ()
    found = [part.strip() for part in label.split(",") if part.strip()]
    whole = [
        path if path.startswith("/") else f"{folder}/{path}"
        for path in found
        if path.startswith("/") or folder.startswith("/")
    ]
    return tuple(whole[:_MOST]) if len(whole) == len(found) <= _MOST else ()

"""warroom's own include file on a host: whether it may be touched, what it says, and whether nginx
has loaded it. Only reads."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from warroom.domain.text import harmless, shorten
from warroom.hosts.base import FileContent, FileMissing, Host, HostError
from warroom.mitigations._nginx_dump import Directive, Dump, NotFollowed, where
from warroom.mitigations._nginx_rules import HEADER, NotOurs, Rules, parse
from warroom.mitigations._nginx_server import Broken, Down, Life, Server
from warroom.mitigations.base import MitigationRefused

LEVELS: Final = (("http",), ("http", "server"))
"""Blocks in which the file may be included: further in, it would hold for a path alone."""
_SHOWN: Final = 3
_WRITERS: Final = 0o022


@dataclass(frozen=True, slots=True)
class Looked:
    """The file, and the nginx that includes it in `blocks`. `changed` are other files of its config
    that were written after it was loaded last; `is_loaded` is None when that cannot be seen."""

    path: str
    dump: Dump
    life: Life
    blocks: tuple[str, ...]
    content: FileContent | None
    rules: Rules
    is_loaded: bool | None
    changed: tuple[tuple[str, float], ...]

    @property
    def old(self) -> bytes | None:
        return self.content.data if self.content else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What else a reload does, in words."""
        return _pending(self.path, self.content, self.is_loaded, self.changed)

    def in_the_way(self, *names: str) -> tuple[Directive, ...]:
        """The team's own directives of these names further in: nginx takes ours only where a block
        has none of its own."""
        return tuple(
            d
            for d in self.dump.named(*names)
            if d.file != self.path
            and len(d.blocks) > len(self.blocks)
            and d.blocks[: len(self.blocks)] == self.blocks
        )

    def before_it(self, name: str) -> tuple[Directive, ...]:
        """The team's own directives of this name in the same block, read before ours."""
        found: list[Directive] = []
        include: Directive | None = None
        for directive in self.dump.directives:
            if include is None and self.dump.includes(directive, self.path):
                include = directive
            is_before = include is None or (
                directive.file < self.path and self.dump.includes(include, directive.file)
            )
            if is_before and directive.name == name and directive.blocks == self.blocks:
                found.append(directive)
        return tuple(found)


async def look(host: Host, server: Server, path: str) -> Looked:
    """Raises MitigationRefused, with what to do, and HostError."""
    dump, life = await running(server)
    blocks = _included(dump, path)
    content, changed = await asyncio.gather(_content(host, path), others(server, dump, life, path))
    try:
        rules = parse(content.data) if content else Rules()
    except NotOurs as error:
        raise MitigationRefused(
            f"{path} is not warroom's to write: {harmless(str(error))}; a file for it begins with "
            f'the line "{HEADER}"'
        ) from error
    loaded = None
    if life.began is not None:
        loaded = content is None or content.written_at <= life.began + 2
    return Looked(path, dump, life, blocks, content, rules, loaded, changed)


async def running(server: Server) -> tuple[Dump, Life]:
    """A config that passes its test, and the processes that serve. Raises MitigationRefused."""
    try:
        dump = await server.dump()
        return dump, await server.life(dump)
    except Broken as error:
        raise MitigationRefused(f"nginx -t fails already: {error}") from error
    except NotFollowed as error:
        raise MitigationRefused(f"the config of nginx cannot be followed: {error}") from error
    except Down as error:
        raise MitigationRefused(str(error)) from error


async def others(
    server: Server, dump: Dump, life: Life, path: str = ""
) -> tuple[tuple[str, float], ...]:
    """Files of the config other than `path` that a reload would bring into force, and when they
    were written; those of which it cannot be known are left out."""
    if life.began is None:
        return ()
    changed = await server.changed_since(dump, life.began)
    return tuple(one for one in changed if one[0] != path)


def pending(changed: tuple[tuple[str, float], ...]) -> tuple[str, ...]:
    """A warning for files that others changed, when there are some."""
    if not changed:
        return ()
    names = [f"{shorten(harmless(name), 80)} ({_time(at)})" for name, at in changed[:_SHOWN]]
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return (
        f"a reload also loads what else was changed on disk since the last one: "
        f"{', '.join(names)}{more}",
    )


def places(found: tuple[Directive, ...]) -> str:
    """Where directives stand, the first few."""
    names = [directive.place for directive in found[:_SHOWN]]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{', '.join(names)}{more}"


def _pending(
    path: str,
    content: FileContent | None,
    is_loaded: bool | None,
    changed: tuple[tuple[str, float], ...],
) -> tuple[str, ...]:
    own: tuple[str, ...] = ()
    if content is not None and is_loaded is False:
        own = (
            f"nginx has not loaded {path} as it is: it was written {_time(content.written_at)}, "
            "after nginx's workers began. A console was ended halfway, or is at work just now; a "
            "reload loads all of it",
        )
    return (*own, *pending(changed))


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _included(dump: Dump, path: str) -> tuple[str, ...]:
    """The blocks that include `path`. Raises MitigationRefused."""
    found = dump.blocks_of(path)
    if not found:
        raise MitigationRefused(
            f'nginx does not include {path}: write "include {path};" in its http block (nginx -T '
            "must show it), or name another file that it includes"
        )
    for blocks in found:
        if blocks not in LEVELS:
            raise MitigationRefused(
                f"{path} is included in {where(blocks)}: include it in http, or in one server"
            )
    if len(found) > 1:
        raise MitigationRefused(f"{path} is included {len(found)} times: include it once")
    return found[0]


async def _content(host: Host, path: str) -> FileContent | None:
    """The file, when it is one that only root or we may write. Raises MitigationRefused."""
    try:
        found = await host.read_file(path)
    except FileMissing:
        return None
    except HostError as error:
        raise MitigationRefused(f"{error}: it must be a plain file of warroom's own") from error
    result = await host.run(["id", "-u"])
    me = result.out.decode("ascii", "replace").strip()
    if str(found.uid) not in ("0", me):
        raise MitigationRefused(
            f"{path} belongs to somebody else (uid {found.uid}): they could write nginx's config"
        )
    if found.mode & _WRITERS:
        raise MitigationRefused(
            f"others may write to {path} (mode {found.mode:04o}): chmod 644 {path}"
        )
    return found

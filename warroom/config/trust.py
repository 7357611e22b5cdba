"""Whether a config or runbook may be used: both can run commands.

One that others may write to, or replace, is refused: the file, every link on the way to it and
every folder above must belong to root or to us and be writable by nobody else (a folder with the
sticky bit may be, as entries of others cannot be renamed there: unlink(2)). sshd asks the same of
authorized_keys (StrictModes in sshd_config(5)). One that merely lay in the current folder is
trusted once by a person; that trust holds for exactly these bytes at exactly this place.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from warroom.config.find import Found, How
from warroom.config.load import content, digest
from warroom.config.problems import ConfigError
from warroom.domain.text import harmless

_LINKS: Final = 40  # what Linux follows, path_resolution(7)
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a check.

    `ok`: use `content`, and not the file again, which may have changed since. `refused`: a plain
    line that says why not and what to do. `needs_trust`: ask the person, then `remember`.
    """

    ok: bool
    path: Path | None = None
    content: bytes = b""
    digest: str = ""
    refused: str = ""
    needs_trust: bool = False


def check(found: Found) -> Verdict:
    """May the file that was found be used? Nothing found is fine."""
    if found.path is None:
        return Verdict(ok=True)
    try:
        reason = next(_reasons(found.path), "")
        if reason:
            return Verdict(ok=False, path=found.path, refused=harmless(reason))
        data = content(found.path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return Verdict(ok=False, path=found.path, refused=harmless(f"{found.path}: {why}"))
    except ConfigError as error:
        return Verdict(ok=False, path=found.path, refused=str(error))
    seal = digest(data)
    trusted = found.how is not How.CURRENT or _is_remembered(found.path, seal)
    return Verdict(trusted, found.path, data, seal, needs_trust=not trusted)


def remember(path: Path, digest: str) -> None:
    """Trust the content of that digest at `path` from now on. Raises OSError.

    The state folder keeps one file (mode 0600) for each, which names both for whoever looks.
    """
    record = _record(path, digest)
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    record.parent.chmod(0o700)
    fresh = record.with_name(f".{record.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as stream:
        stream.write(_statement(path, digest))
    fresh.replace(record)


def _is_remembered(path: Path, digest: str) -> bool:
    record = _record(path, digest)
    try:
        state = record.lstat()
        ours = stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid()
        closed = not state.st_mode & 0o077 and not record.parent.stat().st_mode & 0o022
        return ours and closed and record.read_bytes() == _statement(path, digest)
    except OSError:
        return False


def _record(path: Path, digest: str) -> Path:
    import platformdirs

    name = hashlib.sha256(_statement(path, digest)).hexdigest()
    return platformdirs.user_state_path("warroom") / "trust" / name


def _statement(path: Path, digest: str) -> bytes:
    return f"{digest}  ".encode() + os.fsencode(path.resolve()) + b"\n"


def _reasons(path: Path) -> Iterator[str]:
    """Why `path` may not be used, worst first; nothing when it may. Raises OSError."""
    chain = list(_chain(path))
    yield from _open_to_others(chain[-1], chain[-1].stat())
    for link in chain:
        if link.is_symlink() and link.lstat().st_uid not in (0, os.geteuid()):
            yield f"{link}: a link that {_owner(link.lstat().st_uid)} owns; {_OWN_COPY}"
        folder = link.parent.resolve(strict=True)
        for above in (folder, *folder.parents):
            yield from _open_to_others(above, above.stat())


def _chain(path: Path) -> Iterator[Path]:
    """`path` and what it links to, step by step, ending with the file itself."""
    step = path.absolute()
    yield step
    for _ in range(_LINKS):
        if not step.is_symlink():
            return
        step = step.parent.resolve(strict=True) / step.readlink()
        yield step
    raise OSError(None, "too many links")


_OWN_COPY: Final = "use a copy of your own"


def _open_to_others(path: Path, state: os.stat_result) -> Iterator[str]:
    is_folder = stat.S_ISDIR(state.st_mode)
    if state.st_uid not in (0, os.geteuid()):
        yield f"{path}: belongs to {_owner(state.st_uid)}, who may change it; {_OWN_COPY}"
    if state.st_mode & _OTHERS and not (is_folder and state.st_mode & stat.S_ISVTX):
        what = "folder that others may write to" if is_folder else "file that others may write to"
        yield f"{path}: a {what}, and warroom would run what they write; {_remedy(path, state)}"


def _remedy(path: Path, state: os.stat_result) -> str:
    owns = os.geteuid() in (0, state.st_uid)
    return f"run: {'' if owns else 'sudo '}chmod go-w {shlex.quote(str(path))}"


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"

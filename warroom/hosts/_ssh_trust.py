"""Which host keys are trusted: those in known_hosts, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from asyncssh.known_hosts import SSHKnownHosts

GLOBAL: Final = "/etc/ssh/ssh_known_hosts"
USER: Final = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")


class KnownHosts(SSHKnownHosts):
    """The entries of some files. After a connection was tried, `matched` says whether the host
    has any entry, and `asked` as what: an unknown key and a changed one are different news."""

    def __init__(self, files: Iterable[str]) -> None:
        super().__init__()
        self.matched, self.asked = False, ""
        for name in files:
            file = Path(name).expanduser()
            if file.is_file():
                self.load(file.read_text("utf-8", "replace"))

    def match(self, host: str, addr: str, port: int | None) -> Any:
        """What asyncssh asks: the keys of `host` (`port` None: 22)."""
        found = super().match(host, addr, port)
        self.matched = self.matched or bool(found[0] or found[1])
        self.asked = f"[{host}]:{port}" if port else host
        return found


def files_for(configured: object) -> list[str]:
    """The known_hosts files to read, `configured` being what asyncssh made of ssh's config.

    It makes `UserKnownHostsFile none` "trust everybody"; here that means nobody but whom the
    whole machine trusts.
    """
    if configured is None:
        return [GLOBAL]
    named = [str(name) for name in configured] if isinstance(configured, list) else []
    return [*(named or USER), GLOBAL]

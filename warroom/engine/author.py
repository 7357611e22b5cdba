"""Who sits at this console."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from warroom.domain.events import Author
from warroom.domain.text import harmless


def author_of(environ: Mapping[str, str]) -> Author:
    """The login name of the real uid (`sudo` keeps the person in SUDO_USER), its uid, and where
    the SSH session comes from (first field of SSH_CONNECTION, sshd(8))."""
    uid = os.getuid()
    try:
        login = pwd.getpwuid(uid).pw_name
    except KeyError:
        login = f"uid {uid}"
    person = environ.get("SUDO_USER", "")
    if uid == 0 and person and person != "root":
        login = f"{person} (as root)"
    origin = environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return Author(harmless(login), uid, harmless(origin))

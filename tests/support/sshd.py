"""A private OpenSSH server that lets the current user in with a key of its own."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from warroom.drill.stack.program import Missing, Program, find, free_port, listening

_CONF: Final = """
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host_key
AuthorizedKeysFile {home}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
MaxStartups 100
Subsystem sftp internal-sftp
LogLevel VERBOSE
"""
_CLIENT: Final = """
Host box
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {home}/client_key
  IdentitiesOnly yes
  UserKnownHostsFile {home}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""


@dataclass(frozen=True)
class SshServer:
    """`config` is an ssh_config(5) in which the host `box` is this server."""

    home: Path
    port: int
    program: Program

    @property
    def config(self) -> Path:
        return self.home / "config"

    @property
    def known_hosts(self) -> Path:
        return self.home / "known_hosts"

    @property
    def log(self) -> Path:
        return self.home / "sshd.log"

    async def stop(self) -> None:
        await self.program.stop()


async def start(folder: Path, under: Sequence[str] = (), *, sftp: bool = True) -> SshServer:
    """A new server, started by the command `under`, and without `sftp` one that offers none.
    Raises Missing or StartFailed."""
    import asyncssh

    binary = find("sshd", "apt install openssh-server")
    who = pwd.getpwuid(os.getuid())
    if who.pw_shell.endswith(("/nologin", "/false")):
        raise Missing(f"the account {who.pw_name} has no login shell, so sshd lets it in nowhere")
    _make_separation_folder()
    home = folder / "ssh"
    home.mkdir(mode=0o700)
    port = free_port()
    for name in ("host_key", "client_key"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        (home / name).touch(mode=0o600)
        key.write_private_key(str(home / name))
        key.write_public_key(str(home / f"{name}.pub"))
    (home / "authorized_keys").write_text((home / "client_key.pub").read_text())
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {(home / 'host_key.pub').read_text()}")
    text = _CONF if sftp else _CONF.replace("Subsystem", "# Subsystem")
    (home / "sshd_config").write_text(text.format(port=port, home=home))
    (home / "config").write_text(_CLIENT.format(port=port, home=home, user=who.pw_name))
    argv: list[str | Path] = [*under, binary, "-D", "-e", "-f", home / "sshd_config"]
    program = Program(argv, home / "sshd.log", unprivileged=False)
    await program.ready(lambda: listening(port))
    return SshServer(home, port, program)


def _make_separation_folder() -> None:
    """What sshd, started as root, wants for privilege separation; elsewhere init makes it."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

"""A machine that systemd booted, in a container of the tests' own engine, entered over SSH.

It has no network and nothing of this machine's files (see `systemd_root`). Of this machine it can
change only the control group that the engine made for it (systemd.io/CONTAINER_INTERFACE).
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from tests.support.services import DockerEngine
from tests.support.systemd_root import root
from warroom.drill.stack.program import StartFailed

_IMAGE: Final = "warroom-test:systemd"
_PATIENCE: Final = 30.0
_CLIENT: Final = """\
Host booted
  User root
Host booted-deploy
  User deploy
Host booted*
  IdentityFile {home}/client_key
  IdentitiesOnly yes
  UserKnownHostsFile {home}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ProxyCommand docker --host unix://{socket} exec -i {name} {door} -i
"""
_DOOR: Final = "/usr/sbin/sshd"


@dataclass(frozen=True)
class Booted:
    """`config` is an ssh_config(5) in which the host `booted` is that machine, as root, and
    `booted-deploy` as somebody without rights."""

    engine: DockerEngine
    name: str
    config: Path

    def __call__(self, *argv: str, stdin: str = "", user: str = "root") -> str:
        """What a command in it prints. Raises AssertionError."""
        before = ["docker", "--host", f"unix://{self.engine.socket}", "exec", "-i"]
        words = [*before, "--user", user, self.name, *argv]
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}{done.stdout}"
        return done.stdout.strip()

    def add(self, name: str, text: str, *, starts: bool = True) -> None:
        """A new unit, its file being `text`; where that has no section it is a service's."""
        whole = text if text.lstrip().startswith("[") else f"[Service]\n{text}\n"
        then = f"systemctl start {name}" if starts else ":"
        script = f"cat >/etc/systemd/system/{name} && systemctl daemon-reload && {then}"
        self("sh", "-c", script, stdin=whole)

    def get(self, unit: str, what: str) -> str:
        """One property of a unit."""
        return self("systemctl", "show", "--value", f"--property={what}", unit)

    def cut(self) -> None:
        """Ends this process's connections to it, as a failing network would."""
        for process in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):  # some end on their own account meanwhile
                if {self.name, _DOOR} <= {*process.cmdline()}:
                    process.kill()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nobody gets in meanwhile, and whoever was in is out."""
        self("mv", _DOOR, f"{_DOOR}.away")
        self.cut()
        try:
            yield
        finally:
            self("mv", f"{_DOOR}.away", _DOOR)

    async def stop(self) -> None:
        await asyncio.to_thread(self.engine.docker, "rm", "--force", self.name)


async def start(engine: DockerEngine, folder: Path, name: str) -> Booted:
    """Boots one as the container `name`. Raises Missing or StartFailed."""
    import asyncssh

    home = folder / "systemd"
    home.mkdir(mode=0o700)
    public: dict[str, str] = {}
    for one in ("host_key", "client_key"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        (home / one).touch(mode=0o600)
        key.write_private_key(str(home / one))
        public[one] = key.export_public_key().decode()
    (home / "known_hosts").write_text(f"booted,booted-deploy {public['host_key']}")
    (home / "config").write_text(
        _CLIENT.format(home=home, socket=engine.socket, name=name, door=_DOOR)
    )
    image = home / "root.tar"
    image.write_bytes(root((home / "host_key").read_text(), public["client_key"]))
    await asyncio.to_thread(engine.docker, "import", str(image), _IMAGE)
    image.unlink()
    await asyncio.to_thread(
        engine.docker, "run", "--detach", "--name", name, "--hostname", "booted",
        "--add-host", "booted:127.0.0.1", "--network", "none", "--cgroupns", "private",
        "--cap-add", "SYS_ADMIN", "--tmpfs", "/run:exec", "--tmpfs", "/tmp",
        "--env", "container=docker", "--stop-signal", "SIGRTMIN+3", _IMAGE, "/init",
    )  # fmt: skip
    booted = Booted(engine, name, home / "config")
    try:
        await _ready(booted)
    except StartFailed:
        await booted.stop()
        raise
    return booted


async def _ready(booted: Booted) -> None:
    """Waits until everything has started that starts when it boots."""
    last = ""
    try:
        async with asyncio.timeout(_PATIENCE):
            while last != "running":
                try:
                    last = await asyncio.to_thread(
                        booted, "systemctl", "is-system-running", "--wait"
                    )
                except AssertionError as error:  # its manager does not listen yet
                    last = str(error)
                    await asyncio.sleep(0.05)
    except TimeoutError:
        said = await asyncio.to_thread(booted.engine.docker, "logs", booted.name)
        raise StartFailed(f"systemd did not boot: {last}; {said[-500:]}") from None

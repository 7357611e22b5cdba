"""The root file system of a machine that systemd boots, made of this machine's own programs.

systemd is the first process there, with its journal and its message bus; a responder gets in
through sshd, as root or as `deploy`, who may use `sudo systemctl` and has a manager of their own.
Of Debian's units it has a handful. systemd-tmpfiles, which empties folders, is left out.
"""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from warroom.drill.stack.program import Missing

ADVICE: Final = "apt install systemd dbus sudo openssh-server busybox-static"
_LIB: Final = "/usr/lib/systemd"
_PROGRAMS: Final = (
    f"{_LIB}/systemd", f"{_LIB}/systemd-journald", "/usr/bin/systemctl", "/usr/bin/journalctl",
    "/usr/bin/dbus-daemon", "/usr/sbin/sshd", "/usr/bin/busybox", "/usr/bin/sudo",
    "/usr/libexec/sudo/sudoers.so",
)  # fmt: skip
_LOADED: Final = ("security/pam_permit.so", "libnss_files.so.2")
"""Modules that programs load themselves, beside the C library."""
_SYSTEM: Final = (
    "basic.target", "sysinit.target", "multi-user.target", "shutdown.target", "sockets.target",
    "timers.target", "paths.target", "slices.target", "rescue.target", "emergency.target",
    "systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket",
    "dbus.service", "dbus.socket",
)  # fmt: skip
_USER: Final = ("basic.target", "default.target", "shutdown.target", "sockets.target",
                "timers.target", "paths.target")  # fmt: skip
_LINKS: Final = {
    "default.target": f"{_LIB}/system/multi-user.target",
    "sysinit.target.wants/systemd-journald.service": f"{_LIB}/system/systemd-journald.service",
    "sockets.target.wants/systemd-journald.socket": f"{_LIB}/system/systemd-journald.socket",
    "sockets.target.wants/dbus.socket": f"{_LIB}/system/dbus.socket",
    "multi-user.target.wants/user@1000.service": "../user@1000.service",
}
_APPLETS: Final = ("sh", "sleep", "cat", "mount", "mkdir", "chown", "chmod", "kill", "test", "true",
                   "false", "head", "setsid", "printf", "touch", "ls", "mv",
                   "rm", "tr")  # fmt: skip
_FOLDERS: Final = ("etc", "root", "home/deploy", "run", "tmp", "proc", "sys", "dev", "usr/bin",
                   "usr/sbin", "usr/lib", "usr/lib64")  # fmt: skip
# The engine mounts a container's control groups read-only. It has a cgroup namespace of its own
# (cgroup_namespaces(7)), so that what is made writable here is the container's part of the tree,
# and where there is more than one tree, of systemd's alone. The folders are what systemd-tmpfiles
# makes elsewhere.
_INIT: Final = f"""\
#!/bin/sh
tree=/sys/fs/cgroup
[ ! -d $tree/systemd ] || tree=$tree/systemd
mount -o remount,bind,rw $tree || exit 1
mkdir -p /run/sshd /run/log/journal /run/user/1000
chown 0:101 /run/log/journal; chmod 2755 /run/log/journal
chown 1000:1000 /run/user/1000 /home/deploy; chmod 700 /run/user/1000
exec {_LIB}/systemd --log-target=journal
"""
_MANAGER: Final = f"""\
[Unit]
Description=User Manager of deploy
[Service]
User=deploy
Type=notify
Environment=XDG_RUNTIME_DIR=/run/user/1000
ExecStart={_LIB}/systemd --user
Slice=user-1000.slice
Delegate=yes
"""
_SSHD: Final = """\
HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
LogLevel QUIET
# what pam_systemd sets where there is a logind
Match User deploy
SetEnv XDG_RUNTIME_DIR=/run/user/1000
"""
_PAM: Final = "".join(f"{one} required pam_permit.so\n" for one in ("auth", "account", "session"))
_TEXTS: Final = {
    "init": _INIT,
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nsshd:x:100:100::/run/sshd:/bin/false\n"
    "messagebus:x:102:102::/:/bin/false\ndeploy:x:1000:1000::/home/deploy:/bin/sh\n",
    "etc/shadow": "root:*:1::::::\ndeploy:*:1::::::\n",
    "etc/group": "root:x:0:\nsystemd-journal:x:101:deploy\nmessagebus:x:102:\ndeploy:x:1000:\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n",
    "etc/ssh/sshd_config": _SSHD,
    "etc/pam.d/sudo": _PAM,
    "etc/pam.d/other": _PAM,
    "etc/systemd/system/user@1000.service": _MANAGER,
}
_SUDOERS: Final = "deploy ALL=(root) NOPASSWD: /usr/bin/systemctl, /usr/bin/journalctl\n"


def root(host_key: str, client_key: str) -> bytes:
    """As a tar; `client_key` lets in, `host_key` is the private one. Raises Missing."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for folder in _FOLDERS:
            _add(tar, folder, kind=tarfile.DIRTYPE)
        for link in ("bin", "sbin", "lib", "lib64"):
            _add(tar, link, link=f"usr/{link}")
        for applet in _APPLETS:
            _add(tar, f"usr/bin/{applet}", link="busybox")
        for name, link in _LINKS.items():
            _add(tar, f"etc/systemd/system/{name}", link=link)
        for path in _files():
            mode = 0o4755 if path.name == "sudo" else 0o755
            _add(tar, str(path), path.read_bytes(), mode)
        for name, text in _TEXTS.items():
            _add(tar, name, text.encode())
        _add(tar, "etc/ssh/authorized_keys", client_key.encode(), 0o644)
        _add(tar, "etc/ssh/host_key", host_key.encode(), 0o600)
        _add(tar, "etc/sudoers", _SUDOERS.encode(), 0o440)
    return made.getvalue()


def _add(
    tar: tarfile.TarFile,
    name: str,
    data: bytes = b"",
    mode: int = 0o755,
    *,
    kind: bytes = tarfile.REGTYPE,
    link: str = "",
) -> None:
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.type, entry.linkname = (tarfile.SYMTYPE, link) if link else (kind, "")
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


def _files() -> Iterator[Path]:
    """What is taken from this machine, each at its real place."""
    programs = [Path(path) for path in _PROGRAMS]
    for path in programs:
        if not path.exists():
            raise Missing(f"{path} is not there: {ADVICE}")
    done = subprocess.run(["ldd", *_PROGRAMS], capture_output=True, text=True, check=False)
    libraries = {Path(found) for found in re.findall(r"(/\S+) \(0x", done.stdout)}
    libc = next(one.parent.resolve() for one in libraries if one.name == "libc.so.6")
    yield from programs
    yield from (one.parent.resolve() / one.name for one in sorted(libraries))
    yield from (libc / name for name in _LOADED if (libc / name).exists())
    yield from (Path(_LIB) / "system" / name for name in _SYSTEM)
    yield from (Path(_LIB) / "user" / name for name in _USER)
    bus = Path("/usr/share/dbus-1")
    yield from (bus / "system.conf", bus / "system.d/org.freedesktop.systemd1.conf")

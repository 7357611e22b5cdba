"""Log files of web servers, systemd units and PM2 applications."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from warroom.domain.text import harmless_bytes
from warroom.engine.discover.databases import listens
from warroom.engine.discover.findings import Found, Look, Missing, plain_name
from warroom.hosts.base import Host, HostError

_SERVERS: Final = {
    "nginx": ("access.log", "error.log"),
    "apache2": ("access.log", "error.log", "other_vhosts_access.log"),
    "httpd": ("access_log", "error_log"),
    "caddy": ("access.log",),
}
"""Folders of /var/log and what web servers of Debian, Red Hat and Caddy write there."""
_OTHERS: Final = ("auth.log", "secure", "postgresql/*.log", "mysql/error.log", "redis/*.log")
"""What else says in /var/log when something is wrong: logins, databases."""
_UNITS: Final = re.compile(
    r"(?:nginx|apache2|httpd|caddy|haproxy|traefik|postgresql@?|redis|valkey|mysql|mariadb|mongod"
    r"|rabbitmq|memcached|php[\w.]*-fpm|gunicorn|uwsgi|docker|kubelet|k3s)[\w@.:-]*\.service"
)
_UNIT_NAME: Final = re.compile(r"[A-Za-z0-9:_.@\\-]{1,200}\.service")
_MOST: Final = 8


async def look_at_logs(root: Path) -> Look:
    """Readable logs of web servers; access logs feed the top talkers."""
    found: Look = []
    for server, names in _SERVERS.items():
        for name in names:
            path = root / "var/log" / server / name
            if not path.is_file():
                continue
            if os.access(path, os.R_OK):
                table: dict[str, object] = {
                    "name": f"{server} {name.removesuffix('.log')}",
                    "path": str(path),
                }
                if "access" in name:
                    table["access"] = True
                found.append(Found("log", table, f"{path} is there and readable"))
            else:
                why = f"{path} is not readable by you; join its group (often adm) or ask for it"
                found.append(Missing("log", why))
    if not found:
        why = "none of nginx, apache2, httpd, caddy under /var/log"
        found.append(Missing("web server logs", why))
    return [*found, *_other_logs(root)]


def _other_logs(root: Path) -> Iterator[Found]:
    """Readable logs of logins and databases: offers, for a pane with all logs shows little."""
    for pattern in _OTHERS:
        files = [path for path in (root / "var/log").glob(pattern) if path.is_file()]
        files = [path for path in files if path.stat().st_size and os.access(path, os.R_OK)]
        for path in sorted(files, key=lambda path: path.stat().st_mtime)[-1:]:
            name = plain_name(path.name.removesuffix(".log"))
            why = f"{path} is there and readable"
            yield Found("log", {"name": name, "path": str(path)}, why, is_offer=True)


async def look_at_units(host: Host, root: Path) -> Look:
    """Units that run or failed: known servers, and whatever the team wrote itself."""
    if not (root / "run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        return [Missing("systemd", "this machine does not run it")]
    argv = ["systemctl", "list-units", "--type=service", "--state=running,failed",
            "--no-legend", "--plain", "--no-pager"]  # fmt: skip
    try:
        result = await host.run(argv, timeout=5.0)
    except HostError as error:
        return [Missing("systemd", str(error))]
    units = [unit for unit in _units(result.out) if _is_of_interest(unit, root)]
    if not units:
        return [Missing("systemd", "no unit runs or failed that looks like part of a service")]
    return [
        Found("log", {"name": plain_name(unit.removesuffix(".service")), "unit": unit},
              f"{unit} runs or failed", is_offer=rank >= _MOST)
        for rank, unit in enumerate(units)
    ]  # fmt: skip


async def look_at_pm2(environ: Mapping[str, str]) -> Look:
    """Applications of a running PM2, by their log files: asking `pm2` would start a daemon where
    none runs, and print whole environments."""
    home = Path(environ.get("PM2_HOME") or Path(environ.get("HOME") or "/nonexistent") / ".pm2")
    if not await listens(home / "rpc.sock"):
        return [Missing("pm2", f"nothing listens at {home / 'rpc.sock'}")]
    try:
        files = sorted(path.name for path in (home / "logs").iterdir())
    except OSError as error:
        return [Missing("pm2", f"{home / 'logs'}: {error.strerror or error}")]
    names = {
        match[1]: None for f in files if (match := re.fullmatch(r"(.+?)-out(?:-\d+)?\.log", f))
    }
    found: Look = [
        Found("log", {"name": plain_name(name), "pm2": name}, f"PM2 runs {name}")
        for name in names
        if plain_name(name) == name
    ]
    return found or [Missing("pm2", "it runs, but no application has written a log")]


def _units(listing: bytes) -> Iterator[str]:
    for line in harmless_bytes(listing, limit=len(listing), lines=True).splitlines():
        unit = line.strip("●* ").partition(" ")[0]
        if _UNIT_NAME.fullmatch(unit):
            yield unit


def _is_of_interest(unit: str, root: Path) -> bool:
    """A known server, or a unit file (no link) that somebody put into /etc/systemd/system."""
    own = root / "etc/systemd/system" / unit
    return _UNITS.fullmatch(unit) is not None or (own.is_file() and not own.is_symlink())

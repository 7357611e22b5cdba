"""A command of a runbook → what it looks at, one function for each family of programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from warroom.engine.discover.findings import plain_name
from warroom.engine.discover.places import Gathered, Place
from warroom.runbooks.model import Risk
from warroom.runbooks.placeholders import placeholders
from warroom.runbooks.risk import program_risk
from warroom.runbooks.shell import Program
from warroom.runbooks.sql import sql_risk, statements
from warroom.runbooks.unwrap import base_name, operands
from warroom.runbooks.verbs import word_set

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63})+")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_UNFILLED: Final = re.compile(r"[$<>\[\]{}`]")
_SECRET_QUERY: Final = re.compile(
    r"[?&#;][^=&#]{0,40}(?:key|token|secret|passw|sig|auth|session)[^=&#]{0,40}=|://hooks\.",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(r"[A-Za-z0-9@][A-Za-z0-9:_.@-]{0,120}")
_SLUG: Final = re.compile(r"[^a-z0-9]+")
_PLAIN_WORD: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_TEXT_TOOLS: Final = word_set(
    """ssh awk sort uniq head wc cut tr jq echo printf cd export sleep true false test [ [[ cat tail
    less grep zgrep egrep sed tee xargs exit read set source . clear date history man yes : find ls
    local nano vi vim emacs cp mv mkdir pwd which type seq basename dirname return rm truncate"""
)
"""They look at what something else names, or at nothing; they are no system."""
_MACHINE: Final = frozenset(
    {"df", "free", "top", "htop", "ps", "uptime", "vmstat", "iostat", "sar", "mpstat", "lsof", "ss",
     "netstat", "dmesg", "du", "ncdu", "nproc", "who", "w"}
)  # fmt: skip
_NO_PROBE: Final = {
    "kubectl": "kubernetes", "oc": "kubernetes", "helm": "kubernetes", "doctl": "digitalocean",
    "mysql": "mysql", "mariadb": "mysql", "mysqladmin": "mysql", "mongosh": "mongodb",
    "mongo": "mongodb", "aws": "aws", "gcloud": "google cloud", "az": "azure", "heroku": "heroku",
    "flyctl": "fly.io", "rabbitmqctl": "rabbitmq", "kafka-topics.sh": "kafka", "promtool":
    "prometheus", "etcdctl": "etcd", "consul": "consul", "vault": "vault", "nomad": "nomad",
}  # fmt: skip
"""Systems that are known by their tools, and that there is no probe for yet."""


def take(gathered: Gathered, place: Place, argv: tuple[str, ...], program: Program) -> None:
    """What one program looks at. What it names of no system is kept as unplaced."""
    name = base_name(argv[0])
    inner = Program((name, *argv[1:]), program.assigns, program.redirects, program.stdin)
    family = _FAMILIES.get(name)
    if family is not None:
        family(gathered, place, inner)
    elif name in _MACHINE:
        _machine(gathered, place, name)
    elif name in _NO_PROBE:
        gathered.missing(_NO_PROBE[name], f"no probe for it yet ({name})", place)
    elif name not in _TEXT_TOOLS:
        _unplaced(gathered, place, inner)


def is_name(word: str) -> bool:
    """Whether it can be a container's or application's own name, filled in."""
    return _NAME.fullmatch(word) is not None


def is_plain(url: str) -> bool:
    """Whether it is an address that a config may hold: all of it can be seen."""
    return url.isprintable() and " " not in url and len(url) <= 2000


def holds_secret(url: str) -> bool:
    """Whether an address does: a password, a key in its query, a hook that is one as a whole."""
    userinfo = "@" in url.partition("://")[2].partition("/")[0]
    return userinfo or _SECRET_QUERY.search(url) is not None


def docker(gathered: Gathered, place: Place, container: str = "") -> None:
    """The engine; with the name of a container whose log is worth following."""
    gathered.put(("docker",), place, "probe", {"kind": "docker"}, "containers are named")
    if container:
        table = {"name": plain_name(container), "container": container}
        says = "a container that is worked with"
        gathered.put(("container", container), place, "log", table, says, is_offer=True)


def _unplaced(gathered: Gathered, place: Place, program: Program) -> None:
    """By its first words alone, and no further: what follows may be a secret."""
    argv = program.argv
    if _UNFILLED.search(argv[0]) or len(argv[0]) > 80:
        return
    verb = argv[1] if len(argv) > 1 and _PLAIN_WORD.fullmatch(argv[1]) else ""
    gathered.unplaced(f"{argv[0]} {verb}".rstrip(), place)


def _machine(gathered: Gathered, place: Place, name: str) -> None:
    if place.container:
        gathered.unplaced(f"{name} inside a container", place)
        return
    table = {"kind": "machine", **({"name": place.host} if place.host else {})}
    gathered.put(("machine",), place, "probe", table, "looks at the machine")


def _curl(gathered: Gathered, place: Place, program: Program) -> None:
    words = [piece for word in program.argv[1:] for piece in word.split()]
    for word in words:
        url = word.rstrip("\"';,")
        if not url.startswith(("http://", "https://")):
            continue
        if place.container:
            gathered.unplaced(f"{program.argv[0]} inside a container", place)
        elif program.argv[0] == "watch" or program_risk(program).risk is Risk.READ:
            _url(gathered, place, program, url)
        else:
            gathered.unplaced(f"{program.argv[0]} that changes something", place)


def _url(gathered: Gathered, place: Place, program: Program, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    unfilled = _UNFILLED.search(url) is not None
    if not host or not is_plain(url) or holds_secret(url):
        why = "its address holds a secret" if holds_secret(url) else "its address cannot be read"
        gathered.missing("http", why, place)
        return
    path = parts.path.strip("/")
    named = "" if _PORT.fullmatch(host.partition(".")[0]) else host.removeprefix("www.")
    table: dict[str, Any] = {"kind": "http", "name": plain_name(f"{named or host} {path}"),
                             "url": url}  # fmt: skip
    flags = set(program.argv)
    says = f"{program.argv[0]} asks it"
    if flags & {"-k", "--insecure"}:
        table["verify"] = False
    if path.endswith(
        "api/v2/status.json"
    ):  # Atlassian Statuspage: status.indicator, none when well
        table |= {"every": "1m", "expect": {"status.indicator": "none"}}
        says = "a vendor's status page"
    if any(word in ("-H", "--header", "-u", "--user") for word in flags):
        unfilled, says = True, f'{says}, with a header: headers = {{ Authorization = "env:NAME" }}'
    gathered.put(("http", url), place, "probe", table, says, is_offer=unfilled)
    verbose = any(re.fullmatch(r"-[a-zA-Z]*v[a-zA-Z]*|--verbose", flag) for flag in flags)
    if verbose and parts.scheme == "https" and not unfilled:
        _tls_to(gathered, place, host, port)


def _tls_to(gathered: Gathered, place: Place, host: str, port: int, name: str = "") -> None:
    table: dict[str, Any] = {"kind": "tls", "name": plain_name(f"{host} certificate"), "host": host}
    if port != 443:
        table["port"] = port
    if name and name != host:
        table["server_name"] = name
    gathered.put(("tls", host, str(port)), place, "probe", table, "looks at the certificate")


def _openssl(gathered: Gathered, place: Place, program: Program) -> None:
    argv = program.argv
    target = _after(argv, "-connect")
    host, _, port = target.rpartition(":")
    if not _DOMAIN.fullmatch(host) or not _PORT.fullmatch(port) or int(port) > 65535:
        _unplaced(gathered, place, program)
        return
    server_name = _after(argv, "-servername")
    named = server_name if _DOMAIN.fullmatch(server_name) else ""
    _tls_to(gathered, place, host, int(port), named)


def _dns(gathered: Gathered, place: Place, program: Program) -> None:
    names = [word for word in operands(program.argv[1:]) if _DOMAIN.fullmatch(word)]
    if not names:
        gathered.missing("dns", "the name to resolve is not filled in", place)
    for name in names[:1]:  # what follows is the server to ask
        table = {"kind": "dns", "name": plain_name(f"{name} dns"), "host": name}
        gathered.put(("dns", name), place, "probe", table, "resolves it")


def _docker_verbs(gathered: Gathered, place: Place, program: Program) -> None:
    given = operands(program.argv[1:], *_DOCKER_VALUES)
    docker(gathered, place)
    if program.argv[0] == "docker-compose" or given[:1] == ["compose"]:
        verb, *services = (given[1:] if given[:1] == ["compose"] else given) or [""]
        if verb in ("logs", "restart", "ps", "stop", "start"):
            for service in filter(is_name, services):
                table = {"name": plain_name(service), "container": service}
                says = "a service of compose: name its container as docker ps has it"
                gathered.put(("container", service), place, "log", table, says, is_offer=True)
        return
    verb, *names = given or [""]
    if verb == "logs":
        for name in filter(is_name, names[:1]):
            table = {"name": plain_name(name), "container": name}
            gathered.put(("container", name), place, "log", table, "its log is read")
    elif verb in ("restart", "stop", "start", "inspect", "stats", "top", "kill"):
        for name in filter(is_name, names):
            docker(gathered, place, name)


_DOCKER_VALUES: Final = (
    "-f", "--file", "-p", "--project-name", "--tail", "-n", "--since", "--until", "-t", "--time",
    "--scale", "--format", "--filter", "-H", "--host", "-u", "-w", "-e",
)  # fmt: skip


def _psql(gathered: Gathered, place: Place, program: Program) -> None:
    argv = program.argv
    if place.container:
        address, says = "postgresql://127.0.0.1:5432/postgres", "publish its port first"
        _database(gathered, place, "postgres", {"dsn": address}, says)
        return
    dsn = _postgres_dsn(argv)
    if not dsn:
        gathered.missing("postgres", 'where it is, is not said: dsn = "env:DATABASE_URL"', place)
        return
    key = ("postgres", dsn)
    gathered.put(key, place, "probe", {"kind": "postgres", "dsn": dsn}, "psql asks it")
    texts = [_after(argv, "-c", "--command"), program.stdin]
    texts += [word.partition("=")[2] for word in argv if word.startswith("--command=")]
    for text in filter(None, texts):
        sql = " ".join(text.split()).rstrip("; ")
        if _is_question(sql):
            gathered.query(key, place, _query_name(sql), sql)


def _postgres_dsn(argv: Sequence[str]) -> str:
    """`env:NAME` for a variable, a URL without a password for -h, -U, -d and -p; else nothing."""
    values = ("-h", "-U", "-d", "-p", "-c", "-f", "-v", "-o", "-F", "-P", "-R", "-L", "-T")
    given = operands(argv[1:], *values)
    named = _after(argv, "-d", "--dbname") or (given[0] if given else "")
    variable = _VARIABLE.fullmatch(named)
    if variable:
        return f"env:{variable[1]}"
    host, user, port = _after(argv, "-h", "--host"), _after(argv, "-U"), _after(argv, "-p")
    given_words = [word for word in (host, user, port, named) if word]
    if not host or not all(map(is_name, given_words)) or (port and not _PORT.fullmatch(port)):
        return ""
    who = f"{user}@" if user else ""
    return f"postgresql://{who}{host}{':' + port if port else ''}/{named or 'postgres'}"


def _is_question(sql: str) -> bool:
    """One statement that only reads, whole, and with nothing to fill in."""
    whole = "$" not in sql and "--" not in sql and not placeholders(sql)
    if not whole or " from " not in f" {sql.lower()} ":
        return False  # psql's own commands and SELECT 1 ask nothing that a pane could show
    return len(statements(sql)) == 1 and sql_risk(sql).risk is Risk.READ


def _query_name(sql: str) -> str:
    """After what it reads: `SELECT count(*) FROM pg_stat_activity` → `count-pg-stat-activity`."""
    words = [w for w in _SLUG.split(sql.lower()) if w not in ("", "select", "from", "as", "and")]
    return plain_name("-".join(words[:4])) if words else "query"


def _redis(gathered: Gathered, place: Place, program: Program) -> None:
    argv = program.argv
    if place.container:
        says = "publish its port first"
        _database(gathered, place, "redis", {"url": "redis://127.0.0.1:6379"}, says)
        return
    url = _after(argv, "-u")
    variable = _VARIABLE.fullmatch(url)
    host, port = _after(argv, "-h") or "127.0.0.1", _after(argv, "-p") or "6379"
    if variable:
        url = f"env:{variable[1]}"
    elif url or not is_name(host) or not _PORT.fullmatch(port):
        gathered.missing("redis", 'name where its URL is: url = "env:REDIS_URL"', place)
        return
    else:
        url = f"redis://{host}:{port}"
    gathered.put(("redis", url), place, "probe", {"kind": "redis", "url": url}, "redis-cli asks it")


def _database(
    gathered: Gathered, place: Place, kind: str, where: dict[str, str], says: str
) -> None:
    """One that is asked inside a container: from outside it may not be reached as it is."""
    table = {"kind": kind, "name": plain_name(place.container), **where}
    why = f"it runs in container {place.container}: {says}"
    gathered.put((kind, place.container), place, "probe", table, why, is_offer=True)


def _file(gathered: Gathered, place: Place, program: Program) -> None:
    """`tail -f PATH` and the like; inside a container its own tail follows."""
    for word in program.argv[1:]:
        path = word.strip("\"'")
        is_log = path.startswith("/var/log/") or path.endswith((".log", "_log"))
        if not path.startswith("/") or not is_log or _UNFILLED.search(path) or "*" in path:
            continue
        name = plain_name(path.removeprefix("/var/log/").removesuffix(".log").replace("/", " "))
        if place.container:
            argv = ["docker", "exec", place.container, "tail", "-n", "0", "-F", path]
            table: dict[str, Any] = {"name": plain_name(f"{place.container} {name}"), "argv": argv}
        else:
            table = {"name": name, "path": path}
        gathered.put(("path", place.container, path), place, "log", table, "it is read")


def _pm2(gathered: Gathered, place: Place, program: Program) -> None:
    verb, *names = operands(program.argv[1:], "--lines") or [""]
    if verb in ("logs", "log", "restart", "reload", "stop", "start", "describe", "show", "scale"):
        for name in [name for name in names[:1] if is_name(name) and plain_name(name) == name]:
            table = {"name": name, "pm2": name}
            gathered.put(("pm2", name), place, "log", table, "PM2 runs it")
            return
    gathered.missing("pm2", "no probe for its list yet; its logs are followed by name", place)


def _systemctl(gathered: Gathered, place: Place, program: Program) -> None:
    given = operands(program.argv[1:], "-n", "--lines", "-H", "--host", "-t", "--state", "-p")
    for unit in [unit for unit in given[1:] if _UNIT.fullmatch(unit)]:
        _unit(gathered, place, unit)


def _journalctl(gathered: Gathered, place: Place, program: Program) -> None:
    unit = _after(program.argv, "-u", "--unit")
    unit = unit or next((w.partition("=")[2] for w in program.argv if w.startswith("--unit=")), "")
    if _UNIT.fullmatch(unit):
        _unit(gathered, place, unit)
    else:
        gathered.unplaced("journalctl", place)


def _unit(gathered: Gathered, place: Place, unit: str) -> None:
    if place.container:
        return
    name = plain_name(unit.removesuffix(".service"))
    whole = unit if "." in unit.rpartition("@")[2] else f"{unit}.service"
    says = "systemd runs it"
    gathered.put(("unit", whole), place, "log", {"name": name, "unit": whole}, says)


def _service(gathered: Gathered, place: Place, program: Program) -> None:
    given = operands(program.argv[1:])
    if given and _UNIT.fullmatch(given[0]):
        _unit(gathered, place, given[0])


def _after(argv: Sequence[str], *options: str) -> str:
    """The word behind the first of the options that is there; empty when none is."""
    return next((argv[i + 1] for i, word in enumerate(argv[:-1]) if word in options), "")


_Family = Callable[[Gathered, Place, Program], None]
_FAMILIES: Final[dict[str, _Family]] = {
    **dict.fromkeys(("curl", "wget", "http", "watch"), _curl),
    **dict.fromkeys(("docker", "docker-compose", "podman"), _docker_verbs),
    **dict.fromkeys(("dig", "nslookup", "host"), _dns),
    **dict.fromkeys(("tail", "cat", "less", "grep", "zgrep", "egrep", "head", "awk", "sed"), _file),
    **dict.fromkeys(("redis-cli", "valkey-cli"), _redis),
    "psql": _psql, "openssl": _openssl, "pm2": _pm2, "systemctl": _systemctl,
    "journalctl": _journalctl, "service": _service,
}  # fmt: skip

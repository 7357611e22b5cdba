"""What databases write.

Sources: PostgreSQL, "Error Reporting and Logging" (log_line_prefix, `%m [%p] ` by default, severity
levels, jsonlog); MySQL 8 Reference Manual, "The Slow Query Log" and "Error Log Output Format";
MariaDB, "Error Log" and "Slow Query Log Overview"; Redis, server.c, serverLogRaw.

These logs name who connected, not who asked for a page: they are counted only where the config
says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from warroom.logs.formats.base import Format, Pattern, Roles, compiled
from warroom.logs.formats.structured import JsonObject

_SEVERITY: Final = (
    rb"(?P<level>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT"
    rb"|STATEMENT|LOCATION): +(?P<message>.*+)\Z"
)
_RDS: Final = rb":([0-9a-fA-F.:]++)\(\d++\):"
_LABELLED: Final = rb"(?:client|host|remote|rhost)=([^\s,()]++)"
_RECEIVED: Final = rb"connection received: host=(\S++)(?: port=\d++)?\Z"
_DENIED: Final = rb'(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection) for host "([^"]++)"'


@dataclass(frozen=True, slots=True)
class Postgres(Pattern):
    """The time first, then what else the prefix has, then the severity. A client is believed right
    after the time (Amazon RDS), where the prefix calls it one (`client=%h`), and where the server
    says that it received or denied a connection. User and application are the client's own words:
    a prefix that names two clients names none."""

    def roles(self, line: bytes) -> Roles | None:
        # not super(): a slotted dataclass is made anew, and the name no longer fits
        found = Pattern.roles(self, line)
        if found is None:
            return None
        client = _client(found["prefix"], found["message"])
        return {**found, "client": client} if client else found


def _client(prefix: bytes, message: bytes) -> bytes:
    first = compiled(_RDS).match(prefix)
    if first is not None:
        return first[1]
    for sentence in (_RECEIVED, _DENIED):
        named = compiled(sentence).match(message)
        if named is not None:
            return named[1]
    labelled = set(compiled(_LABELLED).findall(prefix))
    return labelled.pop() if len(labelled) == 1 else b""


POSTGRES: Final = Postgres(
    name="postgresql",
    title="PostgreSQL",
    rank=3,
    marks=(b": ",),
    pattern=rb"\[?(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})?"
    rb"(?: [A-Z]{1,5}| ?[+-]\d\d)?)\]?(?P<prefix>.{0,200}?)" + _SEVERITY,
)
POSTGRES_JSON: Final = JsonObject(
    name="postgresql-json",
    title="PostgreSQL, JSON",
    rank=4,
    marks=(b'"error_severity"',),
    needs=("time", "level"),
    keys={
        "client": ("remote_host",),
        "time": ("timestamp",),
        "level": ("error_severity",),
        "message": ("message",),
        "user": ("user",),
        "database": ("dbname",),
    },
)
MYSQL_SLOW: Final = Pattern(
    name="mysql-slow",
    title="MySQL and MariaDB, slow queries",
    rank=3,
    sure=rb"# (?:Time: |User@Host: |Query_time: |Thread_id: |Rows_affected: |Schema: )"
    rb"|SET timestamp=\d",
    pattern=rb"# Time: (?P<time>\d{4}-\d\d-\d\dT[\d:.]++(?:Z|[+-]\d\d:\d\d)"
    rb"|\d{6} [ \d]\d:\d\d:\d\d)\Z"
    rb"|# User@Host: (?P<user>[^\[]*+)\[[^\]]*+\] @ (?P<host>[^\s\[]*+) *+\[(?P<client>[^\]]*+)\]"
    rb"|# (?P<figures>(?:Query_time|Thread_id|Schema|Rows_affected|Bytes_sent|Rows_examined"
    rb"|Full_scan|Filesort|Tmp_tables|InnoDB_\w++|Log_slow\w++|QC_hit): .*+)\Z"
    rb"|(?P<message>[^#\s].*+)\Z",
)
_MYSQL_LEVEL: Final = rb"\[(?P<level>System|Warning|Error|ERROR|Note|Information)\]"
MYSQL_ERROR: Final = Pattern(
    name="mysql-error",
    title="MySQL and MariaDB, error log",
    rank=3,
    marks=(b"[", b"] "),
    pattern=rb"(?P<time>\d{4}-\d\d-\d\d[T ]{1,2}\d{1,2}:\d\d:\d\d(?:\.\d{6})?(?:Z|[+-]\d\d:\d\d)?) "
    rb"(?P<thread>\d++) "
    + _MYSQL_LEVEL
    + rb"(?: \[(?P<code>MY-\d{6})\] \[(?P<subsystem>\w++)\])?+ "
    rb"(?P<message>.*+)\Z",
)
REDIS: Final = Pattern(
    name="redis",
    title="Redis and Valkey",
    rank=3,
    marks=(b":",),
    pattern=rb"(?P<pid>\d++):(?P<role>[XCSM]) "
    rb"(?P<time>\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}) (?P<level>[.\-*#]) "
    rb"(?P<message>.*+)\Z",
)

FORMATS: Final[tuple[Format, ...]] = (POSTGRES, POSTGRES_JSON, MYSQL_SLOW, MYSQL_ERROR, REDIS)

"""What load balancers and content networks put into buckets, and W3C extended logs.

Sources: AWS, "Access logs for your Application Load Balancer" (log entry syntax), "Access logs for
your Classic Load Balancer", "Amazon S3 server access log format", CloudFront "Standard logging
reference"; Cloudflare, Logpush, "HTTP requests" dataset; W3C working draft WD-logfile, and
Microsoft, "W3C Extended Log File Format (IIS)".

A W3C log says in `#Fields:` which column is what; without that line nobody knows which of the two
addresses in each line is the client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from warroom.logs.formats.base import LONGEST, QUOTED, Fields, Format, Pattern, Reader, Roles
from warroom.logs.formats.structured import JsonObject

_STAMP: Final = rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d++)?Z) "
_PEERS: Final = rb"(?P<client>\S+):(?P<client_port>\d{1,5}) (?P<target>\S++) "
_TOOK: Final = (
    rb"(?P<request_processing_time>-?[\d.]++) (?P<target_processing_time>-?[\d.]++) "
    rb"(?P<response_processing_time>-?[\d.]++) "
)
_ANSWER: Final = (
    rb"(?P<status>\d{3}|-) (?P<target_status>\S++) (?P<received>\d++) (?P<size>\d++) "
    rb'"(?P<request>' + QUOTED + rb')"'
)
_CIPHER: Final = rb' "(?P<agent>' + QUOTED + rb')" (?P<ssl_cipher>\S++) (?P<ssl_protocol>\S++)'
ALB: Final = Pattern(
    name="aws-alb",
    title="AWS Application Load Balancer",
    asks=True,
    rank=4,
    marks=(b"Z ",),
    pattern=rb"(?P<type>https?|h2|grpcs?|wss?) " + _STAMP + rb"(?P<elb>\S++) " + _PEERS + _TOOK
    + _ANSWER + _CIPHER + rb"(?: (?P<target_group>\S++)"
    rb' "(?P<trace_id>' + QUOTED + rb')" "(?P<host>' + QUOTED + rb')")?+',
)  # fmt: skip
ELB: Final = Pattern(
    name="aws-elb",
    title="AWS Classic Load Balancer",
    asks=True,
    rank=4,
    marks=(b"Z ",),
    pattern=_STAMP + rb"(?P<elb>\S++) " + _PEERS + _TOOK + _ANSWER + rb"(?:" + _CIPHER + rb")?+",
)
S3: Final = Pattern(
    name="aws-s3",
    title="Amazon S3 server access log",
    asks=True,
    rank=4,
    marks=(b" [",),
    pattern=rb"(?P<owner>[0-9a-f]{8,64}|-) (?P<bucket>\S++) \[(?P<time>[^\]]++)\] "
    rb"(?P<client>\S++) (?P<user>\S++) (?P<request_id>\S++) (?P<operation>[A-Z0-9]++\.\S++) "
    rb'(?P<key>\S++) (?:"(?P<request>' + QUOTED + rb')"|-) (?P<status>\d{3}|-) '
    rb"(?P<error>\S++) (?P<size>\d++|-) (?P<object_size>\d++|-) (?P<total_ms>\d++|-) "
    rb'(?P<turn_around_ms>\d++|-) (?:"(?P<referer>' + QUOTED + rb')"|-) '
    rb'(?:"(?P<agent>' + QUOTED + rb')"|-)',
)
CLOUDFLARE: Final = JsonObject(
    name="cloudflare",
    title="Cloudflare Logpush, HTTP requests",
    asks=True,
    rank=4,
    marks=(b'"ClientIP"',),
    needs=("client",),
    keys={
        "client": ("ClientIP",),
        "time": ("EdgeStartTimestamp", "EdgeEndTimestamp"),
        "method": ("ClientRequestMethod",),
        "path": ("ClientRequestURI", "ClientRequestPath"),
        "status": ("EdgeResponseStatus", "OriginResponseStatus"),
        "size": ("EdgeResponseBytes",),
        "agent": ("ClientRequestUserAgent",),
        "host": ("ClientRequestHost",),
    },
)

_COLUMNS: Final = {
    "c-ip": "client",
    "cs(X-Forwarded-For)": "forwarded",
    "X-Forwarded-For": "forwarded",
    "x-forwarded-for": "forwarded",
    "cs-method": "method",
    "sc-status": "status",
    "sc-bytes": "size",
    "cs(User-Agent)": "agent",
    "cs-username": "user",
    "cs-host": "host",
    "cs(Host)": "host",
}
_HEADING: Final = b"#Fields:"
_NAME: Final = re.compile(rb"[\w().:/@-]{1,64}")


@dataclass(frozen=True, slots=True)
class W3C(Format):
    """Columns as the heading says, between blanks or, when the heading or CloudFront has them,
    tabs. `columns` are those of the first heading of a file."""

    columns: tuple[str, ...] = ()

    def roles(self, line: bytes) -> Roles | None:
        return _of_columns(line, self.columns)

    def fields(self, line: bytes) -> Fields:
        parts = _split(line, self.columns)
        return () if parts is None else tuple(parts.items())

    def fits(self, line: bytes) -> bool:
        return line[:1] == b"#" or self.roles(line) is not None

    def reader(self) -> Reader:
        """A server that is started anew writes a heading again, and it may be another one."""
        columns = self.columns

        def read(line: bytes) -> Roles | None:
            nonlocal columns
            if line[:1] == b"#":
                columns = columns_of(line) or columns
                return None
            return _of_columns(line, columns)

        return read


def columns_of(line: bytes) -> tuple[str, ...]:
    """The columns that a `#Fields:` line names; none for another line."""
    names = line[len(_HEADING) :].split() if line.startswith(_HEADING) else []
    if not all(_NAME.fullmatch(name) for name in names):
        return ()
    return tuple(name.decode("ascii", "replace") for name in names)


def w3c_of(heading: bytes) -> Format:
    """The format that a `#Fields:` line describes."""
    columns = columns_of(heading)
    is_edge = "x-edge-location" in columns
    return W3C(
        name="aws-cloudfront" if is_edge else "w3c",
        title="Amazon CloudFront standard log" if is_edge else "W3C extended (IIS)",
        asks="c-ip" in columns,
        rank=5,
        headed=True,
        columns=columns,
    )


def _split(line: bytes, columns: tuple[str, ...]) -> Mapping[str, bytes] | None:
    if line[:1] == b"#" or len(line) > LONGEST:
        return None
    parts = line.split(b"\t") if b"\t" in line else line.split()
    if len(parts) != len(columns) or not columns:
        return None
    return dict(zip(columns, parts, strict=True))


def _of_columns(line: bytes, columns: tuple[str, ...]) -> Roles | None:
    parts = _split(line, columns)
    if parts is None:
        return None
    found = {_COLUMNS.get(name, name): part for name, part in parts.items()}
    if "date" in parts and "time" in parts:
        found["time"] = parts["date"] + b" " + parts["time"]
    stem, query = parts.get("cs-uri-stem"), parts.get("cs-uri-query", b"-")
    if stem is not None:
        found["path"] = stem if query == b"-" else stem + b"?" + query
    elif "cs-uri" in parts:
        found["path"] = parts["cs-uri"]
    return found


@dataclass(frozen=True, slots=True)
class CloudFrontTail(Pattern):
    """A piece of a CloudFront log without its heading: its columns never change their order."""

    def roles(self, line: bytes) -> Roles | None:
        # not super(): a slotted dataclass is made anew, and the name no longer fits
        found = Pattern.roles(self, line)
        if found is None:
            return None
        query = found["query"]
        path = found["stem"] if query == b"-" else found["stem"] + b"?" + query
        return {**found, "path": path, "time": found["time"].replace(b"\t", b" ")}


CLOUDFRONT: Final = CloudFrontTail(
    name="aws-cloudfront",
    title="Amazon CloudFront standard log",
    asks=True,
    rank=4,
    marks=(b"\t",),
    pattern=rb"(?P<time>\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d)\t(?P<edge>[A-Z]{3}\S*+)\t(?P<size>\d++|-)\t"
    rb"(?P<client>[^\t]++)\t(?P<method>[A-Z]++)\t(?P<distribution>[^\t]++)\t(?P<stem>[^\t]*+)\t"
    rb"(?P<status>\d{3}|-)\t(?P<referer>[^\t]*+)\t(?P<agent>[^\t]*+)\t(?P<query>[^\t]*+)"
    rb"(?:\t(?P<cookie>[^\t]*+)\t(?P<result>[^\t]*+)\t(?P<request_id>[^\t]*+)\t(?P<host>[^\t]*+)\t"
    rb"(?P<protocol>[^\t]*+)\t(?P<received>[^\t]*+)\t(?P<time_taken>[^\t]*+)"
    rb"(?:\t(?P<forwarded>[^\t]*+))?+)?+",
)

FORMATS: Final[tuple[Format, ...]] = (ALB, ELB, S3, CLOUDFRONT, CLOUDFLARE)

"""Web servers and what writes like them: the common log format and its descendants, error logs.

Sources: Apache HTTP Server, mod_log_config (common, combined, `%v:%p` in front) and ErrorLogFormat;
nginx, ngx_http_log_module (combined), its packaged nginx.conf (`main`, which ends with
X-Forwarded-For) and ngx_log_error_core; Varnish, varnishncsa(1), -F; Traefik, Access Logs, Common
Log Format; ingress-nginx, Log format (`upstreaminfo`).

The client is the peer of the connection (`%h`, `$remote_addr`, `<remote_IP_address>`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from warroom.logs.formats.base import ADDRESS, QUOTED, RESULT, Format, Pattern, Roles, compiled

_WHO: Final = rb'(?:\S++ )?(?P<user>[^\[\]"]*+)\[(?P<time>[^\]]*+)\] '
_ASKED: Final = rb'"(?P<request>' + QUOTED + rb')"' + RESULT + rb"(?= |\Z)"
_AGENT: Final = rb' "(?P<referer>' + QUOTED + rb')" "(?P<agent>' + QUOTED + rb')"'
_PEER: Final = rb"(?P<client>\S++) "
_LINE: Final = _PEER + _WHO + _ASKED
_MAYBE_AGENT: Final = rb"(?:" + _AGENT + rb")?+"
_NO_HEADING: Final = (
    rb'(?!<|\d{4}-\d\d-\d\d|[A-Z][a-z]{2} [ \d]\d )(?=\S++ (?:\S++ )?[^\[\]":]*+\[)'
)
"""Not after syslog's or a container runtime's heading: the line in it begins further right."""
_SURELY: Final = _NO_HEADING + _LINE
_OWN_HOST: Final = rb"(?P<host>\S++) "
_NOT_ADDRESS: Final = rb"(?!(?:\d{1,3}\.){3}\d{1,3} |(?:[0-9a-fA-F]{0,4}:){2})"
_SURELY_VHOST: Final = (
    _NO_HEADING + _NOT_ADDRESS + _OWN_HOST + b"(?P<client>" + ADDRESS + rb") " + _WHO + _ASKED
)
_WHOLE_URL: Final = _NO_HEADING + _PEER + _WHO + rb'"[A-Z]++ [a-z]{4,5}://'

COMMON: Final = Pattern(
    name="common",
    title="common log format",
    asks=True,
    client_at=0,
    core=_LINE,
    pattern=_LINE + _MAYBE_AGENT,
    sure=_SURELY,
)
"""Also of a combined line: what more there is, is read."""
COMBINED: Final = Pattern(
    name="combined",
    title="combined log format",
    asks=True,
    client_at=0,
    rank=2,
    core=_LINE,
    pattern=COMMON.pattern,
    sure=_SURELY + _AGENT,
)
"""Also of lines whose referer and agent were cut off."""
VHOST: Final = Pattern(
    name="vhost_combined",
    title="combined log format after the host's name",
    asks=True,
    client_at=1,
    rank=4,
    core=_OWN_HOST + _LINE,
    pattern=_OWN_HOST + _LINE + _MAYBE_AGENT,
    sure=_SURELY_VHOST,
)
NGINX_MAIN: Final = Pattern(
    name="nginx-main",
    title="nginx, main: combined and X-Forwarded-For",
    asks=True,
    client_at=0,
    rank=3,
    core=_LINE,
    pattern=COMBINED.pattern + rb'(?: "(?P<forwarded>' + QUOTED + rb')")?+',
    sure=COMBINED.sure + rb' "(?:-|' + ADDRESS + rb"(?:, ?" + ADDRESS + rb')*+)"\Z',
)
VARNISH: Final = Pattern(
    name="varnishncsa",
    title="Varnish (varnishncsa): combined with whole URLs",
    asks=True,
    client_at=0,
    rank=4,
    marks=(b" http",),
    core=_LINE,
    pattern=COMBINED.pattern,
    sure=_WHOLE_URL,
)
TRAEFIK: Final = Pattern(
    name="traefik",
    title="Traefik, common log format",
    asks=True,
    client_at=0,
    rank=4,
    marks=(b'" "', b"ms"),
    core=_LINE,
    pattern=COMBINED.pattern + rb'(?: (?P<requests>\d++) "(?P<router>' + QUOTED + rb')" '
    rb'"(?P<server>' + QUOTED + rb')" (?P<duration>\d++)ms)?+',
    sure=COMBINED.sure + rb' \d++ "' + QUOTED + rb'" "' + QUOTED + rb'" \d++ms\Z',
)
_UPSTREAM: Final = (
    rb" (?P<request_length>\d++) (?P<request_time>[\d.]++)"
    rb" \[(?P<upstream_name>[^\]]*+)\] \[(?P<alternative_upstream_name>[^\]]*+)\]"
    rb" (?P<upstream_addr>[^ ,]++(?:(?:,| :) [^ ,]++)*+)"
)
INGRESS: Final = Pattern(
    name="ingress-nginx",
    title="ingress-nginx",
    asks=True,
    client_at=0,
    rank=4,
    marks=(b"] [",),
    core=_LINE,
    pattern=COMBINED.pattern + rb"(?:" + _UPSTREAM + rb"(?: (?P<rest>.*+))?+)?+",
    sure=COMBINED.sure + _UPSTREAM,
)
APACHE_ERROR: Final = Pattern(
    name="apache-error",
    title="Apache, error log",
    marks=(b"] [",),
    pattern=rb"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d++)? \d{4})\] "
    rb"\[(?:(?P<module>[\w-]*+):)?+(?P<level>[a-z]++\d?)\] "
    rb"(?:\[pid (?P<pid>\d++)(?::tid (?P<tid>\d++))?\] )?"
    rb"(?:\[(?:client|remote) (?P<client>[^\]\s]++)\] )?(?P<message>.*+)\Z",
)


@dataclass(frozen=True, slots=True)
class NginxError(Pattern):
    """nginx names the client behind its message: `, client: ADDRESS, server: NAME, request: "…"`.

    Neither what an upstream said, before it, nor the request, after it, is escaped, so that both
    may hold the same words: a line that names two different clients names none.
    """

    def roles(self, line: bytes) -> Roles | None:
        # not super(): a slotted dataclass is made anew, and the name no longer fits
        found = Pattern.roles(self, line)
        if found is None:
            return None
        named = compiled(_NAMED).findall(found["message"])
        left = compiled(_LEFT).match(found["message"])
        if left is not None:
            return {**found, "client": left[1]}
        if len({client for client, _ in named}) != 1:
            return found
        client, request = named[0]
        return {**found, "client": client, **({"request": request} if request else {})}


_NAMED: Final = rb', client: ([^, ]++), server: [^,"]*+(?=(?:, request: "([^"]*+)")?)'
_LEFT: Final = rb"client ([0-9a-fA-F.:]++) closed (?:keepalive )?connection"
NGINX_ERROR: Final = NginxError(
    name="nginx-error",
    title="nginx, error log",
    marks=(b"#", b"] "),
    pattern=rb"(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>[a-z]++)\] "
    rb"(?P<pid>\d++)#(?P<tid>\d++): (?:\*(?P<connection>\d++) )?(?P<message>.*+)\Z",
)

ACCESS: Final[tuple[Format, ...]] = (COMMON, COMBINED, VHOST, NGINX_MAIN, VARNISH, TRAEFIK, INGRESS)
FORMATS: Final[tuple[Format, ...]] = (*ACCESS, NGINX_ERROR, APACHE_ERROR)

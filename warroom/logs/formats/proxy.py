"""Proxies that write in formats of their own.

Sources: HAProxy, Configuration Manual, 8.2.2 TCP and 8.2.3 HTTP log format, and 8.2.5 error log
format; Envoy, Access logging, default format string; Istio, Envoy Access Logs, the same with the
peer behind it; Squid, logformat squid: `%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a
%mt`.

HAProxy writes an address and a port with a colon between, brackets or not: the port is what comes
after the last one. Envoy's default format names no peer, only X-Forwarded-For.
"""

from __future__ import annotations

from typing import Final

from warroom.logs.formats.base import QUOTED, Format, Pattern

_SYSLOG: Final = (
    rb"(?:<\d{1,3}>)?(?:(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.+Z-]++) "
    rb"(?:(?!haproxy\[)\S++ )?)?haproxy\[(?P<pid>\d++)\]: "
)
_ACCEPTED: Final = (
    rb"(?:" + _SYSLOG + rb")?(?P<client>\S+):(?P<client_port>\d{1,5}) "
    rb"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] (?P<frontend>\S++) "
    rb"(?P<backend>[^\s/]++)/(?P<server>\S++) "
)
_ENDED: Final = rb"(?P<connections>\d++/\d++/\d++/\d++/\+?\d++) (?P<queues>\d++/\d++)"
HAPROXY_HTTP: Final = Pattern(
    name="haproxy-http",
    title="HAProxy, HTTP",
    asks=True,
    rank=5,
    marks=(b"/", b"["),
    pattern=_ACCEPTED + rb"(?P<timers>[-+\d]++(?:/[-+\d]++){4}) (?P<status>-1|\d{3}) "
    rb"\+?(?P<size>\d++) (?P<request_cookie>\S++) (?P<response_cookie>\S++) "
    rb"(?P<termination>\S{4}) " + _ENDED + rb"(?: \{(?P<captured>[^}]*+)\})?+"
    rb'(?: \{(?P<answered>[^}]*+)\})?+ "(?P<request>[^"]*+)"?+',
)
HAPROXY_TCP: Final = Pattern(
    name="haproxy-tcp",
    title="HAProxy, TCP",
    asks=True,
    rank=5,
    marks=(b"/", b"["),
    pattern=_ACCEPTED + rb"(?P<timers>[-+\d]++(?:/[-+\d]++){2}) \+?(?P<size>\d++) "
    rb"(?P<termination>[A-Za-z-]{2}) " + _ENDED,
)
HAPROXY_ERROR: Final = Pattern(
    name="haproxy-error",
    title="HAProxy, connection errors",
    rank=5,
    marks=(b"]: ", b"/"),
    pattern=rb"(?:" + _SYSLOG + rb")?(?P<client>\S+):(?P<client_port>\d{1,5}) "
    rb"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] "
    rb"(?P<frontend>[^\s/:]++)/(?P<bind>[^\s:]++): (?P<message>.*+)\Z",
)

_ENVOY: Final = (
    rb'\[(?P<time>\d{4}-\d\d-\d\dT[\d:.]++Z)\] "(?P<request>' + QUOTED + rb')" '
    rb"(?P<status>\d{1,3}) (?P<flags>\S++) "
)
_ENVOY_AFTER: Final = (
    rb"(?P<received>\d++) (?P<size>\d++) (?P<duration>\d++) (?P<upstream_time>\S++) "
    rb'"(?P<forwarded>' + QUOTED + rb')" "(?P<agent>' + QUOTED + rb')" '
    rb'"(?P<request_id>' + QUOTED + rb')" "(?P<host>' + QUOTED + rb')" '
    rb'"(?P<upstream>' + QUOTED + rb')"'
)
ENVOY: Final = Pattern(
    name="envoy",
    title="Envoy, default",
    asks=True,
    rank=3,
    marks=(b'Z] "',),
    pattern=_ENVOY + _ENVOY_AFTER,
)
ISTIO: Final = Pattern(
    name="istio",
    title="Istio's Envoy",
    asks=True,
    rank=4,
    marks=(b"Z] \"",),
    pattern=_ENVOY + rb'(?P<details>\S++) (?P<termination>\S++) "(?P<failure>' + QUOTED + rb')" '
    + _ENVOY_AFTER + rb" (?P<cluster>\S++) (?P<upstream_local>\S++) (?P<local>\S++) "
    rb"(?P<client>\S++) (?P<server_name>\S++) (?P<route>\S++)",
)  # fmt: skip
SQUID: Final = Pattern(
    name="squid",
    title="Squid, native",
    asks=True,
    rank=4,
    marks=(b"/",),
    pattern=rb"(?P<time>\d{9,10}\.\d{3}) +(?P<elapsed>-?\d++) (?P<client>\S++) "
    rb"(?P<result>[A-Z_]++)/(?P<status>\d{3}) (?P<size>\d++) (?P<method>\S++) (?P<path>\S++) "
    rb"(?P<user>\S++) (?P<hierarchy>[A-Z_]++)/(?P<peer>\S++) (?P<type>\S++)",
)

FORMATS: Final[tuple[Format, ...]] = (
    HAPROXY_HTTP, HAPROXY_TCP, HAPROXY_ERROR, ENVOY, ISTIO, SQUID,
)  # fmt: skip

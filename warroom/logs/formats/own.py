"""Formats of one's own, as they are written in a config or on the command line.

What may be written: the name of a format; nginx's `log_format`, its string alone or the whole
directive; the `#Fields:` line of a W3C log; a regular expression with named groups.

Source: nginx, ngx_http_log_module, log_format (values are escaped so that a quote never stands
within one), and the variables of ngx_http_core_module and ngx_http_upstream_module.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

from warroom.logs.formats.base import QUOTED, Format, Pattern
from warroom.logs.patterns import BadPattern, bounded

_LONGEST: Final = 4096
_DIRECTIVE: Final = re.compile(r"\s*log_format\s+(\S+)\s+(.*?);?\s*\Z", re.DOTALL)
_ESCAPE: Final = re.compile(r"\s*escape=\w+\s+")
_STRING: Final = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_END: Final = "<end>"
"""Stands for the character that follows a variable."""
_LISTED: Final = r"[^ ,\"<end>]*+(?:(?:,| :) [^ ,\"<end>]*+)*+"
"""Several values, when several upstreams were asked."""
_TYPES: Final = {
    "remote_addr": r"[^\s\"]*",
    "remote_port": r"\d*+",
    "status": r"\d{3}|-",
    "body_bytes_sent": r"\d*+|-",
    "bytes_sent": r"\d*+|-",
    "request_length": r"\d*+|-",
    "request_time": r"[\d.]++|-",
    "msec": r"\d++\.\d++",
    "pid": r"\d*+",
    "connection": r"\d*+",
    "connection_requests": r"\d*+",
    "pipe": r"[p.]",
    "scheme": r"https?+|-",
    "server_port": r"\d*+|-",
    "time_local": r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "time_iso8601": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
    "upstream_addr": _LISTED,
    "upstream_status": _LISTED,
    "upstream_response_time": _LISTED,
    "upstream_response_length": _LISTED,
    "upstream_connect_time": _LISTED,
    "upstream_header_time": _LISTED,
    "upstream_cache_status": r"[A-Z-]++",
    "request_method": r"[A-Z]++|-",
    "host": r"\[[^\s\]]*+\]|[^\s/\":<end>]*+",
}
"""What variables look like whose values say where they end."""
_ROLES: Final = {
    "remote_addr": "client",
    "http_x_forwarded_for": "forwarded",
    "time_local": "time",
    "time_iso8601": "time",
    "msec": "time",
    "request": "request",
    "request_method": "method",
    "request_uri": "path",
    "uri": "path",
    "status": "status",
    "body_bytes_sent": "size",
    "bytes_sent": "size",
    "http_user_agent": "agent",
    "host": "host",
    "http_host": "host",
    "server_name": "host",
    "remote_user": "user",
}


class BadFormat(ValueError):
    """The text is no format; the message is one plain line."""


def chosen(text: str) -> Format:
    """The format that `text` names or writes. Raises BadFormat."""
    from warroom.logs.recognise import every_format, named

    if len(text) > _LONGEST:
        raise BadFormat(f"a format is at most {_LONGEST} characters long")
    if text.lstrip().startswith("#Fields:"):
        from warroom.logs.formats.cloud import w3c_of

        return w3c_of(text.strip().encode())
    if _DIRECTIVE.match(text) or ("(?P<" not in text and _VARIABLE.search(text)):
        return log_format(text)
    if "(?P<" in text:
        return own_pattern(text)
    found = named(text.strip())
    if found is None:
        names = [fmt.name for fmt in every_format()]
        close = get_close_matches(text, names, n=1)
        hint = f"did you mean {close[0]}?" if close else "`warroom top --format list` lists them"
        raise BadFormat(f'no format is called "{text[:60]}"; {hint}')
    return found


def own_pattern(text: str) -> Format:
    """A regular expression whose groups are called by their roles (client, time, status…) or as
    one likes. Raises BadFormat for one that could hang."""
    try:
        longest = bounded(text)
    except BadPattern as error:
        raise BadFormat(str(error)) from None
    return Pattern(
        name="own",
        title="a pattern of one's own",
        asks="client" in re.compile(text).groupindex,
        pattern=text.encode(),
        longest=longest,
    )


def log_format(text: str) -> Format:
    """nginx's `log_format`: the directive as it stands in a config, or its string alone."""
    name, template = _template(text)
    parts = _VARIABLE.split(template)
    pattern, seen = re.escape(parts[0]), dict[str, str]()
    for index in range(1, len(parts), 3):
        variable = parts[index] or parts[index + 1]
        after = parts[index + 2]
        last = index + 3 >= len(parts)
        group = variable if variable not in seen else f"{variable}_{len(seen)}"
        seen[group] = _ROLES.get(variable, group)
        pattern += f"(?P<{group}>{_value(variable, after, last=last)}){re.escape(after)}"
    return Pattern(
        name=name,
        title="nginx, log_format of one's own",
        asks="client" in seen.values(),
        pattern=pattern.encode() + rb"\Z",
        names=_without_rivals(seen),
    )


def _template(text: str) -> tuple[str, str]:
    """The name and the whole string: nginx joins what stands in several pairs of quotes."""
    directive = _DIRECTIVE.match(text)
    name, rest = (directive[1], directive[2]) if directive else ("log_format", text.strip())
    if directive and (escape := _ESCAPE.match(rest)):
        rest = rest[escape.end() :]
    strings, position = [], 0
    while found := _STRING.match(rest, position):
        single, double = found.groups()
        quote, inner = ("'", single) if single is not None else ('"', double)
        strings.append(inner.replace("\\" + quote, quote))
        position = found.end()
    if not strings and not directive:
        return name, rest
    if rest[position:].strip() or not strings:
        raise BadFormat("not a log_format: its strings stand in quotes, one after another")
    return name, "".join(strings)


def _value(variable: str, after: str, *, last: bool) -> str:
    """What a variable's value looks like: up to what stands after it."""
    known = _TYPES.get(variable)
    if known is not None:
        end = after[:1] if after[:1] not in ":." else ""
        return known.replace(_END, re.escape(end))
    if not after:
        if not last:
            raise BadFormat(f"nothing stands after ${variable}: one cannot tell where it ends")
        return ".*+"
    if after[0] == '"':
        return QUOTED.decode()
    return f"(?:(?!{re.escape(after)}).)*+"


def _without_rivals(roles: dict[str, str]) -> dict[str, str]:
    """Of several variables with one role the first in the table of roles is it."""
    best: dict[str, str] = {}
    for variable in _ROLES:
        if variable in roles:
            best.setdefault(_ROLES[variable], variable)
    return {group: role for group, role in roles.items() if best.get(role) == group}

"""What kind of page an answer holds, when it is not the one that was hoped for. Pure."""

from __future__ import annotations

import re
from typing import Final

_LOOKS_AT: Final = 128 * 1024
_HTML: Final = re.compile(rb"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE)
_LOGIN: Final = re.compile(
    rb"<input\b[^>]{0,300}\btype\s{0,5}=\s{0,5}[\"']?password"
    rb"|name\s{0,5}=\s{0,5}[\"']?SAMLRequest"
    rb"|<form\b[^>]{0,300}\baction\s{0,5}=\s{0,5}[\"']?[^\"'>\s]{0,200}"
    rb"(?:log-?in|sign-?in|/oauth|/saml|/sso)(?![a-z])"
    rb"|http-equiv\s{0,5}=\s{0,5}[\"']?refresh[^>]{0,200}(?:log-?in|sign-?in|/oauth|/saml|/sso)(?![a-z])",
    re.IGNORECASE,
)
_LOGIN_PATH: Final = re.compile(r"log-?in|sign-?in|/auth|/sso|/saml", re.IGNORECASE)


def is_html(body: bytes) -> bool:
    """Whether `body` begins as an HTML page does.

    >>> is_html(b"<!DOCTYPE html><html>"), is_html(b'{"status": "UP"}')
    (True, False)
    """
    return _HTML.search(body[:1024].lstrip()) is not None


def is_login(body: bytes) -> bool:
    """Whether a page asks for a password or hands over to a single sign-on."""
    return is_html(body) and _LOGIN.search(body[:_LOOKS_AT]) is not None


def is_login_path(path: str) -> bool:
    """Whether an address is that of a login page, by its own name."""
    return _LOGIN_PATH.search(path) is not None


def is_json_type(content_type: str) -> bool:
    """Whether a Content-Type promises one JSON value (RFC 8259; RFC 6839 for `+json`).

    >>> is_json_type("application/health+json; charset=utf-8"), is_json_type("text/html")
    (True, False)
    """
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def wants_tls(body: bytes) -> bool:
    """Whether a server says, in the words of nginx, Apache, Go or Node, that its port is https.

    >>> wants_tls(b"<h1>400 The plain HTTP request was sent to HTTPS port</h1>")
    True
    """
    head = body[:2048].lower()
    return b"http request was sent to https" in head or any(
        words in head
        for words in (b"http request to an https", b"speaking plain http to an ssl-enabled")
    )

"""What went wrong with a far host, in one plain line that says what to do next."""

from __future__ import annotations

import socket

import asyncssh

from warroom.domain.text import harmless, shorten
from warroom.hosts._ssh_trust import KnownHosts


def unreachable(destination: str, error: Exception, known: KnownHosts) -> str:
    """Why `destination` could not be connected to."""
    match error:
        case asyncssh.HostKeyNotVerifiable():
            return _untrusted(destination, error, known)
        case asyncssh.PermissionDenied():
            return f'login refused; "ssh {destination}" must work without a password (ssh-add)'
        case asyncssh.KeyExchangeFailed() if known.matched:
            return (
                "offers no host key of the kind that known_hosts holds; "
                f'see what "ssh {destination}" says'
            )
        case asyncssh.KeyImportError():
            return f"a private key cannot be read ({plain(error)}); add it to the agent: ssh-add"
        case asyncssh.ConfigParseError():
            return f"~/.ssh/config: {plain(error)}"
        case asyncssh.ChannelOpenError():
            return f"the jump host cannot reach it: {plain(error)}"
        case TimeoutError():
            return "no answer; is it up, and may this machine reach it?"
        case socket.gaierror():
            return f'its name is unknown ({plain(error)}); check "HostName" in ~/.ssh/config'
        case ConnectionRefusedError():
            return "connection refused; does sshd run there, on that port?"
        case _:
            return plain(error)


def plain(error: Exception) -> str:
    """What an error says, harmless and in one line."""
    said = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return shorten(harmless(str(said) or type(error).__name__), 200)


def _untrusted(destination: str, error: Exception, known: KnownHosts) -> str:
    if "revoked" in str(error):
        return "HOST KEY REVOKED in known_hosts; do not log in there"
    if known.matched:
        return (
            "HOST KEY CHANGED: it is not the one in known_hosts; somebody may be in between. "
            f'Ask its keeper, then "ssh-keygen -R {harmless(known.asked)}" and "ssh {destination}"'
        )
    return (
        "its host key is not in known_hosts; compare the fingerprint "
        f'that "ssh {destination}" shows, accept it there, and try again'
    )

"""What keeps a client from a server, in a few plain words that are the same for every system."""

from __future__ import annotations

import socket
import ssl


def network_words(error: BaseException, host: str) -> tuple[str, bool] | None:
    """(what is wrong, whether the server itself is out); None for what is no network's fault.

    >>> network_words(ConnectionRefusedError(), "db")
    ('connection refused: nothing listens there', True)
    """
    match error:
        case ConnectionRefusedError():
            return "connection refused: nothing listens there", True
        case FileNotFoundError():
            return "no such socket: is the server running?", True
        case PermissionError():
            return "no permission to open the socket", False
        case socket.gaierror():
            return f'the name "{host}" is not known (DNS)', True
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message or 'refused'}", False
        case ssl.SSLError():
            return "the TLS handshake failed: does it speak TLS at all?", False
        case ConnectionError() | EOFError():
            return None
        case TimeoutError():
            return None
        case OSError():
            return _told(error), True
    return None


def _told(error: OSError) -> str:
    """asyncio joins the errors of several addresses into one without a number."""
    if error.strerror:
        return error.strerror
    text = str(error)
    if text.startswith("Multiple exceptions") and "111" in text:
        return "connection refused: nothing listens there"
    return text or type(error).__name__

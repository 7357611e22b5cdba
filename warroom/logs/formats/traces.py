"""Which lines go on what the line before them said: stack traces, indented text, long statements.

Sources: Python, traceback; Java, Throwable.printStackTrace ("\\tat …", "Caused by: …", "... n
more"); V8's stack trace API ("    at f (file:1:2)"); Go, runtime panics ("goroutine 1 [running]:",
"main.f(...)", "\\t/path/file.go:12 +0x1d").
"""

from __future__ import annotations

import re
from typing import Final

_LOOKED_AT: Final = 400
_BEGINS: Final = re.compile(
    rb"(?P<python>Traceback \(most recent call last\):)"
    rb"|(?P<java>(?:Exception in thread \"[^\"]*+\" )?(?:[a-z][\w$]*+\.)++[A-Z][\w$]*+"
    rb"(?:(?<=Exception)|(?<=Error))(?::|\Z))"
    rb"|(?P<node>(?:Uncaught )?(?:[A-Z]\w*+(?<=Error))(?: \[[A-Z_]++\])?: )"
    rb"|(?P<go>panic: |fatal error: |goroutine \d++ \[[^\]]++\]:)"
)
_GOES_ON: Final = re.compile(
    rb"[ \t]"
    rb"|Caused by: |Suppressed: |\.\.\. \d++ (?:more|common frames omitted)"
    rb"|Traceback \(most recent call last\):"
    rb"|During handling of the above exception, another exception occurred:"
    rb"|The above exception was the direct cause of the following exception:"
    rb"|goroutine \d++ \[[^\]]++\]:|created by [\w./*()]++"
    rb"|(?=[\w/-]*+\.)[\w./-]*+(?:\(\*?[\w.]++\)[\w.]*+)?(?:\[\.\.\.\])?\([^()]*+\)\Z"
    rb"|exit status \d++\Z"
    rb"|\[signal SIG[A-Z]++: "
    rb"|\}\Z|(?:[a-z_]\w*+\.)*+[A-Z]\w*+"
    rb"(?:(?<=Error)|(?<=Exception)|(?<=Warning)|(?<=Interrupt)|(?<=Exit))(?::|\Z)"
)


def trace_of(line: bytes) -> str:
    """Whose stack trace begins here: python, java, node or go; empty where none does.

    >>> trace_of(b"panic: runtime error: index out of range [3] with length 2")
    'go'
    """
    found = _BEGINS.match(line[:_LOOKED_AT])
    return str(found.lastgroup) if found is not None else ""


def continues(line: bytes) -> bool:
    """Whether `line` goes on what stands before it, and is no message of its own.

    >>> continues(b"\\tat com.example.Shop.pay(Shop.java:7)"), continues(b"GET / HTTP/1.1")
    (True, False)
    """
    return not line or _GOES_ON.match(line[:_LOOKED_AT]) is not None

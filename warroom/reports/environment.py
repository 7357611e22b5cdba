"""Renders Jinja2 templates in a sandbox that can neither reach nor change anything.

The one place that knows the template engine. What `{{ ... }}` writes passes through `written`,
so that every kind of report escapes foreign text for the format it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from warroom.domain.text import harmless, shorten
from warroom.reports.errors import BadTemplate


def fill_in(
    template: str,
    context: Mapping[str, object],
    *,
    written: Callable[[object], str],
    functions: Mapping[str, Callable[..., Any]],
) -> str:
    """`template` with everything filled in, ending with one line feed.

    Names that are not given are errors, never blanks. The template has `functions` and Jinja2's
    filters and tests, but none of its global functions. Raises BadTemplate with the line at fault.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        finalize=written,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.globals.update(functions)
    try:
        text = environment.from_string(template).render(context)
    except (jinja2.TemplateError, ArithmeticError, AttributeError, LookupError) as error:
        raise BadTemplate(_fault(error)) from error
    except (OverflowError, RecursionError, TypeError, ValueError) as error:
        raise BadTemplate(_fault(error)) from error
    return text.rstrip("\n") + "\n"


def built_in(name: str) -> str:
    """The template of that name under `templates/`, such as `postmortem.md.j2`."""
    from importlib.resources import files

    template = files("warroom.reports").joinpath("templates", *name.split("/"))
    return template.read_text("utf-8")


def _fault(error: Exception) -> str:
    """The line of the template that is at fault, and why."""
    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None and line is None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    place = f"line {line}: " if line else ""
    return f"template: {place}{shorten(harmless(str(error) or type(error).__name__), 300)}"

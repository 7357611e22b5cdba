"""A team's own structure of a post-mortem, as its runbook has it, made a template. Pure.

Headings and fields that are known are filled in from the incident; any other is kept with a mark to
fill in. What stands below a known heading is an example of what to write, and gives way. The team's
words are foreign text: each is written as a constant, escaped like everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from warroom.domain.text import harmless, shorten

MOST_LINES: Final = 2000
"""Lines of a structure that are read."""
FEWEST: Final = 3
"""Known sections that make a text a post-mortem's structure."""
_WIDTH: Final = 200
_LABEL: Final = 60
_HEADING: Final = re.compile(r"[ ]{0,3}(#{1,6})[ \t]+(\S.*)$")
_BOLD: Final = re.compile(r"[ ]{0,3}(?:\*\*|__)([^*_:]{1,80})(?:\*\*|__)[ \t]*$")
_TASK: Final = re.compile(r"\s*[-*+][ \t]+\[[ xX]\][ \t]+(\S.*)$")
_OPEN: Final = re.compile(r"\[([^\[\]\n]{1,80})\]|<([A-Za-z][^<>\n]{0,60})>|Y{4}-MM-DD")
_RULE: Final = re.compile(r"[\s|:=*_-]*")

_TOLD: Final = '{{{{ told("{0}") }}}}'
_ENDS: Final = "{% if not incident.resolved_at %} so far{% endif %}"
_SEVERITY: Final = (
    "{{ incident.severity }}{% if severity_label %} ({{ severity_label }}){% endif %}, "
    "scheme {{ incident.scheme }}"
)
_COMMANDERS: Final = (
    "{% for name in commanders %}{{ name }}{% if not loop.last %} → {% endif %}"
    '{% else %}{{ fill("incident commander") }}{% endfor %}'
)
_PEOPLE: Final = (
    "{% for one in people %}{{ one.name }}{% if not loop.last %}, {% endif %}{% endfor %}"
)
_ENDED: Final = (
    "{% if incident.resolved_at %}{{ when(incident.resolved_at) }}"
    '{% else %}{{ fill("when it was resolved") }}{% endif %}'
)
_BEGAN: Final = "{{ when(started_at or incident.opened_at) }}"

_DAYS: Final = """\
{{% for day in {0} %}}
{1} {{{{ day.date }}}}

{{{{ listed(day) }}}}
{{% if not loop.last %}}

{{% endif %}}
{{% endfor %}}"""
_ACTIONS: Final = """\
{{% for item in incident.action_items %}}
- [{{% if item.done %}}x{{% else %}} {{% endif %}}] {{{{ item.text }}}}{{% if internal %}}\
 - Owner: {{{{ item.owner or fill("owner") }}}}\
 - Due: {{{{ item.due or fill("due date") }}}}{{% endif %}}

{{% else %}}
{{{{ fill("action items, each with an owner and a due date") }}}}
{{% endfor %}}
{{% if gaps %}}
{{{{ runbooks("{0}") }}}}
{{% endif %}}"""
_MITIGATIONS: Final = """\
{% for one in mitigations %}
- {{ one.time }}: {{ one.text }} ({{ one.outcome }})
{% else %}
{{ fill("what was done") }}
{% endfor %}"""
_TEAM: Final = """\
{% if internal %}
{% for one in people %}
- {{ one.name }}{% if one.roles %}: {{ one.roles | join(", ") }}{% endif %}

{% endfor %}
{% endif %}"""

_SECTIONS: Final = (
    ("contributing_factors", ("contributing", "faktoren")),
    ("root_cause", ("root cause", "cause", "ursache")),
    ("timeline", ("timeline", "chronolog", "zeitachse", "zeitleiste", "verlauf")),
    ("actions", ("action item", "follow-up", "follow up", "next step", "prevent", "remediation",
                 "to do", "maßnahmen")),
    ("went_wrong", ("went wrong", "go wrong", "didn't go", "not go well", "poorly", "improve",
                    "schlecht", "schief")),
    ("went_well", ("went well", "go well", "worked well", "lief gut", "gut lief")),
    ("lessons", ("lesson", "learn", "takeaway", "gelernt", "erkenntnis")),
    ("detection", ("detection", "noticed", "discovered", "entdeck")),
    ("resolution", ("resolution", "resolved", "the fix", "behebung", "lösung")),
    ("mitigations", ("mitigation", "actions taken", "what was done", "what we did")),
    ("impact", ("impact", "auswirk")),
    ("people", ("participant", "responders", "attendee", "beteiligte")),
    ("summary", ("summary", "overview", "what happened", "description", "zusammenfassung")),
)  # fmt: skip
"""What a heading is about, by what it says; the first that fits."""
_WHOLE: Final = frozenset({"timeline", "actions", "mitigations", "people"})
"""Sections that stand for themselves: nothing of the team's example is kept in them."""
_LABELS: Final = (
    (("incident commander", "commander", "incident lead"), _COMMANDERS),
    (("author", "written by", "prepared by", "reviewer"), ""),
    (("severity", "priority", "schwere"), _SEVERITY),
    (("duration", "dauer", "downtime", "outage length"), "{{ span(duration) }}" + _ENDS),
    (("incident id", "incident number", "ticket", "kennung"), "{{ incident.id }}"),
    (("title", "incident name", "titel"), "{{ incident.title }}"),
    (("status",), "{{ incident.status }}"),
    (("start", "began", "detected", "beginn"), _BEGAN),
    (("resolved", "end time", "ended", "ende"), _ENDED),
    (("date", "datum"), "{{ date(incident.opened_at) }}"),
    (("participants", "responders", "attendees", "beteiligte"), _PEOPLE),
    (("users", "customers affected"), '{{ told("users_affected", 2) }}'),
    (("services", "systems affected", "affected systems"), '{{ told("services_affected", 2) }}'),
    (("features",), '{{ told("features_affected", 2) }}'),
    (("revenue", "financial"), '{{ told("revenue_impact", 2) }}'),
    (("data loss", "data lost"), '{{ told("data_loss", 2) }}'),
    (("root cause", "ursache"), '{{ told("root_cause", 2) }}'),
    (("resolution",), '{{ told("resolution", 2) }}'),
    (("summary",), '{{ told("summary", 2) }}'),
    (("impact",), '{{ told("impact", 2) }}'),
)  # fmt: skip
"""What a field is about, by the beginning of what it is called or by all of it, and what fills it
in; empty: only people know."""
_INSIDE: Final = frozenset({_COMMANDERS, _PEOPLE})
"""Nobody's business outside."""
_IN_TITLE: Final = (("title", "{{ incident.title }}"), ("name", "{{ incident.title }}"),
                    ("id", "{{ incident.id }}"), ("date", "{{ date(incident.opened_at) }}"),
                    ("yyyy", "{{ date(incident.opened_at) }}"))  # fmt: skip


@dataclass(slots=True)
class _Section:
    """A heading with the lines below it; `about` is empty where nobody knows what it is."""

    title: str
    level: int
    about: str
    lines: list[str] = field(default_factory=list)


def is_structure(text: str) -> bool:
    """Whether that text is what a post-mortem is to be written after.

    >>> is_structure("# Review\\n## Timeline\\n## Root Cause\\n## Action Items\\n")
    True
    >>> is_structure("UPDATE - [Time]\\nImpact: [users]\\n")
    False
    """
    _, sections = _read(text)
    return len({one.about for one in sections if one.about}) >= FEWEST


def template_of(text: str) -> str:
    """The Jinja2 text for `reports.postmortem.render`, from the team's Markdown."""
    head, sections = _read(text)
    parts = [_head(head)]
    used: set[str] = set()
    for one in sections:
        mark = "#" * max(2, one.level)
        parts.append("\n".join((f"{mark} {_said(one.title)}", "", *_body(one, mark, used))))
    level = "#" * max(2, min((one.level for one in sections), default=2))
    gaps = f'{{% if gaps %}}\n{{{{ runbooks("{level}") }}}}\n{{% endif %}}\n'
    end = "" if "actions" in used else gaps
    return "\n\n".join(parts) + f'\n{end}{{{{ appendix("{level}") }}}}\n'


def _read(text: str) -> tuple[_Section, list[_Section]]:
    """What stands before the first section, under the title, and the sections."""
    head = _Section("", 1, "")
    sections: list[_Section] = []
    for line in harmless(text, lines=True).split("\n")[:MOST_LINES]:
        heading = _HEADING.match(line)
        bold = None if heading else _BOLD.match(line)
        if heading or (bold and _about(bold[1])):
            title = (heading[2] if heading else bold[1] if bold else "").rstrip("# \t").strip("*_ ")
            level = len(heading[1]) if heading else (sections[-1].level if sections else 2)
            about = _about(title)
            if not sections and not head.title and not about:
                head.title, head.level = title, level
            else:
                sections.append(_Section(shorten(title, _WIDTH), level, about))
        elif line.strip() and not _RULE.fullmatch(line):
            (sections[-1] if sections else head).lines.append(line)
    return head, sections


def _about(title: str) -> str:
    words = title.casefold()
    return next((name for name, stems in _SECTIONS if any(s in words for s in stems)), "")


def _head(head: _Section) -> str:
    """The title with what it leaves open, the fields below it, and what no report goes without."""
    title, has_title = _titled(head.title)
    if not has_title:
        title = (
            f"{title}: {{{{ incident.title }}}}"
            if head.title
            else "Post-mortem: {{ incident.title }}"
        )
    fields = [(label, hint, _known(label)) for label, hint in _fields(head.lines)]
    lines = [f"{'#' * head.level} {title}", ""]
    known = {value for _, _, value in fields}
    lead = ["{{ incident.id }}"] if "{{ incident.id }}" not in known else []
    lead += [_SEVERITY] if _SEVERITY not in known else []
    if lead:
        lines += [" · ".join(lead), ""]
    lines += [_line(*one) for one in fields]
    return "\n".join(lines).rstrip("\n")


def _titled(title: str) -> tuple[str, bool]:
    """The title with its places filled in, and whether the incident's title is among them."""
    made, at = "", 0
    for match in _OPEN.finditer(title):
        name = (match[1] or match[2] or "yyyy").casefold()
        value = next((value for stem, value in _IN_TITLE if stem in name), "")
        if value:
            made += _said(title[at : match.start()]) + value
            at = match.end()
    return made + _said(title[at:]), "incident.title" in made


def _body(one: _Section, mark: str, used: set[str]) -> Iterator[str]:
    """What stands below a heading."""
    first = one.about and one.about not in used
    used.add(one.about)
    match one.about if first else "":
        case "timeline":
            utc = "utc" in " ".join((one.title, *one.lines)).casefold().split()
            days = "utc_days" if utc or "utc)" in one.title.casefold() else "days"
            yield _DAYS.format(days, mark[:5] + "#")
        case "actions":
            yield _ACTIONS.format(mark[:5] + "#")
        case "mitigations":
            yield _MITIGATIONS
        case "people":
            yield _TEAM
        case "":
            yield from _unknown(one)
        case name:
            fields = [_line(label, hint, _known(label)) for label, hint in _fields(one.lines)]
            yield from ([*fields, ""] if fields else [])
            yield _TOLD.format(name)


def _unknown(one: _Section) -> Iterator[str]:
    """Fields and tasks as the team has them; else a mark with what is to be written there."""
    if one.about in _WHOLE:
        yield _fill(one.title, "")
        return
    fields = dict(_fields(one.lines))
    tasks = [task[1] for task in map(_TASK.match, one.lines) if task]
    yield from (_line(label, hint, _known(label)) for label, hint in fields.items())
    yield from (f"- [ ] {_said(shorten(task, _WIDTH))}" for task in tasks)
    if not fields and not tasks:
        yield _fill(one.title, " ".join(line.strip(" \t-*+>[]<!") for line in one.lines))


def _fields(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`**Label**: what to write`, `- Label: ...` and rows of two cells."""
    for line in lines:
        if _TASK.match(line):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.lstrip().startswith("|") and len(cells) == 2:
            label, hint = cells
            if not _known(label) and hint.casefold() in ("value", "details", "wert"):
                continue  # the head of the table
        else:
            label, colon, hint = line.strip().lstrip("-*+>_ \t").partition(":")
            if not colon:
                continue
        label, hint = label.strip("*_ \t"), hint.strip("*_ \t")
        if 0 < len(label) <= _LABEL and label[0].isalpha() and _is_label(label, hint):
            yield label, hint


def _is_label(label: str, hint: str) -> bool:
    """No place to fill in, no time, no address, no sentence."""
    return (
        len(label.split()) <= 5
        and not re.search(r"[\[\]<>`.,?]", label)
        and not hint.startswith("//")
        and label != "HH"
    )


def _known(label: str) -> str:
    """What fills in a field; empty when nobody knows."""
    words = label.casefold()
    return next(
        (
            value
            for stems, value in _LABELS
            if any(words == stem or re.match(rf"{re.escape(stem)}\w*\b", words) for stem in stems)
        ),
        "",
    )


def _line(label: str, hint: str, value: str) -> str:
    """A field as a list item."""
    if value == "{{ span(duration) }}" + _ENDS and re.search(r"start.*end", hint, re.IGNORECASE):
        value = f"{_BEGAN} to {_ENDED}, {value}"
    made = f"- **{_said(label)}**: {value or _fill(label, hint)}"
    if made.endswith("%}"):
        made += '{{ "" }}'  # a line feed right after a tag would be dropped
    return f"{{% if internal %}}\n{made}\n{{% endif %}}" if value in _INSIDE else made


def _fill(name: str, hint: str) -> str:
    """A mark for what is still to be written; the team's hint is for the team."""
    short = shorten(" ".join(name.split()), _WIDTH)
    hint = shorten(" ".join(hint.strip("[]<> \t").split()), _WIDTH)
    full = f"{short}: {hint}" if hint and hint != short else short
    return f"{{{{ fill({_constant(full)} if internal else {_constant(short)}) }}}}"


def _said(text: str) -> str:
    """The team's own words, written as they are."""
    return f"{{{{ {_constant(text)} }}}}" if text else ""


def _constant(text: str) -> str:
    """A string of Jinja2 that holds any text: nothing in it can end it or mean something.

    >>> _constant('a "}}" {% x %}')
    '"a \\\\x22\\\\x7d\\\\x7d\\\\x22 \\\\x7b\\\\x25 x \\\\x25\\\\x7d"'
    """
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char.isascii() and (char.isalnum() or char in " -,."):
        return char
    code = ord(char)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )

"""What can go wrong with a report; every message is one plain line.

ReportError
├── BadTemplate   a team's template cannot be rendered; names the line
├── BadExport     a file is no export of ours, or was changed
└── NotWritten    the report is not on disk
"""

from __future__ import annotations


class ReportError(Exception):
    """A report could not be made, written or read."""


class BadTemplate(ReportError):
    """The template is at fault."""


class BadExport(ReportError):
    """What should be read back is not what was written."""


class NotWritten(ReportError):
    """The file was not written; one that was there before is as it was."""

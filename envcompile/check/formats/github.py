"""For GitHub Actions: workflow commands, which become annotations at the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.report import together
from envcompile.text import escaped

if TYPE_CHECKING:
    from envcompile.check.finding import Severity
    from envcompile.check.report import Report

_COMMANDS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "notice"}


def as_github(report: Report, prefix: str = "") -> str:
    """One command for each finding; one that several environments share is told once.

    Args:
        report: what was found.
        prefix: the project's folder in its git repository, such as `deploy/`.
    """
    lines = []
    for group in together(report.findings):
        found = group.finding
        properties = {"title": found.rule}
        if found.where is not None:
            place = {"file": prefix + found.where.file, "line": str(found.where.line), "col": str(found.where.column)}
            properties = {**place, **properties}
        written = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
        message = _message("\n".join(filter(None, [found.what, group.subject, found.fix])))
        lines.append(f"::{_COMMANDS[found.severity]} {written}::{message}\n")
    return "".join(lines)


def _message(text: str) -> str:
    """Source: actions/toolkit, packages/core/src/command.ts, escapeData."""
    return escaped(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Source: actions/toolkit, packages/core/src/command.ts, escapeProperty."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")

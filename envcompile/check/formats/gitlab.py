"""For GitLab: a Code Quality report, which annotates the lines of a merge request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from envcompile.check.report import together

if TYPE_CHECKING:
    from envcompile.check.finding import Severity
    from envcompile.check.report import Report

_SEVERITIES: Final[dict[Severity, str]] = {"error": "critical", "warning": "major", "info": "info"}


def as_gitlab(report: Report, prefix: str = "") -> str:
    """One entry for each finding; one that several environments share is told once.

    GitLab shows no entry without a path, so that a finding without a place has that of the project's settings.

    Args:
        report: what was found.
        prefix: the project's folder in its git repository, such as `deploy/`.
    """
    entries = []
    for group in together(report.findings):
        found = group.finding
        file, line = (found.where.file, found.where.line) if found.where is not None else ("envc.yaml", 1)
        entries.append({
            "description": " - ".join(filter(None, [found.what, group.subject, found.fix])),
            "check_name": found.rule,
            "fingerprint": found.fingerprint,
            "severity": _SEVERITIES[found.severity],
            "location": {"path": prefix + file, "lines": {"begin": line}},
        })
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"

"""For programs: everything a report holds, as one JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcompile.check.finding import Finding
    from envcompile.check.report import Report


def as_json(report: Report) -> str:
    """The report; a finding of several environments stands there once for each."""
    value = {
        "formatVersion": 1,
        "environments": report.environments,
        "resources": report.resources,
        "rules": [rule.id for rule in report.rules],
        "unknownKinds": report.unknown_kinds,
        "findings": [_finding(found) for found in report.findings],
        "ignored": [{**_finding(entry.finding), "reason": entry.reason} for entry in report.ignored],
        "baseline": {
            "known": [_finding(found) for found in report.known],
            "stale": [entry._asdict() for entry in report.stale],
        },
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "severity": found.severity,
        "environment": found.environment,
        "resource": found.resource._asdict(),
        "field": found.field,
        "what": found.what,
        "fix": found.fix,
        "place": found.where._asdict() if found.where is not None else None,
        "fingerprint": found.fingerprint,
        **({"since": found.since._asdict()} if found.since is not None else {}),
    }

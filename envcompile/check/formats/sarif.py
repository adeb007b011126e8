"""For code scanning: SARIF 2.1.0 (OASIS), as GitHub, GitLab, Azure DevOps and editors read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from envcompile.check.report import together
from envcompile.check.ruletext import as_markdown

if TYPE_CHECKING:
    from envcompile.check.finding import Severity
    from envcompile.check.report import Group, Report
    from envcompile.check.rule import Rule

_LEVELS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "note"}


def as_sarif(report: Report, version: str, prefix: str = "") -> str:
    """The findings as one run of one tool; one that several environments share is one result.

    Args:
        report: what was found.
        version: envc's own.
        prefix: the project's folder in its git repository, such as `deploy/`.
    """
    positions = {rule.id: position for position, rule in enumerate(report.rules)}
    driver = {
        "name": "envc",
        "semanticVersion": version,
        "version": version,
        "rules": [_rule(rule) for rule in report.rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(group, positions, prefix) for group in together(report.findings)],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    why = f" {rule.why}" if rule.why else ""
    fix = f"\nFix: {rule.fix}" if rule.fix else ""
    source = f"Source: {rule.source}"
    aside = "To set it aside, annotate the resource: "
    ignore = f'envcompile.dev/ignore: "{rule.id}: why"'
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary}{why}"},
        **({"helpUri": rule.links[0]} if rule.links else {}),
        "help": {
            "text": f"{rule.summary}{why}{fix}\n{source}\n{aside}{ignore}",
            "markdown": f"{as_markdown(rule)}\n{aside}`{ignore}`"
            if rule.why
            else f"{rule.summary}\n\n{source}\n\n{aside}`{ignore}`",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(group: Group, positions: dict[str, int], prefix: str) -> dict[str, Any]:
    found = group.finding
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "ruleIndex": positions[found.rule],
        "level": _LEVELS[found.severity],
        "message": {"text": "\n".join(filter(None, [found.what, group.subject, found.fix]))},
    }
    location: dict[str, Any] = {}
    if group.subject:
        name = f"{found.resource.short}/{found.field}"
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "resource"}]
    if found.where is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(prefix + found.where.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": found.where.line, "startColumn": found.where.column},
        }
    # GitHub tells results apart by primaryLocationLineHash alone, and computes one from the line where it is missing.
    prints = {"envcFinding/v1": found.fingerprint, "primaryLocationLineHash": f"{found.fingerprint}:1"}
    return {
        **result,
        "locations": [location] if location else [],
        "partialFingerprints": prints,
        "properties": {"environments": [name for name in group.environments if name]},
    }

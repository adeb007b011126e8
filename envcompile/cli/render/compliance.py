"""How frameworks and audit trails are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.cli.render.columns import columns
from envcompile.cli.render.recording import counted
from envcompile.history.times import day, stamp
from envcompile.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.actions.audit import Audit, AuditEntry, ChangedResource
    from envcompile.actions.compliance import Compliance, ControlResult, FrameworkResult, TrendPoint
    from envcompile.check.finding import Finding
    from envcompile.check.report import Ignored

_MARKS = {"holds": "holds", "broken": "BROKEN", "not asked": "off", "not covered": "not covered"}
_MOST = 3


def compliance_lines(found: Compliance) -> Iterator[str]:
    """What `envc compliance` prints."""
    frameworks = list(dict.fromkeys(result.framework for result in found.results))
    for framework in frameworks:
        mine = [result for result in found.results if result.framework == framework]
        yield f"{framework.title} {framework.version}: {framework.source}"
        rows = [("", "", *(result.environment for result in mine))]
        for number, control in enumerate(framework.controls):
            cells = [_cell(result.controls[number]) for result in mine]
            rows.append((control.id, control.title, *cells))
        rows.append(("", "hold, of those that are looked at", *(_score(result) for result in mine)))
        yield from columns(rows, indent="  ")
        yield from _told(mine)
        yield ""
    if found.ignored:
        yield "set aside, with the reason that the resource gives:"
        for ignored in found.ignored:
            finding = ignored.finding
            yield f"  {finding.environment}: {finding.resource.short} {finding.rule}: {ignored.reason}"
        yield ""
    if found.trend:
        yield from _trend(found.trend, [framework.id for framework in frameworks])


def _cell(result: ControlResult) -> str:
    return f"BROKEN {len(result.findings)}x" if result.state == "broken" else _MARKS[result.state]


def _score(result: FrameworkResult) -> str:
    return f"{result.count('holds')} of {result.count('holds', 'broken')}"


def _told(results: Sequence[FrameworkResult]) -> Iterator[str]:
    """Who breaks each control, and why some are not covered."""
    framework = results[0].framework
    for number, control in enumerate(framework.controls):
        for result in results:
            findings = result.controls[number].findings
            if findings:
                names = list(dict.fromkeys(finding.resource.short for finding in findings))
                rest = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
                rules = ", ".join(dict.fromkeys(finding.rule for finding in findings))
                yield f"  {result.environment} {control.id}: {', '.join(names[:_MOST])}{rest} ({rules})"
    for why in dict.fromkeys(control.why for control in framework.controls if not control.rules):
        ids = ", ".join(control.id for control in framework.controls if control.why == why and not control.rules)
        yield f"  not covered, {why}: {ids}"


def _trend(points: Sequence[TrendPoint], frameworks: Sequence[str]) -> Iterator[str]:
    yield "trend, controls broken by framework and findings in all:"
    rows = [("", "commit", "environment", *frameworks, "findings")]
    rows += [
        (
            day(point.at)[:10],
            point.commit[:12],
            point.environment,
            *(str(point.broken.get(name, 0)) for name in frameworks),
            str(point.findings),
        )
        for point in points
    ]
    yield from columns(rows, indent="  ")


def compliance_data(found: Compliance) -> dict[str, Any]:
    """`envc compliance` for machines."""
    frameworks = list(dict.fromkeys(result.framework for result in found.results))
    return {
        "frameworks": [
            {
                "framework": framework.id,
                "title": framework.title,
                "version": framework.version,
                "source": framework.source,
                "environments": [
                    {
                        "environment": result.environment,
                        "holds": result.count("holds"),
                        "broken": result.count("broken"),
                        "notAsked": result.count("not asked"),
                        "notCovered": result.count("not covered"),
                        "controls": [_control_data(control) for control in result.controls],
                    }
                    for result in found.results
                    if result.framework == framework
                ],
            }
            for framework in frameworks
        ],
        "ignored": [_ignored_data(ignored) for ignored in found.ignored],
        "trend": [
            {
                "commit": point.commit,
                "time": stamp(point.at),
                "environment": point.environment,
                "broken": dict(point.broken),
                "findings": point.findings,
            }
            for point in found.trend
        ],
    }


def _control_data(result: ControlResult) -> dict[str, Any]:
    return {
        "control": result.control.id,
        "title": result.control.title,
        "section": result.control.section,
        "rules": list(result.control.rules),
        "state": result.state,
        "why": result.control.why,
        "findings": [_finding_data(finding) for finding in result.findings],
        "ignored": len(result.ignored),
    }


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "resource": finding.resource._asdict(),
        "field": finding.field,
        "what": finding.what,
        "place": finding.where._asdict() if finding.where is not None else None,
        "fingerprint": finding.fingerprint,
    }


def _ignored_data(ignored: Ignored) -> dict[str, Any]:
    finding = ignored.finding
    return {"environment": finding.environment, **_finding_data(finding), "reason": ignored.reason}


def audit_lines(found: Audit) -> Iterator[str]:
    """What `envc compliance --audit` prints."""
    yield f"audit trail from {day(found.start)} to {day(found.end)}"
    for entry in found.entries:
        commit = entry.commit
        yield ""
        author = f"{commit.author_name} <{commit.author_email}>"
        yield f"{day(commit.committed_at)}  {entry.environment}  {commit.hash[:12]}  {author}"
        yield f"  {commit.message.partition(chr(10))[0]}"
        yield f"  approved by {', '.join(entry.approved_by)}" if entry.approved_by else "  approved by nobody"
        if entry.problem:
            yield f"  it does not compile: {entry.problem}"
        yield from _changed(entry)
        yield f"  chain {entry.hash}"
    yield ""
    for environment, commits in found.unapproved.items():
        changes = {
            entry.commit.hash
            for entry in found.entries
            if entry.environment == environment and any(change.what != "recorded" for change in entry.changes)
        }
        names = ", ".join(name[:12] for name in commits[:_MOST])
        rest = f" and {len(commits) - _MOST} more" if len(commits) > _MOST else ""
        yield f"gap: {len(commits)} of {len(changes)} changes to {environment} name no approval: {names}{rest}"
    if found.unrecorded:
        many = len(found.unrecorded)
        which = "commit is" if many == 1 else "commits are"
        yield f"gap: {many} {which} not recorded: `envc history import` records what is missing"
    yield f"chain of {found.links} {'commit' if found.links == 1 else 'commits'}: {found.head}"


def _changed(entry: AuditEntry) -> Iterator[str]:
    recorded = [change for change in entry.changes if change.what == "recorded"]
    if recorded:
        yield f"  the record begins there, with {counted(len(recorded), 'resource')}"
    for change in entry.changes:
        if change.what == "recorded":
            continue
        yield f"  {change.what} {change.resource.short}"
        for field in change.fields:
            at = f"  {field.place}" if field.place else ""
            yield f"    {field.field}: {_value(field.old)} -> {_value(field.new)}{at}"


def _value(text: str) -> str:
    shown = one_line(text) or "(none)"
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


def audit_data(found: Audit) -> dict[str, Any]:
    """`envc compliance --audit` for machines."""
    return {
        "since": stamp(found.start),
        "until": stamp(found.end),
        "entries": [
            {
                "commit": entry.commit.hash,
                "environment": entry.environment,
                "time": stamp(entry.commit.committed_at),
                "author": {"name": entry.commit.author_name, "email": entry.commit.author_email},
                "committer": {"name": entry.commit.committer_name, "email": entry.commit.committer_email},
                "message": entry.commit.message,
                "approvedBy": list(entry.approved_by),
                "problem": entry.problem,
                "changes": [_change_data(change) for change in entry.changes],
                "hash": entry.hash,
            }
            for entry in found.entries
        ],
        "gaps": {
            "unapproved": {name: list(commits) for name, commits in found.unapproved.items()},
            "unrecorded": list(found.unrecorded),
        },
        "chain": {"commits": found.links, "hash": found.head},
    }


def _change_data(change: ChangedResource) -> dict[str, Any]:
    return {
        **change.resource._asdict(),
        "what": change.what,
        "fields": [
            {"field": row.field, "how": row.how, "old": row.old, "new": row.new, "place": row.place}
            for row in change.fields
        ],
    }

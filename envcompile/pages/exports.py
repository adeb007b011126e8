"""The report for programs, spreadsheets and comments: what its page says as data, as rows, as Markdown."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.reached import tag_of
from envcompile.history.times import stamp
from envcompile.pages.overview import arrivals, described, verdict, versions, what
from envcompile.text import escaped, markdown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from envcompile.actions.reached import Event
    from envcompile.check.finding import Finding
    from envcompile.pages.state import State

_COLUMNS: Final = ("section", "environment", "subject", "field", "old", "value", "time", "by", "commit", "place")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the begin of a formula (OWASP, CSV injection)."""


def report_data(state: State, root: Path, now: int) -> dict[str, Any]:
    """The report as one document.

    Args:
        state: the project, with the period's changes.
        root: the project's folder.
        now: the time of reading, in seconds since 1970.
    """
    return {
        "project": root.name,
        "title": verdict(state, now)[0],
        "begin": stamp(state.begin(now), utc=True),
        "end": stamp(now, utc=True),
        "isRecorded": state.recording is not None,
        "environments": [
            {
                "environment": name,
                "namespace": side.namespace,
                "resources": len(side.resources),
                "findings": {grade: state.counts[name][grade] for grade in ("error", "warning", "info")},
                "changes": sum(event.environment == name for event in state.events),
                "problem": side.problems[0].what if side.problems else "",
            }
            for name, side in state.sides.items()
        ],
        "versions": list(_versions(state)),
        "findings": list(_findings(state)),
        "changes": [_change(event) for event in state.events],
    }


def _findings(state: State) -> Iterator[dict[str, Any]]:
    told = state.grouped("info")
    for found, group in zip(state.dated([group.finding for group in told]), told, strict=True):
        yield _finding(found, group.environments)


def _finding(found: Finding, environments: tuple[str, ...]) -> dict[str, Any]:
    since = found.since if found.since is not None and found.since.commit else None
    return {
        "rule": found.rule,
        "severity": found.severity,
        "environments": list(environments),
        "resource": found.resource._asdict(),
        "what": found.what,
        "fix": found.fix,
        "place": f"{found.where.file}:{found.where.line}" if found.where is not None else "",
        "since": stamp(since.time, utc=True) if since is not None else "",
        "by": since.author if since is not None else "",
    }


def _versions(state: State) -> Iterator[dict[str, Any]]:
    arrived = arrivals(state)
    for name in state.compiled:
        for image in state.sides[name].images:
            event = arrived.get((name, image.resource, image.container))
            yield {
                "environment": name,
                "resource": image.resource._asdict(),
                "container": image.container,
                "image": image.image,
                "version": tag_of(image.image),
                "commit": event.commit.hash if event is not None else "",
                "time": stamp(event.commit.authored_at, utc=True) if event is not None else "",
                "author": event.commit.author_name if event is not None else "",
            }


def _change(event: Event) -> dict[str, Any]:
    return {
        "environment": event.environment,
        "commit": event.commit.hash,
        "time": stamp(event.commit.authored_at, utc=True),
        "author": event.commit.author_name,
        "message": event.subject,
        "approvals": list(event.approvals),
        "problem": event.problem,
        "fields": [
            {
                "resource": one.resource._asdict(),
                "field": one.field,
                "facet": one.facet,
                "old": one.old,
                "new": one.new,
                "place": one.place,
            }
            for one in event.changed
        ],
    }


def report_csv(state: State, root: Path, now: int) -> str:
    """The report as rows: one for each environment, version, finding and changed field.

    Args:
        state: the project, with the period's changes.
        root: the project's folder.
        now: the time of reading, in seconds since 1970.
    """
    data = report_data(state, root, now)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    by: tuple[Any, ...]
    writer.writerow(_COLUMNS)
    for one in data["environments"]:
        for grade, count in one["findings"].items():
            writer.writerow(_cells("environment", one["environment"], "findings", grade, "", count))
        writer.writerow(_cells("environment", one["environment"], "resources", "", "", one["resources"]))
    for one in data["versions"]:
        named = f"{one['resource']['kind']}/{one['resource']['name']}"
        by = (one["time"], one["author"], one["commit"])
        writer.writerow(_cells("version", one["environment"], named, one["container"], "", one["image"], *by))
    for one in data["findings"]:
        named = f"{one['resource']['kind']}/{one['resource']['name']}"
        for name in one["environments"]:
            by = (one["since"], one["by"], "", one["place"])
            writer.writerow(_cells("finding", name, named, one["rule"], one["severity"], one["what"], *by))
    for one in data["changes"]:
        for field in one["fields"]:
            named = f"{field['resource']['kind']}/{field['resource']['name']}"
            by = (one["time"], one["author"], one["commit"], field["place"])
            values = (field["field"], field["old"], field["new"])
            writer.writerow(_cells("change", one["environment"], named, *values, *by))
    return out.getvalue()


def _cells(*values: Any) -> list[str]:
    """The cells of a row, as many as there are columns, none of which a spreadsheet computes."""
    texts = ["" if value is None else escaped(str(value)) for value in values]
    texts += [""] * (len(_COLUMNS) - len(texts))
    return [f"'{text}" if text.startswith(_FORMULA) else text for text in texts]


def report_markdown(state: State, root: Path, now: int) -> str:
    """The report in short: environments, versions, what needs attention, and the changes of the period.

    Args:
        state: the project, with the period's changes.
        root: the project's folder.
        now: the time of reading, in seconds since 1970.
    """
    title, sub = verdict(state, now)
    lines = [f"# {markdown(title)}", "", markdown(f"{root.name}: {sub}"), ""]
    lines += _table(
        ("Environment", "Resources", "Errors", "Warnings", "Notes", "Changes"),
        [
            (
                name,
                str(len(side.resources)),
                *(str(state.counts[name][grade]) for grade in ("error", "warning", "info")),
                str(sum(event.environment == name for event in state.events)),
            )
            for name, side in state.sides.items()
        ],
    )
    lines += ["## Versions", ""]
    rows = versions(state, now)
    lines += _table(
        ("Service", *state.names),
        [(one.name, *(cell.value if cell is not None else "–" for cell in one.cells)) for one in rows],
    )
    lines += ["## Needs attention", ""]
    grave = state.grouped("warning")
    lines += [
        f"- **{one.severity}** in {markdown(one.where)}: {markdown(one.what)} ({markdown(one.place)})"
        for one in (described(group.finding, group.environments, now) for group in grave)
    ] or ["Nothing."]
    lines += ["", "## Changes", ""]
    lines += _table(
        ("Time", "Environment", "What", "Who", "Commit"),
        [
            (
                stamp(event.commit.authored_at, utc=True)[:16].replace("T", " "),
                event.environment,
                what(event),
                event.commit.author_name,
                event.commit.hash[:10],
            )
            for event in state.events
        ],
    )
    return "\n".join(lines).rstrip() + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    said = [f"| {' | '.join(map(markdown, row))} |" for row in (head, *rows)]
    return [said[0], f"|{'---|' * len(head)}", *said[1:], ""]

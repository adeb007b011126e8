"""What the checks find, what is set aside and why, and who approved what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.check.report import together
from envcompile.pages.overview import attention, unrecorded
from envcompile.pages.timeline import row
from envcompile.pages.trend import trend_of
from envcompile.pages.words import many

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.actions.compliance import FrameworkResult
    from envcompile.check.report import Group
    from envcompile.pages.model import Attention, Missing, TimelineRow
    from envcompile.pages.state import State
    from envcompile.pages.trend import Trend

_FINDINGS = 150
"""Findings in a list, the gravest first: nobody mends more today, and the command has all."""
_TRAIL = 100
"""Changes in the audit trail of a page."""


class Aside(NamedTuple):
    """A finding that a resource sets aside, and why."""

    rule: str
    resource: str
    environments: str
    reason: str
    place: str


class FrameworkCell(NamedTuple):
    """How one environment stands."""

    holds: int
    asked: int
    broken: tuple[str, ...]
    """The controls that are broken."""


class FrameworkRow(NamedTuple):
    """One framework in all environments."""

    name: str
    version: str
    controls: int
    uncovered: int
    """Controls that no rule stands for."""
    cells: tuple[FrameworkCell, ...]


class Checks(NamedTuple):
    """What the checks find, what is set aside, and who approved what."""

    title: str
    sub: str
    environments: tuple[str, ...]
    frameworks: tuple[FrameworkRow, ...]
    findings: tuple[Attention, ...]
    further: int
    """Findings that are not listed."""
    aside: tuple[Aside, ...]
    trail: tuple[TimelineRow, ...]
    trail_of: str
    marks: tuple[str, ...]
    """The mark of each row of the trail: the hash of the record up to it."""
    gaps: tuple[tuple[str, str], ...]
    """Status and sentence."""
    trend: Trend | None
    """The last weeks; None where that is not worked out, or there are none."""
    missing: tuple[Missing, ...]


def checks(state: State, now: int) -> Checks:
    """The page of the checks.

    Args:
        state: the project.
        now: the time of reading, in seconds since 1970.
    """
    report = state.report
    counts = {grade: sum(found.severity == grade for found in state.findings) for grade in ("error", "warning")}
    words = [many(count, grade) for grade, count in counts.items() if count]
    rules = len(report.rules) if report is not None else 0
    title = f"{' and '.join(words) or 'Nothing grave'} in {many(len(state.names), 'environment')}, {rules} rules"
    last = state.names[-1]
    mine = [event for event in state.events if event.environment == last]
    bare = sum(not event.approvals for event in mine)
    shown = mine[:_TRAIL]
    marks = state.marks
    found = _folded(state.grouped("info"))
    listed = list(found)[:_FINDINGS]
    return Checks(
        title,
        "Checked before anything is applied, on what every environment compiles to. A finding points at the line that"
        " set the value.",
        state.compiled,
        _frameworks(state),
        tuple(
            one._replace(stands_for=found[group])
            for group, one in zip(listed, attention(state, listed, now), strict=True)
        ),
        max(0, len(found) - _FINDINGS),
        _aside(state),
        tuple(row(event, [last], now) for event in shown),
        last,
        tuple(marks.get(event.commit.hash, "")[:8] for event in shown),
        _gaps(state, last, len(mine), bare),
        trend_of(state.trend, state.names, now),
        unrecorded(state),
    )


def _frameworks(state: State) -> tuple[FrameworkRow, ...]:
    found = state.compliance
    if found is None:
        return ()
    rows: dict[str, list[FrameworkResult]] = {}
    for result in found.results:
        rows.setdefault(result.framework.id, []).append(result)
    return tuple(
        FrameworkRow(
            held[0].framework.title,
            held[0].framework.version,
            len(held[0].framework.controls),
            held[0].count("not covered"),
            tuple(
                FrameworkCell(
                    one.count("holds"),
                    one.count("holds", "broken"),
                    tuple(control.control.id for control in one.controls if control.state == "broken"),
                )
                for one in held
            ),
        )
        for held in rows.values()
    )


def _folded(found: Iterable[Group]) -> dict[Group, int]:
    """The findings, each with how many it stands for: one note for each rule and set of environments."""
    first: dict[tuple[object, ...], Group] = {}
    counts: dict[Group, int] = {}
    for group in found:
        one = group.finding
        is_note = one.severity == "info"
        shown = first.setdefault((group.environments, one.rule), group) if is_note else group
        counts[shown] = counts.get(shown, 0) + 1
    return counts


def _aside(state: State) -> tuple[Aside, ...]:
    if state.report is None:
        return ()
    reasons = {ignored.finding: ignored.reason for ignored in state.report.ignored}
    told = []
    for group in together(reasons):
        place = f"{group.finding.where.file}:{group.finding.where.line}" if group.finding.where is not None else ""
        name = group.finding.resource.short
        told.append(Aside(group.finding.rule, name, ", ".join(group.environments), reasons[group.finding], place))
    return tuple(told)


def _gaps(state: State, last: str, changes: int, bare: int) -> tuple[tuple[str, str], ...]:
    recording = state.recording
    if recording is None:
        return ()
    whole = recording.commits + recording.missing
    if recording.missing:
        gaps = [("warn", f"{recording.missing:,} of {many(whole, 'commit')} of this branch are not recorded")]
    else:
        gaps = [("ok", f"All {many(whole, 'commit')} of this branch are recorded")]
    verb = "names" if bare == 1 else "name"
    gaps.append(("warn" if bare else "ok", f"{bare:,} of {many(changes, 'change')} to {last} {verb} no approval"))
    return tuple(gaps)

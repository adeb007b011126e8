"""What people are told of findings, kept by application: after one change that of one application is made anew.

What is told of an application is a function of what was found in it in each environment, and of how it is graded.
Where that cannot be told apart by application (a rule of one's own that fails, a Secret that no file holds) there is
nothing of it here, and the whole is put together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from envcompile.actions.check import asked_of, sort_out, unused_everywhere
from envcompile.actions.findings_memo import Aside  # ruff: ignore[typing-only-first-party-import] - as below
from envcompile.actions.not_evaluated import untried
from envcompile.check.finding import Finding  # ruff: ignore[typing-only-first-party-import] - records are read by their types
from envcompile.check.policy.failures import once
from envcompile.check.report import Counts, Report, together
from envcompile.check.rules.catalogue import ABOUT_SUPPRESSIONS
from envcompile.check.sheets import (
    Sheet,  # ruff: ignore[typing-only-first-party-import] - as above
    Sheets,
    sheet_of,
)
from envcompile.sources.scans import combined_digest
from envcompile.units.memo import FOLDER, read_checked, write_checked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.actions.check import Gathered
    from envcompile.actions.findings_memo import CheckedUnit
    from envcompile.check.grading import Grading
    from envcompile.check.rule import Rule

_FILE: Final = "told"


class Told(NamedTuple):
    """What people are told."""

    report: Report
    """What was looked at; without the findings themselves."""
    sheets: Sheets
    counts: Counts


class _App(msgspec.Struct, array_like=True):
    """What is told of one application."""

    key: str
    """Names everything that it is made of; empty where nothing of it may be kept."""
    sheet: Sheet
    used: list[Aside]
    """The suppressions that set something aside."""
    ignored: list[Finding]
    """What they set aside."""
    unused: list[tuple[Finding, Aside]]


class _Pack(msgspec.Struct, array_like=True):
    world: str
    """Names everything that it is made of besides."""
    apps: dict[str, _App]


def told_of(found: Gathered) -> Told | None:
    """What people are told of findings in all environments; None where it has to be put together as a whole."""
    if any(any(one.further) for one in found.checked):
        return None
    idle, grades = untried(found.own), [found.grading(one) for one in found.checked]
    asked: set[Rule] = set()
    for each in grades:
        asked.update(asked_of(each, found.rules, idle).values())
        asked.update(rule for rule in ABOUT_SUPPRESSIONS if not each.is_off(rule.id))
    apps = _apps(found, grades, idle)
    extra = (
        sheet_of([
            *unused_everywhere(
                [aside for app in apps for aside in app.used], [unused for app in apps for unused in app.unused]
            ),
            *found.not_evaluated(None),
        ])
        if apps is not None
        else None
    )
    sheets = Sheets.of([*(app.sheet for app in apps), extra]) if apps is not None and extra is not None else None
    if apps is None or sheets is None:
        return None
    report = Report(found.names, found.resources, found.told(asked), (), (), found.unknown_kinds())
    ignored = len(together(finding for app in apps for finding in app.ignored))
    return Told(report, sheets, Counts(sheets.findings, sheets.counts(), sheets.mends, ignored))


def _apps(found: Gathered, grades: Sequence[Grading], idle: frozenset[str]) -> list[_App] | None:
    """What is told of each application; None where one cannot be told of alone."""
    project, look = found.project, found.project.look
    is_kept = bool(found.stamp) and found.names == project.environments and project.tree.limits.is_trusted
    file = project.tree.root / FOLDER / _FILE if is_kept and look is not None and project.tree.root else None
    said = [f"{name}\n{each.said}" for name, each in zip(found.names, grades, strict=True)]
    world = combined_digest([look.tool if look is not None else "", found.stamp, *sorted(idle), "", *said])
    known = _load(file, world) if file is not None else {}
    units: dict[str, list[tuple[int, str, CheckedUnit]]] = {}
    for number, one in enumerate(found.checked):
        for unit, key in zip(one.units, one.keys, strict=True):
            units.setdefault(unit.app, []).append((number, key, unit))
    apps = {}
    for app, own in units.items():
        key = " ".join([f"{number} {key}" for number, key, _ in own]) if all(key for _, key, _ in own) else ""
        before = known.get(app)
        is_same = before is not None and key != "" and before.key == key
        made = before if is_same else _made(key, [(number, unit) for number, _, unit in own], found, grades, idle)
        if made is None:
            return None
        apps[app] = made
    kept = {app: made for app, made in apps.items() if made.key}
    if file is not None and kept != known:
        write_checked(file, msgspec.msgpack.encode(_Pack(world, kept)))
    return [*apps.values()]


def _made(
    key: str, own: Sequence[tuple[int, CheckedUnit]], found: Gathered, grades: Sequence[Grading], idle: frozenset[str]
) -> _App | None:
    parts = [
        sort_out(found.names[number], unit.found(), unit.asides, grades[number], found.rules, idle)
        for number, unit in own
    ]
    findings = [finding for part in parts for finding in part.findings]
    sheet = sheet_of(findings) if once(findings, {one.id: one for one in found.own.rules}) == findings else None
    if sheet is None:
        return None
    return _App(
        key,
        sheet,
        [aside for part in parts for _, aside in part.ignored],
        [finding for part in parts for finding, _ in part.ignored],
        [unused for part in parts for unused in part.unused],
    )


def _load(file: Path, world: str) -> dict[str, _App]:
    data = read_checked(file)
    try:
        found = msgspec.msgpack.decode(data, type=_Pack) if data is not None else None
    except (msgspec.MsgspecError, RecursionError):
        return {}
    return found.apps if found is not None and found.world == world else {}

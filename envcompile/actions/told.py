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
from envcompile.units.memo import FOLDER
from envcompile.units.shards import Shards

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.actions.check import Gathered, SortedOut
    from envcompile.check.grading import Grading
    from envcompile.check.rule import Rule

_SERIES: Final = "told"
"""Of files of the memo."""


class Told(NamedTuple):
    """What people are told."""

    report: Report
    """What was looked at; without the findings themselves."""
    sheets: Sheets
    counts: Counts


class _Unit(NamedTuple):
    """A unit of an application."""

    environment: int
    """The number of its environment."""
    number: int
    """Its own in there."""
    key: str
    """Names all that was found in it; empty where nothing of it may be kept."""


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


_APP: Final = msgspec.msgpack.Decoder(_App)


def told_of(found: Gathered) -> Told | None:
    """What people are told of findings in all environments; None where it has to be put together as a whole."""
    if any(any(one.further) for one in found.checked):
        return None
    idle, grades = untried(found.own), [found.grading(one) for one in found.checked]
    asked: set[Rule] = set()
    for each in grades:
        asked.update(asked_of(each, found.rules, idle).values())
        asked.update(rule for rule in ABOUT_SUPPRESSIONS if not each.is_off(rule.id))
    units: dict[str, list[_Unit]] = {}
    for number, one in enumerate(found.checked):
        for at, (unit, key) in enumerate(zip(one.units, one.keys, strict=True)):
            units.setdefault(unit.app, []).append(_Unit(number, at, key))
    apps = _apps(found, grades, idle, units)
    if apps is None:
        return None
    further = [
        *unused_everywhere(
            [aside for app in apps for aside in app.used], [unused for app in apps for unused in app.unused]
        ),
        *found.not_evaluated(None),
    ]
    extra, own = sheet_of(further), [*units.values()]

    def findings_of(number: int) -> list[Finding]:
        if number == len(own):
            return further
        return [one for part in _parts(own[number], found, grades, idle) for one in part.findings]

    sheets = Sheets.of([*(app.sheet for app in apps), extra], findings_of) if extra is not None else None
    if sheets is None:
        return None
    report = Report(found.names, found.resources, found.told(asked), (), (), found.unknown_kinds())
    ignored = len(together(finding for app in apps for finding in app.ignored))
    return Told(report, sheets, Counts(sheets.findings, sheets.counts(), sheets.mends, ignored))


def _apps(
    found: Gathered, grades: Sequence[Grading], idle: frozenset[str], units: Mapping[str, Sequence[_Unit]]
) -> list[_App] | None:
    """What is told of each application; None where one cannot be told of alone."""
    project, look = found.project, found.project.look
    is_kept = bool(found.stamp) and found.names == project.environments and project.tree.limits.is_trusted
    folder = project.tree.root / FOLDER if is_kept and look is not None and project.tree.root else None
    said = [f"{name}\n{each.said}" for name, each in zip(found.names, grades, strict=True)]
    world = combined_digest([look.tool if look is not None else "", found.stamp, *sorted(idle), "", *said])
    pages = Shards(folder, _SERIES, world)
    apps = []
    for app, own in units.items():
        key = " ".join([f"{number} {key}" for number, _, key in own]) if all(key for _, _, key in own) else ""
        made = _known(pages.get(app, app), key) if key else None
        if made is None:
            made = _made(key, own, found, grades, idle)
            if made is None:
                return None
            if key:
                pages.put(app, app, msgspec.msgpack.encode(made))
        apps.append(made)
    pages.save(units.__contains__)
    return apps


def _known(record: bytes | None, key: str) -> _App | None:
    """What is told of an application, where it is made of what the key names."""
    try:
        found = _APP.decode(record) if record is not None else None
    except (msgspec.MsgspecError, RecursionError):
        return None
    return found if found is not None and found.key == key else None


def _parts(own: Sequence[_Unit], found: Gathered, grades: Sequence[Grading], idle: frozenset[str]) -> list[SortedOut]:
    """What was found in the units of an application, graded."""
    parts = []
    for number, at, _ in own:
        one = found.checked[number]
        asides = one.details_of(at).asides
        parts.append(sort_out(found.names[number], one.found_in(at), asides, grades[number], found.rules, idle))
    return parts


def _made(
    key: str, own: Sequence[_Unit], found: Gathered, grades: Sequence[Grading], idle: frozenset[str]
) -> _App | None:
    parts = _parts(own, found, grades, idle)
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

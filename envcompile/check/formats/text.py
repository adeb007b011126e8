"""For people: one finding under the other, each with its place, its subject and its mend."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from envcompile.check.report import spelled
from envcompile.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envcompile.check.finding import Severity
    from envcompile.check.report import Group

    Rest = Mapping[str, Counter[Severity]]
    """What stands under a heading -> how many more there are of each grade."""

GroupBy = Literal["place", "rule", "resource"]


def as_text(
    groups: Sequence[Group],
    by: GroupBy = "place",
    summaries: Mapping[str, str] | None = None,
    rest: Rest | None = None,
) -> str:
    """The findings; each has a place, a grade, a rule, a sentence, a resource, a field and a mend.

    A hint is told once, with the first finding that it mends.

    Args:
        groups: what was found, the gravest first.
        by: what stands together: nothing, the findings of a rule (the one with the gravest first), or of a resource.
        summaries: what rules say must be so.
        rest: what was found and is not shown: a heading counts it, too (`rest_of`).
    """
    hidden = rest or {}
    if by == "rule":
        return "\n".join(_rule(name, of, summaries or {}, hidden.get(name)) for name, of in _sorted(groups, _of_rule))
    told: set[str] = set()
    if by == "resource":
        return "\n".join(_resource(name, of, told, hidden.get(name)) for name, of in _sorted(groups, _of_resource))
    return "\n".join(_alone(group, told) for group in groups)


def rest_of(groups: Iterable[Group], by: GroupBy) -> dict[str, Counter[Severity]]:
    """How many of some findings stand under each heading, by grade; of findings without headings none."""
    if by == "place":
        return {}
    key = _of_rule if by == "rule" else _of_resource
    return {name: Counter(group.finding.severity for group in of) for name, of in _sorted(groups, key)}


def body_of(group: Group) -> str:
    """A finding among others that are told one under the other, without its hint."""
    found = group.finding
    lines = [f"{_place(group)}{found.severity} {found.rule}: {found.what}", f"    {group.subject}"]
    return _joined([*lines, *_since(group)])


def hint_of(fix: str) -> str:
    """The hint that stands behind the first of the findings that it mends."""
    return _joined([f"    hint: {fix}"])


def _sorted(groups: Iterable[Group], key: Callable[[Group], str]) -> list[tuple[str, list[Group]]]:
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(key(group), []).append(group)
    return [*found.items()]


def _of_rule(group: Group) -> str:
    return group.finding.rule


def _of_resource(group: Group) -> str:
    return group.finding.resource.short


def _place(group: Group) -> str:
    return f"{group.finding.where}: " if group.finding.where is not None else ""


def _since(group: Group) -> list[str]:
    since = group.finding.since
    return [f"    since: {since}"] if since is not None else []


def _hint(group: Group, told: set[str]) -> list[str]:
    fix = group.finding.fix
    if not fix or fix in told:
        return []
    told.add(fix)
    return [f"    hint: {fix}"]


def _alone(group: Group, told: set[str]) -> str:
    return body_of(group) + _joined(_hint(group, told))


def _rule(name: str, groups: Sequence[Group], summaries: Mapping[str, str], hidden: Counter[Severity] | None) -> str:
    lines = [f"{name}: {_many(groups, hidden)}. {summaries.get(name, '')}".rstrip()]
    fixes = {group.finding.fix for group in groups}
    told: set[str] = set()
    for group in groups:
        found = group.finding
        lines += [f"  {_place(group)}{found.severity}: {found.what}", f"      {group.subject}"]
        lines += [f"  {line}" for line in (*_since(group), *(_hint(group, told) if len(fixes) > 1 else ()))]
    if len(fixes) == 1:
        lines += [f"  hint: {fix}" for fix in fixes if fix]
    return _joined(lines)


def _resource(name: str, groups: Sequence[Group], told: set[str], hidden: Counter[Severity] | None) -> str:
    lines = [f"{name}: {_many(groups, hidden)}"]
    for group in groups:
        found = group.finding
        subject = f"{f'{found.field} ' if found.field else ''}in {', '.join(group.environments)}"
        lines += [f"  {_place(group)}{found.severity} {found.rule}: {found.what}", f"      {subject}"]
        lines += [f"  {line}" for line in (*_since(group), *_hint(group, told))]
    return _joined(lines)


def _joined(lines: Iterable[str]) -> str:
    """The lines; a line break in a name of the checkout begins none."""
    return "".join([f"{one_line(line)}\n" for line in lines])


def _many(groups: Sequence[Group], hidden: Counter[Severity] | None) -> str:
    """How many there are, and how many of them are shown where that is not all."""
    there = spelled(Counter(group.finding.severity for group in groups) + (hidden or Counter()))
    return f"{there}, {len(groups)} shown" if hidden else there

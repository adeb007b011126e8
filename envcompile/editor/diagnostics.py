"""What is wrong with a project, at its places in the sources, and what can be done about it with a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from envcompile.editor.cursor import Span
from envcompile.errors import EnvcError
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.check.report import Report
    from envcompile.editor.workspace import Workspace

_NEAREST = re.compile(r"`([^`]+)`")


class Wrong(NamedTuple):
    """Something wrong at a place; all environments that have it are one."""

    file: str
    span: Span
    grade: Literal["error", "warning", "info"]
    rule: str
    """The rule of `envc check` that found it; empty for what a build refuses."""
    what: str
    fix: str
    environments: tuple[str, ...]
    further: tuple[Location, ...] = ()


class Action(NamedTuple):
    """What an editor can do about it."""

    title: str
    texts: dict[str, str]
    """The texts that files get; empty where they are found out only when it is done (`mended`)."""


class Lines:
    """The lines of files, kept for as long as a file has the same digest."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, list[str]]] = {}

    def of(self, workspace: Workspace, path: str) -> list[str]:
        """The lines of a file as the editor has it."""
        digest = workspace.digest_of(path)
        known = self._known.get(path)
        if known is None or not digest or known[0] != digest:
            known = self._known[path] = (digest, workspace.read(path).split("\n"))
        return known[1]


def all_wrong(workspace: Workspace, lines: Lines | None = None) -> list[Wrong]:
    """What a build refuses; when it refuses nothing, what the rules find.

    Args:
        workspace: the project as an editor has it.
        lines: of files, where somebody keeps them.
    """
    found: dict[tuple[object, ...], list[str]] = {}
    facts: dict[tuple[object, ...], Wrong] = {}
    for environment, wrong in _wrong(workspace, lines or Lines()):
        key = wrong[:6]
        facts.setdefault(key, wrong)
        found.setdefault(key, []).append(environment)
    return [
        wrong._replace(environments=tuple(dict.fromkeys(name for name in found[key] if name)))
        for key, wrong in facts.items()
    ]


def _wrong(workspace: Workspace, lines: Lines) -> Iterator[tuple[str, Wrong]]:
    spans: dict[Location, Span] = {}

    def span_of(where: Location) -> Span:
        found = spans.get(where)
        if found is None:
            found = spans[where] = _span(lines.of(workspace, where.file), where)
        return found

    problems = workspace.problems
    for environment, problem in problems:
        where = problem.where[0] if problem.where else Location("envc.yaml", 1, 1)
        further = problem.where[1:]
        yield environment, Wrong(where.file, span_of(where), "error", "", problem.what, problem.fix, (), further)
    report = None if problems else _checked(workspace)
    for finding in report.findings if report is not None else ():
        where = finding.where or Location("envc.yaml", 1, 1)
        grade = finding.severity
        yield (
            finding.environment,
            Wrong(where.file, span_of(where), grade, finding.rule, finding.what, finding.fix, ()),
        )


def _checked(workspace: Workspace) -> Report | None:
    from envcompile.actions.check import check

    try:
        return check(workspace.project, ()) if workspace.project is not None else None
    except EnvcError:
        # What is wrong with rules of one's own is told by `envc check`.
        return None


def _span(lines: Sequence[str], where: Location) -> Span:
    """From a place to the end of its line."""
    line = min(where.line, len(lines)) - 1
    return Span(line, where.column - 1, line, max(where.column, len(lines[line].rstrip())))


def actions_for(workspace: Workspace, wrong: Wrong) -> Iterator[Action]:
    """What can be done about something: the name that was meant, the mend of a rule, its suppression."""
    text = workspace.read(wrong.file)
    lines = text.split("\n")
    row = lines[wrong.span.line] if wrong.span.line < len(lines) else ""
    if wrong.fix.startswith("did you mean"):
        said = [word for word in _NEAREST.findall(wrong.what) if word in row[wrong.span.character :]]
        for meant in _NEAREST.findall(wrong.fix.partition("\n")[0])[:3]:
            for word in said[:1]:
                start = row.index(word, wrong.span.character)
                changed = [*lines]
                changed[wrong.span.line] = row[:start] + meant + row[start + len(word) :]
                yield Action(f"Write `{meant}`", {wrong.file: "\n".join(changed)})
    if wrong.rule:
        if _can_mend(wrong.rule):
            yield Action(f"Mend every `{wrong.rule}`", {})
        yield from _suppression(workspace, wrong)


def mended(workspace: Workspace, rule: str) -> dict[str, str]:
    """The texts of files in which all that a rule found is mended; what does not come out as it should is left.

    Raises:
        EnvcError: what is wrong with the sources.
    """
    from envcompile.actions.fix import plan_fix

    return dict(plan_fix(workspace.project, {rule}).after) if workspace.project is not None else {}


def _can_mend(rule: str) -> bool:
    from envcompile.check.rules.catalogue import RULES

    return any(one.id == rule and one.mend is not None for one in RULES)


def _suppression(workspace: Workspace, wrong: Wrong) -> Iterator[Action]:
    """An annotation beside the resource, whose reason is to be written; in environment.yaml a grade."""
    from envcompile.check.suppressions import IGNORE
    from envcompile.editor.cursor import field_at
    from envcompile.yamlio import edit

    text = workspace.read(wrong.file)
    found = field_at(text, wrong.span.line, wrong.span.character)
    if found is None:
        return
    try:
        if wrong.file.endswith("environment.yaml"):
            changed = edit.set_value(text, 0, ("checks", wrong.rule), "off", file=wrong.file)
            yield Action(f"Leave `{wrong.rule}` out in {wrong.file.split('/')[-2]}", {wrong.file: changed})
            return
        spoken = next(workspace.spoken_of(wrong.file, found.index), None)
        if spoken is None or spoken.step.role == "json6902":
            return
        metadata = spoken.resource.value.get("metadata", {})
        before = (metadata.get("annotations") or {}).get(IGNORE, "")
        reason = f"{before}; " if before else ""
        way = (*spoken.root, "metadata", "annotations", IGNORE)
        changed = edit.set_value(text, found.index, way, f"{reason}{wrong.rule}: say why", file=wrong.file)
        yield Action(f"Set `{wrong.rule}` aside for {spoken.resource.id.short}", {wrong.file: changed})
    except EnvcError:
        return

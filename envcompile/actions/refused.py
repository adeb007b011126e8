"""What a build refuses to write: objects that no API server takes, whichever its version and however it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.errors import Problems
    from envcompile.model import Pointer
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project


def report_refused(project: Project, linked: Iterable[LinkedEnvironment], problems: Problems) -> None:
    """Note every field that no API server takes, unless `schema` is graded lower or set aside there.

    Args:
        project: the repository.
        linked: its environments.
        problems: takes what is wrong, each with its place.
    """
    for environment in linked:
        if environment.refused:
            _report(project, environment, problems)


def _report(project: Project, linked: LinkedEnvironment, problems: Problems) -> None:
    from envcompile.check.grading import Grading
    from envcompile.check.rules.server.schema import RULE as SCHEMA
    from envcompile.check.suppressions import read_suppressions
    from envcompile.kubernetes.fieldpath import format_field
    from envcompile.text import escaped
    from envcompile.units.field_places import field_path, source_place

    plan = linked.plan
    if not Grading(project.settings.checks, plan.sources.settings.checks).is_error(SCHEMA):
        return
    for number, fields in sorted(linked.refused.items()):
        values = linked.unit_values(number)
        for refused in fields:
            resource = values[refused.position][1]
            if any(one.rule == SCHEMA.id and one.reason for one in read_suppressions(resource.id, resource.value)):
                continue
            group, _, version = str(resource.value.get("apiVersion", "")).rpartition("/")
            node = plan.api.node(group, version, resource.id.kind)
            there, missing = field_path(refused.pointer, resource.value, node)
            where = source_place(plan, resource, refused.pointer)
            problems.add(
                escaped(f"{resource.id.short} {format_field((*there, *missing))}: {refused.what}"),
                _fix(refused.pointer),
                *([where] if where is not None else []),
            )


def _fix(pointer: Pointer) -> str:
    from envcompile.check.rules.server.schema import RULE as SCHEMA
    from envcompile.compose.directives import is_directive

    if any(isinstance(step, str) and is_directive(step) for step in pointer):
        return (
            "a directive speaks to what lies below it, and nothing does here: write what is meant without it"
            " (a `kind: Generate` without `behavior: replace`), or correct the name"
        )
    return (
        "no API server takes it: write it as its kind has it. If yours does, annotate the resource with"
        f' `envcompile.dev/ignore: "{SCHEMA.id}: why"`, or set `checks: {{{SCHEMA.id}: warning}}`'
    )

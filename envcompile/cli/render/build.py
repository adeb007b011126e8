"""What `envc build` says; free of the command-line library, so that a build starts at once."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from envcompile.actions.results import CHART_FOLDER
from envcompile.cli.output import answer, data, raw, tell
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.actions.results import EnvironmentResult
    from envcompile.units.environment import Reason
    from envcompile.units.project import Project


def tell_built(results: Sequence[EnvironmentResult]) -> int:
    """Say what was done to each environment's folder."""
    warn(results)
    for result in results:
        tell(f"{result.environment}: {_counts(result)}")
    return EXIT_OK


def tell_why(reasons: Sequence[Reason]) -> None:
    """Print for each unit whether it was compiled or remembered, and which of its inputs changed."""
    for reason in reasons:
        data(f"{reason.environment}\t{reason.app}\t{reason.why}")


def print_built(results: Sequence[EnvironmentResult], reasons: Sequence[Reason] | None) -> None:
    """Print for programs what was done to each folder, and with `reasons` why each unit was compiled."""
    environments = [
        {
            "environment": result.environment,
            "resources": result.resources,
            "added": list(result.plan.added),
            "changed": list(result.plan.changed),
            "removed": list(result.plan.removed),
            "edited": list(result.plan.edited),
            "inTheWay": list(result.plan.foreign),
            "current": result.plan.is_current,
            "warnings": list(result.warnings),
        }
        for result in results
    ]
    units = [
        {
            "environment": reason.environment,
            "application": reason.app,
            "compiled": not reason.is_remembered,
            "changed": reason.changed,
            "why": reason.why,
        }
        for reason in reasons or ()
    ]
    answer(environments=environments, **({} if reasons is None else {"units": units}))


def _counts(result: EnvironmentResult) -> str:
    plan = result.plan
    overwritten = len(plan.edited) + len(plan.foreign)
    parts = [
        f"{count} {word}"
        for count, word in (
            (len(plan.added), "added"),
            (len(plan.changed) + overwritten, "changed"),
            (len(plan.removed), "removed"),
        )
        if count
    ]
    thing = "files" if result.environment == CHART_FOLDER else "resources"
    return f"{result.resources} {thing}, {', '.join(parts) or 'nothing changed'}"


def warn(results: Sequence[EnvironmentResult]) -> None:
    """Say what the user should hear although it is no error."""
    for result in results:
        for warning in result.warnings:
            tell(f"warning: {warning}")


def tell_stale(project: Project, results: Sequence[EnvironmentResult], *, aside: bool = False) -> int:
    """Name every file that a build would touch, on stderr when stdout holds other data (`aside`); the exit code."""
    warn(results)
    lines = stale_lines(project.root, results)
    for line in lines:
        (tell if aside else data)(line)
    if lines:
        tell("hint: run `envc build` and commit environments/; changes by hand belong into overlays/")
    else:
        tell(f"{count_environments(project, results)} environments are current")
    return EXIT_DIFFERENT if lines else EXIT_OK


def count_environments(project: Project, results: Sequence[EnvironmentResult]) -> int:
    """How many of the folders are environments; the others are the chart, and what is no environment any more."""
    return len([result for result in results if result.environment in project.environments])


def stale_lines(root: Path | None, results: Sequence[EnvironmentResult]) -> list[str]:
    """Every file that a build would touch, with what it would do.

    Args:
        root: the project's folder; None when folders are named relative to it already.
        results: what a build would do.
    """
    lines: list[str] = []
    for result in results:
        plan = result.plan
        is_inside = root is not None and result.folder.is_relative_to(root)
        folder = result.folder.relative_to(root).as_posix() if root is not None and is_inside else str(result.folder)
        missing = set(plan.missing)
        rows = [
            *(("missing", path) for path in plan.missing),
            *(("stale: would be added", path) for path in plan.added if path not in missing),
            *(("stale: would change", path) for path in plan.changed),
            *(("stale: would be removed", path) for path in plan.removed),
            *(("edited by hand", path) for path in plan.edited),
            *(("in the way", path) for path in plan.foreign),
        ]
        if not rows and not plan.index_is_current:
            rows = [("stale", ".envc-index")]
        lines += [f"{folder}/{path}: {what}" for what, path in sorted(rows, key=itemgetter(1))]
    return lines


def print_stream(project: Project, environments: Sequence[str], only: str | None) -> int:
    """Print environments, or one resource of them, as one stream of manifests; the exit code."""
    from envcompile.actions.build import find_resources, link_all
    from envcompile.emit.manifests import stream
    from envcompile.yamlio import Renderer

    renderer = Renderer()
    for linked in link_all(project, project.choose(environments)):
        resources = find_resources(linked, only) if only else linked.resources()
        raw(stream(resources, renderer))
    return EXIT_OK

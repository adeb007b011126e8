"""What `envc build` does and says; free of the command-line library, so that a build starts at once."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from envcompile.actions.results import CHART_FOLDER
from envcompile.cli.output import data, raw, tell
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.actions.results import EnvironmentResult
    from envcompile.units.project import Project


def build_and_tell(
    project: Project,
    environments: Sequence[str],
    *,
    output: Path | None,
    only: str | None,
    check: bool,
    force: bool,
    with_chart: bool = True,
) -> int:
    """Build, or compare, and say on stderr what that came to; the exit code."""
    from envcompile.actions.build import build

    results = build(
        project,
        environments,
        output=output.absolute() if output is not None else None,
        only=only,
        check=check,
        force=force,
        with_chart=with_chart,
    )
    for result in results:
        for warning in result.warnings:
            tell(f"warning: {warning}")
    if check:
        return _tell_stale(project, results)
    return tell_built(results)


def tell_built(results: Sequence[EnvironmentResult]) -> int:
    """Say what was done to each environment's folder."""
    for result in results:
        tell(f"{result.environment}: {_counts(result)}")
    return EXIT_OK


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


def _tell_stale(project: Project, results: Sequence[EnvironmentResult]) -> int:
    """Name every file that a build would touch."""
    stale = False
    for result in results:
        plan = result.plan
        try:
            folder = result.folder.relative_to(project.root).as_posix()
        except ValueError:
            folder = str(result.folder)
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
        for what, path in sorted(rows, key=itemgetter(1)):
            data(f"{folder}/{path}: {what}")
            stale = True
    if stale:
        tell("hint: run `envc build` and commit environments/; changes by hand belong into overlays/")
    else:
        environments = [result for result in results if result.environment in project.environments]
        tell(f"{len(environments)} environments are current")
    return EXIT_DIFFERENT if stale else EXIT_OK


def print_stream(project: Project, environments: Sequence[str], only: str | None) -> None:
    """Print environments, or one resource of them, as one stream of manifests."""
    from envcompile.actions.build import choose_resources, compile_all
    from envcompile.emit.manifests import stream
    from envcompile.yamlio import Renderer

    compiled = compile_all(project, project.choose(environments))
    renderer = Renderer()
    for environment in compiled:
        result = environment.compiled
        resources = choose_resources(result, only) if only else result.resources
        raw(stream(resources, renderer))

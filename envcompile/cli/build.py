"""`envc build`: sources in, environments out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.pipeline.build import EnvironmentResult
    from envcompile.pipeline.project import Project

EPILOG = """Examples:

  envc build                       every environment into environments/

  envc build prod --check          exit 16 when environments/prod is stale or edited by hand

  envc build staging --stdout      one stream for `kubectl apply -f -`
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("build", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Annotated[
            list[str] | None, typer.Argument(metavar="[ENV]...", help="Environments; default: all.", show_default=False)
        ] = None,
        *,
        check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 16 when something is stale.")] = False,
        output: Annotated[
            Path | None, typer.Option("--output", metavar="DIR", help="Write below this folder; default: environments/.")
        ] = None,
        stdout: Annotated[bool, typer.Option("--stdout", help="Print one stream of manifests; write no file.")] = False,
        only: Annotated[
            str | None, typer.Option("--only", metavar="KIND/NAME", help="Only this resource; leave the others alone.")
        ] = None,
        watch: Annotated[bool, typer.Option("--watch", help="Build again whenever a source is saved.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Overwrite what was edited by hand.")] = False,
    ) -> None:
        """Compile environments into environments/<env>/, one resource a file."""
        from envcompile.pipeline.project import Project

        names = environments or []
        if sum((check, stdout, watch)) > 1:
            raise UsageError([Problem("--check, --stdout and --watch exclude each other", "give one of them")])
        if watch:
            from envcompile.cli.watch import watch_and_build

            watch_and_build(context.obj.project, names, output=output, only=only, force=force)
            return
        project = Project.open(context.obj.project)
        if stdout:
            _print_stream(project, names, only)
            return
        raise typer.Exit(build_and_tell(project, names, output=output, only=only, check=check, force=force))


def build_and_tell(
    project: Project,
    environments: Sequence[str],
    *,
    output: Path | None,
    only: str | None,
    check: bool,
    force: bool,
) -> int:
    """Build, or compare, and say on stderr what that came to; the exit code."""
    from envcompile.pipeline.build import build

    results = build(
        project,
        environments,
        output=output.absolute() if output is not None else None,
        only=only,
        check=check,
        force=force,
    )
    for result in results:
        for warning in result.warnings:
            typer.echo(f"warning: {warning}", err=True)
    if check:
        return _tell_stale(project, results)
    for result in results:
        typer.echo(f"{result.environment}: {_counts(result)}", err=True)
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
    return f"{result.resources} resources, {', '.join(parts) or 'nothing changed'}"


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
        for what, path in sorted(rows, key=lambda row: row[1]):
            typer.echo(f"{folder}/{path}: {what}")
            stale = True
    if stale:
        typer.echo("hint: run `envc build` and commit environments/; changes by hand belong into overlays/", err=True)
    else:
        typer.echo(f"{len(results)} environments are current", err=True)
    return EXIT_DIFFERENT if stale else EXIT_OK


def _print_stream(project: Project, environments: Sequence[str], only: str | None) -> None:
    from envcompile.emit.manifests import stream
    from envcompile.pipeline.build import choose_resources, compile_all
    from envcompile.yamlio import Renderer

    compiled = compile_all(project, project.choose(environments))
    renderer = Renderer()
    for environment in compiled:
        result = environment.compiled
        resources = choose_resources(result, only) if only else result.resources
        typer.echo(stream(resources, renderer), nl=False)

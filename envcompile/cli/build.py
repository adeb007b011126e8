"""`envc build`: sources in, environments out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from envcompile.errors import Problem, UsageError

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
            Path | None,
            typer.Option("--output", metavar="DIR", help="Write below this folder; default: environments/."),
        ] = None,
        stdout: Annotated[bool, typer.Option("--stdout", help="Print one stream of manifests; write no file.")] = False,
        only: Annotated[
            str | None, typer.Option("--only", metavar="KIND/NAME", help="Only this resource; leave the others alone.")
        ] = None,
        watch: Annotated[bool, typer.Option("--watch", help="Build again whenever a source is saved.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Overwrite what was edited by hand.")] = False,
        no_chart: Annotated[bool, typer.Option("--no-chart", help="Leave environments/chart as it is.")] = False,
    ) -> None:
        """Compile environments into environments/<env>/, one resource a file."""
        from envcompile.cli.building import build_and_tell, print_stream
        from envcompile.units.project import Project

        names = environments or []
        if sum((check, stdout, watch)) > 1:
            raise UsageError([Problem("--check, --stdout and --watch exclude each other", "give one of them")])
        if watch:
            from envcompile.cli.watch import watch_and_build

            watch_and_build(context.obj.project, names, output=output, only=only, force=force)
            return
        project = Project.open(context.obj.project)
        if stdout:
            print_stream(project, names, only)
            return
        raise typer.Exit(
            build_and_tell(project, names, output=output, only=only, check=check, force=force, with_chart=not no_chart)
        )

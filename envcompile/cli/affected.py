"""`envc affected`: which environments and resources a change of files touches."""

from __future__ import annotations

from typing import Annotated

import typer

EPILOG = """Examples:

  envc affected                          what the uncommitted changes touch

  envc affected --from main              what this branch touches

  envc affected base/lib/web.libsonnet   what one file reaches, jsonnet imports included
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("affected", epilog=EPILOG)
    def command(
        context: typer.Context,
        files: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[FILE]...",
                help="Files below the repository; default: what git says changed.",
                show_default=False,
            ),
        ] = None,
        *,
        revision: Annotated[
            str | None,
            typer.Option("--from", metavar="REV", help="Compare with this commit; default: HEAD.", show_default=False),
        ] = None,
        output_format: Annotated[str, typer.Option("--format", metavar="text|json", help="How to print.")] = "text",
    ) -> None:
        """Name the environments and resources that a change touches."""
        from envcompile.actions.affected import affected
        from envcompile.cli.options import check_format
        from envcompile.units.project import Project

        check_format(output_format, "text", "json")
        found = affected(Project.open(context.obj.project), files or [], revision)
        if output_format == "json":
            import json

            data = {environment: [item._asdict() for item in touched] for environment, touched in found.items()}
            typer.echo(json.dumps(data, indent=2))
            return
        for environment, touched in found.items():
            for item in touched:
                typer.echo(f"{environment}\t{item}")
        if not found:
            typer.echo("nothing is affected", err=True)

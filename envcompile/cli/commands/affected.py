"""`envc affected`: which environments and resources a change of files touches."""

from __future__ import annotations

from typing import Annotated

import typer

from envcompile.cli.arguments import Format, Untrusted, project_of

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
        target: Annotated[
            str | None,
            typer.Option("--to", metavar="REV", help="The newer commit; default: the folder.", show_default=False),
        ] = None,
        output_format: Format = "text",
        untrusted: Untrusted = False,
    ) -> None:
        """Name the environments and resources that a change touches."""
        from envcompile.actions.affected import affected
        from envcompile.cli.output import answer, data, tell

        with project_of(context, untrusted=untrusted) as project:
            found = affected(project, files or [], revision, target)
        if output_format == "json":
            answer(environments={name: [item._asdict() for item in touched] for name, touched in found.items()})
            return
        for environment, touched in found.items():
            for item in touched:
                data(f"{environment}\t{item}")
        if not found:
            tell("nothing is affected")

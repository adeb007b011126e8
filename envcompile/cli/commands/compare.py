"""`envc compare`: what differs between two environments."""

from __future__ import annotations

from typing import Annotated

import typer

from envcompile.cli.arguments import TERMINAL, DiffFormat, Untrusted, project_of


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("compare", epilog="Example: envc compare staging prod")
    def command(
        context: typer.Context,
        left: Annotated[
            str,
            typer.Argument(metavar="ENV", help="The environment to start from."),
        ],
        right: Annotated[
            str,
            typer.Argument(metavar="ENV", help="The environment to compare it with."),
        ],
        *,
        output_format: DiffFormat = TERMINAL,
        with_own: Annotated[
            bool, typer.Option("--all", help="Show what each environment calls its own on each resource, too.")
        ] = False,
        side_by_side: Annotated[bool, typer.Option("--side-by-side", help="Both in two columns.")] = False,
        untrusted: Untrusted = False,
    ) -> int:
        """Compare two compiled environments; exit 16 when they differ.

        Resources are matched by kind and name: the namespace that is each environment's own counts as the same, the
        labels and annotations that their settings put on every resource are told once, and values that differ in each
        one's own name, namespace or parameters alone are counted.
        """
        import gc

        from envcompile.actions.diff import between
        from envcompile.cli.render.diff import exit_code, print_difference

        # One short run allocates much and frees little: the collector would only look for cycles that are not there.
        gc.disable()
        with project_of(context, untrusted=untrusted) as project:
            found = [between(project, left, right, with_own=with_own)]
        print_difference(found, output_format, side_by_side=side_by_side)
        return exit_code(found, ())

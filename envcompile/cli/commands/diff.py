"""`envc diff`: what a change does to the compiled environments."""

from __future__ import annotations

from typing import Annotated

import typer

from envcompile.cli.arguments import TERMINAL, DiffFormat, Envs, Untrusted

EPILOG = """Examples:

  envc diff                              this branch and what is not committed, every environment

  envc diff prod --from v1.4.0 --to v1.5.0

  envc diff --fail-on-env prod           exit 16 only when prod differs
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("diff", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        source: Annotated[
            str | None,
            typer.Option(
                "--from",
                metavar="REV",
                help="The older side; default: where HEAD left the default branch.",
                show_default=False,
            ),
        ] = None,
        target: Annotated[
            str | None,
            typer.Option("--to", metavar="REV", help="The newer side; default: the working tree.", show_default=False),
        ] = None,
        output_format: DiffFormat = TERMINAL,
        side_by_side: Annotated[bool, typer.Option("--side-by-side", help="Old and new in two columns.")] = False,
        fail_on: Annotated[
            list[str] | None,
            typer.Option(
                "--fail-on-env",
                metavar="ENV",
                help="Exit 16 only when this environment differs.",
            ),
        ] = None,
        untrusted: Untrusted = False,
    ) -> int:
        """Compare compiled environments, without a cluster and without a network; exit 16 when they differ.

        Lists are matched by their merge keys, renamed resources are found, configuration files are compared key by
        key. The order of keys and the layout do not count. Secrets are never shown.
        """
        import gc
        import os

        from envcompile.actions.diff import difference
        from envcompile.cli.output import tell
        from envcompile.cli.render.diff import exit_code, print_difference
        from envcompile.limits import limits_for
        from envcompile.sources import find_root

        # One short run allocates much and frees little: the collector would only look for cycles that are not there.
        gc.disable()
        root = find_root(context.obj.project)
        limits = limits_for(os.environ, is_trusted=not untrusted)
        found = difference(root, environments or (), source=source, target=target, limits=limits)
        print_difference(found.environments, output_format, side_by_side=side_by_side)
        if environments and len(environments) == 2 and not any(each.resources for each in found.environments):
            both = " ".join(environments)
            tell(f"hint: that is each against its past; `envc compare {both}` lays one beside the other")
        return exit_code(found.environments, fail_on or ())

"""`envc owners`: CODEOWNERS from the owners of each environment."""

from __future__ import annotations

from typing import Annotated

import typer

from envcompile.cli.arguments import Format, Untrusted, project_of

EPILOG = """Examples:

  envc owners            print the lines

  envc owners --write    bring CODEOWNERS up to date

  envc owners --check    exit 16 when it is not
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("owners", epilog=EPILOG)
    def command(
        context: typer.Context,
        *,
        write: Annotated[bool, typer.Option("--write", help="Write them into CODEOWNERS.")] = False,
        check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 16 when stale.")] = False,
        output_format: Format = "text",
        untrusted: Untrusted = False,
    ) -> int:
        """Turn `owners` of environment.yaml into CODEOWNERS; lines of your own stay as they are."""
        from envcompile.actions.owners import owners, write_owners
        from envcompile.cli.output import answer, raw, tell
        from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, Problem, UsageError

        if write and check:
            raise UsageError([Problem("--write and --check exclude each other", "give one of them")])
        with project_of(context, untrusted=untrusted) as project:
            found = owners(project)
        if output_format == "json":
            answer(file=found.path.relative_to(project.root).as_posix(), current=found.is_current, block=found.block)
        if check:
            tell(f"{found.path} is {'current' if found.is_current else 'stale: run `envc owners --write`'}")
            return EXIT_OK if found.is_current else EXIT_DIFFERENT
        if not write:
            if output_format == "text":
                raw(found.block)
        elif found.is_current:
            tell(f"{found.path} is current")
        else:
            write_owners(found)
            tell(f"{found.path} is written")
        return EXIT_OK

"""`envc eject`: the way out, as a kustomize tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Format
from envcompile.cli.output import answer, data, tell
from envcompile.errors import EXIT_OK, EXIT_WRONG

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.adopt.eject import Ejected

EPILOG = """Examples:

  envc eject kustomize           all environments as kustomize/base and kustomize/overlays/ENV

  envc eject out staging prod    these two
"""

_MOST_DIFFERENCES = 50


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("eject", epilog=EPILOG)
    def command(
        context: typer.Context,
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="The tree's folder; nothing may be in it yet.")],
        environments: Annotated[
            list[str] | None, typer.Argument(metavar="[ENV]...", help="Environments; default: all.", show_default=False)
        ] = None,
        *,
        output_format: Format = "text",
    ) -> None:
        """Write a plain kustomize tree: base and overlays that render to the same objects."""
        from envcompile.adopt.eject import eject
        from envcompile.units.project import Project

        project = Project.open(context.obj.project)
        ejected = eject(project, project.choose(environments or ()), folder)
        if output_format == "json":
            answer(
                files=[path.as_posix() for path in ejected.files],
                objects=dict(ejected.objects),
                proven=ejected.is_proven,
                differences=[str(difference) for difference in ejected.differences],
                openSecrets=list(ejected.open_secrets),
            )
        raise typer.Exit(_tell(ejected, folder, data if output_format == "text" else tell))


def _tell(ejected: Ejected, folder: Path, say: Callable[[str], None]) -> int:
    """Say what was written, and whether kustomize renders the same."""
    total = sum(ejected.objects.values())
    if ejected.differences:
        tell(f"error: kustomize renders something else, {len(ejected.differences)} differences:")
        for difference in ejected.differences[:_MOST_DIFFERENCES]:
            tell(f"  {difference}")
        tell(f"hint: {folder.as_posix()} was written all the same; mend these there, and please report it")
        return EXIT_WRONG
    say(f"{len(ejected.files)} files in {folder.as_posix()}")
    if ejected.is_proven:
        say(f"proven: kustomize renders what the environments are, {total} of {total} objects")
    else:
        tell("note: neither kustomize nor kubectl is on PATH, so nobody rendered it: `kustomize build` does")
    if ejected.open_secrets:
        tell(f"warning: Secrets of {', '.join(ejected.open_secrets)} are in clear, as `secretBackend: plaintext` says")
    return EXIT_OK

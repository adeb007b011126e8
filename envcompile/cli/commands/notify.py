"""`envc notify`: tell people and programs that compiled environments changed."""

from __future__ import annotations

from typing import Annotated

import typer

from envcompile.cli.arguments import Envs, Format

EPILOG = """Examples:

  envc notify               what the last commit changed

  envc notify prod --from v1.4.0 --to v1.5.0 --dry-run

  envc notify prod --drift  what its cluster has that the sources want otherwise
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("notify", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        source: Annotated[str, typer.Option("--from", metavar="REV", help="The older side.")] = "HEAD~1",
        target: Annotated[str, typer.Option("--to", metavar="REV", help="The newer side.")] = "HEAD",
        drift: Annotated[
            bool, typer.Option("--drift", help="Of what clusters have otherwise, instead of what a commit changed.")
        ] = False,
        kube_context: Annotated[
            str | None,
            typer.Option("--context", metavar="CONTEXT", help="With --drift: of the kubeconfig.", show_default=False),
        ] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the messages; send nothing.")] = False,
        output_format: Format = "text",
    ) -> int:
        """Tell of changed environments: a message to everybody whom `notify` of envc.yaml names.

        What cannot be delivered waits in .envc/notify and is sent first the next time. Messages hold names and
        numbers, never values.
        """
        import os

        from envcompile.actions.notify import letters, notify
        from envcompile.actions.opening import open_repository
        from envcompile.cli.output import answer, tell, text
        from envcompile.errors import EXIT_OK, EXIT_UNAVAILABLE
        from envcompile.units.project import Project

        project = Project.open(context.obj.project)
        if drift:
            from envcompile.actions.drift import Wanted, find_all
            from envcompile.actions.drift_letters import drift_letters

            looked = find_all(project, project.choose(environments or ()), Wanted(kube_context))
            found = list(drift_letters(project.settings.notify, looked))
        else:
            found = letters(project, environments or (), source=source, target=target)
        as_json = output_format == "json"
        if dry_run and as_json:
            messages = [
                {"kind": one.kind, "address": one.address, "title": one.message.title, "text": one.message.text}
                for one in found
            ]
            answer(sent=0, waiting=[], messages=messages)
            return EXIT_OK
        if dry_run:
            for letter in found:
                text(f"to {letter.kind} ${letter.address}: {letter.message.title}\n{letter.message.text}\n")
            return EXIT_OK
        done = notify(open_repository(project.root).home, found, os.environ)
        if as_json:
            answer(sent=done.sent, waiting=[str(problem) for problem in done.waiting])
        tell(f"{done.sent} message{'' if done.sent == 1 else 's'} sent")
        for problem in done.waiting:
            tell(str(problem))
        return EXIT_UNAVAILABLE if done.waiting else EXIT_OK

"""`envc drift`: what runs otherwise than the sources say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from envcompile.cli.arguments import Envs, project_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.drift import EnvironmentDrift, Wanted
    from envcompile.units.project import Project

EPILOG = """Examples:

  envc drift prod                             compiled against the cluster of environment.yaml

  envc drift prod --context prod-eu --method dry-run

  envc drift prod --trust 'cert-manager-*'    what an operator writes is no drift

  envc drift prod --record --watch 300        keep in the history since when it is so

  envc drift prod --adopt deployment/web      write the live change into the overlay
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("drift", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        kube_context: Annotated[
            str | None,
            typer.Option(
                "--context",
                metavar="CONTEXT",
                help="Of the kubeconfig; default: what environment.yaml names, else the current one.",
                show_default=False,
            ),
        ] = None,
        method: Annotated[
            Literal["read", "dry-run"],
            typer.Option(
                "--method",
                metavar="read|dry-run",
                help="By reading alone, or by dry-run creates, which need that right and miss nothing.",
            ),
        ] = "read",
        everything: Annotated[
            bool, typer.Option("--all", help="Objects in its namespace that nobody tracks are extra, too.")
        ] = False,
        managers: Annotated[
            list[str] | None,
            typer.Option("--manager", metavar="NAME", help="A field manager that applies this repository."),
        ] = None,
        trusted: Annotated[
            list[str] | None,
            typer.Option("--trust", metavar="NAME", help="A field manager that may write what it likes; `*` is any."),
        ] = None,
        watch: Annotated[
            int | None,
            typer.Option(
                "--watch",
                metavar="SECONDS",
                min=1,
                help="Look again each so many seconds, and tell what changed.",
                show_default=False,
            ),
        ] = None,
        record: Annotated[
            bool, typer.Option("--record", help="Keep in the history what differs, and since when; pages show it.")
        ] = False,
        adopt: Annotated[
            str | None,
            typer.Option(
                "--adopt",
                metavar="KIND/NAME",
                help="Edit the overlay so that it says what is live; proven by compiling.",
                show_default=False,
            ),
        ] = None,
        output_format: Annotated[
            Literal["text", "json", "markdown", "sarif"],
            typer.Option("--format", "-o", metavar="text|json|markdown|sarif", help="How to print."),
        ] = "text",
    ) -> int:
        """Compare compiled environments with their clusters, field by field; exit 16 when they differ.

        Defaults that the server fills in, amounts written otherwise, what an autoscaler decides and what
        `ignoreDifferences` names are no drift. Each difference names who wrote it, and the line that wants otherwise.
        """
        from envcompile.actions.drift import Wanted, find_all

        wanted = Wanted(kube_context, method, everything, tuple(managers or ()), tuple(trusted or ()))
        with project_of(context) as project:
            names = project.choose(environments or ())
            if adopt is not None:
                return _adopt(project, names, adopt, wanted)
            if watch is not None:
                return _watch(project, names, wanted, watch, output_format, record=record)
            found = find_all(project, names, wanted)
            _print(found, output_format)
            if record:
                _record(project, found)
        return _exit_code(found)


def _print(found: Sequence[EnvironmentDrift], output_format: str) -> None:
    from envcompile.cli.output import answer, raw, table, tell
    from envcompile.cli.render.drift import as_data, as_markdown, as_sarif, as_text

    match output_format:
        case "json":
            answer(environments=as_data(found))
        case "markdown":
            raw("".join(f"{line}\n" for line in as_markdown(found)))
        case "sarif":
            from envcompile import __version__

            raw(as_sarif(found, __version__))
        case _:
            table(as_text(found))
    if output_format != "json":
        for drift in found:
            for remark in drift.remarks:
                tell(f"{drift.environment}: {remark}")


def _record(project: Project, found: Sequence[EnvironmentDrift]) -> None:
    """Keep what was found in the history."""
    import time

    from envcompile.actions.drift_record import record_drift
    from envcompile.cli.output import tell

    noted = record_drift(project.root, found, int(time.time()))
    tell(f"recorded: {noted.new} new, {noted.gone} gone")


def _watch(
    project: Project, names: Sequence[str], wanted: Wanted, seconds: int, output_format: str, *, record: bool
) -> int:
    """Look again and again until somebody interrupts; what is as it was is not told anew."""
    from envcompile.actions.drift import find_all
    from envcompile.cli.output import tell
    from envcompile.errors import UnavailableError
    from envcompile.units.project import Project

    before: list[EnvironmentDrift] | None = None
    while True:
        try:
            found = find_all(project, names, wanted)
        except UnavailableError as error:
            if before is None:
                raise
            for problem in error.problems:
                tell(str(problem))
        else:
            if before is None or [one.objects for one in found] != [one.objects for one in before]:
                _print(found, output_format)
            if record:
                _record(project, found)
            before = found
        _pause(seconds)
        project = Project.open(project.root)


def _pause(seconds: float) -> None:
    """Do nothing for some seconds."""
    import time

    time.sleep(seconds)


def _adopt(project: Project, names: Sequence[str], resource: str, wanted: Wanted) -> int:
    """Write what is live of one resource into the overlay of one environment."""
    from envcompile.actions.drift import connect
    from envcompile.cli.output import tell
    from envcompile.errors import EXIT_OK, Problem, UsageError
    from envcompile.revert.adopt_live import adopt_live
    from envcompile.revert.plan import write_edits

    if len(names) != 1:
        raise UsageError([
            Problem("--adopt needs one environment", f"name it: envc drift {names[0]} --adopt {resource}")
        ])
    with connect(project, names[0], wanted.context) as cluster:
        adoption = adopt_live(project, names[0], cluster, wanted, resource)
    for field, why in adoption.left:
        tell(f"warning: {field} was not adopted: {why}")
    if not adoption.edits:
        tell(f"{names[0]} already says what is live of {resource}" if not adoption.left else "nothing is edited")
        return EXIT_OK
    for path in write_edits(project.root, adoption.edits):
        tell(f"{path} is edited")
    tell(f"proven by compiling: {names[0]} says what is live; `envc build {names[0]}` writes the result")
    return EXIT_OK


def _exit_code(found: Sequence[EnvironmentDrift]) -> int:
    from envcompile.errors import EXIT_DIFFERENT, EXIT_OK

    return EXIT_DIFFERENT if any(drift.objects for drift in found) else EXIT_OK

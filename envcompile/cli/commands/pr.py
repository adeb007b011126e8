"""`envc pr comment`: what a pull request does to the compiled environments, written where it is reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from envcompile.cli.arguments import Envs, make_group
from envcompile.cli.load_options import PrometheusUrl, Recorded, SinceTime, WatchedCluster

EPILOG = """Examples:

  envc pr comment                  in a job of GitHub Actions or GitLab CI

  envc pr comment --dry-run        print it here; needs neither host nor token
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = make_group("pr", "Say in a pull request what it does to the compiled environments.")

    @group.command("comment", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        source: Annotated[
            str | None,
            typer.Option(
                "--from",
                metavar="REV",
                help="Compare with this; default: where the pull request began.",
                show_default=False,
            ),
        ] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the comments; send nothing.")] = False,
        output: Annotated[
            Path | None,
            typer.Option("--output", metavar="FILE", help="Write the whole there, too.", show_default=False),
        ] = None,
        key: Annotated[
            str, typer.Option("--key", metavar="NAME", help="Tells several projects' comments apart.")
        ] = "envc",
        limit: Annotated[
            int | None,
            typer.Option(
                "--limit", metavar="BYTES", min=5000, help="Of one comment; default: the host's.", show_default=False
            ),
        ] = None,
        most: Annotated[int, typer.Option("--max-parts", metavar="N", min=1, help="How many comments at most.")] = 5,
        author: Annotated[
            str | None,
            typer.Option(
                "--author",
                metavar="LOGIN",
                help="Whose comments are updated on GitHub; default: the token's owner's.",
                show_default=False,
            ),
        ] = None,
        fail_on: Annotated[
            list[str] | None,
            typer.Option(
                "--fail-on-env",
                metavar="ENV",
                help="Exit 16 when this environment differs.",
            ),
        ] = None,
        prometheus: PrometheusUrl = None,
        recorded: Recorded = False,
        cluster: WatchedCluster = None,
        since: SinceTime = "14d",
        trusted: Annotated[
            bool, typer.Option("--trusted", help="The change's own `limits` count, not those of where it began.")
        ] = False,
    ) -> int:
        """Write or update the comment that shows what the change does to each environment.

        GitHub needs GITHUB_TOKEN with `pull-requests: write`, GitLab needs GITLAB_TOKEN with the scope `api`. Only own
        comments are changed. Nothing is written when nothing differs. The change is not trusted: where it does not
        compile, or takes more than it may, the comment says so. With --recorded or --prometheus it says what changed
        autoscalers would have done with the load of the last days.
        """
        import gc
        import os
        from datetime import UTC, datetime

        from envcompile.actions.review import RecordedLoads, post, review
        from envcompile.cli.output import tell, text
        from envcompile.cli.render.diff import exit_code
        from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, Problem, UsageError
        from envcompile.files import write_output
        from envcompile.forge.job import find_job
        from envcompile.limits import limits_for

        # One short run allocates much and frees little: the collector would only look for cycles that are not there.
        gc.disable()
        job = find_job(os.environ)
        if job is None and not dry_run:
            what = "this is no job of a pull request in GitHub Actions or GitLab CI"
            raise UsageError([Problem(what, "print the comment with --dry-run")])
        limits = limits_for(os.environ, is_trusted=trusted)
        now = datetime.now(UTC)
        loads = None
        if prometheus is not None or recorded:
            from envcompile.actions.loads import load_source

            source_of = load_source(
                file=None,
                prometheus=prometheus,
                is_recorded=recorded,
                folder=context.obj.project,
                cluster=cluster,
                queries={},
                since=since,
                now=now,
            )
            loads = RecordedLoads(source_of, since)
        written = review(
            context.obj.project,
            environments or (),
            source=source,
            key=key,
            job=job,
            limit=limit,
            most=most,
            limits=limits,
            day=now.date(),
            loads=loads,
        )
        if output is not None:
            write_output(output, written.whole.encode(), context.obj.project)
        if dry_run:
            text("\n".join(written.parts))
            if not written.parts:
                tell("nothing differs: there would be no comment")
        elif job is not None:
            tell(post(written, job, author=author))
        failed = written.difference.failed
        if failed and fail_on:
            tell(f"{', '.join(name or 'the project' for name in failed)} could not be compared: the comment says why")
            if not all(failed) or {*failed} & {*fail_on}:
                return EXIT_DIFFERENT
        return exit_code(written.difference.environments, fail_on) if fail_on else EXIT_OK

    app.add_typer(group)

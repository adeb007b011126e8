"""The commands of `envc history` that take back, export, prune, upgrade and examine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from envcompile.cli.arguments import Env, Format, history_of
from envcompile.cli.order import environment_first
from envcompile.cli.output import answer, raw, table, tell
from envcompile.cli.render.recording import counted

if TYPE_CHECKING:
    from envcompile.actions.past import Past
    from envcompile.history.retention import Pruned


def add_maintenance(group: typer.Typer) -> None:
    """Add the commands that take back, export, prune, upgrade and examine."""

    @group.command("restore", epilog="Example: envc history restore prod HEAD~3 --as-overlay")
    def restore_command(
        context: typer.Context,
        environment: Env,
        revision: Annotated[str, typer.Argument(metavar="REV", help="A recorded commit.")],
        *,
        as_output: Annotated[
            bool,
            typer.Option("--as-output", help="Into environments/ENV; the sources stay as they are. The default."),
        ] = False,
        as_overlay: Annotated[
            bool,
            typer.Option("--as-overlay", help="Into overlays/ENV, so that ENV compiles to it; base stays as it is."),
        ] = False,
        only: Annotated[
            str | None,
            typer.Option(
                "--only",
                metavar="KIND/NAME",
                help="Take back one resource only.",
                show_default=False,
            ),
        ] = None,
        output_format: Format = "text",
    ) -> None:
        """Take an environment back to exactly what was recorded, ready to be committed."""
        from envcompile.errors import Problem, UsageError

        if as_output and as_overlay:
            raise UsageError([
                Problem("a restoration goes into the output or into the overlay", "name one of the two options")
            ])
        with history_of(context) as past:
            environment, revision = environment_first(past, "restore", environment, revision)
            restored = restore(past, context.obj.project, environment, revision, only or "", as_overlay=as_overlay)
        if output_format == "json":
            answer(environment=restored.environment, commit=restored.commit, files=restored.files)
        elif as_overlay:
            table(restored.files)
        for line in restored.words:
            tell(line)

    @group.command("export", epilog="Example: envc history export --format parquet -o history.parquet")
    def export_command(
        context: typer.Context,
        *,
        output_format: Annotated[
            Literal["jsonl", "parquet"],
            typer.Option("--format", metavar="jsonl|parquet", help="Lines of JSON, or a Parquet file."),
        ] = "jsonl",
        output: Annotated[
            Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: standard output.")
        ] = None,
        since: Annotated[
            str | None, typer.Option("--since", metavar="REV", help="Leave out what this commit reaches.")
        ] = None,
    ) -> None:
        """Give every recorded revision with what it changed and the contents, for a data warehouse."""
        with history_of(context) as past:
            export(past, output_format, output, since)

    @group.command("prune", epilog="Example: envc history prune --older-than 365d --keep-last 100 --dry-run")
    def prune_command(
        context: typer.Context,
        *,
        older_than: Annotated[
            str | None, typer.Option("--older-than", metavar="DAYS", help="What was committed longer ago, such as 90d.")
        ] = None,
        keep_last: Annotated[
            int | None,
            typer.Option("--keep-last", metavar="N", min=1, help="All but the N newest of each environment."),
        ] = None,
        unreachable: Annotated[
            bool,
            typer.Option("--unreachable", help="Only what no branch and no tag reaches: amended or rebased away."),
        ] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
        output_format: Format = "text",
    ) -> None:
        """Let old revisions go for good, and give the space back; what stays is not touched.

        Of several rules all must allow it. What a branch or a tag points to stays, as does the newest revision of
        every environment. A pruned commit counts as recorded: no import brings it back.
        """
        with history_of(context) as past:
            done = prune(past, older_than, keep_last, unreachable=unreachable, dry_run=dry_run)
        if output_format == "json":
            answer(dryRun=dry_run, **done._asdict())

    @group.command("upgrade", epilog="Example: envc history upgrade")
    def upgrade_command(context: typer.Context, *, output_format: Format = "text") -> None:
        """Bring the tables of the history database to the version that this envc writes."""
        from envcompile.actions.db import upgrade

        before, now = upgrade(context.obj.project)
        if output_format == "json":
            answer(before=before, now=now)
        tell(f"the history database has version {now}" + (f", it had {before}" if before < now else ""))

    @group.command("doctor", epilog="Example: envc history doctor")
    def doctor_command(context: typer.Context, *, output_format: Format = "text") -> int:
        """Verify all digests, and find commits that are not recorded; exit 1 when something is wrong."""
        from envcompile.actions.doctor import examine
        from envcompile.cli.render.recording import print_examined

        with history_of(context) as past:
            return print_examined(examine(past), as_json=output_format == "json")


def prune(past: Past, older_than: str | None, keep_last: int | None, *, unreachable: bool, dry_run: bool) -> Pruned:
    """Let old revisions go, and tell what went.

    Raises:
        UsageError: no rule is given, or one cannot be read.
        UnavailableError: the database does not answer.
    """
    from envcompile.actions.prune import prune_history
    from envcompile.cli.arguments import days_of

    done, left = prune_history(past, days=days_of(older_than), keep=keep_last, unreachable=unreachable, dry_run=dry_run)
    if not done.commits:
        tell("nothing to prune")
        return done
    what = f"{counted(done.revisions, 'revision')}, {counted(done.contents, 'content')} of {_size(done.bytes)}"
    tell(f"{counted(done.commits, 'commit')} {'would be ' if dry_run else ''}pruned: {what}")
    if done.completed:
        tell(f"{counted(done.completed, 'revision')} {'would hold' if dry_run else 'now hold'} all themselves")
    if left:
        tell(f"the space is not given back yet: {left}")
    return done


def export(past: Past, output_format: Literal["jsonl", "parquet"], output: Path | None, since: str | None) -> None:
    """Print or write the whole history, or what a commit does not reach.

    Raises:
        UsageError: an unknown revision, or Parquet without a file.
        UnavailableError: the file cannot be written.
    """
    from envcompile.errors import Problem, UsageError
    from envcompile.files import refuse_planted
    from envcompile.history.export import lines, revisions, write_lines, write_parquet

    leave_out = {*past.repository.walk([past.repository.resolve(since)])} if since is not None else set()
    rows = revisions(past.store, leave_out)
    if output is not None:
        refuse_planted(output, past.repository.folder)
        if output_format == "parquet":
            tell(f"{output}: {counted(write_parquet(output, rows), 'row')}")
        else:
            tell(f"{output}: {counted(write_lines(output, rows), 'line')}")
    elif output_format == "parquet":
        raise UsageError([Problem("a Parquet file is not for a terminal", "name a file: -o history.parquet")])
    else:
        for line in lines(rows):
            raw(f"{line}\n")


def _size(count: int) -> str:
    """Bytes as people read them."""
    return f"{count} bytes" if count < 10_000 else f"{count / 1e3:.0f} kB" if count < 1e7 else f"{count / 1e6:.0f} MB"


class Restored(NamedTuple):
    """What a restoration wrote or removed, below the root, and what people are told of it."""

    environment: str
    commit: str
    files: list[str]
    words: tuple[str, ...]


def restore(past: Past, folder: Path, environment: str, revision: str, only: str, *, as_overlay: bool) -> Restored:
    """Take an environment, or one resource of it, back: in its output, or in its overlay.

    Raises:
        UsageError: no such environment, revision or resource.
        EnvcError: files in the folder are not envc's; or no change of the overlay leads there.
    """
    from envcompile.actions.past import revision_of
    from envcompile.revert.plan import plan_restoration, restore_output, write_restoration
    from envcompile.units.project import Project

    project = Project.open(folder)
    found = revision_of(past, environment, revision)
    what = f"{only} of {environment}" if only else environment
    at = found.commit[:12]
    if as_overlay:
        files = list(write_restoration(project, plan_restoration(past, project, found, only)))
        words = (
            f"{what} compiles to what it was at {at}: {counted(len(files), 'file')} changed",
            f"hint: envc build {environment} && git add overlays/{environment} environments/{environment}",
        )
        return Restored(environment, found.commit, files, words if files else (f"{what} is as at {at} already",))
    changed = list(restore_output(past, project.root, found, only, layout=project.settings.layout))
    target = f"{only} in environments/{environment}" if only else f"environments/{environment}"
    words = (
        f"{target} is as at {at}: {counted(len(changed), 'file')} changed",
        (
            "hint: the next build writes what the sources say; to stay there, take them back too: "
            f"envc history restore {environment} {at} --as-overlay"
        ),
    )
    return Restored(environment, found.commit, changed, words)

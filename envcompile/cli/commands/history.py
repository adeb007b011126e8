"""`envc history`: what every environment was at every commit, and who changed what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from envcompile.cli.commands.history_maintenance import add_upkeep
from envcompile.cli.render.history import (
    Env,
    Format,
    counted,
    entry_data,
    entry_line,
    history_of,
    print_blame,
    print_revision,
    show_json,
)

Rev = Annotated[str, typer.Argument(metavar="[REV]", help="A commit.")]
Only = Annotated[
    str | None, typer.Argument(metavar="[KIND/NAME]", help="One resource; default: all.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        name="history",
        help="What every environment was at every commit, and who changed what.",
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    _add_recording(group)
    _add_questions(group)
    _add_searches(group)
    add_upkeep(group)
    app.add_typer(group)


def _add_recording(group: typer.Typer) -> None:
    @group.command("record", epilog="Example: envc history record --commit HEAD")
    def record_command(
        context: typer.Context,
        *,
        commits: Annotated[
            list[str] | None,
            typer.Option("--commit", metavar="REV", help="Record this commit; can be repeated. Default: HEAD."),
        ] = None,
        waiting: Annotated[
            bool, typer.Option("--waiting", help="Record only the commits that wait in .envc/spool.")
        ] = False,
        detach: Annotated[
            bool, typer.Option("--detach", help="Return at once; the work is done by a process of its own.")
        ] = False,
    ) -> None:
        """Record commits, those that wait, and those between them and what is recorded already.

        Each is compiled from its own tree, never from the working tree. When the database is away, the commits
        wait in .envc/spool and are recorded later, in order.
        """
        from envcompile.cli.commands.recording import record_commits
        from envcompile.cli.output import tell

        said = record_commits(context.obj.project, [] if waiting else commits or ["HEAD"], detach=detach)
        if said:
            tell(said)

    @group.command("import", epilog="Example: envc history import --all")
    def import_command(
        context: typer.Context,
        revisions: Annotated[
            list[str] | None,
            typer.Argument(metavar="[REV]...", help="Where to start; default: HEAD.", show_default=False),
        ] = None,
        *,
        every: Annotated[bool, typer.Option("--all", help="Everything that branches and tags reach.")] = False,
    ) -> None:
        """Record the past: every commit that a revision reaches. What is recorded already is passed over."""
        from envcompile.cli.commands.recording import import_commits
        from envcompile.cli.output import tell

        tell(import_commits(context.obj.project, revisions or ["HEAD"], every=every))

    @group.command("sync", epilog="Example: envc history sync")
    def sync_command(context: typer.Context) -> None:
        """Record what waits, and all that the checked-out branch, and the one it tracks, reach and that is missing."""
        from envcompile.cli.commands.recording import sync_history
        from envcompile.cli.output import tell

        tell(sync_history(context.obj.project))

    @group.command("rebuild", epilog="Example: envc history rebuild --check")
    def rebuild_command(
        context: typer.Context,
        *,
        check: Annotated[bool, typer.Option("--check", help="Compare only; exit 16 when something differs.")] = False,
    ) -> int:
        """Compile every recorded commit again, and put what it comes to in the place of what is recorded."""
        from envcompile.cli.commands.recording import rebuild_history
        from envcompile.cli.output import tell

        said, code = rebuild_history(context.obj.project, check=check)
        tell(said)
        return code


def _add_questions(group: typer.Typer) -> None:
    @group.command("log", epilog="Example: envc history log prod")
    def log_command(
        context: typer.Context,
        environment: Env,
        revision: Rev = "HEAD",
        *,
        every: Annotated[
            bool, typer.Option("--all", help="Everything recorded, also commits that were amended or rebased away.")
        ] = False,
        most: Annotated[int | None, typer.Option("-n", "--max-count", min=1, help="Only the newest.")] = None,
        output_format: Format = "text",
    ) -> None:
        """List the recorded revisions of an environment in git's order, with the number of changed resources."""
        from envcompile.actions.past import log, missing
        from envcompile.actions.prune import pruned_below
        from envcompile.cli.output import data, tell

        with history_of(context) as past:
            entries = log(past, environment, start=revision, every=every)[:most]
            if not show_json([entry_data(entry) for entry in entries], output_format):
                for entry in entries:
                    data(entry_line(entry))
            left = 0 if every else missing(past, revision)
            gone = 0 if every else pruned_below(past, revision)
            if gone:
                tell(f"{counted(gone, 'commit')} pruned: what they compiled to is not kept any more")
            if left:
                tell(f"{counted(left, 'commit')} not recorded: `envc history import` records what is missing")

    @group.command("show", epilog="Example: envc history show prod HEAD~3 deployment/user-service")
    def show_command(
        context: typer.Context,
        environment: Env,
        revision: Rev = "HEAD",
        only: Only = None,
        *,
        output_format: Format = "text",
    ) -> None:
        """Show a revision: its commit and what it changed; with KIND/NAME the resource as it was."""
        from envcompile.actions.past import resources_at, revision_of

        with history_of(context) as past:
            found = revision_of(past, environment, revision)
            if only is not None:
                _print_resources(resources_at(past, found, only), output_format)
            else:
                print_revision(past, found, output_format)

    @group.command("at", epilog="Example: envc history at 2026-11-23T14:30 prod deployment/user-service")
    def at_command(
        context: typer.Context,
        time: Annotated[str, typer.Argument(metavar="TIME", help="Such as 2026-11-23T14:30, in local time.")],
        environment: Env,
        only: Only = None,
        *,
        output_format: Format = "text",
    ) -> None:
        """Print the resources that an environment had at a time, by the branch that is checked out."""
        from envcompile.actions.past import resources_at, revision_at

        with history_of(context) as past:
            _print_resources(resources_at(past, revision_at(past, environment, time), only or ""), output_format)

    @group.command("diff", epilog="Example: envc history diff v1.4.0 v1.5.0 prod")
    def diff_command(
        context: typer.Context,
        older: Annotated[str, typer.Argument(metavar="REV", help="The older commit.")],
        newer: Annotated[str, typer.Argument(metavar="REV", help="The newer commit.")],
        environments: Annotated[
            list[str] | None,
            typer.Argument(metavar="[ENV]...", help="Default: all that both have.", show_default=False),
        ] = None,
        *,
        output_format: Annotated[
            str, typer.Option("--format", metavar="terminal|unified|json|markdown", help="How to print.")
        ] = "terminal",
    ) -> int:
        """Compare what two recorded commits compiled to; exit 16 when they differ. Secrets are never shown."""
        from envcompile.actions.past import compare, revision_of
        from envcompile.cli.options import check_format
        from envcompile.cli.render.diff import FORMATS, exit_code, print_difference

        check_format(output_format, *FORMATS)
        with history_of(context) as past:
            names = (
                environments
                or sorted(
                    past.store.revisions_of(past.repository.resolve(older)).keys()
                    & past.store.revisions_of(past.repository.resolve(newer)).keys()
                )
                or past.store.environments()
            )
            found = [
                compare(past, name, revision_of(past, name, older), revision_of(past, name, newer)) for name in names
            ]
        print_difference(found, output_format, side_by_side=False)
        return exit_code(found, ())


def _add_searches(group: typer.Typer) -> None:
    @group.command("blame", epilog="Example: envc history blame prod deployment/user-service spec.replicas")
    def blame_command(
        context: typer.Context,
        environment: Env,
        resource: Annotated[str, typer.Argument(metavar="KIND/NAME", help="The resource.")],
        field: Annotated[
            str | None,
            typer.Argument(
                metavar="[FIELD]",
                help="A field or a part, or FIELD#KEY for a key of a file in it; default: all.",
                show_default=False,
            ),
        ] = None,
        *,
        revision: Annotated[str, typer.Option("--at", metavar="REV", help="As of this commit.")] = "HEAD",
        output_format: Format = "text",
    ) -> None:
        """Say for each field who last changed it, when, in which commit, from which value, and where it is written."""
        from envcompile.actions.blame import blame_fields

        with history_of(context) as past:
            identity, found = blame_fields(past, environment, resource, field or "", revision)
            print_blame(past, identity, found, output_format)

    @group.command("find", epilog="Example: envc history find 'image=*:v1.2*' --at 2026-11-23")
    def find_command(
        context: typer.Context,
        pattern: Annotated[
            str, typer.Argument(metavar="FIELD=PATTERN", help="* stands for any text, ? for a character.")
        ],
        environments: Annotated[
            list[str] | None, typer.Argument(metavar="[ENV]...", help="Default: all.", show_default=False)
        ] = None,
        *,
        time: Annotated[str | None, typer.Option("--at", metavar="TIME", help="At this time; default: now.")] = None,
        output_format: Format = "text",
    ) -> None:
        """Find the resources with a field of this value. FIELD is its name, or its whole path. Secrets are left out."""
        import json

        from envcompile.actions.past import find, revision_at, revision_of
        from envcompile.cli.output import data
        from envcompile.errors import UsageError

        with history_of(context) as past:
            revisions = []
            for name in environments or past.store.environments():
                try:
                    revisions.append(revision_at(past, name, time) if time else revision_of(past, name, "HEAD"))
                except UsageError:
                    # An environment that was not there at that time has nothing to be found, unless it was asked for.
                    if environments or past.repository.resolve("HEAD") not in past.store.known():
                        raise
            found = list(find(past, pattern, revisions))
        rows = [{**item._asdict(), "resource": item.resource._asdict()} for item in found]
        if not show_json(rows, output_format):
            for item in found:
                value = json.dumps(item.value, ensure_ascii=False)
                data(f"{item.environment}: {item.resource.short} {item.field} = {value}")

    @group.command("stats", epilog="Example: envc history stats")
    def stats_command(context: typer.Context, *, output_format: Format = "text") -> None:
        """Say how much is recorded, and what changes most."""
        from envcompile.cli.output import data
        from envcompile.history.stats import busiest, sizes

        with history_of(context) as past:
            figures, most = sizes(past.store.database), busiest(past.store.database, 5)
        if show_json({"sizes": figures, "most": {name: dict(rows) for name, rows in most.items()}}, output_format):
            return
        for name, count in figures.items():
            data(f"{name:<15} {count:>10}")
        for name, rows in most.items():
            if rows:
                data(f"\nmost {'commits: ' if name == 'authors' else 'changes: '}{name}")
            for text, count in rows:
                data(f"  {count:>6}  {text}")


def _print_resources(resources: list[Any], output_format: str) -> None:
    from envcompile.ask.redact import redacted, shown
    from envcompile.cli.output import raw
    from envcompile.yamlio import dump

    # A Secret in clear is shown without its values; sealed ones are as public as the repository.
    values = [shown(redacted(item.id, item.value)) if item.id.kind == "Secret" else item.value for item in resources]
    if not show_json(values, output_format):
        raw("".join(f"---\n{dump(value)}" for value in values))

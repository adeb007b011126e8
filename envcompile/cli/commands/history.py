"""`envc history`: what every environment was at every commit, and who changed what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from envcompile.cli.arguments import (
    TERMINAL,
    DiffFormat,
    Env,
    Format,
    ManifestFormats,
    OneResource,
    Resource,
    TextOrJson,
    history_of,
    make_group,
    project_of,
    takes,
    wants_manifest,
)
from envcompile.cli.commands.history_delivery import add_delivery
from envcompile.cli.commands.history_maintenance import add_maintenance
from envcompile.cli.flags import RecordOptions
from envcompile.cli.order import environment_first, environments_first
from envcompile.cli.output import answer, data, document, raw, table, tell
from envcompile.cli.render.history import entry_data, entry_line, print_blame, print_revision
from envcompile.cli.render.recording import (
    answer_recorded,
    counted,
    in_words,
    rebuilt_in_words,
    record_and_tell,
    tell_telling,
)

Rev = Annotated[str, typer.Argument(metavar="[REV]", help="A commit.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = make_group("history", "What every environment was at every commit, and who changed what.")
    _add_recording(group)
    _add_questions(group)
    _add_searches(group)
    add_delivery(group)
    add_maintenance(group)
    app.add_typer(group)


def _add_recording(group: typer.Typer) -> None:
    @group.command("record", epilog="Example: envc history record --commit HEAD")
    @takes(RecordOptions)
    def record_command(context: typer.Context, *, options: RecordOptions) -> int:
        """Record commits, those that wait, and those between them and what is recorded already.

        Each is compiled from its own tree, never from the working tree. When the database is away, the commits
        wait in .envc/spool and are recorded later, in order.
        """
        return record_and_tell(context.obj.project, options)

    @group.command("import", epilog="Example: envc history import --all")
    def import_command(
        context: typer.Context,
        revisions: Annotated[
            list[str] | None,
            typer.Argument(metavar="[REV]...", help="Where to start; default: HEAD.", show_default=False),
        ] = None,
        *,
        every: Annotated[bool, typer.Option("--all", help="Everything that branches and tags reach.")] = False,
        output_format: Format = "text",
    ) -> None:
        """Record the past: every commit that a revision reaches. What is recorded already is passed over."""
        from envcompile.actions.record_commits import import_commits

        count, found = import_commits(context.obj.project, revisions or ["HEAD"], every=every)
        if output_format == "json":
            answer_recorded(found)
        tell(in_words(found) if found is not None else f"all {count} commits are recorded")

    @group.command("sync", epilog="Example: envc history sync")
    def sync_command(context: typer.Context, *, output_format: Format = "text") -> None:
        """Record what waits, and all that the checked-out branch, and the one it tracks, reach and that is missing."""
        from envcompile.actions.record_commits import synchronise_commits

        done = synchronise_commits(context.obj.project)
        tell_telling(done.telling)
        found = done.recorded
        if output_format == "json":
            answer_recorded(found, done.telling)
        tell(in_words(found) if found is not None and (found.new or found.gone) else "nothing is missing")

    @group.command("rebuild", epilog="Example: envc history rebuild --check")
    def rebuild_command(
        context: typer.Context,
        *,
        check: Annotated[bool, typer.Option("--check", help="Compare only; exit 16 when something differs.")] = False,
        output_format: Format = "text",
    ) -> int:
        """Compile every recorded commit again, and put what it comes to in the place of what is recorded."""
        from envcompile.actions.synchronise import rebuild

        with history_of(context) as past:
            found = rebuild(past, check=check)
        said, code = rebuilt_in_words(found, check=check)
        if output_format == "json":
            answer(compiled=found.compiled, carried=found.carried, differing=list(found.differing), replaced=not check)
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

        with history_of(context) as past:
            environment, revision = environment_first(past, "log", environment, revision)
            entries = log(past, environment, start=revision, every=every)[:most]
            if output_format == "json":
                answer(revisions=[entry_data(entry) for entry in entries])
            else:
                table(map(entry_line, entries))
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
        only: OneResource = None,
        *,
        output_format: Format = "text",
    ) -> None:
        """Show a revision: its commit and what it changed; with KIND/NAME the resource as it was."""
        from envcompile.actions.past import resources_at, revision_of

        with history_of(context) as past:
            environment, revision = environment_first(past, "show", environment, revision)
            found = revision_of(past, environment, revision)
            if only is not None:
                _print_resources(resources_at(past, found, only), output_format)
            else:
                print_revision(past, found, output_format)

    @group.command("at", epilog="Example: envc history at prod 2026-11-23T14:30 deployment/user-service")
    def at_command(
        context: typer.Context,
        environment: Env,
        time: Annotated[str, typer.Argument(metavar="TIME", help="Such as 2026-11-23T14:30, in local time.")],
        only: OneResource = None,
        *,
        output_format: Format = "text",
    ) -> None:
        """Print the resources that an environment had at a time, by the branch that is checked out."""
        from envcompile.actions.past import resources_at, revision_at

        with history_of(context) as past:
            environment, time = environment_first(past, "at", environment, time)
            _print_resources(resources_at(past, revision_at(past, environment, time), only or ""), output_format)

    @group.command("diff", epilog="Example: envc history diff prod v1.4.0 v1.5.0")
    def diff_command(
        context: typer.Context,
        words: Annotated[
            list[str],
            typer.Argument(
                metavar="[ENV]... REV REV",
                help="Environments, default: all that both have; the older commit, the newer one.",
            ),
        ],
        *,
        output_format: DiffFormat = TERMINAL,
    ) -> int:
        """Compare what two recorded commits compiled to; exit 16 when they differ. Secrets are never shown."""
        from envcompile.actions.past import compare, revision_of
        from envcompile.cli.render.diff import exit_code, print_difference

        with history_of(context) as past:
            environments, older, newer = environments_first(past, words)
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
        resource: Resource,
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
        yaml: Annotated[
            bool, typer.Option("--yaml", help="The compiled manifest with place, commit, day and name of each line.")
        ] = False,
        output_format: Annotated[
            ManifestFormats,
            typer.Option("--format", "-o", metavar="text|json|html", help="How to print; html only with --yaml."),
        ] = "text",
    ) -> None:
        """Say for each field who last changed it, when, in which commit, from which value, and where it is written."""
        from envcompile.actions.blame import blame_fields

        if wants_manifest(output_format, field, yaml=yaml):
            from envcompile.actions.annotated import annotated_at
            from envcompile.cli.render.manifest import print_manifest

            with history_of(context) as past, project_of(context) as project:
                blamed = annotated_at(project, past, environment, resource, revision)
            print_manifest(blamed, output_format, with_commits=True)
            return
        with history_of(context) as past:
            identity, found = blame_fields(past, environment, resource, field or "", revision)
            print_blame(past, identity, found, as_json=output_format == "json")

    @group.command("find", epilog="Example: envc history find prod 'image=*:v1.2*' --at 2026-11-23")
    def find_command(
        context: typer.Context,
        words: Annotated[
            list[str],
            typer.Argument(
                metavar="[ENV]... FIELD=PATTERN",
                help="Environments, default: all; * stands for any text, ? for a character.",
            ),
        ],
        *,
        time: Annotated[str | None, typer.Option("--at", metavar="TIME", help="At this time; default: now.")] = None,
        output_format: Format = "text",
    ) -> None:
        """Find the resources with a field of this value. FIELD is its name, or its whole path. Secrets are left out."""
        import json

        from envcompile.actions.past import find, revision_at, revision_of
        from envcompile.errors import UsageError

        # No environment has a `=` in its name, so the pattern is known wherever it stands.
        pattern = next((word for word in words if "=" in word), words[-1])
        environments = [word for word in words if word is not pattern]
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
        if output_format == "json":
            answer(found=[{**item._asdict(), "resource": item.resource._asdict()} for item in found])
            return
        for item in found:
            value = json.dumps(item.value, ensure_ascii=False)
            data(f"{item.environment}: {item.resource.short} {item.field} = {value}")


def _print_resources(resources: list[Any], output_format: TextOrJson) -> None:
    from envcompile.ask.redact import redacted, shown
    from envcompile.yamlio import dump

    # A Secret in clear is shown without its values; sealed ones are as public as the repository.
    values = [shown(redacted(item.id, item.value)) if item.id.kind == "Secret" else item.value for item in resources]
    if output_format == "json":
        document(values)
    else:
        raw("".join(f"---\n{dump(value)}" for value in values))

"""`envc db`: size, retention and health of the history database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Format, make_group
from envcompile.cli.output import answer, data, table, tell
from envcompile.errors import EXIT_OK, EXIT_WRONG

if TYPE_CHECKING:
    from envcompile.actions.db import Status

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = make_group("db", "The history database: its size, what is kept how long, and whether it is whole.")
    _add_status(group)
    _add_gc(group)
    app.add_typer(group)


def _add_status(group: typer.Typer) -> None:
    @group.command("status", epilog="Example: envc db status")
    def status_command(context: typer.Context, *, output_format: Format = "text") -> None:
        """Say how large the database is, how it is kept, and how long what stays."""
        from envcompile.actions.db import status

        found = status(context.obj.project)
        if output_format == "json":
            answer(
                database=found.name,
                version=found.version,
                newest=found.newest,
                layout=found.layout,
                onDisk=found.size,
                tables=[one._asdict() for one in found.tables],
                clusters=[{"name": one.name, "server": one.server} for one in found.clusters],
                retention=_camel(found.retention._asdict()),
            )
        else:
            table(_lines(found))

    @group.command("upgrade", epilog="Example: envc db upgrade")
    def upgrade_command(context: typer.Context, *, output_format: Format = "text") -> None:
        """Bring the tables of the history database to the version that this envc writes."""
        from envcompile.actions.db import upgrade

        before, now = upgrade(context.obj.project)
        if output_format == "json":
            answer(before=before, now=now)
        tell(f"the tables have version {now} already" if before == now else f"from version {before or 'none'} to {now}")

    @group.command("doctor", epilog="Example: envc db doctor")
    def doctor_command(context: typer.Context, *, output_format: Format = "text") -> int:
        """Look at every row that is kept of clusters; exit 1 when something is wrong."""
        from envcompile.actions.db import doctor

        found = doctor(context.obj.project)
        if output_format == "json":
            answer(objects=found.objects, versions=found.versions, contents=found.contents, damage=list(found.damage))
        else:
            data(f"{found.objects} objects, {found.versions} versions and {found.contents} contents verified")
            table(found.damage)
        return EXIT_WRONG if found.damage else EXIT_OK


def _add_gc(group: typer.Typer) -> None:
    @group.command("gc", epilog="Example: envc db gc --events 30 --dry-run")
    def gc_command(
        context: typer.Context,
        *,
        usage: Annotated[
            int, typer.Option("--usage", metavar="DAYS", min=1, help="Days that raw figures of usage stay.")
        ] = 14,
        usage_5m: Annotated[
            int, typer.Option("--usage-5m", metavar="DAYS", min=1, help="Days that figures for 5 minutes stay.")
        ] = 90,
        usage_1h: Annotated[
            int, typer.Option("--usage-1h", metavar="DAYS", min=1, help="Days that figures for an hour stay.")
        ] = 730,
        events: Annotated[int, typer.Option("--events", metavar="DAYS", min=1, help="Days that events stay.")] = 90,
        versions: Annotated[
            int, typer.Option("--versions", metavar="DAYS", min=1, help="Days that versions that hold no more stay.")
        ] = 90,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
        output_format: Format = "text",
    ) -> None:
        """Let go what is older than it is kept; what is there now stays, and so does all that git's commits gave.

        A watcher does the same by itself each hour, with the defaults.
        """
        from envcompile.actions.db import gc
        from envcompile.history.livegc import Retention

        found, problem = gc(
            context.obj.project, Retention(usage, usage_5m, usage_1h, events, versions), dry_run=dry_run
        )
        if output_format == "json":
            answer(dryRun=dry_run, **_camel(found._asdict()))
        else:
            verb = "would go" if dry_run else "went"
            table(f"{name.replace('_', ' ')}: {count} {verb}" for name, count in found._asdict().items() if count)
            if not any(found):
                tell("nothing is older than it is kept")
        if problem:
            tell(f"warning: the room was not given back: {problem}")


def _camel(figures: dict[str, int]) -> dict[str, int]:
    return {name.replace("five_minutes", "fiveMinutes"): figure for name, figure in figures.items()}


def _lines(found: Status) -> list[str]:
    from envcompile.cli.render.columns import columns

    lines = [
        f"{found.name}: {shown_size(found.size)}, tables of version {found.version}"
        + ("" if found.version == found.newest else f" (this envc writes {found.newest}: `envc db upgrade`)")
    ]
    if found.layout:
        lines.append(f"what grows with time is kept in: {found.layout}")
    lines += [f"cluster {one.name} at {one.server}" for one in found.clusters]
    rows = [
        (one.name, f"{one.rows} rows", shown_size(one.size) if one.size else "") for one in found.tables if one.rows
    ]
    lines += columns(rows, indent="  ")
    if found.layout:
        kept = ", ".join(f"{name.replace('_', ' ')} {days} d" for name, days in found.retention._asdict().items())
        lines.append(f"kept: {kept}; what commits gave, for ever")
    return lines


def shown_size(size: int) -> str:
    """Bytes as people read them."""
    amount = float(size)
    for unit in _UNITS[:-1]:
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} {_UNITS[-1]}"

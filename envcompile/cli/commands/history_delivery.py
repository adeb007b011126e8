"""The commands of `envc history` about how changes reach environments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from envcompile.cli.arguments import Envs, Format, history_of
from envcompile.cli.output import answer, data, table

if TYPE_CHECKING:
    from collections.abc import Sequence

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Such as 30d, or 2026-11-01; default: everything."),
]


def promotion_order(context: typer.Context) -> Sequence[str]:
    """The environments as envc.yaml orders them; none where the project's files cannot be read."""
    from envcompile.errors import EnvcError
    from envcompile.units.project import Project

    try:
        return Project.open(context.obj.project).environments
    except EnvcError:
        return ()


def add_delivery(group: typer.Typer) -> None:
    """Add `timeline`, `stats` and `dashboard`."""

    @group.command("timeline", epilog="Example: envc history timeline staging prod --since 30d")
    def timeline_command(
        context: typer.Context,
        environments: Envs = None,
        *,
        since: Since = None,
        service: Annotated[
            str, typer.Option("--service", metavar="NAME", help="Only this workload.", show_default=False)
        ] = "",
        output_format: Format = "text",
    ) -> None:
        """Say which version of each service came to which environment when, by whom, and what waits for the next one.

        One lane an environment, along the line of first parents of HEAD; `lead` is the time since the image first
        arrived in an earlier environment.
        """
        from envcompile.actions.timeline import timeline
        from envcompile.cli.render.delivery import timeline_data, timeline_lines

        with history_of(context) as past:
            order = promotion_order(context)
            found = timeline(past, order, environments or (), int(time.time()), since=since, service=service)
        if output_format == "json":
            answer(**timeline_data(found))
        else:
            table(timeline_lines(found))

    @group.command("stats", epilog="Example: envc history stats prod --since 90d")
    def stats_command(
        context: typer.Context, environments: Envs = None, *, since: Since = None, output_format: Format = "text"
    ) -> None:
        """Say how much is recorded, what changes most, and how changes reach each environment.

        A deployment is a commit that gives an environment another image; a change has failed when a field of it was set
        back within 24 hours.
        """
        from envcompile.actions.timeline import deliveries
        from envcompile.cli.render.delivery import deliveries_data, delivery_lines
        from envcompile.history.stats import busiest, sizes

        with history_of(context) as past:
            figures, most = sizes(past.store.database), busiest(past.store.database, 5)
            order = promotion_order(context)
            found = deliveries(past, order, environments or (), int(time.time()), since=since)
        if output_format == "json":
            answer(sizes=figures, most={name: dict(rows) for name, rows in most.items()}, **deliveries_data(found))
            return
        for name, count in figures.items():
            data(f"{name:<15} {count:>10}")
        for name, rows in most.items():
            if rows:
                table(("", f"most {'commits: ' if name == 'authors' else 'changes: '}{name}"))
            for text, count in rows:
                data(f"  {count:>6}  {text}")
        table(delivery_lines(found))

    @group.command("dashboard", epilog="Example: envc history dashboard datasette > metadata.yaml")
    def dashboard_command(
        kind: Annotated[
            Literal["datasette", "grafana", "views"],
            typer.Argument(
                metavar="datasette|grafana|views",
                help="Metadata for the SQLite file, a dashboard over PostgreSQL, or the views that it asks.",
            ),
        ],
    ) -> None:
        """Print canned questions for Datasette, or a Grafana dashboard with an annotation query, and its views."""
        from importlib import resources

        from envcompile.cli.output import raw

        file = {"datasette": "datasette.yaml", "grafana": "grafana.json", "views": "views.sql"}[kind]
        raw((resources.files("envcompile") / "history" / "dashboards" / file).read_text(encoding="utf-8"))

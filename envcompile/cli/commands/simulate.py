"""`envc simulate`: what an autoscaler would have done with a recorded load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Env, Format, Resource, Untrusted, project_of
from envcompile.cli.load_options import (
    Capacity,
    Columns,
    LoadFile,
    PriceFile,
    PrometheusUrl,
    Queries,
    Recorded,
    SinceTime,
    Start,
    WatchedCluster,
    pairs,
)

if TYPE_CHECKING:
    from envcompile.actions.simulate import Simulation

EPILOG = """Examples:

  envc simulate prod deployment/video-service --load week.csv

  envc simulate prod deployment/video-service --load week.csv --set maxReplicas=30 --plot maximum.svg

  envc simulate prod deployment/video-service --prometheus http://localhost:9090 --since 7d
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("simulate", epilog=EPILOG)
    def command(
        context: typer.Context,
        environment: Env,
        workload: Resource,
        *,
        load: LoadFile = None,
        prometheus: PrometheusUrl = None,
        recorded: Recorded = False,
        cluster: WatchedCluster = None,
        sets: Annotated[
            list[str] | None,
            typer.Option(
                "--set",
                metavar="FIELD=VALUE",
                help="Beside it with this field; may be given again.",
                show_default=False,
            ),
        ] = None,
        against: Annotated[
            list[str] | None,
            typer.Option(
                "--against",
                metavar="FIELD=VALUE",
                help="Instead of as it is configured; may be given again.",
                show_default=False,
            ),
        ] = None,
        columns: Columns = None,
        capacity: Capacity = "",
        start: Start = None,
        queries: Queries = None,
        since: SinceTime = "7d",
        prices: PriceFile = None,
        plot: Annotated[
            Path | None,
            typer.Option(
                "--plot", metavar="FILE", help="Draw it into this .svg or .html file, too.", show_default=False
            ),
        ] = None,
        output_format: Format = "text",
        untrusted: Untrusted = False,
    ) -> None:
        """Replay a recorded load through a workload's autoscaler: replicas, shortage, cost.

        The HorizontalPodAutoscaler decides as its controller does, a ScaledObject as KEDA and that controller do.
        With `--set` a second setting stands beside the first; nothing is written to the sources.
        """
        from datetime import UTC, datetime

        from envcompile.actions.loads import load_source
        from envcompile.cli.output import answer, table
        from envcompile.cli.render.simulate import simulation_data, simulation_lines
        from envcompile.errors import Problem, UsageError

        if plot is not None and plot.suffix not in {".svg", ".html"}:
            raise UsageError([Problem(f"{plot} is no name of a plot", "let it end in .svg or .html")])
        now = datetime.now(UTC)
        asked_columns = pairs(columns or (), "METRIC=COLUMN")
        source = load_source(
            file=load,
            prometheus=prometheus,
            is_recorded=recorded,
            folder=context.obj.project,
            cluster=cluster,
            queries=pairs(queries or (), "METRIC=PROMQL"),
            since=since,
            now=now,
        )
        from envcompile.actions.simulate import Asked, simulate

        asked = Asked(asked_columns, sets or (), against or (), capacity, start, prices)
        with project_of(context, untrusted=untrusted) as project:
            found = simulate(project, environment, workload, source, asked, now.date())
        if output_format == "json":
            answer(**simulation_data(found))
        else:
            table(simulation_lines(found))
        if plot is not None:
            _draw(found, plot)


def _draw(found: Simulation, plot: Path) -> None:
    from envcompile.cli.output import tell
    from envcompile.cli.render.simulate import figures, points_of, said_of, unit_of
    from envcompile.files import replaced
    from envcompile.pages.simulations import simulation_page, simulation_svg

    title = f"{found.workload.short} in {found.environment}"
    labels = [course.label for course in found.courses]
    drawn = simulation_svg(title, unit_of(found), points_of(found), labels)
    if plot.suffix == ".html":
        drawn = simulation_page(title, said_of(found), figures(found), drawn)
    with replaced(plot) as file:
        file.write(drawn.encode())
    tell(f"drawn into {plot}")

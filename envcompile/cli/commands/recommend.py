"""`envc recommend`: requests and autoscaler settings from recorded load, as a change of an overlay."""

from __future__ import annotations

from typing import Annotated

import typer

from envcompile.cli.arguments import Envs, Format, project_of
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

EPILOG = """Examples:

  envc recommend prod --app video-service --load month.csv

  envc recommend prod --workload deployment/video-service --load month.csv --column 'cpu=rps*8m'

  envc recommend prod --app video-service --prometheus http://localhost:9090 --since 30d --apply
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("recommend", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        application: Annotated[
            str | None,
            typer.Option("--app", metavar="APP", help="Only what this application scales.", show_default=False),
        ] = None,
        workload: Annotated[
            str | None,
            typer.Option("--workload", metavar="KIND/NAME", help="Only this workload.", show_default=False),
        ] = None,
        load: LoadFile = None,
        prometheus: PrometheusUrl = None,
        recorded: Recorded = False,
        cluster: WatchedCluster = None,
        columns: Columns = None,
        capacity: Capacity = "",
        start: Start = None,
        least: Annotated[
            int | None,
            typer.Option(
                "--least",
                metavar="N",
                min=1,
                help="The fewest replicas; default: 2 where there are as many now.",
                show_default=False,
            ),
        ] = None,
        queries: Queries = None,
        since: SinceTime = "30d",
        prices: PriceFile = None,
        apply: Annotated[
            bool, typer.Option("--apply", help="Edit the overlay in place; without it only the difference is shown.")
        ] = False,
        output_format: Format = "text",
    ) -> None:
        """Recommend requests and autoscaler settings from recorded load, as a change of the overlay.

        Settings are searched by replaying the load: the cheapest one with no more shortage of pods than now. Requests
        are those of the VerticalPodAutoscaler's recommender.
        """
        from datetime import UTC, datetime

        from envcompile.actions.loads import load_source
        from envcompile.actions.overlay_edits import write_edited
        from envcompile.actions.recommend import Asked, recommend, workloads_of
        from envcompile.cli.output import answer, tell, text
        from envcompile.cli.render.recommend import recommendation_data, recommendation_lines
        from envcompile.errors import Problem, UsageError

        now = datetime.now(UTC)
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
        asked = Asked(pairs(columns or (), "METRIC=COLUMN"), capacity, start, least, prices)
        with project_of(context) as project:
            names = project.choose(environments or ())
            wanted = [
                (name, one)
                for name in names
                for one in ([workload] if workload is not None else workloads_of(project, name, application))
            ]
            if load is not None and len(wanted) > 1:
                listed = ", ".join(f"{name} {one}" for name, one in wanted)
                what = f"one file holds the load of one workload, and {listed} are meant"
                raise UsageError([Problem(what, "name one environment, and the workload with --app or --workload")])
            found = [recommend(project, name, one, source, asked, now.date()) for name, one in wanted]
            if output_format == "json":
                answer(recommendations=[recommendation_data(one, applied=apply) for one in found])
            else:
                text("".join(f"{line}\n" for one in found for line in recommendation_lines(one)))
            for one in found:
                if apply and one.files.after:
                    write_edited(project, one.files)
                    tell(f"{', '.join(one.files.after)} written; `envc build {one.environment}` writes the result")
                elif one.files.after:
                    tell("nothing is written: --apply edits the overlay")

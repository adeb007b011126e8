"""`envc predict`: what a load will be, and pods that are there before it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from envcompile.cli.arguments import Env, Format, Resource, project_of
from envcompile.cli.load_options import (
    Capacity,
    Columns,
    LoadFile,
    PrometheusUrl,
    Queries,
    Recorded,
    SinceTime,
    Start,
    WatchedCluster,
    pairs,
)

EPILOG = """Examples:

  envc predict prod deployment/video-service --load year.csv

  envc predict prod deployment/video-service --load year.csv --calendar events.yaml --timezone Europe/Berlin
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("predict", epilog=EPILOG)
    def command(
        context: typer.Context,
        environment: Env,
        workload: Resource,
        *,
        load: LoadFile = None,
        prometheus: PrometheusUrl = None,
        recorded: Recorded = False,
        cluster: WatchedCluster = None,
        calendar: Annotated[
            Path | None,
            typer.Option(
                "--calendar",
                metavar="FILE",
                help="Announced events and holidays, in YAML or iCalendar.",
                show_default=False,
            ),
        ] = None,
        timezone: Annotated[
            str, typer.Option("--timezone", metavar="ZONE", help="Whose wall clock days and windows follow.")
        ] = "UTC",
        days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=60, help="How far to look ahead.")] = 7,
        share: Annotated[
            int,
            typer.Option(
                "--share",
                metavar="PERCENT",
                min=10,
                max=100,
                help="How much of what is foreseen the floor holds; the autoscaler's reserve has the rest.",
            ),
        ] = 100,
        held_by: Annotated[
            Literal["keda", "cronjob"],
            typer.Option(
                "--held-by",
                metavar="keda|cronjob",
                help="What holds the floor: KEDA triggers, or CronJobs that set the autoscaler's minimum.",
            ),
        ] = "keda",
        columns: Columns = None,
        capacity: Capacity = "",
        start: Start = None,
        queries: Queries = None,
        since: SinceTime = "90d",
        output_format: Format = "text",
    ) -> int:
        """Forecast a workload's load, and write the floor that has pods ready before it.

        As cron triggers of KEDA, or as CronJobs that set the autoscaler's minimum.

        The model is chosen by back-test; its error stands beside that of "same time last week". Exit 1 where it was
        worse on the weeks held back: then nothing is recommended.
        """
        from datetime import UTC, datetime

        from envcompile.actions.loads import load_source
        from envcompile.actions.predict import Asked, predict
        from envcompile.cli.output import answer, text
        from envcompile.cli.render.predict import prediction_data, prediction_lines
        from envcompile.errors import EXIT_OK, EXIT_WRONG

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
        asked = Asked(pairs(columns or (), "METRIC=COLUMN"), capacity, start, calendar, timezone, days, share)
        with project_of(context) as project:
            found = predict(project, environment, workload, source, asked, now.date())
        if output_format == "json":
            answer(**prediction_data(found))
        else:
            text("".join(f"{line}\n" for line in prediction_lines(found, held_by)))
        return EXIT_OK if found.holds else EXIT_WRONG

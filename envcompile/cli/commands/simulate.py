"""`envc simulate`: what an autoscaler would have done with a recorded load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Env, Format, Resource, Untrusted, project_of

if TYPE_CHECKING:
    from envcompile.actions.simulate import Simulation

EPILOG = """Examples:

  envc simulate prod deployment/video-service --load week.csv

  envc simulate prod deployment/video-service --load week.csv --set maxReplicas=30 --plot maximum.svg

  envc simulate prod deployment/video-service --prometheus http://localhost:9090 --since 7
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("simulate", epilog=EPILOG)
    def command(
        context: typer.Context,
        environment: Env,
        workload: Resource,
        *,
        load: Annotated[
            Path | None,
            typer.Option("--load", metavar="FILE", help="A CSV or Parquet file of the load.", show_default=False),
        ] = None,
        prometheus: Annotated[
            str | None,
            typer.Option("--prometheus", metavar="URL", help="A Prometheus that recorded it.", show_default=False),
        ] = None,
        recorded: Annotated[bool, typer.Option("--recorded", help="What `envc watch` recorded of it.")] = False,
        cluster: Annotated[
            str | None,
            typer.Option(
                "--context",
                metavar="NAME",
                help="The cluster that was watched; default: the only one.",
                show_default=False,
            ),
        ] = None,
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
        columns: Annotated[
            list[str] | None,
            typer.Option(
                "--column",
                metavar="METRIC=COLUMN",
                help="Where a metric is in the load; may be given again.",
                show_default=False,
            ),
        ] = None,
        capacity: Annotated[
            str,
            typer.Option(
                "--capacity",
                metavar="COLUMN=AMOUNT",
                help="What a pod serves; default: the CPU it requests.",
                show_default=False,
            ),
        ] = "",
        start: Annotated[
            int | None,
            typer.Option(
                "--start",
                metavar="SECONDS",
                min=0,
                help="From Running to Ready; default: what its probes wait for.",
                show_default=False,
            ),
        ] = None,
        queries: Annotated[
            list[str] | None,
            typer.Option(
                "--query",
                metavar="METRIC=PROMQL",
                help="What to ask a Prometheus; may be given again.",
                show_default=False,
            ),
        ] = None,
        since: Annotated[
            float,
            typer.Option("--since", metavar="DAYS", min=0.01, help="How long back to ask a Prometheus or the history."),
        ] = 7,
        prices: Annotated[
            Path | None,
            typer.Option(
                "--prices",
                metavar="FILE",
                help="What units cost; default: prices.yaml of the project, else OpenCost's list.",
                show_default=False,
            ),
        ] = None,
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
        asked_columns = _pairs(columns or (), "METRIC=COLUMN")
        source = load_source(
            file=load,
            prometheus=prometheus,
            is_recorded=recorded,
            folder=context.obj.project,
            cluster=cluster,
            queries=_pairs(queries or (), "METRIC=PROMQL"),
            days=since,
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


def _pairs(texts: list[str] | tuple[str, ...], shape: str) -> dict[str, str]:
    from envcompile.errors import Problem, UsageError

    pairs = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        if not equals or not name.strip() or not rest.strip():
            raise UsageError([Problem(f"{text} names nothing", f"write {shape}")])
        pairs[name.strip()] = rest.strip()
    return pairs


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

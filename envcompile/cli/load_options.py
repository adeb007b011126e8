"""The options of every command that replays or forecasts a recorded load: where it is, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

_START = 86_400  # a day; nothing that an autoscaler adds is of use later

LoadFile = Annotated[
    Path | None,
    typer.Option("--load", metavar="FILE", help="A CSV or Parquet file of the workload's load.", show_default=False),
]
PrometheusUrl = Annotated[
    str | None,
    typer.Option("--prometheus", metavar="URL", help="A Prometheus that recorded it.", show_default=False),
]
Recorded = Annotated[bool, typer.Option("--recorded", help="What `envc watch` recorded of it.")]
WatchedCluster = Annotated[
    str | None,
    typer.Option(
        "--context", metavar="NAME", help="The cluster that was watched; default: the only one.", show_default=False
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="METRIC=COLUMN",
        help="Where a metric is in the load; may be given again.",
        show_default=False,
    ),
]
Capacity = Annotated[
    str,
    typer.Option(
        "--capacity",
        metavar="COLUMN=AMOUNT",
        help="What a pod serves; default: the CPU it requests.",
        show_default=False,
    ),
]
Start = Annotated[
    int | None,
    typer.Option(
        "--start",
        metavar="SECONDS",
        min=0,
        max=_START,
        help="From Running to Ready; default: what its probes wait for.",
        show_default=False,
    ),
]
Queries = Annotated[
    list[str] | None,
    typer.Option(
        "--query", metavar="METRIC=PROMQL", help="What to ask a Prometheus; may be given again.", show_default=False
    ),
]
SinceTime = Annotated[
    str,
    typer.Option(
        "--since", metavar="TIME", help="From when on to ask a Prometheus or the history, such as 30d or 2026-11-23."
    ),
]
PriceFile = Annotated[
    Path | None,
    typer.Option(
        "--prices",
        metavar="FILE",
        help="What units cost; default: prices.yaml of the project, else OpenCost's list.",
        show_default=False,
    ),
]


def pairs(texts: Sequence[str], shape: str) -> dict[str, str]:
    """NAME=VALUE texts as a map.

    Raises:
        UsageError: a text is no such pair; the message says the shape it should have.
    """
    from envcompile.errors import Problem, UsageError

    found = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        if not equals or not name.strip() or not rest.strip():
            raise UsageError([Problem(f"{text} names nothing", f"write {shape}")])
        found[name.strip()] = rest.strip()
    return found

"""`envc cost`: what the compiled environments cost a month."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from envcompile.cli.arguments import Envs, Untrusted, history_of, project_of
from envcompile.cli.load_options import PriceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envcompile.actions.cost import CostChanges, Costs
    from envcompile.actions.cost_history import CostHistory
    from envcompile.cost.prices import PriceList
    from envcompile.units.project import CompiledEnvironment

_Found = TypeVar("_Found", "Costs", "CostChanges", "CostHistory")
CostFormat = Literal["text", "json", "csv", "markdown"]
EPILOG = """Examples:

  envc cost                         every environment, at list prices

  envc cost prod --prices contract.yaml

  envc cost --diff main             what this branch adds, and which fields are the cause

  envc cost prod --since 30d        what was spent, and which commits made it dearer
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("cost", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        prices: PriceFile = None,
        source: Annotated[
            str | None,
            typer.Option(
                "--diff", metavar="REV", help="What is added to the costs of this commit.", show_default=False
            ),
        ] = None,
        since: Annotated[
            str | None,
            typer.Option(
                "--since",
                metavar="TIME",
                help="What was spent since, and which commits made it dearer; such as 30d, or 2026-11-01.",
                show_default=False,
            ),
        ] = None,
        used: Annotated[
            bool, typer.Option("--used", help="Bill what pods of watched clusters use, where that is more.")
        ] = False,
        output_format: Annotated[
            CostFormat, typer.Option("--format", "-o", metavar="text|json|csv|markdown", help="How to print.")
        ] = "text",
        untrusted: Untrusted = False,
    ) -> None:
        """Say what environments cost a month: what their pods request, times prices.

        An autoscaler gives a least and a most. Used is billed where that is known and more than requested. What has no
        price, or is not known, is said.
        """
        import os
        from datetime import UTC, datetime
        from functools import partial

        from envcompile.actions.cost import cost_changes, costs
        from envcompile.actions.cost_history import cost_history
        from envcompile.actions.prices import prices_of
        from envcompile.cli.render.cost import change_lines, changes_data, cost_lines, costs_data
        from envcompile.cli.render.cost_history import history_data, history_lines
        from envcompile.errors import Problem, UsageError
        from envcompile.limits import limits_for
        from envcompile.sources import find_root

        now = datetime.now(UTC)
        today = now.date()
        if (since is not None) + (source is not None) + used > 1:
            raise UsageError([Problem("--diff, --since and --used exclude each other", "give one of them")])
        if since is not None:
            with history_of(context) as past, project_of(context, untrusted=untrusted) as project:
                listed = prices_of(project.tree, prices)
                order = project.environments
                told = cost_history(past, order, environments or (), listed, today, int(now.timestamp()), since)
            _print(told, output_format, history_data, history_lines)
            return
        if source is not None:
            limits = limits_for(os.environ, is_trusted=not untrusted)
            root = find_root(context.obj.project)
            changes = cost_changes(root, environments or (), today, source=source, prices=prices, limits=limits)
            _print(changes, output_format, changes_data, change_lines)
            return
        known = partial(_with_usage, context.obj.project, int(now.timestamp())) if used else None
        with project_of(context, untrusted=untrusted) as project:
            found = costs(project, environments or (), today, prices=prices, known=known)
        _print(found, output_format, costs_data, cost_lines)


def _with_usage(folder: Path, now: int, prices: PriceList, compiled: Sequence[CompiledEnvironment]) -> PriceList:
    """The price list with what the pods of watched clusters used."""
    from contextlib import closing

    from envcompile.actions.cost_usage import with_usage
    from envcompile.actions.live_places import open_live

    environments = {}
    for built in compiled:
        cluster = built.composed.sources.settings.cluster
        context = (cluster.context or "") if cluster is not None else ""
        spaces = frozenset(resource.id.namespace for resource in built.compiled.resources)
        environments[built.compiled.environment] = (context, spaces)
    with closing(open_live(folder)) as database:
        return with_usage(prices, database, environments, now)


def _print(
    found: _Found,
    output_format: CostFormat,
    as_data: Callable[[_Found], dict[str, Any]],
    as_text: Callable[[_Found], Iterable[str]],
) -> None:
    from envcompile.cli.output import answer, raw, table

    if output_format == "json":
        answer(**as_data(found))
    elif output_format == "text":
        table(as_text(found))
    else:
        from envcompile.cli.render import cost_tables

        raw(cost_tables.as_csv(found) if output_format == "csv" else cost_tables.as_markdown(found))

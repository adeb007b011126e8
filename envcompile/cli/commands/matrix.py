"""`envc matrix`: environments side by side, and whether what differs is on purpose."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from envcompile.cli.arguments import Envs, Untrusted, project_of

if TYPE_CHECKING:
    from envcompile.actions.matrix import Cell, Matrix, Row
    from envcompile.actions.origins import EnvironmentOrigins

EPILOG = """Examples:

  envc matrix                                 every environment, all that differs

  envc matrix staging prod --field config     two of them, configuration only

  envc matrix --app user-service --places     with layer, file, line and since of each value

  envc matrix --require 100                   exit 16 unless every difference is on purpose
"""


class Fields(StrEnum):
    """What `--field` takes."""

    IMAGE = "image"
    REPLICAS = "replicas"
    RESOURCES = "resources"
    CONFIG = "config"
    HOSTS = "hosts"
    ALL = "all"


_FORMATS = Literal["text", "json", "csv", "markdown"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("matrix", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        apps: Annotated[
            list[str] | None,
            typer.Option("--app", metavar="APP", help="Only this application; may be given again.", show_default=False),
        ] = None,
        field: Annotated[
            list[Fields] | None,
            typer.Option(
                "--field",
                metavar="|".join(Fields),
                help="Only such fields; may be given again.",
                show_default=False,
            ),
        ] = None,
        changed: Annotated[
            bool, typer.Option("--changed", help="Only what this branch, or the folder, changes.")
        ] = False,
        revision: Annotated[
            str | None,
            typer.Option("--from", metavar="REV", help="Only what changed since this commit.", show_default=False),
        ] = None,
        places: Annotated[bool, typer.Option("--places", help="With layer, place and since of each value.")] = False,
        own: Annotated[bool, typer.Option("--own", help="With what each environment calls its own.")] = False,
        require: Annotated[
            float | None,
            typer.Option(
                "--require",
                metavar="N",
                min=0,
                max=100,
                help="Exit 16 when fewer percent are on purpose.",
                show_default=False,
            ),
        ] = None,
        output_format: Annotated[
            _FORMATS, typer.Option("--format", "-o", metavar="text|json|csv|markdown", help="How to print.")
        ] = "text",
        untrusted: Untrusted = False,
    ) -> int:
        """Lay environments side by side: what differs, who says so, and whether that is on purpose.

        A difference is on purpose when an overlay or a setting of the environment states it, and not when a value
        names another environment, or when one environment lacks what all others have by files of their own.
        """
        import gc

        from envcompile.actions.diff import difference
        from envcompile.actions.matrix import changed_fields, matrix
        from envcompile.actions.matrix_columns import columns
        from envcompile.cli.output import tell
        from envcompile.cli.render.matrix import percent

        # One run allocates much and frees little: the collector would only look for cycles that are not there.
        gc.disable()
        with project_of(context, untrusted=untrusted) as project:
            laid = columns(project, environments or (), with_history=not untrusted)
            only = None
            if changed or revision is not None:
                names = [each.environment for each in laid]
                only = changed_fields(difference(project.root, names, source=revision, limits=project.tree.limits))
            found = matrix(laid, apps=apps or (), fields=field or ("all",), only=only)
        _print(found, output_format, places=places, own=own)
        if require is not None and found.consistency < require:
            tell(f"{percent(found.consistency)} of what differs is on purpose, {percent(require)} is required")
            return 16
        return 0


def _print(found: Matrix, output_format: str, *, places: bool, own: bool) -> None:
    from envcompile.cli.output import answer, raw
    from envcompile.cli.render import matrix as shown
    from envcompile.cli.render import matrix_tables as tables

    if output_format == "json":
        answer(**as_data(found))
    elif output_format == "csv":
        raw(tables.as_csv(found))
    elif output_format == "markdown":
        raw(tables.as_markdown(found))
    else:
        raw(shown.as_text(found, places=places, own=own))


def as_data(found: Matrix) -> dict[str, Any]:
    """The document of the command.

    Args:
        found: the matrix.
    """
    from envcompile.actions.matrix import percentage

    columns = {each.environment: each for each in found.environments}
    return {
        "environments": list(columns),
        "own": [
            {"setting": fact.setting, "values": dict(zip(columns, fact.values, strict=True))} for fact in found.own
        ],
        "history": {name: each.commit or None for name, each in columns.items()},
        "differences": len(found.rows),
        "onPurpose": sum(row.is_on_purpose for row in found.rows),
        "percentage": round(found.consistency, 1),
        "services": [
            {
                "app": service.app,
                "differences": len(service.rows),
                "onPurpose": service.on_purpose,
                "percentage": round(percentage(service.rows), 1),
            }
            for service in found.services
        ],
        "rows": [_row(row, columns) for row in found.rows],
        "folded": [_row(row, columns) for row in found.folded],
    }


def _row(row: Row, columns: dict[str, EnvironmentOrigins]) -> dict[str, Any]:
    return {
        "app": row.app,
        "resource": row.resource._asdict(),
        "field": row.field,
        "kind": row.kind,
        "onPurpose": row.is_on_purpose,
        "cells": [_cell(cell, columns[cell.environment]) for cell in row.cells],
    }


def _cell(cell: Cell, column: EnvironmentOrigins) -> dict[str, Any]:
    from envcompile.cli.render.since import since_data

    return {
        "environment": cell.environment,
        "there": cell.is_there,
        "value": cell.value,
        "layer": cell.layer.name if cell.layer else None,
        "layerKind": cell.layer.kind if cell.layer else None,
        "place": str(cell.place) if cell.place else None,
        "was": cell.was,
        "since": since_data(cell.since, column.commits),
        "uncommitted": cell.is_uncommitted,
        "flag": cell.flag or None,
        "why": cell.why or None,
    }

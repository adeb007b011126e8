"""`envc schema`: JSON Schemas for editors, and of what envc prints for programs."""

from __future__ import annotations

from typing import Annotated, cast, get_args

import typer

from envcompile.settings import SchemaName

EPILOG = """Examples:

  envc schema environment > .schemas/environment.json

  envc schema output/check         what `envc check --format json` prints
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("schema", epilog=EPILOG)
    def command(
        kind: Annotated[
            str, typer.Argument(metavar="SCHEMA", help="project, environment, patch, prices, or output/NAME.")
        ],
    ) -> None:
        """Print the JSON Schema of envc.yaml, environment.yaml, a Patch, prices.yaml, or of what commands print."""
        from envcompile.cli.output import document
        from envcompile.cli.shapes.catalogue import DOCUMENTS, output_schema
        from envcompile.cost.pricefile import price_schema
        from envcompile.errors import Problem, UsageError, did_you_mean
        from envcompile.settings import json_schema

        files = get_args(SchemaName)
        if kind in files:
            document(json_schema(cast("SchemaName", kind)))
            return
        if kind == "prices":
            document(price_schema())
            return
        known = [*files, "prices", *(f"output/{name}" for name in DOCUMENTS)]
        if kind not in known:
            advice = did_you_mean(kind, known, f"it is one of {', '.join(known)}")
            raise UsageError([Problem(f"there is no schema `{kind}`", advice)])
        document(output_schema(kind.removeprefix("output/")))

"""`envc schema`: JSON Schemas for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from envcompile.settings import SchemaName


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("schema", epilog="Example: envc schema environment > .schemas/environment.json")
    def command(
        kind: Annotated[
            SchemaName, typer.Argument(metavar="project|environment|patch", help="Which file the schema is for.")
        ],
    ) -> None:
        """Print the JSON Schema of envc.yaml, environment.yaml or a Patch."""
        from envcompile.cli.output import document
        from envcompile.settings import json_schema

        document(json_schema(kind))

"""`envc schema`: JSON Schemas for editors."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("schema", epilog="Example: envc schema environment > .schemas/environment.json")
    def command(
        kind: Annotated[str, typer.Argument(metavar="project|environment|patch", help="Which file the schema is for.")],
    ) -> None:
        """Print the JSON Schema of envc.yaml, environment.yaml or kind: Patch."""
        import json
        from typing import get_args

        from envcompile.errors import Problem, UsageError, did_you_mean
        from envcompile.settings import SchemaName, json_schema

        for name in get_args(SchemaName):
            if name == kind:
                typer.echo(json.dumps(json_schema(name), indent=2))
                return
        known = get_args(SchemaName)
        raise UsageError([
            Problem(f"there is no schema `{kind}`", did_you_mean(kind, known, f"it is one of {', '.join(known)}"))
        ])

"""`envc show`: a compiled environment, or one resource of it."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("show", epilog="Example: envc show prod deployment/user-service")
    def command(
        context: typer.Context,
        environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")],
        resource: Annotated[
            str | None,
            typer.Argument(metavar="[KIND/NAME]", help="One resource; default: all of them.", show_default=False),
        ] = None,
        *,
        names: Annotated[bool, typer.Option("--list", help="Only the names of the resources.")] = False,
        output_format: Annotated[str, typer.Option("--format", metavar="yaml|json", help="How to print.")] = "yaml",
    ) -> None:
        """Print what an environment compiles to; writes nothing."""
        import json

        from envcompile.actions.build import choose_resources
        from envcompile.cli.options import check_format
        from envcompile.emit.manifests import stream
        from envcompile.emit.order import in_apply_order
        from envcompile.units.project import Project
        from envcompile.yamlio import Renderer, dump

        check_format(output_format, "yaml", "json")
        project = Project.open(context.obj.project)
        (name,) = project.choose([environment])
        compiled = project.compile(name)
        chosen = choose_resources(compiled, resource) if resource else in_apply_order(compiled.resources)
        if names:
            for item in chosen:
                typer.echo(str(item.id))
        elif output_format == "json":
            values = [item.value for item in chosen]
            typer.echo(json.dumps(values[0] if resource and len(values) == 1 else values, indent=2, ensure_ascii=False))
        elif resource and len(chosen) == 1:
            typer.echo(dump(chosen[0].value), nl=False)
        else:
            typer.echo(stream(chosen, Renderer()), nl=False)

"""`envc show`: a compiled environment, or one resource of it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from envcompile.cli.arguments import Env, OneResource, Untrusted, project_of


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("show", epilog="Example: envc show prod deployment/user-service")
    def command(
        context: typer.Context,
        environment: Env,
        resource: OneResource = None,
        *,
        names: Annotated[bool, typer.Option("--list", help="Only the names of the resources.")] = False,
        output_format: Annotated[
            Literal["yaml", "json"], typer.Option("--format", "-o", metavar="yaml|json", help="How to print.")
        ] = "yaml",
        untrusted: Untrusted = False,
    ) -> None:
        """Print what an environment compiles to; writes nothing."""
        from envcompile.actions.build import find_resources
        from envcompile.cli.output import document, raw, table
        from envcompile.emit.manifests import stream
        from envcompile.emit.order import in_apply_order
        from envcompile.yamlio import Renderer, dump

        with project_of(context, untrusted=untrusted) as project:
            (name,) = project.choose([environment])
            linked = project.link(name)
            chosen = find_resources(linked, resource) if resource else in_apply_order(linked.resources())
            if names and output_format == "json":
                document([item.id._asdict() for item in chosen])
            elif names:
                table(str(item.id) for item in chosen)
            elif output_format == "json":
                values = [item.value for item in chosen]
                document(values[0] if resource and len(values) == 1 else values)
            elif resource and len(chosen) == 1:
                raw(dump(chosen[0].value))
            else:
                raw(stream(chosen, Renderer()))

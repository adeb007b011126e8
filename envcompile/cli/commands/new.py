"""`envc new`: a further environment, a further application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Format, make_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ENV_EPILOG = """Examples:

  envc new env qa                       on base alone, in the namespace qa

  envc new env eu-prod --extends prod   all that prod says, and what you add
"""


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = make_group("new", "Begin an environment or an application; nothing is overwritten.")
    app.add_typer(group)

    @group.command("env", epilog=ENV_EPILOG)
    def env_command(
        context: typer.Context,
        name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
        *,
        extends: Annotated[
            list[str] | None,
            typer.Option("--extends", metavar="OVERLAY", help="An overlay that it is laid on; repeatable."),
        ] = None,
        namespace: Annotated[
            str | None,
            typer.Option(
                "--namespace",
                metavar="NAMESPACE",
                help="Of its resources; default: its name, or what it extends says.",
                show_default=False,
            ),
        ] = None,
        output_format: Format = "text",
    ) -> None:
        """Write overlays/NAME/environment.yaml, and say what comes next."""
        from envcompile.adopt.additions import add_environment
        from envcompile.sources import find_root
        from envcompile.units.project import Project

        root = find_root(context.obj.project)
        known = sorted(file.parent.name for file in (root / "overlays").glob("*/environment.yaml"))
        chosen = namespace if namespace is not None else "" if extends else name
        made = add_environment(root, name, chosen, extends or (), known)
        order = Project.open(root).settings.environments
        steps: list[tuple[str, str]] = []
        if order and name not in order:
            steps.append(("edit envc.yaml", f"put {name} where it belongs in `environments`: {', '.join(order)}"))
        steps += [
            (f"envc build {name}", "compile it"),
            (f"envc compare {(extends or known or [name])[0]} {name}", "see how it differs"),
        ]
        _tell(root, made, steps, as_json=output_format == "json")

    @group.command("app", epilog="Example: envc new app web --image ghcr.io/example/web:1.0.0 --port 8080")
    def app_command(
        context: typer.Context,
        name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
        *,
        image: Annotated[str, typer.Option("--image", metavar="IMAGE", help="What its container runs.")],
        port: Annotated[int, typer.Option("--port", metavar="PORT", min=1, max=65535, help="Where it listens.")] = 8080,
        output_format: Format = "text",
    ) -> None:
        """Write a Deployment and a Service into base/NAME/, and say what comes next."""
        from envcompile.adopt.additions import add_application
        from envcompile.sources import find_root

        root = find_root(context.obj.project)
        made = add_application(root, name, image, port)
        _tell(
            root,
            made,
            [
                (f"edit base/{name}/deployment.yaml", "probes, resources, environment variables"),
                ("envc build", "compile it into every environment"),
                ("envc check", "see what is risky in it"),
            ],
            as_json=output_format == "json",
        )


def _tell(root: Path, made: Iterable[Path], steps: Sequence[tuple[str, str]], *, as_json: bool) -> None:
    from envcompile.cli.output import answer, table
    from envcompile.cli.render.columns import columns

    names = [path.relative_to(root).as_posix() for path in made]
    if as_json:
        answer(files=names)
        return
    table(f"created {name}" for name in names)
    table(("", "next:", *columns(steps, indent="  ")))

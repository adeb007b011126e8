"""`envc promote`: carry images and chosen settings from one environment to the next."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from envcompile.cli.arguments import Format

EPILOG = """Examples:

  envc promote staging prod --dry-run      what prod would run

  envc promote staging prod --app user-service
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("promote", epilog=EPILOG)
    def command(
        context: typer.Context,
        source: Annotated[
            str,
            typer.Argument(metavar="FROM", help="The environment to carry from."),
        ],
        target: Annotated[
            str,
            typer.Argument(metavar="TO", help="The environment to carry to."),
        ],
        *,
        application: Annotated[
            str | None,
            typer.Option("--app", metavar="APP", help="Only this application's images."),
        ] = None,
        params: Annotated[
            list[str] | None, typer.Option("--param", metavar="PARAM", help="A parameter to carry, too; `*` for all.")
        ] = None,
        replicas: Annotated[bool, typer.Option("--replicas", help="Carry replicas, too.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
        output_format: Format = "text",
    ) -> None:
        """Edit the next environment's settings in place, and print the compiled difference.

        Images always move. Parameters that the target lacks move; those it sets itself only with --param.
        """
        from envcompile.actions.promote import promote, write_promotion
        from envcompile.ask.text import describe
        from envcompile.cli.output import answer, table, tell
        from envcompile.units.project import Project

        project = Project.open(context.obj.project)
        promotion = promote(project, source, target, app=application, params=params or (), replicas=replicas)
        if output_format == "json":
            answer(
                file=promotion.path if promotion.carried else None,
                written=bool(promotion.carried) and not dry_run,
                carried=[
                    {"setting": carried.setting, "old": carried.old, "new": carried.new, "wasSet": carried.was_set}
                    for carried in promotion.carried
                ],
            )
        if not promotion.carried:
            tell(f"{target} already has what {source} has")
            return
        for carried in promotion.carried:
            old = _written(carried.old) if carried.was_set else "(not set)"
            tell(f"{carried.setting}: {old} -> {_written(carried.new)}")
        if output_format == "text":
            table(describe(promotion.changes))
        if dry_run:
            tell(f"dry run: {promotion.path} is unchanged")
        else:
            write_promotion(project, promotion)
            tell(f"{promotion.path} is edited; `envc build {target}` writes the result")


def _written(value: Any) -> str:
    """A setting on one line, as YAML has it."""
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""`envc charts`: charts of others, rendered into the base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Format, make_group
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK

if TYPE_CHECKING:
    from envcompile.charts.vendoring import Vendoring

EPILOG = """Examples:

  envc charts update                fetch the newest versions that envc.yaml takes, and render them

  envc charts update web            only this one

  envc charts vendor                the versions of the lock, with other values

  envc charts outdated              which newer versions there are
"""

NO_CHARTS = "envc.yaml has no `charts:`: see `envc guide charts`"
Releases = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RELEASE]...", help="Charts by `name` in envc.yaml; default: all.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Write over files of charts that were changed by hand.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = make_group("charts", "Charts of others, rendered into the base by the real helm, and locked.")
    app.add_typer(group)

    @group.command("update", epilog=EPILOG)
    def update(
        context: typer.Context,
        releases: Releases = None,
        *,
        force: Force = False,
        output_format: Format = "text",
    ) -> int:
        """Fetch the newest versions that envc.yaml takes, and render them into base/ and overlays/.

        An archive that changed under its version is refused, and so is a Secret in clear.
        """
        return _vendor(context, releases, output_format, moves=True, force=force, check=False)

    @group.command("vendor", epilog=EPILOG)
    def vendor(
        context: typer.Context,
        releases: Releases = None,
        *,
        check: Annotated[
            bool, typer.Option("--check", help="Write nothing; exit 16 when something would be written.")
        ] = False,
        force: Force = False,
        output_format: Format = "text",
    ) -> int:
        """Render the versions of the lock, with the values as they are now."""
        return _vendor(context, releases, output_format, moves=False, force=force, check=check)

    @group.command("outdated", epilog=EPILOG)
    def outdated(context: typer.Context, releases: Releases = None, *, output_format: Format = "text") -> int:
        """List newer versions that the repositories have; exit 16 when there are any.

        `wanted` is the newest that envc.yaml takes, `latest` the newest of all; prereleases are left out.
        """
        from envcompile.charts.listing import outdated_charts
        from envcompile.cli.output import answer, table, tell
        from envcompile.cli.render.charts import outdated_as_data, outdated_as_text
        from envcompile.units.project import Project

        found = outdated_charts(Project.open(context.obj.project), releases or ())
        newer = [one for one in found if one.is_outdated]
        if output_format == "json":
            answer(charts=outdated_as_data(found))
        elif newer:
            table(outdated_as_text(newer))
        else:
            tell("nothing newer" if found else NO_CHARTS)
        return EXIT_DIFFERENT if newer else EXIT_OK

    @group.command("list", epilog="Example: envc charts list --check")
    def listing(
        context: typer.Context,
        *,
        check: Annotated[
            bool, typer.Option("--check", help="Exit 16 unless all are rendered as envc.yaml says.")
        ] = False,
        output_format: Format = "text",
    ) -> int:
        """List the charts with their versions, and whether they are rendered as they are said now; asks nobody."""
        from envcompile.charts.listing import list_charts
        from envcompile.cli.output import answer, table, tell
        from envcompile.cli.render.charts import list_as_data, list_as_text
        from envcompile.units.project import Project

        found = list_charts(Project.open(context.obj.project))
        if output_format == "json":
            answer(charts=list_as_data(found))
        elif found:
            table(list_as_text(found))
            for one in found:
                for path in one.edited:
                    tell(f"{path} is not as `envc charts` wrote it")
        else:
            tell(NO_CHARTS)
        return EXIT_DIFFERENT if check and any(one.state != "current" for one in found) else EXIT_OK


def _vendor(
    context: typer.Context,
    releases: list[str] | None,
    output_format: str,
    *,
    moves: bool,
    force: bool,
    check: bool,
) -> int:
    from envcompile.charts.vendoring import vendor, write
    from envcompile.units.project import Project

    project = Project.open(context.obj.project)
    found = vendor(project, releases or (), moves=moves, force=force)
    if not check:
        write(project, found)
    print_vendoring(found, output_format, check=check)
    return EXIT_DIFFERENT if check and found.differs else EXIT_OK


def print_vendoring(found: Vendoring, output_format: str, *, check: bool) -> None:
    """Say what was written, or with `check` would be."""
    from envcompile.cli.output import answer, data, tell
    from envcompile.cli.render.charts import problem_lines, vendored_as_data, vendored_as_text

    if output_format == "json":
        answer(
            written=found.differs and not check,
            charts=vendored_as_data(found.releases),
            problems=[problem.what for problem in found.problems],
        )
    else:
        for line in vendored_as_text(found.releases):
            data(line)
        if not found.releases:
            tell(NO_CHARTS)
    for release in found.releases:
        for note in release.notes:
            tell(f"{release.name}: {note}")
    for line in problem_lines(found.problems):
        tell(line)
    if found.differs and output_format == "text":
        tell("nothing is written" if check else "review it with `git diff`, then run `envc build`")

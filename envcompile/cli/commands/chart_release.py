"""`envc chart package` and `envc chart push`: the compiled chart for other people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Format, TextOrJson
from envcompile.cli.output import answer, data, tell
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK

if TYPE_CHECKING:
    from envcompile.charts.publishing import Packaged, Pushed

PACKAGE_EPILOG = """Examples:

  envc chart package --version 1.4.0              shop-1.4.0.tgz, here

  envc chart package -d dist --key 'Shop Team'    with a signature beside it
"""


def add_release(group: typer.Typer) -> None:
    """Add `package` and `push`."""

    @group.command("package", epilog=PACKAGE_EPILOG)
    def package_command(
        context: typer.Context,
        chart: Annotated[
            Path | None,
            typer.Argument(
                metavar="[CHART]", help="A chart's folder; default: environments/chart.", show_default=False
            ),
        ] = None,
        *,
        folder: Annotated[
            Path, typer.Option("--destination", "-d", metavar="DIR", help="Where the archive goes; default: here.")
        ] = Path(),
        version: Annotated[
            str, typer.Option("--version", metavar="VERSION", help="Instead of that of Chart.yaml.", show_default=False)
        ] = "",
        app_version: Annotated[
            str,
            typer.Option("--app-version", metavar="VERSION", help="Instead of that of Chart.yaml.", show_default=False),
        ] = "",
        key: Annotated[
            str, typer.Option("--key", metavar="NAME", help="Sign it with this key.", show_default=False)
        ] = "",
        keyring: Annotated[
            str,
            typer.Option("--keyring", metavar="FILE", help="Where the key is; default: helm's.", show_default=False),
        ] = "",
        verify: Annotated[
            bool, typer.Option("--verify/--no-verify", help="Render it first, and refuse one that differs.")
        ] = True,
        output_format: Format = "text",
    ) -> int:
        """Pack the chart into an archive, by the real helm; refused unless it renders what the environments are.

        Exits with 16 when it renders something else.
        """
        from envcompile.charts.publishing import Wanted, package
        from envcompile.cli.commands.chart import print_rows, proven
        from envcompile.files import refuse_planted
        from envcompile.units.project import Project

        of_others = chart
        chart = of_others or Project.open(context.obj.project).root / "environments" / "chart"
        if verify and of_others is None:
            rows = proven(chart)
            if not all(row.holds for row in rows):
                print_rows(rows, "text", for_people=True)
                tell("error: the chart renders something else than the environments: `envc build` makes it anew")
                return EXIT_DIFFERENT
        refuse_planted(folder, context.obj.project)
        print_packaged(package(chart, folder, Wanted(version, app_version, key, keyring)), output_format)
        return EXIT_OK

    @group.command("push", epilog="Example: envc chart push shop-1.4.0.tgz oci://registry.example.com/charts")
    def push_command(
        archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="What `envc chart package` wrote.")],
        address: Annotated[str, typer.Argument(metavar="oci://HOST/PATH", help="Below what it goes.")],
        *,
        output_format: Format = "text",
    ) -> None:
        """Send a packed chart to a registry, by the real helm, with what `helm registry login` keeps."""
        from envcompile.charts.publishing import push

        print_pushed(push(archive, address), output_format)


def print_packaged(made: Packaged, output_format: TextOrJson) -> None:
    """Print which archive was made."""
    if output_format == "json":
        signature = made.signature.as_posix() if made.signature is not None else None
        answer(archive=made.archive.as_posix(), sha256=made.digest, signature=signature)
        return
    data(made.archive.as_posix())
    tell(f"sha256 {made.digest}" + (f", signed in {made.signature.name}" if made.signature else ""))


def print_pushed(pushed: Pushed, output_format: TextOrJson) -> None:
    """Print where a chart is now."""
    if output_format == "json":
        answer(reference=pushed.reference, digest=pushed.digest)
    else:
        data(f"{pushed.reference}@{pushed.digest}")

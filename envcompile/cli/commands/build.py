"""`envc build`: sources in, environments out; with `--watch` again whenever a source is saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from envcompile.cli.arguments import Envs, takes
from envcompile.cli.fastpath import build_project, run_build
from envcompile.cli.flags import BuildOptions
from envcompile.cli.output import table, tell
from envcompile.errors import EnvcError, Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.units.project import Project

EPILOG = """Examples:

  envc build                       every environment into environments/

  envc build prod --check          exit 16 when environments/prod is stale or edited by hand

  envc build staging --stdout      one stream for `kubectl apply -f -`
"""

WATCHED = ("base", "overlays", "lib", "vendor", "envc.yaml")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("build", epilog=EPILOG)
    @takes(BuildOptions)
    def command(context: typer.Context, environments: Envs = None, *, options: BuildOptions) -> int:
        """Compile environments into environments/<env>/, one resource a file."""
        if options.watch:
            _watch(context.obj.project, environments or (), options)
            return 0
        return run_build(context.obj.project, environments or (), options)


def _watch(folder: Path, environments: Sequence[str], options: BuildOptions) -> None:
    """Build now and after every change of a source, until interrupted.

    Raises:
        UnavailableError: the optional package that watches files is not installed.
    """
    try:
        from watchfiles import watch
    except ImportError as error:
        advice = "install it: pip install 'envcompile[watch]'"
        raise UnavailableError([Problem("--watch needs the package watchfiles", advice)]) from error
    from envcompile.units.project import Project

    project = Project.open(folder)
    root = project.root
    _build(project, environments, options, is_first=True)
    existing = [root / name for name in WATCHED if (root / name).exists()]
    tell(f"watching {', '.join(path.name for path in existing)}")
    for changed in watch(*existing, raise_interrupt=True, debounce=200, step=20):
        tell(f"-- {', '.join(sorted({path.removeprefix(f'{root}/') for _, path in changed}))}")
        try:
            _build(Project.open(root), environments, options, is_first=False)
        except EnvcError as error:
            tell(str(error))


def _build(project: Project, environments: Sequence[str], options: BuildOptions, *, is_first: bool) -> None:
    """Build once; print the difference to what was built before."""
    from envcompile.actions.build import differences
    from envcompile.ask.text import describe

    if not is_first:
        target = Path(options.output).absolute() if options.output is not None else project.root / "environments"
        for environment, found in differences(project, environments, target):
            lines = list(describe(found))
            if lines:
                table([f"{environment}:", *(f"  {line}" for line in lines)])
    build_project(project, environments, options)

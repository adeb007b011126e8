"""`envc build --watch`: build again whenever a source is saved, and print what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from envcompile.errors import EnvcError, Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.model import Resource
    from envcompile.units.project import Project

WATCHED = ("base", "overlays", "lib", "vendor", "envc.yaml")


def watch_and_build(
    folder: Path, environments: Sequence[str], *, output: Path | None, only: str | None, force: bool
) -> None:
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
    before = _build(project, environments, {}, output=output, only=only, force=force)
    typer.echo(f"watching {', '.join(name for name in WATCHED if (root / name).exists())}", err=True)
    existing = [root / name for name in WATCHED if (root / name).exists()]
    for changed in watch(*existing, raise_interrupt=True, debounce=200, step=20):
        names = sorted({path.removeprefix(f"{root}/") for _, path in changed})
        typer.echo(f"-- {', '.join(names)}", err=True)
        try:
            before = _build(Project.open(root), environments, before, output=output, only=only, force=force)
        except EnvcError as error:
            typer.echo(str(error), err=True)


def _build(
    project: Project,
    environments: Sequence[str],
    before: dict[str, tuple[Resource, ...]],
    *,
    output: Path | None,
    only: str | None,
    force: bool,
) -> dict[str, tuple[Resource, ...]]:
    """Build once; print the difference to what was built before."""
    from envcompile.actions.build import compile_all
    from envcompile.ask.changes import changes
    from envcompile.ask.text import describe
    from envcompile.cli.building import build_and_tell

    compiled = compile_all(project, project.choose(environments))
    for environment in compiled:
        name = environment.compiled.environment
        if name in before:
            lines = list(describe(changes(before[name], environment.compiled.resources, environment.composed.api)))
            if lines:
                typer.echo("\n".join([f"{name}:", *(f"  {line}" for line in lines)]))
    build_and_tell(project, environments, output=output, only=only, check=False, force=force)
    return {environment.compiled.environment: environment.compiled.resources for environment in compiled}

"""The builds and records that hooks, editors and CI run all day, started without the command-line library."""

from __future__ import annotations

import os
import sys

_FLAGS = ("--check", "--force", "--no-chart")


def quick_build(arguments: list[str]) -> int | None:
    """Run `envc [--project DIR] build [ENV…] [--check] [--force] [--no-chart]`; None when anything else is asked for.

    When nothing changed since the last build that is found out before the compiler is even imported.

    Returns:
        The exit code, or None: the ordinary command line then takes over.
    """
    project, rest = _without_project(arguments)
    if rest[0] != "build":
        return None
    options = {argument for argument in rest[1:] if argument.startswith("-")}
    if not options <= {*_FLAGS}:
        return None
    environments = [argument for argument in rest[1:] if not argument.startswith("-")]
    root = _find_root(os.path.abspath(project))
    if root is not None and "--force" not in options:
        from envcompile.units.snapshot import Look

        summary = Look(root, f"{root}/environments").nothing_to_do(tuple(environments))
        if summary is not None:
            sys.stderr.write(f"{summary}\n")
            return 0
    import gc

    # One short run allocates much and frees little: the collector would only look for cycles that are not there.
    gc.disable()
    from envcompile.cli.error_handler import run_safely

    return run_safely(lambda: _build(project, environments, options))


def quick_record(arguments: list[str]) -> int | None:
    """Run `envc [--project DIR] history record [--commit REV…] [--waiting] [--detach]`; None for anything else.

    Returns:
        The exit code, or None: the ordinary command line then takes over.
    """
    project, rest = _without_project(arguments)
    if rest[:2] != ["history", "record"]:
        return None
    commits: list[str] = []
    flags = set()
    options = iter(rest[2:])
    for option in options:
        name, equals, value = option.partition("=")
        if name == "--commit":
            value = value if equals else next(options, "")
            if not value or value.startswith("-"):
                return None
            commits.append(value)
        elif option in {"--waiting", "--detach"}:
            flags.add(option)
        else:
            return None
    import gc

    # One short run allocates much and frees little: the collector would only look for cycles that are not there.
    gc.disable()
    from pathlib import Path

    from envcompile.cli.error_handler import run_safely
    from envcompile.cli.recording import record_and_tell

    revisions = [] if "--waiting" in flags else commits or ["HEAD"]
    return run_safely(lambda: record_and_tell(Path(project), revisions, detach="--detach" in flags))


def _without_project(arguments: list[str]) -> tuple[str, list[str]]:
    """The folder that `--project` names, and the arguments behind it."""
    if arguments[0] == "--project" and len(arguments) > 2:
        return arguments[1], arguments[2:]
    if arguments[0].startswith("--project=") and len(arguments) > 1:
        return arguments[0].partition("=")[2], arguments[1:]
    return ".", list(arguments)


def _build(project: str, environments: list[str], options: set[str]) -> int:
    from envcompile.cli.building import build_and_tell
    from envcompile.units.project import Project

    return build_and_tell(
        Project.open(project),
        environments,
        output=None,
        only=None,
        check="--check" in options,
        force="--force" in options,
        with_chart="--no-chart" not in options,
    )


def _find_root(folder: str) -> str | None:
    """The project's folder as the compiler finds it: with an envc.yaml, or with overlays beside a base."""
    while True:
        if os.path.isfile(f"{folder}/envc.yaml") or (
            os.path.isdir(f"{folder}/base") and os.path.isdir(f"{folder}/overlays")
        ):
            return os.path.realpath(folder)
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above

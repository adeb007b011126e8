"""The builds and records that hooks, editors and CI run all day, started without the command-line library."""

from __future__ import annotations

import os
import sys

from envcompile.cli.flags import BuildOptions, Globals, RecordOptions

TYPE_CHECKING = False
"""Type checkers take it for true; `typing` itself is not needed here."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.units.project import Project
    from envcompile.units.snapshot import Look


def quick_build(arguments: Sequence[str], left: list[object] | None = None) -> int | None:
    """Run `envc build` with the flags that `BuildOptions` calls quick; None when anything else is asked for.

    When nothing changed since the last build that is found out before the compiler is even imported.

    Args:
        arguments: those of the command line.
        left: takes what the build leaves in memory.

    Returns:
        The exit code, or None: the ordinary command line then takes over.
    """
    before = Globals(arguments)
    if before.rest[:1] != ["build"]:
        return None
    read = BuildOptions.read(before.rest[1:])
    if read is None:
        return None
    options, environments = read
    root = find_root(os.path.abspath(before.project))
    look = None
    odd = (options.output, options.only, options.stdout, options.untrusted, options.is_of_git)
    if root is not None and not any(odd):
        from envcompile.units.snapshot import Look

        look = Look(root, f"{root}/environments", with_outputs=options.is_ordinary)
        summary = look.nothing_to_do(tuple(environments)) if options.is_ordinary else None
        if summary is not None:
            from envcompile.log import decision

            decision("build", "nothing is compiled: no source and no output changed since the last build")
            if not os.environ.get("ENVC_QUIET"):
                sys.stderr.write(f"{summary}\n")
            return 0
        if look.changed is not None:
            look.look_ahead(tuple(environments))
        _explain(look)
    import gc

    # One short run allocates much and frees little: the collector would only look for cycles that are not there.
    gc.disable()
    from envcompile.cli.error_handler import run_safely

    try:
        return run_safely(lambda: run_build(before.project, environments, options, look, left))
    finally:
        if look is not None:
            look.close()


def _explain(look: Look) -> None:
    """Log why the snapshot of the last build does not answer."""
    from envcompile.log import decision, is_on

    if not is_on():
        return
    if look.changed is None:
        decision("build", "there is no snapshot of a last build by this envc: every source is looked at")
    elif look.changed:
        decision("build", "changed since the last build: %s", ", ".join(sorted(look.changed)))
    else:
        decision("build", "no source changed since the last build, but outputs or the chosen environments did")


def run_build(
    project: str | os.PathLike[str],
    environments: Sequence[str],
    options: BuildOptions,
    look: Look | None = None,
    left: list[object] | None = None,
) -> int:
    """Do what `envc build` is asked for, but for `--watch`, and say on stderr what that came to; the exit code.

    Args:
        project: a folder of the repository.
        environments: names as the user gave them; none means all.
        options: the flags.
        look: the project's folder beside the snapshot of the last build, where that was looked at already.
        left: takes what the build leaves in memory.

    Raises:
        EnvcError: what is wrong with the sources, or what stands in the way of writing.
    """
    from envcompile.limits import bounded, limits_for

    limits = limits_for(os.environ, is_trusted=not options.untrusted)
    with bounded(limits):
        if options.is_of_git:
            from envcompile.cli.render.gates import check_and_tell

            return check_and_tell(project, environments, options, limits)
        from envcompile.cli.render.progress import shown_progress
        from envcompile.units.project import Project

        with shown_progress():
            return build_project(Project.open(project, look, limits), environments, options, left)


def build_project(
    opened: Project, environments: Sequence[str], options: BuildOptions, left: list[object] | None = None
) -> int:
    """Do the same for a project that is open.

    Raises:
        EnvcError: what is wrong with the sources, or what stands in the way of writing.
    """
    from pathlib import Path

    from envcompile.actions.team import share, trouble
    from envcompile.cli.output import tell
    from envcompile.cli.render.build import print_built, print_stream, tell_built, tell_stale, tell_why
    from envcompile.errors import Problem, UsageError

    if options.format not in {None, "text", "json"}:
        raise UsageError([Problem(f"--format cannot be `{options.format}`", "it is one of text, json")])
    share(opened, os.environ)
    if options.stdout:
        return print_stream(opened, environments, options.only)
    from envcompile.actions.build import build

    results = build(
        opened,
        environments,
        output=Path(options.output).absolute() if options.output is not None else None,
        only=options.only,
        check=options.check,
        force=options.force,
        with_chart=not options.no_chart,
        engine=options.engine,
        jobs=options.jobs,
    )
    if left is not None:
        left += [opened, results]
    if trouble(opened):
        tell(f"warning: {trouble(opened)}")
    if options.format == "json":
        print_built(results, opened.reasons() if options.why else None)
    elif options.why:
        tell_why(opened.reasons())
    if options.check:
        return tell_stale(opened, results, aside=options.format == "json")
    return tell_built(results)


def quick_record(arguments: Sequence[str]) -> int | None:
    """Run `envc history record`; None for anything else.

    Returns:
        The exit code, or None: the ordinary command line then takes over.
    """
    before = Globals(arguments)
    if before.rest[:2] != ["history", "record"]:
        return None
    read = RecordOptions.read(before.rest[2:])
    if read is None or read[1]:
        return None
    options, _ = read
    import gc

    # One short run allocates much and frees little: the collector would only look for cycles that are not there.
    gc.disable()
    from pathlib import Path

    from envcompile.cli.error_handler import run_safely
    from envcompile.cli.render.recording import record_and_tell

    return run_safely(lambda: record_and_tell(Path(before.project), options))


def find_root(folder: str) -> str | None:
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

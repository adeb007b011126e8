"""What `envc build --check` says of the index and of commits, and hooks with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.cli.output import data, tell
from envcompile.cli.render.build import count_environments, stale_lines, warn
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.cli.flags import BuildOptions
    from envcompile.limits import Limits
    from envcompile.units.project import Project

MOST_LINES = 5
"""Files that a refused commit names; `envc build --check --staged` names all of them."""


def check_and_tell(
    folder: str | os.PathLike[str], environments: Sequence[str], options: BuildOptions, limits: Limits
) -> int:
    """Do what `envc build --check` with `--staged` or `--at` is asked for; the exit code.

    Raises:
        UsageError: `--check` is not given, there is no such commit or environment, or no project in it.
        EnvcError: what is wrong with the sources.
    """
    if not options.check or options.format is not None:
        which = "--staged" if options.staged else "--at"
        raise UsageError([Problem(f"{which} only compares", f"give it with --check: envc build --check {which}")])
    from envcompile.actions.gates import check_stored
    from envcompile.units.project import Project

    at = options.at
    project = Project.of_index(folder, limits) if at is None else Project.of_commit(folder, at, limits)
    results = check_stored(project, environments, with_chart=not options.no_chart)
    if results is None:
        tell("the sources compile; environments/ is not committed")
        return EXIT_OK
    warn(results)
    lines = stale_lines(None, results)
    for line in lines:
        data(line)
    if lines:
        tell(f"hint: {_advice(project)}")
        return EXIT_DIFFERENT
    tell(f"{count_environments(project, results)} environments are current")
    return EXIT_OK


def gate_index(folder: Path) -> int:
    """Refuse a commit that would hold other environments than its sources say; the exit code.

    Raises:
        EnvcError: what is wrong with the sources that are staged.
    """
    from envcompile.units.project import Project
    from envcompile.units.stored import NoProjectError

    try:
        project = Project.of_index(folder)
    except NoProjectError:
        return EXIT_OK
    return _gate(project, "")


def gate_push(folder: Path, remote: str, told: Iterable[str]) -> int:
    """Refuse a push of commits that hold other environments than their sources say; the exit code.

    Args:
        folder: the project's folder.
        remote: its name, or its address.
        told: what git tells its pre-push hook.

    Raises:
        EnvcError: what is wrong with the sources of a commit.
    """
    from envcompile.actions.opening import open_repository
    from envcompile.git.refs import commits_to_push
    from envcompile.units.project import Project
    from envcompile.units.stored import NoProjectError

    repository = open_repository(folder)
    lines = [line for line in told if line.strip()]
    commits = commits_to_push(repository, lines, remote) if lines else {repository.find("HEAD"): "HEAD"}
    code = EXIT_OK
    for commit, ref in commits.items():
        try:
            project = Project.of_commit(folder, commit)
        except NoProjectError:
            continue
        code = _gate(project, f"commit {commit[:12]} ({ref.removeprefix('refs/heads/')}): ") or code
    return code


def _gate(project: Project, title: str) -> int:
    from envcompile.actions.gates import check_stored

    results = check_stored(project, ())
    lines = stale_lines(None, results) if results is not None else []
    if not lines:
        return EXIT_OK
    for line in lines[:MOST_LINES]:
        tell(f"{title}{line}")
    if len(lines) > MOST_LINES:
        tell(f"{title}and {len(lines) - MOST_LINES} more")
    tell(f"environments/ is not what the sources say: {_advice(project)}")
    return EXIT_DIFFERENT


def _advice(project: Project) -> str:
    from envcompile.git.trees import CommitTree

    if isinstance(project.tree, CommitTree):
        return "run `envc build` and commit environments/"
    return "run `envc build` and `git add environments`"

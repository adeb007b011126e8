"""From changed files to the environments and resources they reach, by what the build read for each of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.errors import EnvcError, Problem, UnavailableError, UsageError, did_you_mean
from envcompile.pipeline.project import Project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.model import Resource, ResourceId

_EVERYTHING = "*"


def affected(project: Project, files: Sequence[str], revision: str | None) -> dict[str, list[ResourceId]]:
    """Environment -> the resources that the files touch, sorted; environments without any are left out.

    Args:
        project: the repository.
        files: paths as the user gave them, relative to the current folder; none means those git reports.
        revision: the commit to compare with (HEAD when None). Files that only that commit has are looked up there.

    Raises:
        UsageError: a file outside of the repository, or no such commit.
        UnavailableError: git is needed and does not answer.
    """
    changed = [_inside(project.root, file) for file in files] if files else _changed(project.root, revision or "HEAD")
    reach = _reach(project)
    gone = [path for path in changed if not project.tree.exists(path)]
    if gone:
        reach_before = _reach_of_commit(project, revision or "HEAD")
        for environment, by_file in reach_before.items():
            merged = reach.setdefault(environment, {})
            for path in gone:
                merged.setdefault(path, set()).update(by_file.get(path, ()))
    found: dict[str, list[ResourceId]] = {}
    for environment in (*project.environments, *sorted(reach.keys() - {*project.environments})):
        by_file = reach.get(environment, {})
        touched: set[ResourceId] = set()
        for path in changed:
            touched |= by_file.get(path, set())
            if path == "envc.yaml" or path in project.crd_files():
                touched |= by_file.get(_EVERYTHING, set())
        if touched:
            found[environment] = sorted(touched)
    unknown = [path for path in gone if not any(path in by_file for by_file in reach.values())] if files else []
    if unknown:
        known = sorted({path for by_file in reach.values() for path in by_file if path != _EVERYTHING})
        raise UsageError([
            Problem(f"there is no file {path}", did_you_mean(path, known, "name files of base/ or overlays/"))
            for path in unknown
        ])
    return found


def _reach(project: Project) -> dict[str, dict[str, set[ResourceId]]]:
    """For every environment: source file -> the resources that something in it reached."""
    reach: dict[str, dict[str, set[ResourceId]]] = {}
    for environment in project.environments:
        built = project.compile_with_sources(environment)
        dependencies = built.composed.sources.dependencies
        by_file: dict[str, set[ResourceId]] = {}
        every = {resource.id for resource in built.compiled.resources}
        by_file[_EVERYTHING] = every
        for layer in built.composed.sources.layers:
            if layer.name != "base":
                by_file[f"{layer.name}/environment.yaml"] = every
                sealed = {resource.id for resource in built.compiled.resources if resource.id.kind == "SealedSecret"}
                by_file[f"{layer.name}/sealed.yaml"] = sealed
        for resource in built.compiled.resources:
            for path in _files_of(resource):
                for file in {path, *dependencies.get(path, ())}:
                    by_file.setdefault(file, set()).add(resource.id)
        reach[environment] = by_file
    return reach


def _files_of(resource: Resource) -> set[str]:
    return {step.document.source.path for step in resource.steps if step.document is not None}


def _reach_of_commit(project: Project, revision: str) -> dict[str, dict[str, set[ResourceId]]]:
    """The reach of the files that a commit had; empty when the commit does not compile."""
    from envcompile.sources import GitTree

    try:
        return _reach(Project(GitTree(project.root, revision)))
    except EnvcError:
        return {}


def _inside(root: Path, file: str) -> str:
    path = Path(os.path.abspath(file))  # ruff: ignore[os-path-abspath] - the name as given: a symlink is a source of its own
    for base in (root, root.resolve()):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    inside = root / file
    if inside.exists():
        return Path(file).as_posix()
    raise UsageError([Problem(f"{file} is not in the repository {root}", "name files below it")])


def _changed(root: Path, revision: str) -> list[str]:
    """The paths that differ between a commit and the working tree, new files included."""
    tracked = _git(root, "diff", "--name-only", "-z", "--no-renames", "--relative", revision, "--", ".")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    return sorted({path for path in (tracked + new).split("\0") if path})


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise UnavailableError([Problem("git is not installed", "install git, or name the changed files")]) from error
    if done.returncode:
        message = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = message[0].removeprefix("fatal: ") if message else "no reason given"
        raise UsageError([
            Problem(f"git cannot tell what changed: {reason}", "name a commit with --from, or the files")
        ])
    return done.stdout.decode("utf-8", "surrogateescape")

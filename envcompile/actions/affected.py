"""Which resources of which environments differ between a commit and the working folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.actions.build import link_all
from envcompile.compose.rollout import configuration_kind
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.sources.tree import join
from envcompile.units.compare import changed_resources
from envcompile.units.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.model import ResourceId
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.plan import Part, PlannedUnit


def affected(project: Project, files: Sequence[str], revision: str | None) -> dict[str, list[ResourceId]]:
    """Environment -> the resources that differ, sorted; environments without any are left out.

    Without files that is the exact difference of what a commit and the working folder compile to. With files it is
    everything that changes when they are gone, and everything that is made from them: no edit of values in them
    reaches more.

    Args:
        project: the repository.
        files: paths as the user gave them, relative to the current folder.
        revision: the commit to compare with (HEAD when None).

    Raises:
        UsageError: a file outside of the repository, or no such commit.
        UnavailableError: git is needed and does not answer.
        EnvcError: the folder or the commit does not compile.
    """
    if not files:
        return _between(_at_commit(project, revision or "HEAD"), project)
    paths = _named(project, files)
    unknown = [path for path in paths if not project.tree.exists(path)]
    if unknown:
        known = sorted({part.path for name in project.environments for part in _parts(project, name)})
        raise UsageError([
            Problem(f"there is no file {path}", did_you_mean(path, known, "name files of base/ or overlays/"))
            for path in unknown
        ])
    return _made_from(project, frozenset(paths))


def _between(before: Project, after: Project) -> dict[str, list[ResourceId]]:
    names = [*after.environments, *(name for name in before.environments if name not in after.environments)]
    sides = [{linked.environment: linked for linked in link_all(side, side.environments)} for side in (before, after)]
    found = {name: changed_resources(sides[0].get(name), sides[1].get(name)) for name in names}
    return {name: changed for name, changed in found.items() if changed}


def _at_commit(project: Project, revision: str) -> Project:
    from envcompile.sources import GitTree

    return Project(GitTree(project.root, revision), memo=project.memo)


def _made_from(project: Project, paths: frozenset[str]) -> dict[str, list[ResourceId]]:
    """What is made from some files, whatever values they hold."""
    found: dict[str, list[ResourceId]] = {}
    common = paths & {"envc.yaml", *project.further_inputs()}
    for linked in link_all(project, project.environments):
        sources = linked.plan.sources
        every = {resource.id for resource in linked.exported()} | {resource.id for resource in linked.linked.further}
        own = {file for file in sources.own_files if file != "envc.yaml"}
        touched: set[ResourceId] = set()
        if common or paths & own:
            touched = every
        for number, unit in enumerate(linked.plan.units):
            if any(part.path in paths for part in unit.parts) or _imports(linked, unit, paths):
                touched |= {resource.id for resource in linked.exports[number].resources}
                touched |= set(linked.exports[number].excluded)
        touched = _with_dependants(linked, touched) & every
        if touched:
            found[linked.environment] = sorted(touched)
    return found


def _imports(linked: LinkedEnvironment, unit: PlannedUnit, paths: frozenset[str]) -> bool:
    """Tell whether a file of a unit was computed from one of the paths."""
    dependencies = linked.plan.sources.dependencies
    return any(not paths.isdisjoint(dependencies.get(part.path, ())) for part in unit.parts)


def _with_dependants(linked: LinkedEnvironment, touched: set[ResourceId]) -> set[ResourceId]:
    """The resources with all others that the link step gives something of them."""
    if not touched:
        return touched
    called: dict[object, set[ResourceId]] = {}
    exported = list(linked.exported())
    for resource in exported:
        wanted: list[object] = [name for names in resource.needs for name in names]
        wanted += [(kind, resource.id.namespace, name) for kind, name in resource.reads]
        wanted += resource.refers
        for name in wanted:
            called.setdefault(name, set()).add(resource.id)
    names: dict[ResourceId, list[object]] = {}
    for resource in exported:
        kind = configuration_kind(resource.id)
        names[resource.id] = [*resource.names, (kind, resource.id.namespace, resource.id.name), resource.moved]
    reached = set(touched)
    todo = list(touched)
    while todo:
        for name in names.get(todo.pop(), ()):
            for dependant in called.get(name, set()) - reached:
                reached.add(dependant)
                todo.append(dependant)
    return reached


def _parts(project: Project, environment: str) -> Iterator[Part]:
    for unit in project.plan(environment).units:
        yield from unit.parts


def _named(project: Project, files: Sequence[str]) -> list[str]:
    """The paths that the user names; for a folder all that it holds."""
    found: list[str] = []
    for file in files:
        path = _inside(project.root, file)
        below = [entry.path for entry in project.tree.files(path)]
        found += below or [path]
    return found


def _inside(root: Path, file: str) -> str:
    path = Path(os.path.abspath(file))  # ruff: ignore[os-path-abspath] - the name as given: a symlink is a source of its own
    for base in (root, root.resolve()):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    # Seen from outside of the repository (`--project`), paths count from its root.
    inside = join("", file)
    if inside is not None:
        return inside
    raise UsageError([Problem(f"{file} is not in the repository {root}", "name files below it")])

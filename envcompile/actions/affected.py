"""From changed files to the environments and resources they reach, by what the build read for each of them."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.actions.project import Project
from envcompile.compose.directives import is_deletion
from envcompile.compose.identity import Identifier
from envcompile.compose.rollout import configuration_of
from envcompile.compose.targets import Matcher
from envcompile.errors import EnvcError, Problem, UsageError, did_you_mean
from envcompile.git.refs import changed_files
from envcompile.git.repository import open_repository
from envcompile.model import Resource
from envcompile.sources.tree import join

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.actions.project import CompiledEnvironment
    from envcompile.model import ResourceId

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
    changed = _named(project, files) if files else _changed(project.root, revision or "HEAD")
    reach = _reach(project)
    gone = [path for path in changed if not project.tree.exists(path)]
    if gone:
        reach_before = _reach_of_commit(project, revision or "HEAD")
        for environment, by_file in reach_before.items():
            merged = reach.setdefault(environment, {})
            for path in by_file.keys() & gone:
                merged.setdefault(path, set()).update(by_file[path])
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
    return {environment: _reach_in(project.compile_with_sources(environment)) for environment in project.environments}


def _reach_in(built: CompiledEnvironment) -> dict[str, set[ResourceId]]:
    resources = built.compiled.resources
    sources = built.composed.sources
    every = {resource.id for resource in resources}
    by_file: dict[str, set[ResourceId]] = {_EVERYTHING: every}

    def note(path: str, resource: ResourceId) -> None:
        for file in {path, *sources.dependencies.get(path, ())}:
            by_file.setdefault(file, set()).add(resource)

    readers = _readers(resources) if sources.settings.rollout == "checksum" else {}
    for resource in resources:
        for path in _files_of(resource):
            for reached in {resource.id, *readers.get(resource.id, ())}:
                note(path, reached)
    for path, identity in _removals(built):
        note(path, identity)
    sealed = {resource.id for resource in resources if resource.id.kind == "SealedSecret"}
    sealed.update(*(readers.get(identity, ()) for identity in sealed))
    for layer in sources.layers:
        if layer.name != "base":
            by_file[f"{layer.name}/environment.yaml"] = every
            by_file[f"{layer.name}/sealed.yaml"] = sealed
    return by_file


def _readers(resources: Sequence[Resource]) -> dict[ResourceId, set[ResourceId]]:
    """Each ConfigMap and Secret -> the workloads that carry a checksum of it."""
    configuration = {
        ("Secret" if resource.id.kind == "SealedSecret" else resource.id.kind, *resource.id[2:]): resource.id
        for resource in resources
        if resource.id.kind in {"ConfigMap", "Secret", "SealedSecret"}
    }
    found: dict[ResourceId, set[ResourceId]] = {}
    for resource in resources:
        for kind, name in configuration_of(resource):
            read = configuration.get((kind, resource.id.namespace, name))
            if read is not None:
                found.setdefault(read, set()).add(resource.id)
    return found


def _removals(built: CompiledEnvironment) -> Iterator[tuple[str, ResourceId]]:
    """The files that take a resource out of the environment, with that resource."""
    settings = built.composed.sources.settings
    identifier = Identifier(built.composed.api, settings.namespace, forced=settings.force_namespace)
    layers = built.composed.sources.layers
    defined = {identifier.identify(document.value): document for layer in layers for document in layer.documents}
    for layer in layers:
        for document in layer.documents:
            if is_deletion(document.value):
                yield document.source.path, identifier.identify(document.value)
        for patch in layer.patches:
            if patch.patch.merge is not None and is_deletion(patch.patch.merge):
                matcher = Matcher(patch.patch.target, patch.document)
                for identity, document in defined.items():
                    if matcher.matches(Resource(identity, document.value, "", ())):
                        yield patch.document.source.path, identity


def _files_of(resource: Resource) -> set[str]:
    return {step.document.source.path for step in resource.steps if step.document is not None}


def _reach_of_commit(project: Project, revision: str) -> dict[str, dict[str, set[ResourceId]]]:
    """The reach of the files that a commit had; empty when the commit does not compile."""
    try:
        with closing(open_repository(project.root).commit_tree(revision)) as tree:
            return _reach(Project(tree))
    except EnvcError:
        return {}


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


def _changed(root: Path, revision: str) -> list[str]:
    """The paths that differ between a commit and the working tree, new files included."""
    return changed_files(open_repository(root), revision)

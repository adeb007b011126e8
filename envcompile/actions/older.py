"""What was compiled before: the objects that stand in the cluster, as far as a repository can know."""

from __future__ import annotations

from contextlib import suppress
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.opening import open_repository
from envcompile.check.api.immutable import can_refuse
from envcompile.check.reading import at
from envcompile.emit.filenames import place_files
from envcompile.emit.index import INDEX_NAME, parse_index
from envcompile.emit.layout import WHOLE, file_of, take_apart
from envcompile.emit.manifests import built_in_kinds, render
from envcompile.errors import EnvcError
from envcompile.yamlio import Renderer
from envcompile.yamlio.load import load_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.model import Resource, ResourceId
    from envcompile.sources import Tree
    from envcompile.units.project import CompiledEnvironment, Project

_FOLDER: Final = "environments"


def older_values(
    project: Project, compiled: Sequence[CompiledEnvironment], since: str | None
) -> list[Mapping[ResourceId, dict[str, Any]]]:
    """For each environment the resources that were compiled to something else before, as they were.

    Only kinds with fields that must stay are looked at, and only the files that differ are read as YAML.

    Args:
        project: the repository.
        compiled: the environments as they are now.
        since: the commit whose compiled manifests are the older state; HEAD's when left out, or those in the folder
            for an environment that HEAD does not have.

    Raises:
        UsageError: no such commit.
        UnavailableError: a commit is named, and git does not answer.
    """
    if project.tree.root is None:
        return [{} for _ in compiled]
    tree = _committed(project, since)
    renderer = Renderer()
    found: list[Mapping[ResourceId, dict[str, Any]]] = []
    for built in compiled:
        index = f"{_FOLDER}/{built.compiled.environment}/{INDEX_NAME}"
        source = tree if tree is not None and (since is not None or tree.is_file(index)) else project.tree
        found.append(_differing(source, built, renderer))
    return found


def _committed(project: Project, since: str | None) -> Tree | None:
    try:
        return open_repository(project.root).commit_tree(since or "HEAD")
    except EnvcError:
        if since is not None:
            raise
        return None


def _differing(tree: Tree, built: CompiledEnvironment, renderer: Renderer) -> dict[ResourceId, dict[str, Any]]:
    folder = f"{_FOLDER}/{built.compiled.environment}"
    if not tree.is_file(f"{folder}/{INDEX_NAME}"):
        return {}
    known = parse_index(tree.read(f"{folder}/{INDEX_NAME}"))
    moved: dict[str, list[str]] = {}
    for path in known:
        moved.setdefault(path.rpartition("/")[2], []).append(path)
    together = [path for path in known if "/" not in path]
    read = cache(partial(_Older, tree))
    found: dict[ResourceId, dict[str, Any]] = {}
    compiled = built.compiled
    places = place_files(compiled.resources, compiled.namespace, built_in_kinds(built.composed.api))
    for place, resource in places.items():
        if not can_refuse(resource.id.group, resource.id.kind):
            continue
        own = file_of(place, "app")
        files = next(([file] for file in (place, own, WHOLE) if file in known), None)
        for file in files or [*moved.get(place.rpartition("/")[2], []), *together]:
            value = read(f"{folder}/{file}").of(resource, renderer)
            if value is not None:
                found[resource.id] = value
    return found


class _Older:
    """A file as it was; what cannot be read says nothing."""

    def __init__(self, tree: Tree, path: str) -> None:
        self._path = path
        self._texts = frozenset(take_apart(tree.read(path))) if tree.is_file(path) else frozenset[bytes]()

    @cached_property
    def _values(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for text in self._texts:
            with suppress(EnvcError):
                found += [value for value in load_all(text, self._path) if isinstance(value, dict)]
        return found

    def of(self, resource: Resource, renderer: Renderer) -> dict[str, Any] | None:
        """The older value of a resource, if it was another one."""
        if not self._texts or render(resource, renderer).encode() in self._texts:
            return None
        for old in self._values:
            name, namespace = at(old, "metadata", "name"), at(old, "metadata", "namespace")
            is_here = namespace in {None, "", resource.id.namespace}
            if old.get("kind") == resource.id.kind and name == resource.id.name and is_here:
                return old
        return None

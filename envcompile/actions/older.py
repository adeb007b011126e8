"""What was compiled before: the objects that stand in the cluster, as far as a repository can know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.opening import open_repository
from envcompile.check.api.immutable import can_refuse
from envcompile.check.policy.kinds import ADMISSION, POLICY, has_own_rules
from envcompile.check.reading import at, text_at
from envcompile.emit.filenames import place_files
from envcompile.emit.index import INDEX_NAME, parse_index
from envcompile.emit.manifests import built_in_kinds, render
from envcompile.errors import EnvcError
from envcompile.yamlio import Renderer
from envcompile.yamlio.load import load_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
    found: dict[ResourceId, dict[str, Any]] = {}
    compiled = built.compiled
    looks_back = _looking_back(built)
    files = place_files(compiled.resources, compiled.namespace, built_in_kinds(built.composed.api))
    for file, resource in files.items():
        if not (can_refuse(resource.id.group, resource.id.kind) or looks_back(resource)):
            continue
        places = [file] if file in known else moved.get(file.rpartition("/")[2], [])
        for place in places:
            value = _as_it_was(tree, f"{folder}/{place}", resource, renderer)
            if value is not None:
                found[resource.id] = value
    return found


def _looking_back(built: CompiledEnvironment) -> Callable[[Resource], bool]:
    """Tells whether an admission policy, or a rule of its kind, asks what a resource was."""
    resources, api = built.compiled.resources, built.composed.api
    if any((resource.id.group, resource.id.kind) == (ADMISSION, POLICY) for resource in resources):
        return lambda _: True
    found: dict[tuple[str, str], bool] = {}

    def ask(resource: Resource) -> bool:
        kind = (text_at(resource.value, "apiVersion"), resource.id.kind)
        if kind not in found:
            group, _, version = kind[0].rpartition("/")
            found[kind] = not api.is_built_in(group, kind[1]) and has_own_rules(api, group, version, kind[1])
        return found[kind]

    return ask


def _as_it_was(tree: Tree, path: str, resource: Resource, renderer: Renderer) -> dict[str, Any] | None:
    """The older value of a resource, if it was another one; what cannot be read says nothing."""
    if not tree.is_file(path):
        return None
    data = tree.read(path)
    if data == render(resource, renderer).encode():
        return None
    try:
        documents = load_all(data, path)
    except EnvcError:
        return None
    old = documents[0] if len(documents) == 1 else None
    if not isinstance(old, dict) or old.get("kind") != resource.id.kind:
        return None
    name, namespace = at(old, "metadata", "name"), at(old, "metadata", "namespace")
    return old if name == resource.id.name and namespace in {None, "", resource.id.namespace} else None

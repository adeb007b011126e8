"""The way out: a plain kustomize tree of base and overlays that renders what the environments are."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.common_base import consensus
from envcompile.adopt.existing import Existing, ExistingEnvironment, literal_identity
from envcompile.adopt.factor import Key
from envcompile.adopt.kustomize import find_command, render
from envcompile.adopt.layout import applications, file_names
from envcompile.adopt.namespaces import OWN, is_namespaced, without_namespace
from envcompile.adopt.proof import compare
from envcompile.compose.differences import json_operations
from envcompile.compose.merge_derive import NotExpressibleError, derive
from envcompile.errors import Problem, Problems, UnavailableError, UsageError, fail
from envcompile.files import refuse_planted, unwritable, write_atomically
from envcompile.kubernetes import load
from envcompile.model import Location
from envcompile.settings import DEFAULT_KUBERNETES_VERSION
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.existing import Value
    from envcompile.adopt.proof import Mismatch
    from envcompile.kubernetes import KubeApi, Node
    from envcompile.units.project import Project

_FILE: Final = "kustomization.yaml"
_HEAD: Final = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_INSIDE: Final = "own"
"""The folder of an environment's own namespace, where it has objects elsewhere."""
_TOUCHED: Final = frozenset({
    "RoleBinding", "ClusterRoleBinding", "Namespace", "APIService", "CustomResourceDefinition",
})  # fmt: skip
"""Kinds in which kustomize's `namespace:` changes more than the namespace of the object.

Source: kustomize api/internal/konfig/builtinpluginconsts/namespace.go.
"""


class Ejected(NamedTuple):
    """What was written: files, the objects of each environment, and what kustomize renders otherwise."""

    files: tuple[Path, ...]
    objects: Mapping[str, int]
    differences: tuple[Mismatch, ...]
    is_proven: bool
    """False where there is no kustomize to render it with."""
    open_secrets: tuple[str, ...]
    """The environments that have Secrets in clear."""


def eject(project: Project, environments: Sequence[str], target: Path) -> Ejected:
    """Write environments as a kustomize tree, and render it again where kustomize is at hand.

    Args:
        project: whose environments they are.
        environments: their names.
        target: the folder of the tree, which must not hold anything yet.

    Raises:
        UsageError: the folder is not empty.
        EnvcError: a symlink of the repository leads the folder out of it, something is wrong with the environments,
            or an object has no name, which kustomize refuses.
        UnavailableError: the folder cannot be written.
    """
    refuse_planted(target, project.root)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError([Problem(f"`{target}` is not empty", "name a folder that is not there yet")])
    documents = {name: [resource.value for resource in project.link(name).resources()] for name in environments}
    if nameless := [value for values in documents.values() for value in values if not value["metadata"].get("name")]:
        kinds = ", ".join(sorted({value["kind"] for value in nameless}))
        raise fail(f"kustomize takes no object without a name: {kinds} with `generateName`", "give them names first")
    files = _Tree(documents).files
    written = []
    for path, text in files.items():
        file = target / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(file.parent, error, "what was written stays") from error
        write_atomically(file, text.encode())
        written.append(file)
    try:
        command = find_command()
    except UnavailableError:
        command = []
    found = [each for name in environments for each in _differences(command, target, name, documents[name])]
    return Ejected(
        tuple(written),
        {name: len(values) for name, values in documents.items()},
        tuple(found),
        bool(command),
        tuple(name for name, values in documents.items() if any(_is_open(value) for value in values)),
    )


def _is_open(value: Value) -> bool:
    return bool(value["kind"] == "Secret" and value["apiVersion"] == "v1")


def _differences(command: Sequence[str], target: Path, name: str, wanted: Sequence[Value]) -> Iterable[Mismatch]:
    """What kustomize renders otherwise; nothing where there is none."""
    if not command:
        return ()
    problems = Problems()
    rendered = render(command, target, f"overlays/{name}", problems)
    problems.raise_any()
    place = Location(target.as_posix(), 1, 1)
    environment = ExistingEnvironment(name, name, tuple(Existing(value, place) for value in wanted))
    return list(compare(environment, [existing.value for existing in rendered]))


class _Side(NamedTuple):
    """A part of the tree that has a base of its own."""

    base: str
    objects: Mapping[Key, dict[str, Value]]
    """Each with what it is in the environments that have it."""


class _Tree:
    """Finds what environments have in common, and writes it down once.

    Objects of an environment's own namespace leave it out, and their kustomization says it. All others are in a second
    kustomization around it: kustomize would change their namespaces, those of subjects, and scopes that it cannot know.
    """

    def __init__(self, documents: Mapping[str, Sequence[Value]]) -> None:
        self._api = load(DEFAULT_KUBERNETES_VERSION)
        self._own = {name: _own_namespace(self._api, values) for name, values in documents.items()}
        inner: dict[Key, dict[str, Value]] = {}
        outer: dict[Key, dict[str, Value]] = {}
        for name, values in documents.items():
            for value in values:
                group, kind, namespace, identity = literal_identity(value)
                if self._is_inner(name, value):
                    space = OWN if is_namespaced(self._api, value) else ""
                    inner.setdefault(Key(group, kind, space, identity), {})[name] = without_namespace(value)
                else:
                    outer.setdefault(Key(group, kind, namespace, identity), {})[name] = value
        self._names_of = tuple(documents)
        self._has_outer = {name: any(name in values for values in outer.values()) for name in documents}
        both = {key: next(iter(values.values())) for key, values in (*inner.items(), *outer.items())}
        self._names = file_names(both, applications(both))
        self.files: dict[str, str] = {}
        for side in (_Side("base", inner), _Side("elsewhere", outer)):
            self._write(side)

    def _is_inner(self, name: str, value: Value) -> bool:
        own = self._own[name]
        if value["kind"] in _TOUCHED and own:
            return False
        namespace = value["metadata"].get("namespace") or ""
        group = value["apiVersion"].rpartition("/")[0]
        if not namespace and own:
            is_known = self._api.is_built_in(group, value["kind"])
            return is_known and self._api.is_namespaced(group, value["kind"]) is False
        return namespace == own

    def _folder(self, side: _Side, name: str) -> str:
        """Where an environment's part of a side is."""
        is_inside = side.base == "base" and self._has_outer[name]
        return f"overlays/{name}/{_INSIDE}" if is_inside else f"overlays/{name}"

    def _write(self, side: _Side) -> None:
        resources: dict[str, list[str]] = {name: [] for name in self._names_of}
        patches: dict[str, list[Value]] = {name: [] for name in self._names_of}
        shared = []
        for key, values in side.objects.items():
            path = self._names[key]
            if len(values) == len(self._names_of) > 1:
                shared.append(path)
                self._write_shared(side, key, values, patches)
                continue
            for name, value in values.items():
                self.files[f"{self._folder(side, name)}/{path}"] = yamlio.dump(value)
                resources[name].append(path)
        if shared:
            self.files[f"{side.base}/{_FILE}"] = yamlio.dump({**_HEAD, "resources": sorted(shared)})
        for name in self._names_of:
            if side.base != "base" and not self._has_outer[name]:
                continue
            folder = self._folder(side, name)
            found: Value = dict(_HEAD)
            if side.base == "base" and self._own[name]:
                found["namespace"] = self._own[name]
            below = [] if side.base == "base" else [_INSIDE]
            base = [posixpath.relpath(side.base, folder)] if shared else []
            found["resources"] = [*below, *base, *sorted(resources[name])]
            if patches[name]:
                found["patches"] = patches[name]
            self.files[f"{folder}/{_FILE}"] = yamlio.dump(found)

    def _write_shared(
        self, side: _Side, key: Key, values: Mapping[str, Value], patches: Mapping[str, list[Value]]
    ) -> None:
        each = list(values.values())
        first = each[0]
        group, _, version = first["apiVersion"].rpartition("/")
        # kustomize knows the lists of built-in kinds only.
        node = self._api.node(group, version, key.kind) if self._api.is_built_in(group, key.kind) else None
        base = first if all(same(first, value) for value in each[1:]) else consensus(each, node)
        path = self._names[key]
        self.files[f"{side.base}/{path}"] = yamlio.dump(base)
        for name, value in values.items():
            if same(base, value):
                continue
            target = {"kind": key.kind, "name": re.escape(key.name).replace("\\-", "-")}
            if group:
                target["group"] = group
            target["version"] = version
            if key.space and key.space != OWN:
                target["namespace"] = key.space
            patch = _merge_patch(base, value, node)
            text = yamlio.dump(patch if patch is not None else list(json_operations(base, value)))
            self.files[f"{self._folder(side, name)}/{path}"] = text
            patches[name].append({"path": path, "target": target})


def _own_namespace(api: KubeApi, values: Sequence[Value]) -> str:
    """The namespace that most objects are in; empty where one that could be in a namespace names none."""
    found = [value["metadata"].get("namespace") or "" for value in values if is_namespaced(api, value)]
    return max(sorted(set(found)), key=found.count, default="")


def _merge_patch(base: Value, target: Value, node: Node | None) -> Value | None:
    """A strategic merge patch that kustomize reads as envc does; None where a JSON patch is safer."""
    try:
        patch = derive(base, target, node)
    except NotExpressibleError:
        return None
    if patch is None or not _is_plain(patch, base, node):
        return None
    metadata = {"name": target["metadata"]["name"], **patch.get("metadata", {})}
    if "namespace" in target["metadata"]:
        metadata = {**metadata, "namespace": target["metadata"]["namespace"]}
    rest = {key: item for key, item in patch.items() if key not in {"apiVersion", "kind", "metadata"}}
    return {"apiVersion": target["apiVersion"], "kind": target["kind"], "metadata": metadata, **rest}


def _is_plain(patch: Any, base: Any, node: Node | None) -> bool:
    """Whether a patch only sets and removes fields, also of the first items of lists, found by their name.

    kustomize puts the items of a patch first, and does not know all keys of lists that have several.
    """
    if type(patch) is dict:
        return all(
            not str(key).startswith("$")
            and _is_plain(item, base.get(key) if type(base) is dict else None, node.child(key) if node else None)
            for key, item in patch.items()
        )
    if type(patch) is not list:
        return True
    if node is None or node.rule.strategy != "merge":
        return not any(type(item) is dict and any(str(key).startswith("$") for key in item) for item in patch)
    if tuple(node.rule.keys) != ("name",) or type(base) is not list:
        return False
    known = {item.get("name"): item for item in base if type(item) is dict}
    first = [item.get("name") if type(item) is dict else None for item in base][: len(patch)]
    return [item.get("name") if type(item) is dict else "" for item in patch] == first and all(
        _is_plain(item, known[item["name"]], node.items) for item in patch
    )

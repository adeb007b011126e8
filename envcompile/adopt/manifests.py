"""Plain manifests: which environments a folder holds, and their objects."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from envcompile import yamlio
from envcompile.adopt.existing import (
    Existing,
    ExistingEnvironment,
    Sources,
    environment_name,
    in_promotion_order,
    literal_identity,
    unique_names,
    without_repeats,
)
from envcompile.errors import EnvcError, Problem, Problems, UsageError, fail
from envcompile.kubernetes.cleaner import sort_live
from envcompile.sources.tree import File, WorkingTree, file_start
from envcompile.sources.yamlfiles import YAML_ENDINGS, sort_documents, split_file
from envcompile.values import same
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from envcompile.model import Document, Location

_SHARED = 0.5
"""The share of the smaller entry's objects that two entries have in common when both are environments."""


def read_manifests(source: Path) -> Sources:
    """Read a folder, or a file, of plain manifests.

    Its top-level entries are environments when they hold the same objects (kind and name), as `dev.yaml` and
    `prod.yaml` or `dev/` and `prod/` do; else everything is one environment.

    Raises:
        UsageError: there is no such folder.
        EnvcError: files that are no manifests: templates, kustomizations, broken YAML; objects defined twice.
    """
    if not source.exists():
        raise UsageError([Problem(f"`{source}` does not exist", "name the folder with the manifests")])
    notes: list[str] = []
    start, entries, name = _entries(source)
    problems = Problems()
    found: dict[str, list[Existing]] = {}
    for entry, paths in entries.items():
        found[entry] = _objects(start, paths, notes, problems)
    problems.raise_any()
    found = {entry: without_cluster_made(objects, notes, entry) for entry, objects in found.items()}
    found = {entry: objects for entry, objects in found.items() if objects}
    if not found:
        raise fail(
            f"`{source}` holds no Kubernetes manifests", "name a folder with .yaml, .yml or .json files of resources"
        )
    if len(found) > 1 and _are_environments(found):
        grouped = _as_environments(found, notes)
    else:
        if len(found) > 1:
            notes.append(f"no two entries of {source} hold the same objects: all of it is one environment, `{name}`")
        grouped = {name: (str(source), [existing for objects in found.values() for existing in objects])}
    environments = [
        ExistingEnvironment(fit, origin, without_repeats(fit, objects, problems))
        for fit, (origin, objects) in grouped.items()
    ]
    problems.raise_any()
    return Sources(in_promotion_order(environments), tuple(notes))


def _entries(source: Path) -> tuple[Path, dict[str, list[str]], str]:
    """The folder to read, the files of each of its entries, and the name of the environment should it be one.

    A folder that holds nothing but one folder stands for that folder.
    """
    if source.is_file():
        return source.parent, {source.stem: [source.name]}, environment_name(source.stem)
    name = "default"
    start = source
    while True:
        paths = [entry.path for entry in WorkingTree(start).files("")]
        tops = {path.partition("/")[0] for path in paths}
        if len(tops) != 1 or "/" not in paths[0]:
            break
        name = environment_name(tops.copy().pop())
        start /= tops.pop()
    entries: dict[str, list[str]] = {}
    for path in paths:
        top, deeper, _ = path.partition("/")
        entries.setdefault(top if deeper else posixpath.splitext(top)[0], []).append(path)
    if len(paths) == 1:
        name = environment_name(posixpath.splitext(paths[0])[0])
    return start, entries, name


def _objects(start: Path, paths: Sequence[str], notes: list[str], problems: Problems) -> list[Existing]:
    """The objects of some files; files without any are left out with a note."""
    shown = start.as_posix()
    prefix = "" if shown == "." else f"{shown.rstrip('/')}/"
    tree = WorkingTree(start)
    found: list[Existing] = []
    for path in paths:
        named = f"{prefix}{path}"
        if posixpath.basename(path) == "Chart.yaml":
            folder = posixpath.dirname(named)
            problems.add(
                f"`{folder}` is a Helm chart, and envc reads no templates",
                "render it for each environment, `helm template NAME CHART -f VALUES > DIR/<environment>.yaml`, and "
                "give the folder of the results to --from-manifests",
                file_start(named),
            )
            continue
        if not path.endswith(YAML_ENDINGS):
            if path.endswith((".jsonnet", ".libsonnet")):
                notes.append(f"left out {named}: it is jsonnet; copy it into base/ yourself")
            continue
        try:
            file = File(named, tree.read(path))
            values = yamlio.load_all(file.data, named)
            if not any(_is_like_a_resource(value) for value in values) and not _is_kustomization(path):
                if any(value is not None for value in values):
                    notes.append(f"left out {named}: it holds no Kubernetes objects")
                continue
            found += to_objects(split_file(file, values, "base", problems), problems)
        except EnvcError as error:
            problems.extend(error)
    return found


def to_objects(documents: Iterable[Document], problems: Problems) -> list[Existing]:
    """The objects of parsed documents, lists taken apart; what is no object is noted."""
    sorted_out = sort_documents(documents, problems)
    for patch in sorted_out.patches:
        what = "a `kind: Patch` of envc is no object of a cluster"
        problems.add(
            what,
            "the manifests come from an envc repository: give the files of its environments/",
            place(patch.document),
        )
    return [Existing(document.value, _place_of(document)) for document in sorted_out.documents]


def without_cluster_made(objects: Sequence[Existing], notes: list[str], origin: str) -> list[Existing]:
    """The objects as somebody would apply them, should they come from a live cluster."""
    cleaned = sort_live(existing.value for existing in objects)
    notes += [f"{origin}: {note}" for note in cleaned.notes]
    return [objects[position]._replace(value=value) for position, value in cleaned.kept]


def _place_of(document: Document) -> Location:
    return place(document) if document.source.read().strip() else file_start(document.source.path)


def _is_kustomization(path: str) -> bool:
    return posixpath.basename(path).lower() in {"kustomization.yaml", "kustomization.yml", "kustomization"}


def _is_like_a_resource(value: Any) -> bool:
    if type(value) is list:
        return any(_is_like_a_resource(item) for item in value)
    return type(value) is dict and ("apiVersion" in value or ("kind" in value and "metadata" in value))


def _are_environments(entries: dict[str, list[Existing]]) -> bool:
    """Tell whether entries are variants of each other, or parts of one whole."""
    names = [
        {(existing.value["kind"], literal_identity(existing.value)[3]) for existing in objects}
        for objects in entries.values()
    ]
    wholes = [
        {literal_identity(existing.value): existing.value for existing in objects} for objects in entries.values()
    ]
    for second in range(len(names)):
        for first in range(second):
            shared = {key for key in names[first] & names[second] if key[0] != "Namespace"}
            smaller = min(
                sum(kind != "Namespace" for kind, _ in names[first]),
                sum(kind != "Namespace" for kind, _ in names[second]),
            )
            if shared and len(shared) >= _SHARED * smaller:
                return True
            both = wholes[first].keys() & wholes[second].keys()
            if any(not same(wholes[first][key], wholes[second][key]) for key in both):
                return True
    return False


def _as_environments(found: dict[str, list[Existing]], notes: list[str]) -> dict[str, tuple[str, list[Existing]]]:
    """The entries as environments; an entry that shares nothing with the others is one all the same, and is named."""
    fitting = unique_names(list(found))
    identities = {
        entry: {(existing.value["kind"], literal_identity(existing.value)[3]) for existing in objects}
        for entry, objects in found.items()
    }
    for entry, mine in identities.items():
        if not any(mine & others for other, others in identities.items() if other != entry):
            notes.append(f"`{entry}` shares no object with the other entries; it became an environment of its own")
        if fitting[entry] != entry:
            notes.append(
                f"`{entry}` is called `{fitting[entry]}`: names of environments are lower-case letters, digits and `-`"
            )
    return {fitting[entry]: (entry, objects) for entry, objects in found.items()}

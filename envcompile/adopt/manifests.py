"""Plain manifests: which environments a folder holds, and their objects."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from envcompile import yamlio
from envcompile.adopt.authors import read_written
from envcompile.adopt.existing import (
    Existing,
    ExistingEnvironment,
    Sources,
    environment_name,
    in_promotion_order,
    without_repeats,
)
from envcompile.adopt.grouping import Group, by_likeness, by_stage, by_wish, is_at
from envcompile.adopt.releases import about_releases
from envcompile.adopt.wishes import NO_WISHES
from envcompile.errors import EnvcError, Problem, Problems, UsageError, fail
from envcompile.kubernetes.cleaner import sort_live
from envcompile.kubernetes.helm import sort_leftovers
from envcompile.sources.tree import File, WorkingTree, file_start
from envcompile.sources.yamlfiles import YAML_ENDINGS, sort_documents, split_file
from envcompile.values import same
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from envcompile.adopt.authors import Written
    from envcompile.adopt.wishes import Wishes
    from envcompile.model import Document, Location


def read_manifests(source: Path, wishes: Wishes = NO_WISHES) -> Sources:
    """Read a folder, or a file, of plain manifests.

    What is said counts first, then names of files and folders that are those of environments (`dev.yaml`, `prod/`),
    then likeness: top entries that hold the same objects (kind and name). Else everything is one environment.

    Args:
        source: the folder or file.
        wishes: what is said.

    Raises:
        UsageError: there is no such folder.
        EnvcError: files that are no manifests: templates, kustomizations, broken YAML; objects defined twice.
    """
    if not source.exists():
        raise UsageError([Problem(f"`{source}` does not exist", "name the folder with the manifests")])
    notes: list[str] = []
    start, paths, name = _paths(source, wishes)
    problems = Problems()
    tree = WorkingTree(start)
    found = {path: _objects(tree, start, path, notes, problems) for path in paths}
    problems.raise_any()
    if not any(found.values()):
        raise fail(
            f"`{source}` holds no Kubernetes manifests", "name a folder with .yaml, .yml or .json files of resources"
        )
    base: list[Existing] = []
    if wishes.base:
        inside = {path for path in found if is_at(path, wishes.base)}
        base = [existing for path in sorted(inside) for existing in found[path]]
        found = {path: objects for path, objects in found.items() if path not in inside}
    groups = (
        by_wish(found, wishes.named(), notes)
        if wishes.environments
        else by_stage(found, notes) or by_likeness(found, notes)
    )
    if groups is None:
        if len({path.partition("/")[0] for path, objects in found.items() if objects}) > 1:
            notes.append(
                f"no two entries of {source} hold the same objects: all of it is one environment, `{name}`; "
                "`--env NAME=PATH` says otherwise"
            )
        groups = {name: Group(str(source), [existing for objects in found.values() for existing in objects])}
    environments = []
    for fit, group in groups.items():
        objects = as_applied(group.objects, notes, fit, wishes)
        written = tuple(existing.written for existing in objects if existing.written is not None)
        if len({each.path for each in written}) == 1:
            # One file with all of it is a print-out, no layout.
            written = tuple(each._replace(keeps_file=False) for each in written)
        found_objects = without_repeats(fit, objects, problems)
        environments.append(ExistingEnvironment(fit, group.origin, found_objects, written))
    problems.raise_any()
    if empty := [environment.name for environment in environments if not environment.objects]:
        raise fail(f"{', '.join(empty)}: no objects", "name files or folders that hold some")
    notes += about_releases(environments)
    shared = tuple(existing.value for existing in as_applied(base, notes, "base", wishes))
    return Sources(in_promotion_order(environments), tuple(notes), shared)


def read_folder(
    source: Path, folder: str, notes: list[str], problems: Problems, *, is_deep: bool = True
) -> list[Existing]:
    """The objects of plain manifests in a folder of a source, and of those below it if it is read deeply."""
    tree = WorkingTree(source)
    paths = [entry.path for entry in tree.files("" if folder == "." else folder)]
    if not is_deep:
        paths = [path for path in paths if (posixpath.dirname(path) or ".") == folder]
    return [existing for path in paths for existing in _objects(tree, source, path, notes, problems)]


def _paths(source: Path, wishes: Wishes) -> tuple[Path, list[str], str]:
    """The folder to read, the files in it that are not skipped, and the name of the environment should it be one.

    A folder that holds nothing but one folder stands for that folder, unless paths were said.
    """
    if source.is_file():
        return source.parent, [source.name], environment_name(source.stem)
    name = "default"
    start = source
    while True:
        above = start.relative_to(source).as_posix()
        paths = [entry.path for entry in WorkingTree(start).files("")]
        paths = [path for path in paths if not wishes.skips(posixpath.normpath(f"{above}/{path}"))]
        tops = {path.partition("/")[0] for path in paths}
        if len(tops) != 1 or "/" not in paths[0] or wishes.environments or wishes.base:
            break
        name = environment_name(tops.copy().pop())
        start /= tops.pop()
    if len(paths) == 1:
        name = environment_name(posixpath.splitext(posixpath.basename(paths[0]))[0])
    return start, paths, name


def _objects(tree: WorkingTree, start: Path, path: str, notes: list[str], problems: Problems) -> list[Existing]:
    """The objects of a file; one without any is left out with a note."""
    shown = start.as_posix()
    named = path if shown == "." else f"{shown.rstrip('/')}/{path}"
    if posixpath.basename(path) == "Chart.yaml":
        folder = posixpath.dirname(named)
        problems.add(
            f"`{folder}` is a Helm chart, and envc reads no templates",
            f"bring it over with `envc init NEW --from-helm {folder}`; or render it for each environment, `helm "
            "template NAME CHART -f VALUES > DIR/<environment>.yaml`, and give that folder to --from-manifests",
            file_start(named),
        )
        return []
    if not path.endswith(YAML_ENDINGS):
        if path.endswith((".jsonnet", ".libsonnet")):
            notes.append(f"left out {named}: it is jsonnet; copy it into base/ yourself")
        return []
    try:
        file = File(named, tree.read(path))
        values = yamlio.load_all(file.data, named)
        if any(_is_like_a_resource(value) for value in values) or _is_kustomization(path):
            objects = to_objects(split_file(file, values, "base", problems), problems)
            return with_lines(objects, read_written(path, file.data))
    except EnvcError as error:
        problems.extend(error)
        return []
    if any(value is not None for value in values):
        notes.append(f"left out {named}: it holds no Kubernetes objects")
    return []


def with_lines(objects: list[Existing], written: Sequence[Written]) -> list[Existing]:
    """The objects of a file, each with its lines where it is a document of its own."""
    left = list(written)
    found = []
    for existing in objects:
        # Both are in the order of the file; items of lists have no lines of their own.
        lines = left.pop(0) if left and same(left[0].value, existing.value) else None
        found.append(existing._replace(written=lines))
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


def as_applied(objects: Sequence[Existing], notes: list[str], origin: str, wishes: Wishes) -> list[Existing]:
    """The objects as somebody would apply them, should they come from a live cluster or from Helm."""
    cleaned = sort_live(existing.value for existing in objects)
    kept = [objects[position]._replace(value=value) for position, value in cleaned.kept]
    left = sort_leftovers((existing.value for existing in kept), cleans=wishes.cleans_helm)
    notes += [f"{origin}: {note}" for note in (*cleaned.notes, *left.notes)]
    return [kept[position]._replace(value=value) for position, value in left.kept]


def _place_of(document: Document) -> Location:
    return place(document) if document.source.read().strip() else file_start(document.source.path)


def _is_kustomization(path: str) -> bool:
    return posixpath.basename(path).lower() in {"kustomization.yaml", "kustomization.yml", "kustomization"}


def _is_like_a_resource(value: Any) -> bool:
    if type(value) is list:
        return any(_is_like_a_resource(item) for item in value)
    return type(value) is dict and ("apiVersion" in value or ("kind" in value and "metadata" in value))

"""Which kustomizations are environments: what is said, what objects of Flux and Argo CD tell, names of folders."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.adopt.existing import STAGE_WORDS, has_stage
from envcompile.adopt.gitops import pointers
from envcompile.adopt.kustomization_files import reached
from envcompile.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.envsubst import Variables
    from envcompile.adopt.kustomization_files import Kustomization
    from envcompile.adopt.wishes import Wishes

OVERLAYS = "overlays"


class Told(NamedTuple):
    """What objects of Flux and Argo CD tell: the folders of each environment, and what is laid over each."""

    roots: dict[str, list[str]]
    added: Mapping[tuple[str, str], Mapping[str, Any]]
    notes: list[str]
    variables: Mapping[tuple[str, str], tuple[str, Variables]] = {}
    """What Flux fills in, by environment and folder, with the name of the Kustomization."""
    namespaces: Mapping[tuple[str, str], str] = {}
    """Where Argo CD puts objects that name no namespace, by environment and folder."""


def told_roots(source: Path, wishes: Wishes) -> Told:
    """The environments that objects of Flux and Argo CD tell of; none when they tell of one in which nothing varies."""
    notes: list[str] = []
    roots: dict[str, list[str]] = {}
    added: dict[tuple[str, str], Mapping[str, Any]] = {}
    titles: dict[str, list[str]] = {}
    variables: dict[tuple[str, str], tuple[str, Variables]] = {}
    namespaces: dict[tuple[str, str], str] = {}
    for each in pointers(source, notes):
        if wishes.skips(each.path):
            continue
        if each.path in roots.get(each.environment, ()):
            if each.variables is not None or (each.added, each.namespace) != (
                added[each.environment, each.path],
                namespaces.get((each.environment, each.path), ""),
            ):
                notes.append(f"{each.title} applies `{each.path}` of {each.environment} once more: this is left out")
            continue
        if each.namespace:
            namespaces[each.environment, each.path] = each.namespace
        if each.variables is not None:
            variables[each.environment, each.path] = (each.title, each.variables)
        roots.setdefault(each.environment, []).append(each.path)
        added[each.environment, each.path] = each.added
        titles.setdefault(each.environment, []).append(f"{each.path} ({each.title})")
    if len(roots) < 2 and not variables:
        return Told({}, {}, [])
    said = "; ".join(f"{name} is {', '.join(paths)}" for name, paths in titles.items())
    return Told(
        roots, added, [f"objects of Flux and Argo CD tell the environments: {said}", *notes], variables, namespaces
    )


def named_roots(known: Mapping[str, Kustomization], wishes: Wishes) -> tuple[dict[str, list[str]], list[str]]:
    """The folders that somebody named; a folder without a kustomization stands for those directly below it."""
    problems = []
    roots: dict[str, list[str]] = {}
    for name, folders in wishes.named().items():
        for folder in folders:
            found = [folder] if folder in known else [each for each in known if posixpath.dirname(each) == folder]
            roots.setdefault(name, []).extend(found)
            if not found:
                what = f"`--env {name}={folder}`: there is no kustomization in that folder"
                problems.append(Problem(what, did_you_mean(folder, list(known), "name the folder of a kustomization")))
    if problems:
        raise UsageError(problems)
    made_of = reached([folder for folders in roots.values() for folder in folders], known)
    left = [folder for folder, each in known.items() if folder not in made_of and not each.is_component]
    return roots, [f"left out, because no --env names them: {', '.join(left)}"] if left else []


def choose_environments(known: Mapping[str, Kustomization]) -> tuple[dict[str, list[str]], list[str]]:
    """The folders to build for each environment, and the notes on what was assumed and what is left out."""
    used = {folder for kustomization in known.values() for folder in kustomization.uses}
    buildable = [folder for folder, kustomization in known.items() if not kustomization.is_component]
    roots: dict[str, list[str]] = {}
    for folder in buildable:
        parts = folder.split("/")
        if len(parts) > 1 and parts[-2] == OVERLAYS and (folder not in used or has_stage(parts[-1])):
            roots.setdefault(parts[-1], []).append(folder)
        elif OVERLAYS in parts[:-2] and folder not in used and not _is_inside(folder, buildable):
            names = parts[len(parts) - parts[::-1].index(OVERLAYS) :]
            roots.setdefault("-".join(names), []).append(folder)
    leaves = [folder for folder in buildable if folder not in used]
    notes: list[str] = []
    if not roots:
        roots, notes = _by_stage(leaves)
    if not roots:
        common = posixpath.commonpath(leaves) if len(leaves) > 1 and "." not in leaves else ""
        for folder in leaves:
            name = "default" if folder == "." else posixpath.relpath(folder, common or ".").replace("/", "-")
            roots.setdefault(name if len(leaves) > 1 else posixpath.basename(name), []).append(folder)
        notes.append(
            "there is no overlays/ folder: environments are the kustomizations that no other one uses: "
            f"{', '.join('the folder itself' if folder == '.' else folder for folder in leaves)}"
        )
    made_of = reached([folder for folders in roots.values() for folder in folders], known)
    left = [folder for folder in leaves if folder not in made_of]
    if left:
        notes.append(f"left out, because no overlay uses them: {', '.join(left)}")
    return roots, notes


def _by_stage(leaves: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Kustomizations that no other one uses, by the stage in their paths; nothing when most of them have none."""
    found: dict[str, list[str]] = {}
    for folder in leaves:
        stage = next((part for part in folder.split("/") if part.lower() in STAGE_WORDS), None)
        if stage is not None:
            found.setdefault(stage, []).append(folder)
    named = [folder for folders in found.values() for folder in folders]
    if len(found) < 2 or 2 * len(named) <= len(leaves):
        return {}, []
    said = "; ".join(f"{stage} is {', '.join(folders)}" for stage, folders in found.items())
    return found, [f"there is no overlays/ folder: names of folders tell the environments: {said}"]


def _is_inside(folder: str, buildable: Sequence[str]) -> bool:
    """Tell whether a kustomization lies inside an overlay that is built itself."""
    return any(
        folder.startswith(f"{other}/") and posixpath.basename(posixpath.dirname(other)) == OVERLAYS
        for other in buildable
    )

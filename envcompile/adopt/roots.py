"""Which kustomizations are environments: what is said, what objects of Flux and Argo CD tell, names of folders."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from envcompile.adopt.existing import STAGE_WORDS, has_stage, shortly
from envcompile.adopt.gitops import pointers
from envcompile.adopt.kustomization_files import reached
from envcompile.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.gitops import Pointer
    from envcompile.adopt.kustomization_files import Kustomization
    from envcompile.adopt.wishes import Wishes

OVERLAYS = "overlays"


_MANY = 12
"""More environments than this are few people's."""
_MOST_SHOWN = 20


class Told(NamedTuple):
    """What objects of Flux and Argo CD tell: what is applied in each environment."""

    parts: dict[str, list[Pointer]]
    notes: list[str]


def told_roots(source: Path, wishes: Wishes, known: Mapping[str, Kustomization]) -> Told:
    """The environments that objects of Flux and Argo CD tell of.

    None when they tell of one, in which nothing varies, and the repository holds more than that.
    """
    notes: list[str] = []
    parts: dict[str, list[Pointer]] = {}
    for each in pointers(source, notes):
        held = parts.setdefault(each.environment, [])
        if not wishes.skips(each.path) and not any(each.says() == one.says() for one in held):
            held.append(each)
    parts = {name: held for name, held in parts.items() if held}
    varies = any(each.variables is not None for held in parts.values() for each in held)
    paths = {each.path for held in parts.values() for each in held}
    made_of = reached(sorted(paths), known)
    is_all = all(folder in made_of or each.is_component or _is_below(folder, paths) for folder, each in known.items())
    if not parts or (len(parts) < 2 and not varies and not is_all):
        return Told({}, [])
    said = "; ".join(
        f"{name} is {shortly([f'{each.path} ({each.title})' for each in held])}" for name, held in parts.items()
    )
    return Told(parts, [f"objects of Flux and Argo CD tell the environments: {said}", *notes])


def _is_below(folder: str, paths: Iterable[str]) -> bool:
    return any(path == "." or folder.startswith(f"{path}/") for path in paths)


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
        notes.append(f"left out, because no overlay uses them: {shortly(left, _MOST_SHOWN)}")
    if len(roots) > _MANY and 2 * sum(map(has_stage, roots)) < len(roots):
        notes.insert(
            0,
            f"{len(roots)} folders became environments, and few are called like one: if this is a catalogue of parts, "
            "`--env NAME=PATH`, several times for one NAME, says what a cluster gets of it",
        )
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

"""What authors wrote of everything that kustomizations are made from: objects, patches, components, and the files."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from envcompile import yamlio
from envcompile.adopt.author_patches import patch_files, read_patches
from envcompile.adopt.authors import read_written, what_of
from envcompile.adopt.existing import Component, unique_names
from envcompile.adopt.generators import as_written, names_of, read_generators
from envcompile.adopt.kustomization_files import Kustomization, below, contents, in_order
from envcompile.adopt.kustomize import FILENAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.author_patches import What
    from envcompile.adopt.authors import Written
    from envcompile.adopt.existing import Value

_OVER: Final = "flux"
"""Stands for the folder of what Flux lays over a path."""


def written_of(
    source: Path,
    folders: Sequence[str],
    known: Mapping[str, Kustomization],
    values: Sequence[Value],
    added: Sequence[Mapping[str, Any]],
) -> tuple[tuple[Written, ...], tuple[Written, ...]]:
    """What authors wrote of everything that some kustomizations are made from: objects, and patches."""
    made_of = in_order(folders, known)
    written = list(_lines_of(source, sorted({path for each in made_of for path in each.uses if path not in known})))
    written = _as_called(written, {what_of(value) for value in values})
    patches: list[Written] = []
    names: dict[str, set[str]] = {}
    for _, kind, name in map(what_of, values):
        names.setdefault(kind, set()).add(name)
    for each in made_of:
        patches += read_patches(source, each, values)
        for generator in read_generators(source, each):
            made = [as_written(generator, name) for name in names_of(generator, names.get(generator.kind, ()))]
            if generator.behavior == "create":
                written += made
            else:
                patches += made
    for number, fields in enumerate(added):
        over = Kustomization(f"{_OVER}-{number}", is_component=False, uses=frozenset(), value=fields)
        patches += read_patches(source, over, values)
    return tuple(written), tuple(_once(patches))


def _once(patches: Sequence[Written]) -> Iterator[Written]:
    """The patches without those for several objects that say what another one says, and without their parts."""
    known: dict[str, tuple[str, int]] = {}
    gone = set()
    for each in patches:
        if each.is_wide and known.setdefault(yamlio.dump(each.value), each.place) != each.place:
            gone.add(each.place)
    yield from (each for each in patches if not {each.place, each.part_of} & gone)


def _as_called(written: Sequence[Written], whats: Collection[What]) -> list[Written]:
    """Documents of objects that all environments call otherwise, with a prefix or suffix, as documents of these."""
    taken = {each.what for each in written}
    found = []
    for each in written:
        group, kind, name = each.what
        longer = [what for what in whats if what[:2] == (group, kind) and name in what[2] and what not in taken]
        is_other = each.what not in whats and len(longer) == 1
        found.append(each._replace(reaches=tuple(longer)) if is_other else each)
    return found


def _lines_of(source: Path, paths: Iterable[str]) -> Iterator[Written]:
    for path in paths:
        data = contents(source, path)
        if data is not None:
            yield from read_written(path, data)


def components_of(
    source: Path,
    roots: Mapping[str, Sequence[str]],
    laid: Mapping[str, Sequence[str]],
    known: Mapping[str, Kustomization],
    values: Sequence[Value],
) -> tuple[Component, ...]:
    """The components that environments use themselves, through what they are made from, or that are laid over it."""
    users: dict[str, set[str]] = {}
    named = {folder for folders in roots.values() for folder in folders}
    for name, folders in roots.items():
        for each in in_order([*folders, *laid.get(name, ())], known):
            for used in each.components:
                users.setdefault(used, set()).add(name)
            if each.folder not in named:
                users.setdefault(each.folder, set()).add(name)
    # What all environments are made from is the base, what one is made from is its own.
    users = {
        folder: environments
        for folder, environments in users.items()
        if folder in known and (known[folder].is_component or 1 < len(environments) < len(roots))
    }
    names = unique_names([*roots, *(posixpath.basename(folder) for folder in users)])
    found = []
    for folder, environments in users.items():
        if folder in known:
            written = [*_lines_of(source, sorted(known[folder].uses)), *read_patches(source, known[folder], values)]
            whats = frozenset(what for each in written for what in each.reaches or (each.what,))
            found.append(Component(names[posixpath.basename(folder)], frozenset(environments), whats))
    return tuple(each for each in found if each.name not in roots)


def consumed_files(source: Path, made_of: Sequence[Kustomization]) -> frozenset[str]:
    """The files of kustomizations: their own, their resources and patches, and what their generators read."""
    own = {below(each.folder, name) for each in made_of for name in FILENAMES}
    named = {path for each in made_of for path in (*each.uses, *patch_files(each), *each.inputs)}
    read = {
        below(each.folder, path)
        for each in made_of
        for generator in read_generators(source, each)
        for path in generator.data
    }
    return frozenset(path for path in own | named | read if contents(source, path) is not None)

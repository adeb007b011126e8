"""Which files of plain manifests make which environment: by what is said, by their names, by their likeness."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from envcompile.adopt.existing import STAGE_WORDS, has_stage, literal_identity, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.adopt.existing import Existing

_SHARED = 0.5
"""The share of the smaller entry's objects that two entries have in common when one is a variant of the other."""
_COMMON = frozenset({"all", "base", "common", "default", "global", "shared"})
"""Folders and files beside those of environments whose objects belong to every one of them."""


class Group(NamedTuple):
    """What one environment is made of: the words for it, and its objects."""

    origin: str
    objects: list[Existing]


def by_wish(
    objects: Mapping[str, list[Existing]], wanted: Mapping[str, list[str]], notes: list[str]
) -> dict[str, Group]:
    """The environments that somebody named; what none of them holds is left out, and said.

    Args:
        objects: the objects of each file, by its path.
        wanted: files and folders of each environment.
        notes: gets what is left out.
    """
    left = {path for path, found in objects.items() if found}
    groups: dict[str, Group] = {}
    for name, places in wanted.items():
        paths = [path for path in objects if any(is_at(path, place) for place in places)]
        left.difference_update(paths)
        groups[name] = Group(", ".join(places), [each for path in paths for each in objects[path]])
    if left:
        notes.append(f"left out, because no --env names them: {', '.join(sorted(left))}")
    return groups


def is_at(path: str, place: str) -> bool:
    """Whether a file is a place, or in it."""
    return place in {".", path} or path.startswith(f"{place}/")


def by_stage(objects: Mapping[str, list[Existing]], notes: list[str]) -> dict[str, Group] | None:
    """The environments that names of files and folders tell of, such as dev and prod; None when they tell of none.

    Either each top entry has a stage in its name (`values-dev.yaml`, `eu-prod/`), or two parts of paths at least are
    one (`web/dev.yaml`, `web/prod.yaml`).
    """
    full = {path: found for path, found in objects.items() if found}
    tops = list(dict.fromkeys(_top(path) for path in full))
    if len(tops) > 1 and all(has_stage(top) for top in tops):
        return {
            name: Group(top, [each for path, found in full.items() if _top(path) == top for each in found])
            for top, name in _fitted(tops, notes).items()
        }
    stages = {path: next((part for part in _parts(path) if part.lower() in STAGE_WORDS), None) for path in full}
    names = list(dict.fromkeys(stage for stage in stages.values() if stage is not None))
    if len(names) < 2:
        return None
    common = [path for path, stage in stages.items() if stage is None and _parts(path)[0].lower() in _COMMON]
    others = [path for path, stage in stages.items() if stage is None and path not in common]
    if len(others) > len(full) / 2:
        return None
    if common:
        notes.append(
            f"{', '.join(common)}: part of every environment, as the name says; `--skip` leaves it out, `--env` says "
            "otherwise"
        )
    if others:
        notes.append(f"left out, because their names tell of no environment: {', '.join(others)}; say it with `--env`")
    shared = [each for path in common for each in full[path]]
    return {
        name: Group(
            stage, [*shared, *(each for path, found in full.items() if stages[path] == stage for each in found)]
        )
        for stage, name in _fitted(names, notes).items()
    }


def by_likeness(objects: Mapping[str, list[Existing]], notes: list[str]) -> dict[str, Group] | None:
    """The top entries as environments when most of them are variants of another one; None when they are not.

    A pair tells of itself only: two Roles of one name in two namespaces are parts of one whole.
    """
    entries: dict[str, list[Existing]] = {}
    for path, found in objects.items():
        if found:
            entries.setdefault(_top(path), []).extend(found)
    if len(entries) < 2:
        return None
    names = {entry: _names(found) for entry, found in entries.items()}
    alike = {
        entry
        for entry, mine in names.items()
        if any(_are_alike(mine, others) for other, others in names.items() if other != entry)
    }
    if 2 * len(alike) <= len(entries):
        return None
    for entry, mine in names.items():
        if not any(mine & others for other, others in names.items() if other != entry):
            notes.append(f"`{entry}` shares no object with the other entries; it became an environment of its own")
    if not all(has_stage(entry) for entry in entries):
        notes.append(
            "these hold the same objects, so each became an environment: "
            f"{', '.join(entries)}; if they are one, say `--env NAME=.`"
        )
    return {name: Group(entry, entries[entry]) for entry, name in _fitted(list(entries), notes).items()}


def _names(objects: Iterable[Existing]) -> set[tuple[str, str]]:
    return {
        (existing.value["kind"], literal_identity(existing.value)[3])
        for existing in objects
        if existing.value["kind"] != "Namespace"
    }


def _are_alike(mine: set[tuple[str, str]], others: set[tuple[str, str]]) -> bool:
    shared = mine & others
    return bool(shared) and len(shared) >= _SHARED * min(len(mine), len(others))


def _parts(path: str) -> list[str]:
    return posixpath.splitext(path)[0].split("/")


def _top(path: str) -> str:
    top, deeper, _ = path.partition("/")
    return top if deeper else posixpath.splitext(top)[0]


def _fitted(names: list[str], notes: list[str]) -> dict[str, str]:
    fitting = unique_names(names)
    notes += [
        f"`{name}` is called `{fit}`: names of environments are lower-case letters, digits and `-`"
        for name, fit in fitting.items()
        if fit != name
    ]
    return fitting

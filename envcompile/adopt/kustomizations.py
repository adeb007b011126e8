"""Kustomizations: which of them are environments, and what kustomize makes of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.adopt.affixes import marked
from envcompile.adopt.author_files import components_of, consumed_files
from envcompile.adopt.existing import Sources, in_promotion_order, title, unique_names
from envcompile.adopt.gitops import Pointer
from envcompile.adopt.kustomization_files import find_kustomizations, reached
from envcompile.adopt.kustomize import find_command
from envcompile.adopt.kustomized import LEFT_OUT, KustomizeTree, Naming, added_components, author_base, environment_of
from envcompile.adopt.laying import Renderings, collected, merged
from envcompile.adopt.releases import about_releases
from envcompile.adopt.roots import Told, choose_environments, named_roots, told_roots
from envcompile.adopt.unsuffixed import has_own_hash, unsuffixed
from envcompile.adopt.wishes import NO_WISHES
from envcompile.errors import EnvcError, Problem, Problems, UsageError, fail
from envcompile.kubernetes.generated import GENERATED_KINDS, has_content_hash
from envcompile.log import progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.existing import ExistingEnvironment
    from envcompile.adopt.kustomization_files import Kustomization
    from envcompile.adopt.wishes import Wishes

Parts = dict[str, list[Pointer]]
"""What environments are made of, by their names."""

_SETTLED: Final = {
    field: re.compile(rf"\b{key}['\"]?:|/{key}\b") for field, key in (("images", "image"), ("replicas", "replicas"))
}
"""What patches say that settings could say, too."""


def read_kustomizations(source: Path, wishes: Wishes = NO_WISHES) -> Sources:
    """Render every environment of a kustomize project.

    Environments are what is said, else what objects of Flux and Argo CD name, else the folders directly below an
    `overlays/` folder (those of one name together), else what names of folders tell of (`clusters/prod`, `web/dev`),
    else the kustomizations that no other one uses.

    Args:
        source: the folder of the project.
        wishes: what is said.

    Raises:
        UsageError: there is no such folder.
        EnvcError: no kustomization, or one that kustomize cannot build, with kustomize's own words.
        UnavailableError: neither kustomize nor kubectl is installed.
    """
    if not source.is_dir():
        raise UsageError([Problem(f"`{source}` is no folder", "name the folder that holds the kustomizations")])
    known = {folder: each for folder, each in find_kustomizations(source).items() if not wishes.skips(folder)}
    parts, notes = _parts_of(source, wishes, known)
    known |= _collected(source, parts, known)
    roots = {name: list(dict.fromkeys(part.path for part in held)) for name, held in parts.items()}
    fitting = unique_names(list(roots))
    around = _affixes(parts, known)
    problems = Problems()
    environments: list[ExistingEnvironment] = []
    with Renderings(find_command(), source, known) as renderings:
        tree = KustomizeTree(source, known, wishes, renderings)
        for position, (name, held) in enumerate(parts.items(), 1):
            progress("kustomizations", position, len(parts))
            found = environment_of(tree, Naming(name, fitting[name], around[name]), held, notes, problems)
            if found is not None:
                environments.append(found)
        base = author_base(tree, roots, notes) if environments and not problems else ()
    problems.raise_any()
    if not environments:
        raise _nothing(source, notes)
    if frozen := _frozen(environments):
        notes.append(
            f"kustomize put a hash of the content behind these names, which stay from now on: {', '.join(frozen)}; "
            "`rollout: checksum` in environment.yaml restarts the pods instead when the content changes"
        )
    notes += about_releases(environments)
    made_of = reached(
        [folder for name, folders in roots.items() for folder in (*folders, *added_components(parts[name]))], known
    )
    values = [
        value
        for environment in environments
        for value in marked(unsuffixed(each.value for each in environment.objects), environment.affixes)
    ]
    named = {fitting[name]: folders for name, folders in roots.items()}
    laid = {fitting[name]: added_components(held) for name, held in parts.items()}
    return Sources(
        in_promotion_order(environments),
        tuple(notes),
        base,
        _settled([known[folder] for folder in made_of], environments),
        components_of(source, named, laid, known, values),
        consumed_files(source, [known[folder] for folder in sorted(made_of)]),
    )


def _parts_of(source: Path, wishes: Wishes, known: Mapping[str, Kustomization]) -> tuple[Parts, list[str]]:
    """What environments there are, what each is made of, and what is to be told of that.

    Raises:
        EnvcError: there is no kustomization.
    """
    told = Told({}, []) if wishes.environments else told_roots(source, wishes, known)
    if not known and not told.parts:
        raise fail(
            f"`{source}` holds no kustomization",
            "name the folder above base/ and overlays/; plain manifests come in with --from-manifests, charts with "
            "--from-helm",
        )
    if told.parts:
        return told.parts, told.notes
    chosen, notes = named_roots(known, wishes) if wishes.environments else choose_environments(known)
    return {name: [Pointer(name, folder, "", {}) for folder in folders] for name, folders in chosen.items()}, notes


def _nothing(source: Path, notes: Sequence[str]) -> EnvcError:
    """That there is no object; what was left out is all that could tell why."""
    problems = Problems()
    for note in notes:
        if note.startswith(LEFT_OUT):
            problems.add(note, "mend it until `kubectl kustomize` of the folder succeeds")
    problems.add(f"no kustomization of `{source}` gives an object", "name others with `--env NAME=PATH`")
    return EnvcError(problems.found)


def _frozen(environments: Sequence[ExistingEnvironment]) -> list[str]:
    """Objects whose names end with a hash of kustomize that nobody makes anew."""
    return sorted({
        title(each.value)
        for environment in environments
        for each in environment.objects
        if each.value["kind"] in GENERATED_KINDS
        and has_content_hash(each.value["metadata"].get("name") or "")
        and not has_own_hash(each.value)
    })


def _settled(made_of: Sequence[Kustomization], environments: Sequence[ExistingEnvironment]) -> frozenset[str]:
    """The settings that kustomizations give, and those that no patch says in the place of them."""
    said = frozenset[str]().union(*(each.settles for each in made_of))
    patched = "".join(each.text for environment in environments for each in environment.patches)
    return said | {field for field, pattern in _SETTLED.items() if pattern.search(patched) is None}


def _collected(
    source: Path, parts: Mapping[str, Sequence[Pointer]], known: Mapping[str, Kustomization]
) -> dict[str, Kustomization]:
    """The kustomizations that Flux makes of folders without one, where reading their manifests would not do."""
    made: dict[str, Kustomization] = {}
    for part in (part for held in parts.values() for part in held):
        if part.path not in known and part.reads == "all":
            found = collected(source, part.path, known)
            if part.added or found.uses & known.keys():
                made[part.path] = found
    return made


def _affixes(parts: Mapping[str, Sequence[Pointer]], known: Mapping[str, Kustomization]) -> dict[str, tuple[str, str]]:
    """What each environment puts around names; nothing where all put the same there, or parts of one differ."""
    found: dict[str, tuple[str, str]] = {}
    for name, held in parts.items():
        each = set()
        for part in held:
            said = merged(known[part.path].value if part.path in known else {}, part.added)
            each.add((str(said.get("namePrefix") or ""), str(said.get("nameSuffix") or "")))
        found[name] = each.pop() if len(each) == 1 else ("", "")
    return found if len(set(found.values())) > 1 else dict.fromkeys(parts, ("", ""))

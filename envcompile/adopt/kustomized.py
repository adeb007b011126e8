"""One environment of kustomizations: what its parts apply, and what its authors wrote of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.adopt.affixes import marked
from envcompile.adopt.author_files import written_of
from envcompile.adopt.existing import ExistingEnvironment, literal_identity, shortly, title, without_repeats
from envcompile.adopt.kustomization_files import Kustomization, below, find_kustomizations, in_order, reached
from envcompile.adopt.lenient import outside_of, without_outside
from envcompile.adopt.manifests import as_applied, read_folder
from envcompile.adopt.namespaces import placed, with_marks
from envcompile.adopt.substitution import as_flux_applies, parameters_of
from envcompile.adopt.unsuffixed import unsuffixed
from envcompile.errors import EnvcError, Problems, UnavailableError
from envcompile.model import Location
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.envsubst import Variables
    from envcompile.adopt.existing import Existing
    from envcompile.adopt.gitops import Pointer
    from envcompile.adopt.laying import Renderings
    from envcompile.adopt.wishes import Wishes

LEFT_OUT: Final = "left out, because it cannot be built"
_LONGEST_REASON: Final = 200
"""Characters of what kustomize says."""


class KustomizeTree(NamedTuple):
    """The kustomizations of a folder, and what was said of them."""

    source: Path
    known: Mapping[str, Kustomization]
    """By folder."""
    wishes: Wishes
    renderings: Renderings


class Naming(NamedTuple):
    """How an environment is called."""

    found: str
    """As the author's folders have it."""
    fitting: str
    """As the name of a folder below `overlays/`."""
    affixes: tuple[str, str]
    """What it puts around names where others put something else."""


def environment_of(
    tree: KustomizeTree, naming: Naming, parts: Sequence[Pointer], notes: list[str], problems: Problems
) -> ExistingEnvironment | None:
    """Read what an environment applies; None where that is nothing.

    Args:
        tree: the kustomizations.
        naming: the environment's names.
        parts: what it is made of, in the order in which that is applied.
        notes: what is to be told is added.
        problems: what is wrong is added.
    """
    folders = list(dict.fromkeys(part.path for part in parts))
    noted = len(notes)
    objects = _applied(tree, naming.found, parts, notes, problems)
    if not objects and not problems:
        if not any(note.startswith(LEFT_OUT) for note in notes[noted:]):
            notes.append(f"left out, because it holds no objects: {', '.join(folders)}")
        return None
    objects = as_applied(objects, notes, naming.fitting, tree.wishes)
    if naming.fitting != naming.found:
        notes.append(
            f"`{naming.found}` is called `{naming.fitting}`: names of environments are lower-case letters, digits and "
            "`-`"
        )
    whole = without_repeats(naming.fitting, objects, problems, tree.source.as_posix())
    over = [part.added for part in parts if part.added]
    values = marked(unsuffixed(existing.value for existing in whole), naming.affixes)
    written, patches = written_of(tree.source, [*folders, *added_components(parts)], tree.known, values, over)
    plain = tuple(existing.written for existing in whole if existing.written is not None)
    given = [part.variables for part in parts if part.variables is not None]
    params = parameters_of(whole, given)
    notes += _about_unknown(naming.fitting, params, given)
    return ExistingEnvironment(
        naming.fitting,
        shortly(folders),
        whole,
        (*written, *plain),
        patches,
        naming.affixes,
        _renamed(folders, tree.known, over),
        params,
    )


def _applied(
    tree: KustomizeTree, name: str, parts: Sequence[Pointer], notes: list[str], problems: Problems
) -> list[Existing]:
    """The objects of all parts; of a path that is applied again only what is the same, or new."""
    objects: list[Existing] = []
    for number, part in enumerate(parts):
        found = _objects_of(tree, part, notes, problems)
        again = any(part.path == one.path for one in parts[:number])
        if again and (clash := _clashing(objects, found)):
            notes.append(
                f"{part.title} applies `{part.path}` of {name} once more, and makes another {clash}: this is left out"
            )
            continue
        objects += found
    return objects


def _objects_of(tree: KustomizeTree, part: Pointer, notes: list[str], problems: Problems) -> list[Existing]:
    """What one part of an environment applies, as kustomize, Flux and Argo CD make it."""
    inner = Problems()
    found: list[Existing] = []
    try:
        if part.path in tree.known:
            found = tree.renderings.of(part.path, inner, part.added)
        else:
            found = read_folder(tree.source, part.path, notes, inner, is_deep=part.reads != "top")
        inner.raise_any()
    except UnavailableError:
        raise
    except EnvcError as error:
        if not tree.wishes.skip_broken:
            problems.extend(_explained(tree.source, part.path, tree.known, error))
            return []
        found = _as_far_as_it_goes(tree, part, error, notes)
    if part.namespace:
        found = placed(found, part.namespace)
    if part.variables is not None:
        found = as_flux_applies(found, part.variables, part.title, notes)
    return with_marks(found, part.marks) if part.marks else found


def _clashing(one: Iterable[Existing], other: Iterable[Existing]) -> str:
    """An object of the second that differs from one of the first with the same identity; empty when there is none."""
    held = {literal_identity(existing.value): existing.value for existing in one}
    for existing in other:
        first = held.get(literal_identity(existing.value))
        if first is not None and not same(first, existing.value):
            return title(existing.value)
    return ""


def added_components(parts: Iterable[Pointer]) -> list[str]:
    """The folders of components that Flux or Argo CD adds to kustomizations."""
    return [below(part.path, path) for part in parts for path in part.added.get("components", ()) if type(path) is str]


def _about_unknown(environment: str, params: Mapping[str, Any], given: Iterable[Variables]) -> Iterator[str]:
    """What Flux fills in and only the cluster knows."""
    holders = ", ".join(dict.fromkeys(name for each in given for name in each.unknown))
    if holders:
        names = [name for name, value in params.items() if type(value) is str and value.startswith(f"${{{name}")]
        here = f"; write the values of {', '.join(names)} under `params:` of its environment.yaml" if names else ""
        yield f"{environment}: {holders} is not in the repository, so defaults count where there are some{here}"


def _renamed(
    folders: Sequence[str], known: Mapping[str, Kustomization], added: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """New names of images with their old ones, as kustomizations give them."""
    said = [each.maps("images") for each in in_order(folders, known)]
    said += [Kustomization("", is_component=False, uses=frozenset(), value=fields).maps("images") for fields in added]
    return {
        str(image["newName"]): str(image.get("name"))
        for images in said
        for _, image in images
        if image.get("newName") and image.get("newName") != image.get("name")
    }


def _explained(source: Path, folder: str, known: Mapping[str, Kustomization], error: EnvcError) -> EnvcError:
    """What kustomize says, with what to do about charts and addresses that it does not get."""
    outside = outside_of(source, in_order([folder], known))
    parts = []
    if outside.charts:
        parts.append(
            f"it renders charts of Helm ({', '.join(outside.charts)}): name them under `charts:` of envc.yaml instead, "
            "`envc guide charts`"
        )
    if outside.addresses:
        parts.append(f"it takes {', '.join(outside.addresses)} from elsewhere: fetch that into the repository")
    if not parts:
        return error
    fix = f"{'; '.join(parts)}; `--skip-broken` brings over what else is there"
    return EnvcError(problem._replace(fix=fix) for problem in error.problems)


def _as_far_as_it_goes(tree: KustomizeTree, part: Pointer, error: EnvcError, notes: list[str]) -> list[Existing]:
    """The objects of a kustomization that cannot be built, without what comes from elsewhere; what is left out."""
    made_of = in_order([part.path, *added_components([part])], tree.known)
    outside = outside_of(tree.source, made_of)
    if outside.charts or outside.addresses:
        problems = Problems()
        try:
            with (
                without_outside(tree.source, made_of) as copy,
                tree.renderings.elsewhere(copy, find_kustomizations) as others,
            ):
                found = others.of(part.path, problems, part.added)
        except EnvcError:
            found = []
        if found and not problems:
            charts = [f"the chart {chart} (`envc guide charts`)" for chart in outside.charts]
            notes.append(
                f"left out of {part.path}, because it comes from elsewhere: {', '.join([*outside.addresses, *charts])}"
            )
            place = Location((tree.source / part.path).as_posix(), 1, 1)
            return [existing._replace(where=place) for existing in found]
    notes.append(f"{LEFT_OUT}: {part.path}; {_reason(error)}")
    return []


def _reason(error: EnvcError) -> str:
    """The words of the program that say what is wrong, of a long sentence the end."""
    problem = error.problems[0]
    said = next((line for line in problem.trace if line.startswith("Error:")), (*problem.trace, problem.what)[0])
    return said if len(said) <= _LONGEST_REASON else f"…{said[-_LONGEST_REASON:]}"


def author_base(
    tree: KustomizeTree, roots: Mapping[str, Sequence[str]], notes: list[str]
) -> tuple[dict[str, Any], ...]:
    """The objects of the kustomizations that every environment is made from, or of the one that was said."""
    if tree.wishes.base:
        folders = [tree.wishes.base]
    else:
        # What Flux lays over a path is another environment's, the path is a base.
        everywhere = set.intersection(*({*folders} for folders in roots.values()))
        above = [reached(folders, tree.known) - ({*folders} - everywhere) for folders in roots.values()]
        everyones = set.intersection(*above)
        shared = {folder for folder in everyones if not tree.known[folder].is_component}
        # Some write their base as a component.
        shared = shared or {folder for folder in everyones if tree.known[folder].value.get("resources")}
        lower = {used for folder in shared for used in tree.known[folder].uses}
        folders = sorted(shared - lower) if len(roots) > 1 else []
    found: list[Existing] = []
    problems = Problems()
    for folder in folders:
        try:
            found += tree.renderings.of(folder, problems)
        except EnvcError as error:
            if tree.wishes.base:
                raise
            # Many a base cannot be built alone: it is then voted as the base of plain manifests is.
            if tree.known[folder].is_component:
                return ()
            notes.append(
                f"`{folder}` cannot be built alone, so the base is what most environments say: {_reason(error)}"
            )
            return ()
    if tree.wishes.base:
        problems.raise_any()
    return tuple(existing.value for existing in as_applied(found, [], "", tree.wishes))

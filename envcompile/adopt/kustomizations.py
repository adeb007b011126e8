"""Kustomizations: which of them are environments, and what kustomize makes of them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile import yamlio
from envcompile.adopt.affixes import marked
from envcompile.adopt.author_patches import patch_files, read_patches
from envcompile.adopt.authors import read_written, what_of
from envcompile.adopt.existing import (
    Component,
    ExistingEnvironment,
    Sources,
    in_promotion_order,
    literal_identity,
    shortly,
    title,
    unique_names,
    without_repeats,
)
from envcompile.adopt.generators import as_written, names_of, read_generators
from envcompile.adopt.gitops import Pointer
from envcompile.adopt.kustomization_files import (
    Kustomization,
    below,
    contents,
    find_kustomizations,
    in_order,
    reached,
)
from envcompile.adopt.kustomize import FILENAMES, find_command
from envcompile.adopt.laying import Renderings, collected, merged
from envcompile.adopt.lenient import outside_of, without_outside
from envcompile.adopt.manifests import as_applied, read_folder
from envcompile.adopt.namespaces import placed, with_marks
from envcompile.adopt.releases import about_releases
from envcompile.adopt.roots import Told, choose_environments, named_roots, told_roots
from envcompile.adopt.substitution import as_flux_applies, parameters_of
from envcompile.adopt.unsuffixed import has_own_hash, unsuffixed
from envcompile.adopt.wishes import NO_WISHES
from envcompile.errors import EnvcError, Problem, Problems, UnavailableError, UsageError, fail
from envcompile.kubernetes.generated import GENERATED_KINDS, has_content_hash
from envcompile.log import progress
from envcompile.model import Location
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.author_patches import What
    from envcompile.adopt.authors import Written
    from envcompile.adopt.envsubst import Variables
    from envcompile.adopt.existing import Existing, Value
    from envcompile.adopt.wishes import Wishes

_SETTLED: Final = {
    field: re.compile(rf"\b{key}['\"]?:|/{key}\b") for field, key in (("images", "image"), ("replicas", "replicas"))
}
"""What patches say that settings could say, too."""
_OVER: Final = "flux"
"""Stands for the folder of what Flux lays over a path."""
_LONGEST_REASON: Final = 200
"""Characters of what kustomize says."""
_LEFT_OUT = "left out, because it cannot be built"


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
    told = Told({}, []) if wishes.environments else told_roots(source, wishes, known)
    if not known and not told.parts:
        raise fail(
            f"`{source}` holds no kustomization",
            "name the folder above base/ and overlays/; plain manifests come in with --from-manifests, charts with "
            "--from-helm",
        )
    parts, notes = told.parts, told.notes
    if not parts:
        chosen, notes = named_roots(known, wishes) if wishes.environments else choose_environments(known)
        parts = {name: [Pointer(name, folder, "", {}) for folder in folders] for name, folders in chosen.items()}
    known |= _collected(source, parts, known)
    roots = {name: list(dict.fromkeys(part.path for part in held)) for name, held in parts.items()}
    command = find_command()
    problems = Problems()
    environments: list[ExistingEnvironment] = []
    fitting = unique_names(list(roots))
    around = _affixes(parts, known)
    with Renderings(command, source, known) as renderings:
        for position, (name, held) in enumerate(parts.items(), 1):
            progress("kustomizations", position, len(parts))
            folders = roots[name]
            objects: list[Existing] = []
            noted = len(notes)
            for number, part in enumerate(held):
                found = _objects_of(renderings, source, part, known, wishes, notes, problems)
                again = any(part.path == one.path for one in held[:number])
                if again and (clash := _clashing(objects, found)):
                    notes.append(
                        f"{part.title} applies `{part.path}` of {name} once more, and makes another {clash}: this is "
                        "left out"
                    )
                    continue
                objects += found
            if not objects and not problems:
                if not any(note.startswith(_LEFT_OUT) for note in notes[noted:]):
                    notes.append(f"left out, because it holds no objects: {', '.join(folders)}")
                continue
            fit = fitting[name]
            objects = as_applied(objects, notes, fit, wishes)
            if fit != name:
                notes.append(
                    f"`{name}` is called `{fit}`: names of environments are lower-case letters, digits and `-`"
                )
            whole = without_repeats(fit, objects, problems, source.as_posix())
            over = [part.added for part in held if part.added]
            affixes = around[name]
            values = marked(unsuffixed(existing.value for existing in whole), affixes)
            written, patches = _written(source, [*folders, *_added_components(held)], known, values, over)
            plain = tuple(existing.written for existing in whole if existing.written is not None)
            given = [part.variables for part in held if part.variables is not None]
            params = parameters_of(whole, given)
            notes += _about_unknown(fit, params, given)
            environments.append(
                ExistingEnvironment(
                    fit,
                    shortly(folders),
                    whole,
                    (*written, *plain),
                    patches,
                    affixes,
                    _renamed(folders, known, over),
                    params,
                )
            )
        base = _author_base(renderings, roots, known, wishes, notes) if environments and not problems else ()
    problems.raise_any()
    if not environments:
        # What was left out is all that could tell why nothing came of it.
        for note in notes:
            if note.startswith(_LEFT_OUT):
                problems.add(note, "mend it until `kubectl kustomize` of the folder succeeds")
        problems.add(f"no kustomization of `{source}` gives an object", "name others with `--env NAME=PATH`")
        problems.raise_any()
    frozen = sorted({
        title(each.value)
        for environment in environments
        for each in environment.objects
        if each.value["kind"] in GENERATED_KINDS
        and has_content_hash(each.value["metadata"].get("name") or "")
        and not has_own_hash(each.value)
    })
    if frozen:
        notes.append(
            f"kustomize put a hash of the content behind these names, which stay from now on: {', '.join(frozen)}; "
            "`rollout: checksum` in environment.yaml restarts the pods instead when the content changes"
        )
    notes += about_releases(environments)
    made_of = reached(
        [folder for name, folders in roots.items() for folder in (*folders, *_added_components(parts[name]))], known
    )
    said = frozenset[str]().union(*(known[folder].settles for folder in made_of))
    patched = "".join(each.text for environment in environments for each in environment.patches)
    settled = said | {field for field, pattern in _SETTLED.items() if pattern.search(patched) is None}
    consumed = _consumed(source, [known[folder] for folder in sorted(made_of)])
    values = [
        value
        for environment in environments
        for value in marked(unsuffixed(each.value for each in environment.objects), environment.affixes)
    ]
    named = {fitting[name]: folders for name, folders in roots.items()}
    laid = {fitting[name]: _added_components(held) for name, held in parts.items()}
    components = _components(source, named, laid, known, values)
    return Sources(in_promotion_order(environments), tuple(notes), base, settled, components, consumed)


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


def _objects_of(
    renderings: Renderings,
    source: Path,
    part: Pointer,
    known: Mapping[str, Kustomization],
    wishes: Wishes,
    notes: list[str],
    problems: Problems,
) -> list[Existing]:
    """What one part of an environment applies, as kustomize, Flux and Argo CD make it."""
    inner = Problems()
    found: list[Existing] = []
    try:
        if part.path in known:
            found = renderings.of(part.path, inner, part.added)
        else:
            found = read_folder(source, part.path, notes, inner, is_deep=part.reads != "top")
        inner.raise_any()
    except UnavailableError:
        raise
    except EnvcError as error:
        if not wishes.skip_broken:
            problems.extend(_explained(source, part.path, known, error))
            return []
        found = _as_far_as_it_goes(renderings, source, part, known, error, notes)
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


def _added_components(parts: Iterable[Pointer]) -> list[str]:
    """The folders of components that Flux or Argo CD adds to kustomizations."""
    return [below(part.path, path) for part in parts for path in part.added.get("components", ()) if type(path) is str]


def _about_unknown(environment: str, params: Mapping[str, Any], given: Iterable[Variables]) -> Iterator[str]:
    """What Flux fills in and only the cluster knows."""
    holders = ", ".join(dict.fromkeys(name for each in given for name in each.unknown))
    if holders:
        names = [name for name, value in params.items() if type(value) is str and value.startswith(f"${{{name}")]
        here = f"; write the values of {', '.join(names)} under `params:` of its environment.yaml" if names else ""
        yield f"{environment}: {holders} is not in the repository, so defaults count where there are some{here}"


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


def _as_far_as_it_goes(
    renderings: Renderings,
    source: Path,
    part: Pointer,
    known: Mapping[str, Kustomization],
    error: EnvcError,
    notes: list[str],
) -> list[Existing]:
    """The objects of a kustomization that cannot be built, without what comes from elsewhere; what is left out."""
    made_of = in_order([part.path, *_added_components([part])], known)
    outside = outside_of(source, made_of)
    if outside.charts or outside.addresses:
        problems = Problems()
        try:
            with without_outside(source, made_of) as copy, renderings.elsewhere(copy, find_kustomizations) as others:
                found = others.of(part.path, problems, part.added)
        except EnvcError:
            found = []
        if found and not problems:
            charts = [f"the chart {chart} (`envc guide charts`)" for chart in outside.charts]
            notes.append(
                f"left out of {part.path}, because it comes from elsewhere: {', '.join([*outside.addresses, *charts])}"
            )
            place = Location((source / part.path).as_posix(), 1, 1)
            return [existing._replace(where=place) for existing in found]
    notes.append(f"{_LEFT_OUT}: {part.path}; {_reason(error)}")
    return []


def _components(
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


def _consumed(source: Path, made_of: Sequence[Kustomization]) -> frozenset[str]:
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


def _lines_of(source: Path, paths: Iterable[str]) -> Iterator[Written]:
    for path in paths:
        data = contents(source, path)
        if data is not None:
            yield from read_written(path, data)


def _written(
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


def _author_base(
    renderings: Renderings,
    roots: Mapping[str, Sequence[str]],
    known: Mapping[str, Kustomization],
    wishes: Wishes,
    notes: list[str],
) -> tuple[dict[str, Any], ...]:
    """The objects of the kustomizations that every environment is made from, or of the one that was said."""
    if wishes.base:
        folders = [wishes.base]
    else:
        # What Flux lays over a path is another environment's, the path is a base.
        everywhere = set.intersection(*({*folders} for folders in roots.values()))
        above = [reached(folders, known) - ({*folders} - everywhere) for folders in roots.values()]
        everyones = set.intersection(*above)
        shared = {folder for folder in everyones if not known[folder].is_component}
        # Some write their base as a component.
        shared = shared or {folder for folder in everyones if known[folder].value.get("resources")}
        lower = {used for folder in shared for used in known[folder].uses}
        folders = sorted(shared - lower) if len(roots) > 1 else []
    found: list[Existing] = []
    problems = Problems()
    for folder in folders:
        try:
            found += renderings.of(folder, problems)
        except EnvcError as error:
            if wishes.base:
                raise
            # Many a base cannot be built alone: it is then voted as the base of plain manifests is.
            if known[folder].is_component:
                return ()
            notes.append(
                f"`{folder}` cannot be built alone, so the base is what most environments say: {_reason(error)}"
            )
            return ()
    if wishes.base:
        problems.raise_any()
    return tuple(existing.value for existing in as_applied(found, [], "", wishes))


def _reason(error: EnvcError) -> str:
    """The words of the program that say what is wrong, of a long sentence the end."""
    problem = error.problems[0]
    said = next((line for line in problem.trace if line.startswith("Error:")), (*problem.trace, problem.what)[0])
    return said if len(said) <= _LONGEST_REASON else f"…{said[-_LONGEST_REASON:]}"

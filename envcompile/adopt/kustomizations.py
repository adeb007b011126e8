"""Kustomizations: which of them are environments, and what kustomize makes of them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.adopt.author_patches import patch_files, read_patches
from envcompile.adopt.authors import read_written
from envcompile.adopt.existing import (
    STAGE_WORDS,
    Component,
    ExistingEnvironment,
    Sources,
    in_promotion_order,
    title,
    unique_names,
    without_repeats,
)
from envcompile.adopt.generators import as_written, names_of, read_generators
from envcompile.adopt.gitops import pointers
from envcompile.adopt.kustomization_files import (
    Kustomization,
    below,
    contents,
    find_kustomizations,
    in_order,
    reached,
)
from envcompile.adopt.kustomize import FILENAMES, find_command, render
from envcompile.adopt.manifests import as_applied, read_folder
from envcompile.adopt.unsuffixed import has_own_hash, unsuffixed
from envcompile.adopt.wishes import NO_WISHES
from envcompile.errors import EnvcError, Problem, Problems, UnavailableError, UsageError, did_you_mean, fail
from envcompile.kubernetes.generated import GENERATED_KINDS, has_content_hash
from envcompile.log import progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.authors import Written
    from envcompile.adopt.existing import Existing, Value
    from envcompile.adopt.wishes import Wishes

OVERLAYS = "overlays"
_SETTLED: Final = {
    field: re.compile(rf"\b{key}['\"]?:|/{key}\b") for field, key in (("images", "image"), ("replicas", "replicas"))
}
"""What patches say that settings could say, too."""
_OVER: Final = "flux"
"""Stands for the folder of what Flux lays over a path."""
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
    told = _Told({}, {}, []) if wishes.environments else _told(source, wishes)
    if not known and not told.roots:
        raise fail(
            f"`{source}` holds no kustomization",
            "name the folder above base/ and overlays/; plain manifests come in with --from-manifests",
        )
    roots, notes = told.roots, told.notes
    if not roots:
        roots, notes = _named_roots(known, wishes) if wishes.environments else choose_environments(known)
    command = find_command()
    problems = Problems()
    environments: list[ExistingEnvironment] = []
    fitting = unique_names(list(roots))
    for position, (name, folders) in enumerate(roots.items(), 1):
        progress("kustomizations", position, len(roots))
        objects: list[Existing] = []
        for folder in folders:
            try:
                if folder in known:
                    objects += render(command, source, folder, problems, told.added.get((name, folder)))
                else:
                    objects += read_folder(source, folder, notes, problems)
            except UnavailableError:
                raise
            except EnvcError as error:
                if wishes.skip_broken:
                    notes.append(f"{_LEFT_OUT}: {folder}; {_reason(error)}")
                else:
                    problems.extend(error)
        if not objects and not problems:
            notes.append(f"left out, because it holds no objects: {', '.join(folders)}")
            continue
        fit = fitting[name]
        objects = as_applied(objects, notes, fit, wishes)
        if fit != name:
            notes.append(f"`{name}` is called `{fit}`: names of environments are lower-case letters, digits and `-`")
        whole = without_repeats(fit, objects, problems)
        over = [told.added[name, folder] for folder in folders if (name, folder) in told.added]
        written, patches = _written(source, folders, known, whole, over)
        plain = tuple(existing.written for existing in whole if existing.written is not None)
        environments.append(ExistingEnvironment(fit, ", ".join(folders), whole, (*written, *plain), patches))
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
    base = _author_base(command, source, roots, known, wishes, notes)
    made_of = reached([folder for folders in roots.values() for folder in folders], known)
    said = frozenset[str]().union(*(known[folder].settles for folder in made_of))
    patched = "".join(each.text for environment in environments for each in environment.patches)
    settled = said | {field for field, pattern in _SETTLED.items() if pattern.search(patched) is None}
    consumed = _consumed(source, [known[folder] for folder in sorted(made_of)])
    values = unsuffixed(each.value for environment in environments for each in environment.objects)
    components = _components(source, {fitting[name]: folders for name, folders in roots.items()}, known, values)
    return Sources(in_promotion_order(environments), tuple(notes), base, settled, components, consumed)


def _components(
    source: Path,
    roots: Mapping[str, Sequence[str]],
    known: Mapping[str, Kustomization],
    values: Sequence[Value],
) -> tuple[Component, ...]:
    """The components that environments use themselves or through what they are made from."""
    users: dict[str, set[str]] = {}
    for name, folders in roots.items():
        for folder in sorted(reached(folders, known)):
            for used in known[folder].components:
                users.setdefault(used, set()).add(name)
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


class _Told(NamedTuple):
    """What objects of Flux and Argo CD tell: the folders of each environment, and what is laid over each."""

    roots: dict[str, list[str]]
    added: Mapping[tuple[str, str], Mapping[str, Any]]
    notes: list[str]


def _told(source: Path, wishes: Wishes) -> _Told:
    """The environments that objects of Flux and Argo CD tell of; none when they tell of one only."""
    notes: list[str] = []
    roots: dict[str, list[str]] = {}
    added: dict[tuple[str, str], Mapping[str, Any]] = {}
    titles: dict[str, list[str]] = {}
    for each in pointers(source, notes):
        if wishes.skips(each.path) or each.path in roots.get(each.environment, ()):
            continue
        roots.setdefault(each.environment, []).append(each.path)
        added[each.environment, each.path] = each.added
        titles.setdefault(each.environment, []).append(f"{each.path} ({each.title})")
    if len(roots) < 2:
        return _Told({}, {}, [])
    said = "; ".join(f"{name} is {', '.join(paths)}" for name, paths in titles.items())
    return _Told(roots, added, [f"objects of Flux and Argo CD tell the environments: {said}", *notes])


def _lines_of(source: Path, paths: Iterable[str]) -> Iterator[Written]:
    for path in paths:
        data = contents(source, path)
        if data is not None:
            yield from read_written(path, data)


def _written(
    source: Path,
    folders: Sequence[str],
    known: Mapping[str, Kustomization],
    objects: Sequence[Existing],
    added: Sequence[Mapping[str, Any]],
) -> tuple[tuple[Written, ...], tuple[Written, ...]]:
    """What authors wrote of everything that some kustomizations are made from: objects, and patches."""
    made_of = in_order(folders, known)
    written = list(_lines_of(source, sorted({path for each in made_of for path in each.uses if path not in known})))
    patches: list[Written] = []
    names: dict[str, set[str]] = {}
    values = unsuffixed(existing.value for existing in objects)
    for value in values:
        names.setdefault(value["kind"], set()).add(value["metadata"].get("name") or "")
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
    return tuple(written), tuple(patches)


def _author_base(
    command: Sequence[str],
    source: Path,
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
        shared = {folder for folder in set.intersection(*above) if not known[folder].is_component}
        lower = {used for folder in shared for used in known[folder].uses}
        folders = sorted(shared - lower) if len(roots) > 1 else []
    found: list[Existing] = []
    problems = Problems()
    for folder in folders:
        try:
            found += render(command, source, folder, problems)
        except EnvcError as error:
            if wishes.base:
                raise
            # Many a base cannot be built alone: it is then voted as the base of plain manifests is.
            notes.append(
                f"`{folder}` cannot be built alone, so the base is what most environments say: {_reason(error)}"
            )
            return ()
    if wishes.base:
        problems.raise_any()
    return tuple(existing.value for existing in as_applied(found, [], "", wishes))


def _named_roots(known: Mapping[str, Kustomization], wishes: Wishes) -> tuple[dict[str, list[str]], list[str]]:
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


def _reason(error: EnvcError) -> str:
    """The last words of the program, which say what is wrong."""
    trace = error.problems[0].trace
    return trace[-1] if trace else error.problems[0].what


def choose_environments(known: Mapping[str, Kustomization]) -> tuple[dict[str, list[str]], list[str]]:
    """The folders to build for each environment, and the notes on what was assumed and what is left out."""
    used = {folder for kustomization in known.values() for folder in kustomization.uses}
    buildable = [folder for folder, kustomization in known.items() if not kustomization.is_component]
    roots: dict[str, list[str]] = {}
    for folder in buildable:
        parts = folder.split("/")
        if len(parts) > 1 and parts[-2] == OVERLAYS:
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
            "there is no overlays/ folder: environments are the kustomizations that no other one uses, "
            f"{', '.join(leaves)}"
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

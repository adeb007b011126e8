"""Kustomizations: which of them are environments, and what kustomize makes of them."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile import yamlio
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
from envcompile.adopt.gitops import pointers
from envcompile.adopt.kustomize import FILENAMES, find_command, render
from envcompile.adopt.manifests import as_applied, read_folder
from envcompile.adopt.unsuffixed import has_own_hash
from envcompile.adopt.wishes import NO_WISHES
from envcompile.errors import EnvcError, Problem, Problems, UnavailableError, UsageError, did_you_mean, fail
from envcompile.kubernetes.generated import GENERATED_KINDS, has_content_hash
from envcompile.log import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.adopt.authors import Written
    from envcompile.adopt.existing import Existing
    from envcompile.adopt.wishes import Wishes

OVERLAYS = "overlays"
_FURTHER = ("transformers", "generators", "validators", "replacements", "configurations", "crds", "patchesJson6902")
"""Fields of a kustomization that name files which are no objects."""
_LEFT_OUT = "left out, because it cannot be built"


class Kustomization(NamedTuple):
    """One kustomization; `uses` are the folders it refers to, relative to the start as `folder` is."""

    folder: str
    is_component: bool
    uses: frozenset[str]
    patches: tuple[str, ...] = ()
    """The files of its patches, in their order."""
    settles: frozenset[str] = frozenset()
    """Which of `images` and `replicas` it says itself."""
    components: tuple[str, ...] = ()
    """Those of `uses` that it names as components, in their order."""
    inputs: tuple[str, ...] = ()
    """Further YAML files that it names: of transformers, generators, replacements and configurations."""


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
        written, patches = _written(source, folders, known)
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
    reached = _reached([folder for folders in roots.values() for folder in folders], known)
    said = frozenset[str]().union(*(known[folder].settles for folder in reached))
    patched = "".join(each.text for environment in environments for each in environment.patches)
    settled = said | {field for field, key in (("images", "image:"), ("replicas", "replicas:")) if key not in patched}
    consumed = _consumed(source, [known[folder] for folder in sorted(reached)])
    components = _components(source, {fitting[name]: folders for name, folders in roots.items()}, known)
    return Sources(in_promotion_order(environments), tuple(notes), base, settled, components, consumed)


def _components(
    source: Path, roots: Mapping[str, Sequence[str]], known: Mapping[str, Kustomization]
) -> tuple[Component, ...]:
    """The components that environments use themselves or through what they are made from."""
    users: dict[str, set[str]] = {}
    for name, folders in roots.items():
        for folder in sorted(_reached(folders, known)):
            for used in known[folder].components:
                users.setdefault(used, set()).add(name)
    names = unique_names([*roots, *(posixpath.basename(folder) for folder in users)])
    found = []
    for folder, environments in users.items():
        if folder in known:
            written = [*_lines_of(source, sorted(known[folder].uses)), *_lines_of(source, known[folder].patches)]
            name = names[posixpath.basename(folder)]
            found.append(Component(name, frozenset(environments), frozenset(each.what for each in written)))
    return tuple(each for each in found if each.name not in roots)


def _consumed(source: Path, made_of: Sequence[Kustomization]) -> frozenset[str]:
    """The files of kustomizations: their own, their resources and patches."""
    own = {posixpath.normpath(posixpath.join(each.folder, name)) for each in made_of for name in FILENAMES}
    named = {path for each in made_of for path in (*each.uses, *each.patches, *each.inputs)}
    return frozenset(path for path in own | named if not path.startswith("..") and (source / path).is_file())


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


def _written(
    source: Path, folders: Sequence[str], known: Mapping[str, Kustomization]
) -> tuple[tuple[Written, ...], tuple[Written, ...]]:
    """What authors wrote of everything that some kustomizations are made from: objects, and patches."""
    made_of = [known[folder] for folder in sorted(_reached(folders, known))]
    resources = sorted({path for each in made_of for path in each.uses if path not in known})
    patches = list(dict.fromkeys(path for each in made_of for path in each.patches))
    return tuple(_lines_of(source, resources)), tuple(_lines_of(source, patches))


def _lines_of(source: Path, paths: Sequence[str]) -> Iterator[Written]:
    for path in paths:
        if not path.startswith("..") and (source / path).is_file():
            yield from read_written(path, (source / path).read_bytes())


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
        above = [_reached(folders, known) - {*folders} for folders in roots.values()]
        shared = {folder for folder in set.intersection(*above) if not known[folder].is_component}
        below = {used for folder in shared for used in known[folder].uses}
        folders = sorted(shared - below) if len(roots) > 1 else []
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
            below = [folder] if folder in known else [each for each in known if posixpath.dirname(each) == folder]
            roots.setdefault(name, []).extend(below)
            if not below:
                what = f"`--env {name}={folder}`: there is no kustomization in that folder"
                problems.append(Problem(what, did_you_mean(folder, list(known), "name the folder of a kustomization")))
    if problems:
        raise UsageError(problems)
    reached = _reached([folder for folders in roots.values() for folder in folders], known)
    left = [folder for folder, each in known.items() if folder not in reached and not each.is_component]
    return roots, [f"left out, because no --env names them: {', '.join(left)}"] if left else []


def _reason(error: EnvcError) -> str:
    """The last words of the program, which say what is wrong."""
    trace = error.problems[0].trace
    return trace[-1] if trace else error.problems[0].what


def find_kustomizations(source: Path) -> dict[str, Kustomization]:
    """Every kustomization at or below a folder, by its folder (`.` for the start itself)."""
    found: dict[str, Kustomization] = {}
    for directory, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        named = next((name for name in FILENAMES if name in files), None)
        if named is None:
            continue
        folder = Path(directory).relative_to(source).as_posix()
        path = Path(directory, named)
        kustomization = _read(path, folder)
        if kustomization is not None:
            found[folder] = kustomization
    return found


def _read(path: Path, folder: str) -> Kustomization | None:
    """What a kustomization refers to; None for a file of another API, such as Flux's Kustomization."""
    try:
        values = [value for value in yamlio.load_all(path.read_bytes(), path.as_posix()) if value is not None]
    except (OSError, EnvcError):
        # kustomize itself tells what is wrong, in its own words, should the file be part of an environment.
        return Kustomization(folder, is_component=False, uses=frozenset())
    value: Any = values[0] if values else {}
    if type(value) is not dict:
        return Kustomization(folder, is_component=False, uses=frozenset())
    version = value.get("apiVersion")
    if type(version) is str and not version.startswith("kustomize.config.k8s.io/"):
        return None
    lists = [value.get(field) for field in ("resources", "bases", "components")]
    listed = [entry for entries in lists if isinstance(entries, list) for entry in entries]
    uses = frozenset(posixpath.normpath(posixpath.join(folder, entry)) for entry in listed if type(entry) is str)
    said = [value.get(field) for field in ("patchesStrategicMerge", "patches")]
    entries = [entry for items in said if isinstance(items, list) for entry in items]
    paths = [entry.get("path") if type(entry) is dict else entry for entry in entries]
    patches = [posixpath.normpath(posixpath.join(folder, each)) for each in paths if type(each) is str]
    settles = frozenset(field for field in ("images", "replicas") if value.get(field))
    further = [value.get(field) for field in _FURTHER]
    named = [entry for items in further if isinstance(items, list) for entry in items]
    named = [entry.get("path") if type(entry) is dict else entry for entry in named]
    inputs = tuple(posixpath.normpath(posixpath.join(folder, each)) for each in named if type(each) is str)
    is_component = value.get("kind") == "Component"
    said_components = value.get("components")
    listed = [each for each in said_components if type(each) is str] if isinstance(said_components, list) else []
    components = tuple(posixpath.normpath(posixpath.join(folder, entry)) for entry in listed)
    return Kustomization(folder, is_component, uses, tuple(dict.fromkeys(patches)), settles, components, inputs)


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
            below = parts[len(parts) - parts[::-1].index(OVERLAYS) :]
            roots.setdefault("-".join(below), []).append(folder)
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
    reached = _reached([folder for folders in roots.values() for folder in folders], known)
    left = [folder for folder in leaves if folder not in reached]
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


def _reached(roots: Sequence[str], known: Mapping[str, Kustomization]) -> set[str]:
    """Everything that some kustomizations are made from, themselves included."""
    reached: set[str] = set()
    todo = list(roots)
    while todo:
        folder = todo.pop()
        if folder not in reached and folder in known:
            reached.add(folder)
            todo += known[folder].uses
    return reached

"""What Flux and Argo CD say of a repository: which paths of it make an environment.

Sources: kustomize.toolkit.fluxcd.io/v1 (`spec.path`, relative to the artifact of the source), the ArtifactGenerator of
source.extensions.fluxcd.io, and argoproj.io/v1alpha1 Application and ApplicationSet (list, git and matrix generators).
"""

from __future__ import annotations

import itertools
import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from envcompile import yamlio
from envcompile.adopt.existing import STAGE_WORDS
from envcompile.adopt.flux import FluxTree, read_objects
from envcompile.errors import EnvcError
from envcompile.kubernetes.images import parse_image

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from envcompile.adopt.envsubst import Variables
    from envcompile.adopt.existing import Value
    from envcompile.adopt.flux import Found

_CLUSTERS: Final = frozenset({"clusters", "cluster"})
_OVERLAYS: Final = "overlays"
_BASES: Final = frozenset({"base", "bases", "common", "components"})
IN_CLUSTER: Final = frozenset({"", "in-cluster"})
"""Names of destinations that stand for the cluster in which Argo CD runs."""
_WORDS: Final = re.compile(r"[^a-z0-9]+")
_VARIABLE: Final = re.compile(r"\{\{-?\s*\.?([A-Za-z0-9_.\[\]]+)\s*-?\}\}")
_ADDED: Final = ("patches", "images", "components", "namePrefix", "nameSuffix")
"""What a Kustomization of Flux adds to the kustomization at its path, under kustomize's own names."""

_EDITED: Final = (
    "namePrefix", "nameSuffix", "namespace", "patches", "components", "replicas", "commonLabels", "commonAnnotations",
)  # fmt: skip
"""What an Application of Argo CD adds, under kustomize's own names; images are texts there."""


class Pointer(NamedTuple):
    """One object that says what is in a cluster: the environment, the path below the source, and what is added."""

    environment: str
    path: str
    title: str
    added: Mapping[str, Any]
    variables: Variables | None = None
    """What Flux fills in."""
    namespace: str = ""
    """Where Argo CD puts objects that name no namespace."""
    marks: Mapping[str, Mapping[str, str]] = {}
    """Labels and annotations that Flux puts on every object (`commonMetadata`)."""
    reads: Literal["all", "below", "top"] = "below"
    """What a folder without a kustomization stands for: all manifests and kustomizations in it, as for Flux; the
    manifests in it and below, or only those directly in it, as for Argo CD."""

    def __repr__(self) -> str:
        return f"Pointer({self.environment}, {self.path})"

    def says(self) -> tuple[Any, ...]:
        """All but its title: what two objects that apply the same have in common."""
        return self[:2] + self[3:]


def pointers(source: Path, notes: list[str]) -> list[Pointer]:
    """The paths that objects of Flux and Argo CD name, each with its environment.

    An environment is the cluster that an object stands for: the folder below `clusters/`, the destination's name, else
    the word for a stage in a path or a name. What the objects say and envc does not do is noted.

    Args:
        source: the folder of the repository.
        notes: gets what is left out.
    """
    objects = list(read_objects(source, (b"argoproj.io/", b"fluxcd.io/")))
    flux = FluxTree(source, objects)
    own = _own_repositories(objects)
    artifacts = {
        (posixpath.dirname(each.file), artifact.get("name")): artifact
        for each in objects
        if each.value["kind"] == "ArtifactGenerator"
        for artifact in maps_in(_spec(each.value).get("artifacts"))
    }
    found: list[Pointer] = []
    roots: set[str] = set()
    for each in objects:
        kind, group = each.value["kind"], each.value["apiVersion"].rpartition("/")[0]
        before = len(found)
        if (group, kind) == ("kustomize.toolkit.fluxcd.io", "Kustomization"):
            found += _of_flux(each, source, artifacts, flux, notes)
        elif (group, kind) == ("argoproj.io", "Application"):
            found += _of_argo(each.file, each.value, source, own, notes)
        elif (group, kind) == ("argoproj.io", "ApplicationSet"):
            found += _of_set(each, source, own, notes)
        if len(found) > before:
            roots.add(each.folder)
    # The folder in which such objects lie themselves is the entry to them, and no part of an environment.
    return [one for one in found if not any(_is_at(root, one.path) for root in roots)]


def _is_at(folder: str, path: str) -> bool:
    return folder == path or folder.startswith(f"{path}/") or (path == "." and folder != "")


def _of_flux(
    each: Found,
    source: Path,
    artifacts: Mapping[tuple[str, Any], Mapping[str, Any]],
    flux: FluxTree,
    notes: list[str],
) -> Iterator[Pointer]:
    if flux.is_patch(each):
        return
    spec = _spec(each.value)
    title = f"Kustomization/{each.value['metadata'].get('name')}"
    path = posixpath.normpath(str(spec.get("path") or "."))
    reference = spec.get("sourceRef")
    if type(reference) is dict and reference.get("kind") == "ExternalArtifact":
        path = _in_repository(path, artifacts.get((posixpath.dirname(each.file), reference.get("name")), {}))
    if flux.is_elsewhere(each):
        notes.append(f"{title} ({each.file}): its source is another repository, or another branch")
        return
    if not (source / path).is_dir():
        notes.append(f"{title} ({each.file}): there is no folder `{path}` here; its source may be another repository")
        return
    added = {key: spec[key] for key in _ADDED if spec.get(key)}
    if type(spec.get("targetNamespace")) is str:
        added["namespace"] = spec["targetNamespace"]
    environment = cluster_of(each.file) or stage_in(each.file, path) or "default"
    common = spec.get("commonMetadata")
    marks = {key: _flat(item) for key, item in (common if type(common) is dict else {}).items() if type(item) is dict}
    yield Pointer(environment, path, title, added, flux.variables(each, environment), "", marks, "all")


def _in_repository(path: str, artifact: Mapping[str, Any]) -> str:
    """Where in the repository a path of an artifact comes from."""
    for copy in maps_in(artifact.get("copy")):
        come, go = str(copy.get("from", "")), str(copy.get("to", ""))
        if not come.startswith("@") or not go.startswith("@artifact"):
            continue
        # `@monorepo/apps/**`: what stands before the glob is what is copied.
        folder = come.partition("/")[2].removesuffix("**").rstrip("/")
        to = posixpath.normpath(go.removeprefix("@artifact").strip("/") or ".")
        if to == ".":
            return posixpath.normpath(posixpath.join(folder, path))
        if path == to or path.startswith(f"{to}/"):
            return posixpath.normpath(posixpath.join(folder, path[len(to) :].lstrip("/")))
    return path


def _own_repositories(objects: Iterable[Found]) -> set[str]:
    """The addresses of this repository: those of Applications whose path is where such objects lie."""
    ours = [each for each in objects if each.value["apiVersion"].startswith("argoproj.io/")]
    return {
        _address(one)
        for each in ours
        for one in [*maps_in([each.spec.get("source")]), *maps_in(each.spec.get("sources"))]
        if type(one.get("path")) is str and any(_is_at(other.folder, posixpath.normpath(one["path"])) for other in ours)
    }


def _address(source: Mapping[str, Any]) -> str:
    """The address of a repository, however it is spelled: `git@host:a/b.git` is `https://host/a/b`."""
    text = str(source.get("repoURL") or "").rpartition("://")[2].rpartition("@")[2]
    return text.replace(":", "/").rstrip("/").removesuffix(".git").lower()


def _of_argo(file: str, value: Value, source: Path, own: Collection[str], notes: list[str]) -> Iterator[Pointer]:
    spec = _spec(value)
    title = f"Application/{value['metadata'].get('name')}"
    (destination,) = maps_in([spec.get("destination")]) or [{}]
    for one in [*maps_in([spec.get("source")]), *maps_in(spec.get("sources"))]:
        if one.get("chart"):
            notes.append(f"{title} ({file}): the chart `{one['chart']}` is not rendered here: `charts:` does it")
            continue
        if type(one.get("path")) is not str:
            continue
        path = posixpath.normpath(one["path"])
        if own and _address(one) not in own:
            notes.append(f"{title} ({file}): its source `{one.get('repoURL')}` is another repository")
            continue
        if not (source / path).is_dir():
            notes.append(f"{title} ({file}): there is no folder `{path}` here; its source may be another repository")
            continue
        added = _edited(one.get("kustomize"))
        cluster = str(destination.get("name") or "")
        name = "" if cluster in IN_CLUSTER else cluster
        words = str(value["metadata"].get("name") or "")
        environment = name or cluster_of(file) or stage_in(path, file, words) or host_of(destination) or "default"
        directory = one.get("directory")
        is_deep = type(directory) is dict and directory.get("recurse") is True
        namespace = str(destination.get("namespace") or "")
        yield Pointer(environment, path, title, added, None, namespace, {}, "below" if is_deep else "top")


def _edited(options: Any) -> dict[str, Any]:
    """What an Application has `kustomize edit` write into the kustomization, under kustomize's own names."""
    said: Mapping[str, Any] = options if type(options) is dict else {}
    added = {key: said[key] for key in _EDITED if said.get(key)}
    images = [image for text in said.get("images") or () if type(text) is str and (image := _image(text))]
    return {**added, "images": images} if images else added


def _image(text: str) -> dict[str, str]:
    """`NAME=NEW:TAG`, `NAME:TAG` or `NAME@DIGEST` as an entry of `images`."""
    name, sign, new = text.partition("=")
    reference = parse_image(new if sign else name)
    entry = {"name": name if sign else reference.name, "newTag": reference.tag, "digest": reference.digest}
    if sign:
        entry["newName"] = reference.name
    return {key: item for key, item in entry.items() if item}


def host_of(destination: Mapping[str, Any]) -> str:
    """The first word of a destination's server; empty for the cluster that Argo CD runs in."""
    server = str(destination.get("server") or "")
    host = server.partition("://")[2].partition("/")[0].partition(":")[0]
    return "" if host in {"", "kubernetes.default.svc"} else host.partition(".")[0]


def _of_set(each: Found, source: Path, own: Collection[str], notes: list[str]) -> Iterator[Pointer]:
    for value in applications_of(each, source, notes):
        yield from _of_argo(each.file, value, source, own, notes)


def applications_of(each: Found, source: Path, notes: list[str]) -> Iterator[Value]:
    """The Applications that an ApplicationSet makes, as far as the repository alone tells.

    Args:
        each: the ApplicationSet.
        source: the folder of the repository.
        notes: gets the generators that only a cluster knows.
    """
    spec = _spec(each.value)
    title = f"ApplicationSet/{each.value['metadata'].get('name')}"
    for generator in maps_in(spec.get("generators")):
        made = _elements(generator, source)
        if made is None:
            known = ", ".join(generator)
            notes.append(f"{title} ({each.file}): what its generator `{known}` makes only the cluster knows")
            continue
        for element in made:
            template = _filled(spec.get("template"), element)
            if type(template) is dict and type(template.get("metadata")) is dict:
                yield {**template, "kind": "Application"}


def _elements(generator: Mapping[str, Any], source: Path) -> list[dict[str, str]] | None:
    if type(generator.get("list")) is dict:
        return [_flat(element) for element in maps_in(generator["list"].get("elements"))]
    git = generator.get("git")
    if type(git) is dict and "directories" in git:
        wanted = [str(each.get("path")) for each in maps_in(git["directories"]) if not each.get("exclude")]
        unwanted = [str(each.get("path")) for each in maps_in(git["directories"]) if each.get("exclude")]
        folders = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_dir())
        return [
            _of_path(folder)
            for folder in folders
            if any(_matches(folder, glob) for glob in wanted) and not any(_matches(folder, glob) for glob in unwanted)
        ]
    if type(git) is dict and "files" in git:
        globs = [str(each.get("path")) for each in maps_in(git["files"])]
        files = {path for glob in globs for path in source.glob(glob) if path.is_file()}
        return [_of_file(source, path) for path in sorted(files)]
    matrix = generator.get("matrix")
    if type(matrix) is dict:
        parts = [_elements(each, source) for each in maps_in(matrix.get("generators"))]
        if None in parts:
            return None
        return [
            {key: text for one in chosen for key, text in one.items()} for chosen in itertools.product(*_whole(parts))
        ]
    return None


def _whole(parts: Iterable[list[dict[str, str]] | None]) -> list[list[dict[str, str]]]:
    return [part for part in parts if part is not None]


def _matches(folder: str, glob: str) -> bool:
    """Whether a folder fits a glob, whose `*` stands for one name as for Argo CD."""
    return folder.count("/") == glob.count("/") and fnmatchcase(folder, glob)


def _of_path(folder: str) -> dict[str, str]:
    names = {"path": folder, "path.path": folder, "path.basename": posixpath.basename(folder)}
    segments = folder.split("/")
    names |= {f"path[{number}]": segment for number, segment in enumerate(segments)}
    return names | {f"path.segments[{number}]": segment for number, segment in enumerate(segments)}


def _of_file(source: Path, path: Path) -> dict[str, str]:
    """What a file of settings tells a template: its fields, and where it lies."""
    try:
        values = yamlio.load_all(path.read_bytes(), path.as_posix())
    except (OSError, EnvcError):
        values = []
    told = _flat(values[0]) if values and type(values[0]) is dict else {}
    return told | _of_path(posixpath.dirname(path.relative_to(source).as_posix()))


def _flat(element: Mapping[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, item in element.items():
        if type(item) is dict:
            found |= _flat(item, f"{above}{key}.")
        elif type(item) is str:
            found[f"{above}{key}"] = item
    return found


def _filled(value: Any, element: Mapping[str, str]) -> Any:
    """A template with the variables of one element in it; others stay as they are."""
    if type(value) is str:
        return _VARIABLE.sub(lambda match: element.get(match[1], match[0]), value)
    if type(value) is dict:
        return {key: _filled(item, element) for key, item in value.items()}
    return [_filled(item, element) for item in value] if type(value) is list else value


def cluster_of(file: str) -> str:
    """The folder below `clusters/`; in `clusters/overlays/NAME` that of the overlay, in `clusters/base` none."""
    parts = file.split("/")[:-1]
    for number, part in enumerate(parts[:-1]):
        if part in _CLUSTERS:
            below = [each for each in parts[number + 1 :] if each != _OVERLAYS]
            return below[0] if below and below[0] not in _BASES else ""
    return ""


def stage_in(*texts: str) -> str:
    """The word for a stage in one of some paths or names: a whole part first, then a word of one."""
    for text in texts:
        parts = posixpath.splitext(text)[0].lower().split("/")
        for part in parts:
            if part in STAGE_WORDS:
                return part
        for part in parts:
            word = next((word for word in _WORDS.split(part) if word in STAGE_WORDS), None)
            if word is not None:
                return word
    return ""


def _spec(value: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = value.get("spec")
    return spec if type(spec) is dict else {}


def maps_in(items: Any) -> list[dict[str, Any]]:
    """The maps of a list; none of anything else."""
    return [item for item in items if type(item) is dict] if type(items) is list else []

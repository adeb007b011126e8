"""From the parsed values of a file to its resources and patches, and what is neither."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from envcompile.errors import did_you_mean
from envcompile.model import Document, PatchDocument
from envcompile.record import Record
from envcompile.settings import API_VERSION, Patch
from envcompile.sources.project import BASE, ENVIRONMENT_FILE, OVERLAYS, SEALED_FILE, SOURCE_ENDINGS
from envcompile.sources.settingsfile import read_model
from envcompile.sources.tree import file_start
from envcompile.values import dotted
from envcompile.yamlio.places import place, within_output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.errors import Problems
    from envcompile.model import Pointer
    from envcompile.sources.tree import File, FileEntry

YAML_ENDINGS = (".yaml", ".yml", ".json")
JSONNET_ENDING = ".jsonnet"
KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
"""What kustomize calls its own files; only the last name is certain to be one."""
_OWN_FILES = (ENVIRONMENT_FILE, SEALED_FILE)
_OUR_KINDS = ("Patch", "Generate", "Environment")
_KIND = re.compile(r"[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?")


class FileDocuments(Record, frozen=True):
    """What one file says: resources and patches, in its order."""

    documents: tuple[Document, ...]
    patches: tuple[PatchDocument, ...]


def is_resource_file(path: str, layer: str) -> bool:
    """Tell whether a file of a layer holds resources: envc's own files directly in an overlay's folder do not."""
    if not path.endswith(YAML_ENDINGS):
        return False
    if layer == BASE or not path.endswith(_OWN_FILES):
        return True
    folder, name = posixpath.split(path)
    return folder != layer or name not in _OWN_FILES


def app_of(path: str, layer: str) -> str:
    """The application a file belongs to: the first name below the layer's folder, without ending."""
    first, deeper, _ = path.removeprefix(f"{layer}/").partition("/")
    return first if deeper else posixpath.splitext(first)[0]


def without_foreign_files(entries: Iterable[FileEntry], problems: Problems) -> list[str]:
    """The paths of a layer's files; the projects of other tools among them are noted and left out."""
    paths = [entry.path for entry in entries]
    charts = tuple([f"{posixpath.dirname(path)}/" for path in paths if path.endswith("/Chart.yaml")])
    for folder in charts:
        if not folder.startswith(tuple(other for other in charts if other != folder)):
            where = file_start(f"{folder}Chart.yaml")
            what = f"`{folder.rstrip('/')}` is a Helm chart, and envc reads no templates"
            name = posixpath.basename(folder.rstrip("/"))
            fix = f"move it out, and put what `helm template {name} CHART` prints into {folder.rstrip('/')}.yaml"
            problems.add(what, fix, where)
    paths = [path for path in paths if not path.startswith(charts)]
    for path in paths:
        if path.endswith(SOURCE_ENDINGS):
            continue
        if posixpath.basename(path) == "Kustomization":
            report_kustomization(path, problems)
        elif path.lower().endswith(SOURCE_ENDINGS):
            report_other_case(path, problems)
    return paths


def report_other_case(path: str, problems: Problems) -> None:
    """Note a file that looks like a source, but whose ending is not in lower case; kubectl does not read it either."""
    stem, ending = posixpath.splitext(path)
    what = f"`{path}` is not read: the ending `{ending}` is not in lower case"
    problems.add(what, f"rename it to `{posixpath.basename(stem)}{ending.lower()}`", file_start(path))


def split_file(file: File, values: list[Any], layer: str, problems: Problems) -> list[Document]:
    """The documents of one parsed YAML or JSON file, empty ones left out; none of a kustomization, which is noted."""
    if posixpath.basename(file.path) in KUSTOMIZATIONS and not _is_other_api(values):
        report_kustomization(file.path, problems)
        return []
    return [Document(value, file, index, layer) for index, value in enumerate(values) if value is not None]


def sort_documents(found: Iterable[Document], problems: Problems) -> FileDocuments:
    """Take lists apart, tell patches from resources, and note what is neither."""
    documents: list[Document] = []
    patches: list[PatchDocument] = []
    todo = list(found)[::-1]
    while todo:
        document = todo.pop()
        value = document.value
        if type(value) is not dict:
            what = f"{_subject(document)} is {_described(value)}, not a resource"
            problems.add(what, "a resource is a map with apiVersion, kind and metadata", place(document))
        elif value.get("apiVersion") == API_VERSION:
            patch = _read_own(document, problems)
            if patch is not None:
                patches.append(PatchDocument(document, patch))
        elif _is_list(value):
            todo += _items(document)[::-1]
        elif _is_sound(document, value, problems):
            documents.append(document)
    return FileDocuments(tuple(documents), tuple(patches))


def _read_own(document: Document, problems: Problems) -> Patch | None:
    kind = document.value.get("kind")
    if kind == "Patch":
        return read_model(Patch, document, problems)
    if kind == "Environment":
        what = f"{_subject(document)} holds the settings of an environment, which are not read here"
        fix = f"settings belong into {OVERLAYS}/<environment>/{ENVIRONMENT_FILE}"
    else:
        what = f"{API_VERSION} has no kind `{kind}`" if isinstance(kind, str) else f"{_subject(document)} has no kind"
        fix = did_you_mean(str(kind), _OUR_KINDS, f"kinds are {', '.join(sorted(_OUR_KINDS))}")
    problems.add(what, fix, place(document, ("kind",)))
    return None


def _is_list(value: dict[str, Any]) -> bool:
    """Tell whether this is what `kubectl get -o yaml` prints for several resources."""
    kind, metadata = value.get("kind"), value.get("metadata")
    if not isinstance(kind, str) or not kind.endswith("List") or type(value.get("items")) is not list:
        return False
    return not (isinstance(metadata, dict) and "name" in metadata)


def _items(document: Document) -> list[Document]:
    """The items of a list; those of a typed list may leave out what its kind says already."""
    value = document.value
    kind = value["kind"].removesuffix("List")
    implied = {"apiVersion": value.get("apiVersion"), "kind": kind} if kind else {}
    found: list[Document] = []
    for position, item in enumerate(value["items"]):
        complete = item
        if implied and type(item) is dict and not ("apiVersion" in item and "kind" in item):
            complete = {**implied, **item}
        within = (*document.within, "items", position)
        found.append(document._replace(value=complete, within=within))
    return found


def _is_sound(document: Document, value: dict[str, Any], problems: Problems) -> bool:
    """Tell whether a document says which resource it is; note everything it does not say."""
    api_version, kind, metadata = value.get("apiVersion"), value.get("kind"), value.get("metadata")
    name, namespace = (metadata.get("name"), metadata.get("namespace")) if type(metadata) is dict else (None, None)
    fits = namespace is None or type(namespace) is str
    has_names = type(api_version) is str and type(kind) is str and type(name) is str
    if kind == "Environment" and str(api_version).startswith("tanka.dev/"):
        _report_tanka(document, value, problems)
        return False
    if fits and has_names and api_version and kind and name:
        return _is_kind(document, str(kind), problems)
    if type(api_version) is str and api_version.startswith("kustomize.config.k8s.io/"):
        report_kustomization(document.source.path, problems)
        return False
    known = len([part for part in (api_version, kind, metadata) if part is not None])
    if not known:
        what = f"{_subject(document)} is not a resource: it has no apiVersion, kind and metadata"
        problems.add(what, "envc reads every YAML and JSON file of base/ and overlays/: move it out", place(document))
        return False
    sound = True
    for field, part in (("apiVersion", api_version), ("kind", kind)):
        sound &= _has_text(document, (field,), part, problems)
    if type(metadata) is not dict:
        what = (
            f"{_subject(document)} has no metadata"
            if metadata is None
            else f"`metadata` is not a map{within_output(document)}"
        )
        problems.add(what, "add `metadata:` with a name", place(document, ("metadata",)))
        return False
    if not fits:
        sound = _has_text(document, ("metadata", "namespace"), namespace, problems) and sound
    if name is None and type(metadata.get("generateName")) is str:
        return sound
    return _has_text(document, ("metadata", "name"), name, problems) and sound


def _report_tanka(document: Document, value: dict[str, Any], problems: Problems) -> None:
    """Say that Tanka's description of an environment (`spec.json`) is no resource, and where what it says belongs.

    Source: https://tanka.dev/config.
    """
    spec = value.get("spec")
    namespace = spec.get("namespace") if type(spec) is dict else None
    says = (
        f"write `namespace: {namespace}` into environment.yaml"
        if type(namespace) is str
        else "envc has environment.yaml"
    )
    what = f"{_subject(document)} is Tanka's description of an environment, no resource"
    problems.add(what, f"{says}, and move this out of base/ and overlays/", place(document))


def _is_kind(document: Document, kind: str, problems: Problems) -> bool:
    """Tell whether a text can name a kind; note it when not.

    Source: apiextensions.k8s.io validation, ValidateCustomResourceDefinitionNames: a DNS-1035 label but for capitals.
    """
    if _KIND.fullmatch(kind) is not None:
        return True
    what = f"`{kind}` cannot name a kind"
    problems.add(what, "write letters and digits, beginning with a letter", place(document, ("kind",)))
    return False


def _has_text(document: Document, pointer: Pointer, value: Any, problems: Problems) -> bool:
    if type(value) is str and value:
        return True
    name = dotted(pointer)
    what, fix = f"{_subject(document)} has no {name}", f"add `{pointer[-1]}:`"
    if value == "":
        what, fix = f"`{name}` is empty{within_output(document)}", "write a name"
    elif value is not None:
        what = f"`{name}` is {_described(value)}, but has to be a string{within_output(document)}"
        fix = "put the value in quotes: YAML reads it as something other than text without them"
        if type(value) in {list, dict}:
            fix = "write one name"
    problems.add(what, fix, place(document, pointer))
    return False


def report_kustomization(path: str, problems: Problems) -> None:
    """Note a file that is kustomize's, with the command that takes such a project over."""
    what = f"`{path}` is a kustomization, which envc does not read"
    fix = "take the whole project over with `envc init --from-kustomize DIR`, or remove the file"
    problems.add(what, fix, file_start(path))


def _is_other_api(values: list[Any]) -> bool:
    """Tell whether a file named like a kustomization holds resources of another API, such as Flux's Kustomization."""
    versions = [value.get("apiVersion") for value in values if type(value) is dict]
    return any(type(version) is str and not version.startswith("kustomize.config.k8s.io/") for version in versions)


def _subject(document: Document) -> str:
    if document.generated and document.source.path.endswith(JSONNET_ENDING):
        return f"`{dotted(document.within)}` in jsonnet's output" if document.within else "jsonnet's output"
    return f"`{dotted(document.within)}`" if document.within else f"document {document.index + 1}"


def _described(value: Any) -> str:
    names = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "a map" if type(value) is dict else "empty")

"""Generators of kustomize as the author wrote them, and the `kind: Generate` that each of them becomes."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.authors import Written
from envcompile.adopt.kustomization_files import below, contents, entry_lines
from envcompile.errors import EnvcError, Problems
from envcompile.kubernetes.generated import SUFFIX_ANNOTATION, without_content_hash
from envcompile.model import Document
from envcompile.settings import API_VERSION
from envcompile.sources.generators import KIND, generated
from envcompile.sources.project import BASE, ENVIRONMENT_FILE, SEALED_FILE, SOURCE_ENDINGS
from envcompile.sources.tree import File
from envcompile.values import same
from envcompile.yamlio import edit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from envcompile.adopt.existing import Value
    from envcompile.adopt.kustomization_files import Kustomization

_FIELDS: Final = (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret"))
_LISTS: Final = ("literals", "files", "envs")
_PARAMETER: Final = "${{"
"""Texts with it mean something else in a document, but not in a file that one names."""
_OVERLAY: Final = "overlays"
_BEHIND: Final = 1000
"""Generates stand behind documents of the author's, should they be in one file."""
_FILES: Final = "files"
"""The folder of files that a build would read as resources, did they lie in base or overlays."""


class Generator(NamedTuple):
    """One entry of configMapGenerator or secretGenerator."""

    folder: str
    number: int
    """Among those of its kustomization."""
    kind: str
    name: str
    behavior: str
    """`create`, `merge` or `replace`."""
    content: Mapping[str, Any]
    """`literals`, `files` (each `KEY=path`) and `envs`, as far as they are there; `type` of a Secret."""
    options: Mapping[str, Any]
    """Those of the entry, laid over those of its kustomization."""
    data: Mapping[str, bytes]
    """The bytes of each file that it names, by the path as the author wrote it."""
    comments: str
    lines: str
    """The author's lines of the entry, from its first key on."""

    def __repr__(self) -> str:
        return f"Generator({self.folder}, {self.kind}/{self.name})"

    @property
    def field(self) -> str:
        """What a Generate calls its content."""
        return "configMap" if self.kind == "ConfigMap" else "secret"


def read_generators(source: Path, kustomization: Kustomization) -> Iterator[Generator]:
    """The generators of a kustomization; one whose files are not all there is left out, for kustomize refuses it."""
    data = contents(source, kustomization.file)
    try:
        text = data.decode() if data is not None else ""
    except UnicodeDecodeError:
        return
    shared = kustomization.value.get("generatorOptions")
    count = 0
    for field, kind in _FIELDS:
        for number, entry in kustomization.maps(field):
            count += 1
            content = _content(entry, kind)
            files = _files(source, kustomization.folder, content) if content is not None else None
            if content is None or files is None or type(entry.get("name")) is not str:
                continue
            comments, lines = entry_lines(text, field, number)
            yield Generator(
                kustomization.folder,
                count,
                kind,
                entry["name"],
                str(entry.get("behavior") or "create"),
                content,
                _options(shared, entry.get("options")),
                files,
                comments,
                lines,
            )


def _content(entry: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    """What an entry is made of; None where kustomize takes it otherwise than a Generate can say."""
    found: dict[str, Any] = {}
    for field in _LISTS:
        items = entry.get(field)
        if items is not None and (type(items) is not list or any(type(each) is not str for each in items)):
            return None
        if items:
            found[field] = list(items)
    if type(entry.get("env")) is str:
        found["envs"] = [*found.get("envs", ()), entry["env"]]
    if any(_PARAMETER in each for each in found.get("literals", ())):
        return None
    if kind == "Secret" and type(entry.get("type")) is str:
        found["type"] = entry["type"]
    return found


def _options(*layers: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for layer in layers:
        if type(layer) is dict:
            for key, item in layer.items():
                found[key] = {**found[key], **item} if type(item) is dict and key in found else item
    return found


def _files(source: Path, folder: str, content: Mapping[str, Any]) -> dict[str, bytes] | None:
    """The bytes of each file that is named; None when one is not there."""
    found = {}
    for path in (*(each.rpartition("=")[2] for each in content.get("files", ())), *content.get("envs", ())):
        data = contents(source, below(folder, path))
        if data is None:
            return None
        found[path] = data
    return found


def names_of(generator: Generator, names: Iterable[str]) -> list[str]:
    """What the object of a generator may be called among some names: its own name, else one with prefix and suffix."""
    short = dict.fromkeys(without_content_hash(name) for name in names)
    return [generator.name] if generator.name in short else [name for name in short if generator.name in name]


def document_of(generator: Generator, wanted: Value, places: Mapping[str, str]) -> Value:
    """The Generate with the name, labels and annotations of an object, its files at other places."""
    content: dict[str, Any] = dict(generator.content)
    if "files" in content:
        content["files"] = [_placed(each, places) for each in content["files"]]
    if "envs" in content:
        content["envs"] = [places[each] for each in content["envs"]]
    metadata = wanted["metadata"]
    head = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    options: dict[str, Any] = {}
    annotations = dict(metadata.get("annotations") or {})
    is_hashed = annotations.pop(SUFFIX_ANNOTATION, None) == "hash"
    if metadata.get("labels"):
        options["labels"] = metadata["labels"]
    if annotations:
        options["annotations"] = annotations
    if wanted.get("immutable", False) is not False:
        # A null takes it away from what is below.
        options["immutable"] = wanted["immutable"] is True
    if not is_hashed:
        options["disableNameSuffixHash"] = True
    found: Value = {"apiVersion": API_VERSION, "kind": KIND, "metadata": head, generator.field: content}
    if options:
        found["options"] = options
    return {**found, "behavior": "replace"} if generator.behavior == "replace" else found


def _placed(entry: str, places: Mapping[str, str]) -> str:
    key, sign, path = entry.rpartition("=")
    place = places[path]
    if sign or posixpath.basename(place) != posixpath.basename(path):
        return f"{key or posixpath.basename(path)}={place}"
    return place


def made(generator: Generator, wanted: Value, layer: str = BASE) -> Value | None:
    """The object that the Generate of a generator makes, with the name, labels and annotations of another one."""
    places = {path: f"{number}/{posixpath.basename(path)}" for number, path in enumerate(generator.data)}
    data = {place: generator.data[path] for path, place in places.items()}
    document = Document(document_of(generator, wanted, places), File("generate.yaml", b""), 0, layer)
    problems = Problems()
    found = generated(document, data.__getitem__, problems)
    return found.value if found is not None and not problems else None


def makes(generator: Generator, wanted: Value) -> bool:
    """Whether the Generate of a generator makes just this object."""
    if generator.kind != wanted["kind"] or generator.behavior == "replace" or _is_filled_in(wanted):
        return False
    return same(made(generator, wanted), wanted)


def _is_filled_in(value: Value) -> bool:
    return any(
        _PARAMETER in str(item)
        for field in ("labels", "annotations")
        for entry in (value["metadata"].get(field) or {}).items()
        for item in entry
    )


def as_said(generator: Generator, name: str) -> Value | None:
    """The object of some name that a generator makes by its own words, as it is laid over what is below."""
    annotations = {str(key): str(item) for key, item in (generator.options.get("annotations") or {}).items()}
    if generator.options.get("disableNameSuffixHash") is not True:
        annotations[SUFFIX_ANNOTATION] = "hash"
    labels = {str(key): str(item) for key, item in (generator.options.get("labels") or {}).items()}
    metadata: Value = {"name": name}
    if labels:
        metadata["labels"] = labels
    if annotations:
        metadata["annotations"] = annotations
    wanted: Value = {"metadata": metadata}
    if generator.options.get("immutable") is True:
        wanted["immutable"] = True
    return made(generator, wanted, _OVERLAY)


def text_of(generator: Generator, wanted: Value, place: Callable[[str, bytes], str]) -> str:
    """The Generate in the author's lines, as far as they say the same.

    Args:
        generator: what it is made of.
        wanted: the object it makes, or the document it is laid over others as.
        place: given a file's path as the author wrote it, and its bytes, the path to name it by.
    """
    document = document_of(generator, wanted, {path: place(path, data) for path, data in generator.data.items()})
    head = yamlio.dump({key: document[key] for key in ("apiVersion", "kind", "metadata")})
    if not generator.lines:
        return generator.comments + yamlio.dump(document)
    if generator.lines.startswith("{"):
        body = f"{generator.field}: {generator.lines}"
    else:
        body = f"{generator.field}:\n" + "".join(
            f"  {line}" if line.strip() else line for line in generator.lines.splitlines(keepends=True)
        )
    try:
        return generator.comments + edit.set_value(head + body, 0, (), document)
    except EnvcError:
        return generator.comments + yamlio.dump(document)


def place_for(path: str, folder: str, data: bytes, taken: Mapping[str, bytes]) -> str:
    """Where a file that a generator reads lies in the new repository.

    Beside the Generate, in the author's folders; one that a build would read as a resource in `files/`.

    Args:
        path: as the author wrote it.
        folder: that of the Generate.
        data: the file's bytes.
        taken: files of the new repository that lie somewhere already.
    """
    parts = [part.lstrip(".") for part in posixpath.normpath(path).split("/")]
    inner = "/".join(part for part in parts if part) if ".." not in path.split("/") else parts[-1]
    name = posixpath.basename(inner).lower()
    is_read = name.endswith(SOURCE_ENDINGS) or name in {"kustomization", ENVIRONMENT_FILE, SEALED_FILE}
    top = f"{_FILES}/{folder.removeprefix('base/')}" if is_read else folder
    stem, ending = posixpath.splitext(inner)
    found, number = f"{top}/{inner}", 1
    while taken.get(found, data) != data:
        number += 1
        found = f"{top}/{stem}-{number}{ending}"
    return found


def as_written(generator: Generator, name: str) -> Written:
    """A generator as the document of an object of some name."""
    path = posixpath.join(generator.folder, f"{generator.kind.lower()}-{name}.yaml").removeprefix("./")
    said = as_said(generator, name) or {"apiVersion": "v1", "kind": generator.kind, "metadata": {"name": name}}
    return Written(path, _BEHIND + generator.number, said, "", "", generator=generator)

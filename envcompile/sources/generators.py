"""`kind: Generate`: a ConfigMap or Secret made of files, env files and literals, as kustomize's generators make it.

Source: kustomize v5, api/kv/kv.go (what a literal and a line of an env file say), api/internal/generators (the object),
kyaml/yaml/datamap.go (what becomes text and what base64, and how that is broken into lines).
"""

from __future__ import annotations

import posixpath
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import EnvcError
from envcompile.kubernetes.generated import SUFFIX_ANNOTATION
from envcompile.settings import API_VERSION, Generate
from envcompile.sources.project import BASE
from envcompile.sources.settingsfile import read_model
from envcompile.sources.visibility import require_not_ignored, require_visible
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from envcompile.errors import Problems
    from envcompile.model import Document, Pointer
    from envcompile.settings import GenerateContent, GenerateSecret
    from envcompile.sources.tree import Tree

KIND: Final = "Generate"
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_LINE: Final = 70
"""Characters of base64 after which kustomize breaks the line."""
_REFERENCE: Final = "ref+"
_LARGEST: Final = 1_048_576
"""Bytes of all entries (Kubernetes, pkg/apis/core/validation, ValidateConfigMap and ValidateSecret)."""


class _Entry(NamedTuple):
    """One entry of the object: its key, what it says, and where that is said."""

    key: str
    data: bytes
    pointer: Pointer

    def __repr__(self) -> str:
        return f"_Entry({self.key})"


def is_generate(document: Document) -> bool:
    """Whether a document is a `kind: Generate`."""
    value = document.value
    return type(value) is dict and value.get("kind") == KIND and value.get("apiVersion") == API_VERSION


def with_generated(
    documents: Iterable[Document], read: Callable[[str], bytes], tree: Tree, problems: Problems
) -> list[Document]:
    """The documents of a file, each `kind: Generate` replaced by what it makes of files that commits can hold.

    Args:
        documents: those of one file.
        read: gives the bytes of a file of the project by its path.
        tree: where the files are.
        problems: takes what is wrong.

    Raises:
        EnvcError: git ignores one of the files.
    """
    used: set[str] = set()

    def visible(path: str) -> bytes:
        require_visible(path)
        data = read(path)
        used.add(path)
        return data

    made = [generated(one, visible, problems) if is_generate(one) else one for one in documents]
    require_not_ignored(tree, used)
    return [one for one in made if one is not None]


def generated(document: Document, read: Callable[[str], bytes], problems: Problems) -> Document | None:
    """The ConfigMap or Secret that a `kind: Generate` stands for; None when something is wrong, which is noted.

    Args:
        document: the Generate.
        read: gives the bytes of a file of the project by its path.
        problems: takes what is wrong.
    """
    model = read_model(Generate, document, problems)
    if model is None:
        return None
    content = model.config_map or model.secret
    field = "configMap" if model.config_map is not None else "secret"
    if content is None:
        return None
    if model.behavior == "replace" and document.layer == BASE:
        what = "`behavior: replace` in base has nothing to replace"
        problems.add(what, "leave it out here; an overlay may say it", place(document, ("behavior",)))
        return None
    count = len(problems.found)
    entries: dict[str, _Entry] = {}
    size = 0
    for entry in _entries(content, field, document, read, problems):
        size += len(entry.data)
        if size > _LARGEST:  # one file may be named thousands of times
            what = f"the {_kind(field)} would hold more than 1 MiB, which no API server takes"
            problems.add(what, "name fewer or smaller files, or make several of it", place(document, entry.pointer))
            return None
        if _KEY.fullmatch(entry.key) is None:
            what = f"`{entry.key}` cannot be a key of a {_kind(field)}"
            problems.add(what, "use letters, digits, `-`, `_` and `.`", place(document, entry.pointer))
        elif entry.key in entries:
            places = place(document, entries[entry.key].pointer), place(document, entry.pointer)
            problems.add(f"the key `{entry.key}` is there twice", "keep one of them", *places)
        else:
            entries[entry.key] = entry
    if len(problems.found) > count:
        return None
    value = _object(model, field, entries, is_overlay=document.layer != BASE)
    return document._replace(value=value, generated=True)


def _kind(field: str) -> str:
    return "ConfigMap" if field == "configMap" else "Secret"


def _entries(
    content: GenerateContent | GenerateSecret,
    field: str,
    document: Document,
    read: Callable[[str], bytes],
    problems: Problems,
) -> Iterator[_Entry]:
    folder = posixpath.dirname(document.source.path)

    def data_of(path: str, pointer: Pointer) -> bytes | None:
        full = posixpath.normpath(posixpath.join(folder, path))
        if path.startswith("/") or full == ".." or full.startswith("../"):
            what = f"`{path}` leads out of the project"
            problems.add(what, "name a file of the project, relative to this one", place(document, pointer))
            return None
        try:
            return read(full)
        except EnvcError as error:
            what = error.problems[0].what
            problems.add(what, "paths are relative to the file that names them", place(document, pointer))
            return None

    for position, path in enumerate(content.envs):
        pointer: Pointer = (field, "envs", position)
        data = data_of(path, pointer)
        if data is not None:
            yield from _lines(data, path, pointer, document, problems)
    for position, text in enumerate(content.literals):
        key, sign, value = text.partition("=")
        pointer = (field, "literals", position)
        if key and sign:
            yield _Entry(key, _unquoted(value).encode("utf-8", "surrogateescape"), pointer)
        else:
            problems.add(f"`{text}` is not KEY=value", "write `KEY=value`", place(document, pointer))
    for position, text in enumerate(content.files):
        key, sign, path = text.rpartition("=")
        pointer = (field, "files", position)
        if text.count("=") > 1 or (sign and not (key and path)):
            problems.add(f"`{text}` is not KEY=path", "write `path` or `KEY=path`", place(document, pointer))
            continue
        data = data_of(path, pointer)
        if data is not None:
            yield _Entry(key or posixpath.basename(path), data, pointer)


def _lines(data: bytes, path: str, pointer: Pointer, document: Document, problems: Problems) -> Iterator[_Entry]:
    """The entries of an env file: a line without `=` is a key whose value is empty."""
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        problems.add(f"`{path}` is no UTF-8", "save it as UTF-8, or name it in `files`", place(document, pointer))
        return
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.removesuffix("\r").lstrip()
        if not bare or bare.startswith("#"):
            continue
        key, _, value = bare.partition("=")
        if _KEY.fullmatch(key) is None or key[0].isdigit():
            what = f"line {number} of `{path}` has no name of a variable before its `=`"
            problems.add(what, "write `KEY=value`; comments begin with `#`", place(document, pointer))
            continue
        yield _Entry(key, value.encode(), pointer)


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in {"'", '"'}
    return text[1:-1] if is_quoted else text


def _object(model: Generate, field: str, entries: dict[str, _Entry], *, is_overlay: bool) -> dict[str, Any]:
    options = model.options
    annotations: dict[str, Any] = dict(options.annotations)
    if not options.disable_name_suffix_hash:
        annotations[SUFFIX_ANNOTATION] = "hash"
    elif is_overlay:
        # A null takes away what is below.
        annotations[SUFFIX_ANNOTATION] = None
    metadata: dict[str, Any] = {"name": model.metadata.name}
    if model.metadata.namespace is not None:
        metadata["namespace"] = model.metadata.namespace
    if options.labels:
        metadata["labels"] = dict(options.labels)
    if annotations:
        metadata["annotations"] = annotations
    value: dict[str, Any] = {"apiVersion": "v1", "kind": _kind(field), "metadata": metadata}
    if options.immutable:
        value["immutable"] = True
    elif options.immutable is False and is_overlay:
        value["immutable"] = None
    if model.secret is not None:
        value["type"] = model.secret.type
    ordered = [entries[key] for key in sorted(entries)]
    maps: dict[str, dict[str, Any]] = {}
    for entry in ordered:
        name, text = _written(entry.data, is_secret=model.secret is not None)
        maps.setdefault(name, {})[entry.key] = text
    if model.behavior == "replace":
        for name in ("data", "stringData" if model.secret is not None else "binaryData"):
            value[name] = {"$patch": "replace", **maps.get(name, {})} if name in maps else None
        return value
    return {**value, **maps}


def _written(data: bytes, *, is_secret: bool) -> tuple[str, str]:
    """The field in which an entry stands, and its text there."""
    if is_secret:
        if data.startswith(_REFERENCE.encode()):
            return "stringData", data.decode("utf-8", "surrogateescape")
        return "data", _base64(data)
    try:
        return "data", data.decode()
    except UnicodeDecodeError:
        return "binaryData", _base64(data)


def _base64(data: bytes) -> str:
    text = b64encode(data).decode()
    if len(text) < _LINE:
        return text
    return "".join(f"{text[start : start + _LINE]}\n" for start in range(0, len(text), _LINE))

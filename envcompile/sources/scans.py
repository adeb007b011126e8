"""What a source file speaks of, without what it says: enough to tell which files have to be read together."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from envcompile.model import patch_id
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.model import Document
    from envcompile.settings import Target
    from envcompile.sources.yamlfiles import FileDocuments


CRD = "CustomResourceDefinition"


class TargetGlobs(Record, frozen=True):
    """Whom a `kind: Patch` may reach, whatever labels they have; None names everything."""

    kind: str | None
    group: str | None
    name: str | None
    namespace: str | None
    patch: tuple[str | int, ...]
    """What tells the Patch from all others of its environment."""


class Head(Record, frozen=True):
    """Which resource a document speaks of."""

    api_version: str
    kind: str
    namespace: str
    """Empty when the document names none."""
    name: str
    """With `generateName` the stand-in that the document's content gives it."""
    holds_literals: bool
    """Whether it is a Secret with a value that is no reference."""


class FileScan(Record, frozen=True):
    """What one file speaks of in one environment; the numbers of heads and targets are those of its documents."""

    path: str
    app: str
    """The application that the file belongs to by its place."""
    digest: str
    """Of everything that the documents were made from: the file, parameters put in, imports."""
    heads: tuple[Head, ...]
    targets: tuple[TargetGlobs, ...]
    """Whom each `kind: Patch` may reach."""
    crds: tuple[int, ...]
    """The numbers of the documents that define custom kinds, which others then depend on."""
    varies: bool
    """Whether environments may see other documents in it: it holds parameters, or is evaluated."""


def scan_of(path: str, app: str, digest: str, said: FileDocuments, *, varies: bool) -> FileScan:
    """The scan of a file whose documents are at hand."""
    return FileScan(
        path,
        app,
        digest,
        tuple([_head(document.value) for document in said.documents]),
        tuple([_globs(patch.patch.target, patch.document) for patch in said.patches]),
        tuple([at for at, document in enumerate(said.documents) if document.value["kind"] == CRD]),
        varies,
    )


def _head(value: dict[str, Any]) -> Head:
    metadata, kind, api_version = value["metadata"], value["kind"], value["apiVersion"]
    name = metadata.get("name")
    if not name:
        from envcompile.model import generated_name

        name = generated_name(value)
    return Head(api_version, kind, metadata.get("namespace") or "", name, holds_literals(value))


def holds_literals(value: dict[str, Any]) -> bool:
    """Tell whether a document is a Secret with a value that is no reference."""
    return (
        value.get("kind") == "Secret"
        and value.get("apiVersion") == "v1"
        and not all(
            type(text) is str and text.startswith("ref+")
            for field in ("data", "stringData")
            if isinstance(value.get(field), dict)
            for text in value[field].values()
        )
    )


def _globs(target: Target, document: Document) -> TargetGlobs:
    return TargetGlobs(target.kind, target.group, target.name, target.namespace, patch_id(document))


def combined_digest(parts: Iterable[str]) -> str:
    """One digest of several texts in their order."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

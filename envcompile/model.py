"""The values that cross the walls between rooms: places, identities, documents, resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envcompile.settings import Patch


Pointer = tuple[str | int, ...]
"""The way to a field: map keys and list positions from the root of a document."""


class Location(NamedTuple):
    """A place in a source file, relative to the repository; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class ResourceId(NamedTuple):
    """What makes a Kubernetes object the same object; the API version is not part of it."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind}/{self.name}" + (f" (namespace {self.namespace})" if self.namespace else "")

    @property
    def short(self) -> str:
        """KIND/NAME as people type it."""
        return f"{self.kind}/{self.name}"


class Source(Protocol):
    """A file that documents come from."""

    @property
    def path(self) -> str:
        """The path relative to the repository, with forward slashes."""
        ...

    def read(self) -> bytes:
        """The file's bytes as they were when the build read them."""
        ...


class Document(Record, frozen=True):
    """One parsed value of a file with its place; positions are looked up only when somebody asks.

    `index` counts the documents of the stream from 0 (empty ones too); `within` leads to the value
    inside the document (an item of a `kind: List`); `layer` is `base` or the overlay folder, relative
    to the repository. `generated` is true for a value computed by jsonnet: it has a file but no line of its own.
    """

    value: Any
    source: Source
    index: int
    layer: str
    within: Pointer = ()
    generated: bool = False

    def __repr__(self) -> str:
        return f"Document({self.source.path}, {self.index})"


PatchId = tuple[str | int, ...]
"""Path of the file, number of the document, and the way to the Patch inside of it."""


def patch_id(document: Document) -> PatchId:
    """What tells a `kind: Patch` from all others of its environment."""
    return (document.source.path, document.index, *document.within)


class Step(Record, frozen=True):
    """One say in a resource: which layer spoke, from where, and the resource before and after.

    `role` is `base` or `resource` for the document that created it, `patch` for a document of the same
    identity, `merge` or `json6902` for a `kind: Patch`, `setting` for a key of environment.yaml, `derived` for
    what envc computes. `within` leads to the patch's root inside the document, or names the setting.
    """

    role: str
    layer: str
    document: Document | None
    within: Pointer
    before: Any
    after: Any

    def __repr__(self) -> str:
        return f"Step({self.role} of {self.layer})"


class Resource(Record, frozen=True):
    """One Kubernetes object of an environment with the steps that made it."""

    id: ResourceId
    value: dict[str, Any]
    app: str
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return f"Resource({self.id})"


class _Resources:
    """The resources of one environment, frozen; no tuple, which any serialiser would take apart."""

    __slots__ = ("environment", "namespace", "resources")
    environment: str
    namespace: str
    resources: tuple[Resource, ...]

    def __init__(self, environment: str, namespace: str, resources: tuple[Resource, ...]) -> None:
        object.__setattr__(self, "environment", environment)
        object.__setattr__(self, "namespace", namespace)
        object.__setattr__(self, "resources", resources)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is frozen: its {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is frozen: its {name} cannot be removed")


class Composition(_Resources):
    """The resources of one environment after merging; may hold plaintext, so it cannot be serialised or printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Composition({self.environment}: {', '.join(str(resource.id) for resource in self.resources)})"

    def __reduce__(self) -> str:
        raise TypeError("a Composition may hold plaintext secrets and is never serialised")


class Compiled(_Resources):
    """The complete resources of one environment, free of plaintext; everything after the secrets stage is made from it.

    `plaintext_allowed` is true only for `secretBackend: plaintext`, the mode of throw-away clusters.

    Raises:
        ValueError: a `kind: Secret` with undeclared literal values is among the resources.
    """

    __slots__ = ("plaintext_allowed",)
    plaintext_allowed: bool

    def __init__(
        self, environment: str, namespace: str, resources: tuple[Resource, ...], *, plaintext_allowed: bool = False
    ) -> None:
        super().__init__(environment, namespace, resources)
        object.__setattr__(self, "plaintext_allowed", plaintext_allowed)
        if plaintext_allowed:
            return
        for resource in resources:
            if resource.id.kind == "Secret" and not resource.id.group and not is_harmless(resource.value):
                raise ValueError(f"{resource.id} still holds plaintext")

    def __repr__(self) -> str:
        return f"Compiled({self.environment}: {len(self.resources)} resources)"

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuilt by the constructor: attributes cannot be set, and what arrives is looked over for plaintext."""
        from functools import partial

        made = partial(type(self), plaintext_allowed=True) if self.plaintext_allowed else type(self)
        return made, (self.environment, self.namespace, self.resources)


HARMLESS_ANNOTATION = "envcompile.dev/plaintext"
"""On a Secret: the keys whose literal values may be committed, comma-separated; `*` stands for all."""


def is_harmless(secret: dict[str, Any]) -> bool:
    """Tell whether every literal value of a Secret is declared harmless."""
    held = [secret.get(field) or {} for field in ("data", "stringData")]
    if not all(isinstance(values, dict) for values in held):
        return False
    keys = {key for values in held for key in values}
    annotations = (secret.get("metadata") or {}).get("annotations") or {}
    declared = {key.strip() for key in str(annotations.get(HARMLESS_ANNOTATION, "")).split(",")}
    return "*" in declared or keys <= declared


LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
"""What kubectl writes on objects: the object as it was applied, with every value of a Secret."""


def without_values(resource: Resource, mark: str, marked: Callable[[str, str, Any], Any] | None = None) -> Resource:
    """A Secret in clear with a mark in the place of its values, wherever they stand; every other resource as it is.

    Args:
        resource: any.
        mark: what stands in the place of values.
        marked: chooses another mark by field (`data` or `stringData`), key and value.
    """
    value = resource.value
    if resource.id.kind != "Secret" or resource.id.group or is_harmless(value):
        return resource
    hidden: dict[str, Any] = {}
    for field in ("data", "stringData"):
        held = value.get(field)
        if held and isinstance(held, dict) and marked is not None:
            hidden[field] = {key: marked(field, key, item) for key, item in held.items()}
        elif held:
            hidden[field] = dict.fromkeys(held, mark) if isinstance(held, dict) else mark
    annotations = (value.get("metadata") or {}).get("annotations")
    if isinstance(annotations, dict) and LAST_APPLIED_ANNOTATION in annotations:
        hidden["metadata"] = {**value["metadata"], "annotations": {**annotations, LAST_APPLIED_ANNOTATION: mark}}
    return resource._replace(value={**value, **hidden})


class PatchDocument(NamedTuple):
    """A `kind: Patch` with the document it was read from."""

    document: Document
    patch: Patch


class Layer(Record, frozen=True):
    """What one folder says: `base`, or an overlay that the environment extends, or its own overlay.

    `apps` names for each file of the layer the application it belongs to.
    """

    name: str
    documents: tuple[Document, ...]
    patches: tuple[PatchDocument, ...]
    apps: dict[str, str]


class Others(Protocol):
    """Other processes that hold the bytes of some of a bundle's files, and write them at the same time."""

    def begin(self, folder: str, paths: Sequence[str]) -> Sequence[str]:
        """Let them write those of some files below a folder that they hold; the paths of all others."""
        ...

    def finish(self) -> Sequence[str]:
        """Wait until they are done; the paths of files that are not written, or not whole."""
        ...


class Bundle(Record, frozen=True):
    """The exact files of one folder: path below it -> bytes, which are made when somebody asks, and their digests."""

    environment: str
    files: Mapping[str, bytes]
    digests: Mapping[str, str]
    """Path -> SHA-256 of the bytes, in hexadecimal."""
    others: Others | None = None

    def __repr__(self) -> str:
        return f"Bundle({self.environment}: {len(self.digests)} files)"


GENERATED_DIGITS = 8
"""How many digits of its digest tell apart what the API server will name."""


def generated_name(value: dict[str, Any]) -> str:
    """A stand-in name for an object that the API server will name: the prefix and a digest of the object.

    Several objects may share one generateName, so the content tells them apart; patches reach them by
    `kind: Patch` only.
    """
    import hashlib
    import json

    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return f"{value['metadata']['generateName']}{hashlib.sha256(canonical).hexdigest()[:GENERATED_DIGITS]}"

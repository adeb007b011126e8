"""What is refused of the metadata of any object.

Source: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go, ValidateObjectMetaAccessor and what it calls;
pkg/apis/core/validation/validation.go, validateKubeFinalizerName.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from envcompile.check.api.book import TABLES, in_force
from envcompile.check.api.formats import FORMS
from envcompile.check.api.names import label, label_value, qualified, qualified_caseless
from envcompile.check.reading import list_at, map_at, maps_at, number_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said
    from envcompile.model import Pointer

_MOST_ANNOTATIONS: Final = 262_144
"""Bytes of all annotations of an object together (TotalAnnotationSizeLimitB)."""

_LONGEST_PREFIX: Final = 58
"""Characters of a generated name before the five that the server adds (maxGeneratedNameLength)."""

_NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""Of a Namespace: its name; source: pkg/registry/core/namespace/strategy.go and pkg/apis/core/v1/defaults.go."""

_USUAL: Final = frozenset({"name", "namespace", "labels", "annotations"})
"""What most objects say of themselves, and no more."""

_STANDARD_FINALIZERS: Final = frozenset({"foregroundDeletion", "kubernetes", "orphan"})


class _Names(NamedTuple):
    """What names and finalizers of a kind look like."""

    forms: Mapping[str, tuple[tuple[str, str], ...]]
    """`group/Kind` -> forms with their arguments."""
    default: tuple[tuple[str, str], ...]
    free_finalizers: frozenset[str]
    free_prefixes: frozenset[str]
    """Kinds of which only the name is looked at, also where it is generated (ValidateObjectMetaWithOpts)."""
    keeps_generation: frozenset[str]


@cache
def _names(release: int) -> _Names:
    said = msgspec.json.decode((TABLES / "names.json").read_bytes())

    def read(text: str) -> tuple[tuple[str, str], ...]:
        words = filter(None, (in_force(word, release) for word in text.split()))
        return tuple((name, argument) for name, _, argument in (word.partition("=") for word in words))

    return _Names(
        {kind: read(text) for kind, text in said["names"].items()},
        read(said["default"]),
        frozenset(said["any finalizer"]),
        frozenset(said["any generateName"]),
        frozenset(said["keeps generation"]),
    )


def metadata(value: dict[str, Any], place: Place, *, any_finalizer: bool = False) -> Said:
    """Names, labels, annotations, owners and finalizers of an object.

    Args:
        value: the object.
        place: its kind.
        any_finalizer: finalizers need no DNS name, as those of custom resources.
    """
    meta = map_at(value, "metadata")
    at: Pointer = ("metadata",)
    names = _names(place.release)
    yield from _named(meta, f"{place.group}/{place.kind}", names)
    namespace = meta.get("namespace")
    if namespace and place.is_namespaced and (what := label(namespace)):
        yield (*at, "namespace"), f"`namespace` {what}"
    if place.kind == "Namespace" and not place.group:  # the server writes this one anew
        own = {key: item for key, item in map_at(meta, "labels").items() if key != _NAME_LABEL}
        yield from labels({"labels": own}, at)
    else:
        yield from labels(meta, at)
    yield from free_notes(meta, at)
    if meta.keys() <= _USUAL:
        return
    yield from _owners(meta)
    yield from _finalizers(meta, is_free=any_finalizer or f"{place.group}/{place.kind}" in names.free_finalizers)
    if f"{place.group}/{place.kind}" in names.keeps_generation and (number_at(meta, "generation") or 0) < 0:
        yield (*at, "generation"), "`generation` is negative"


def is_named(group: str, kind: str, meta: dict[str, Any], release: int) -> bool:
    """Tell whether the name of an object has the form that names of its kind have."""
    names = _names(release)
    return not any(_named(meta, f"{group}/{kind}", names))


def _named(meta: dict[str, Any], kind: str, names: _Names) -> Said:
    if kind in names.free_prefixes and meta.get("name"):
        meta = {"name": meta["name"]}
    yield from _name(meta, names.forms.get(kind, names.default))


def labels(meta: dict[str, Any], at: Pointer) -> Said:
    """Labels of an object or template."""
    given = map_at(meta, "labels")
    if are_labels(tuple(given.items())):
        return
    for key, item in given.items():
        what = qualified(key)
        if what:
            yield (*at, "labels", key), f"the key `{key}` of a label {what}"
        what = label_value(item)
        if what:
            yield (*at, "labels", key), f"the value of the label `{key}` {what}"


@lru_cache(maxsize=4096)
def are_labels(pairs: tuple[tuple[str, Any], ...]) -> bool:
    """Tell whether labels are right: the same ones stand on many objects."""
    return not any(qualified(key) or label_value(item) for key, item in pairs)


def free_notes(meta: dict[str, Any], at: Pointer) -> Said:
    """Annotations of an object or template; source: ValidateAnnotations."""
    notes = map_at(meta, "annotations")
    if not notes:
        return
    for key in notes:
        what = qualified_caseless(key)
        if what:
            yield (*at, "annotations", key), f"the key `{key}` of an annotation {what}"
    if sum(len(key) + (len(item) if isinstance(item, str) else 0) for key, item in notes.items()) * 4 <= (
        _MOST_ANNOTATIONS
    ):
        return  # whatever the characters are: no UTF-8 takes more than four bytes for one
    size = sum(
        len(key.encode()) + (len(item.encode(errors="replace")) if isinstance(item, str) else 0)
        for key, item in notes.items()
    )
    if size > _MOST_ANNOTATIONS:
        yield (*at, "annotations"), f"`annotations` have {size} bytes: {_MOST_ANNOTATIONS} are the most"


def _name(meta: dict[str, Any], forms: tuple[tuple[str, str], ...]) -> Said:
    for field in ("name", "generateName"):
        name = text_at(meta, field)
        if not name:
            continue
        if field == "generateName" and not meta.get("name"):
            name = name[:_LONGEST_PREFIX] + "aaaaa"  # what the server makes of it
        elif field == "generateName" and len(name) > 1 and name.endswith("-"):
            name = name[:-2] + "a"
        for form, argument in forms:
            what = FORMS[form](name, argument)
            if what:
                yield ("metadata", field), f"`metadata.{field}` {what}"
                break


def are_notes(notes: dict[str, Any]) -> bool:
    """Tell whether annotations are surely right, of which there are some."""
    return _are_keys(tuple(notes)) and 4 * sum(map(len, (*notes, *filter(None, notes.values())))) <= _MOST_ANNOTATIONS


@lru_cache(maxsize=1024)
def _are_keys(keys: tuple[str, ...]) -> bool:
    """Tell whether keys of annotations are right: the same ones stand on many objects."""
    return not any(map(qualified_caseless, keys))


def says_little(meta: dict[str, Any]) -> bool:
    """Tell whether the metadata of a namespaced object whose name is right say little, and that is right."""
    if not meta.keys() <= _USUAL:
        return False
    notes = meta.get("annotations")
    if notes and not are_notes(notes):
        return False
    labels_, namespace = meta.get("labels"), meta.get("namespace")
    if labels_ is not None and not (isinstance(labels_, dict) and are_labels(tuple(labels_.items()))):
        return False
    return namespace is None or (isinstance(namespace, str) and _is_namespace(namespace))


@lru_cache(maxsize=256)
def _is_namespace(text: str) -> bool:
    return not text or label(text) is None


def _owners(meta: dict[str, Any]) -> Said:
    controllers = []
    for index, owner in maps_at(meta, "ownerReferences"):
        at: Pointer = ("metadata", "ownerReferences", index)
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield (*at, field), f"`{field}` of an owner is missing or empty"
        version = text_at(owner, "apiVersion")
        if version.count("/") > 1 or version.endswith("/"):
            yield (*at, "apiVersion"), "`apiVersion` of an owner is not GROUP/VERSION or VERSION"
        if (version, owner.get("kind")) == ("v1", "Event"):
            yield at, "an Event cannot own anything"
        if owner.get("controller") is True and owner not in controllers:  # the server drops what stands twice
            controllers.append(owner)
    if len(controllers) > 1:
        yield ("metadata", "ownerReferences"), "more than one owner has `controller: true`"


def _finalizers(meta: dict[str, Any], *, is_free: bool) -> Said:
    finalizers = list_at(meta, "finalizers")
    for index, item in enumerate(finalizers):
        name = item
        what = qualified(name)
        if not what and "/" not in name and not is_free:
            if name in _STANDARD_FINALIZERS:
                continue
            what = "has no DNS name and `/` before it, and is none of Kubernetes' own"
        if what:
            yield ("metadata", "finalizers", index), f"the finalizer `{name}` {what}"
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        yield ("metadata", "finalizers"), "`orphan` and `foregroundDeletion` stand beside each other"

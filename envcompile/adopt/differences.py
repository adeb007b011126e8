"""The overlay of one object: the documents that turn its base into what it is in one environment."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from envcompile.compose import configtext
from envcompile.compose.configmaps import REPLACE_ANNOTATION
from envcompile.compose.directives import same
from envcompile.compose.identity import Identifier
from envcompile.compose.layers import NEW_ANNOTATION, Layering
from envcompile.compose.merge_derive import NotExpressibleError, derive
from envcompile.compose.targets import apply_patch
from envcompile.errors import EnvcError, Problems
from envcompile.model import Document
from envcompile.settings import API_VERSION
from envcompile.sources.tree import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.adopt.existing import Value
    from envcompile.kubeapi import KubeApi
    from envcompile.model import Pointer, ResourceId

_GLOB = re.compile(r"([*?\[])")
_CLOSE = 0.9
_APPS = {"object": "object"}


class Rehearsal:
    """Lays documents over each other as the build of one environment does, one object at a time."""

    def __init__(self, api: KubeApi, namespace: str) -> None:
        self._api = api
        self.identifier = Identifier(api, namespace or None, forced=False)

    def makes(self, target: Value, base: Value | None, overlay: Iterable[Value]) -> bool:
        """Tell whether the base with the overlay's documents over it is exactly the target, without a warning."""
        problems = Problems()
        layering = Layering(self._api, self.identifier, problems, merge_texts=True)
        if base is not None:
            layering.add_base("base", [_document(base)], _APPS)
        documents = [_document(value) for value in overlay]
        try:
            layering.add_overlay("overlay", [each for each in documents if not is_patch(each.value)], _APPS)
            for document in documents:
                if is_patch(document.value):
                    apply_patch(layering, "overlay", document, to_patch(document.value), problems)
        except EnvcError:
            return False
        results = list(layering.resources.values())
        if problems or layering.warnings or len(results) != 1:
            return False
        return same(results[0].value, target) and results[0].id == self.identifier.identify(target)


def is_patch(value: Value) -> bool:
    """Tell whether a document is a `kind: Patch`."""
    return value["apiVersion"] == API_VERSION


def to_patch(value: Value) -> Any:
    """A `kind: Patch` as the build reads it."""
    import msgspec

    from envcompile.settings import Patch

    return msgspec.convert(value, Patch)


def _document(value: Value) -> Document:
    return Document(value, File("object", b""), 0, "overlay", generated=True)


def changes(base: Value, target: Value, api: KubeApi, rehearsal: Rehearsal) -> list[Value] | None:
    """The documents of an overlay that make the target of the base; none when they are the same.

    A strategic merge patch where it can say the difference, else a JSON patch; None when neither does.
    """
    if same(base, target):
        return []
    group, _, version = base["apiVersion"].rpartition("/")
    try:
        patch = derive(base, target, api.node(group, version, base["kind"]))
    except NotExpressibleError:
        patch = None
    if patch is not None:
        headed = _headed(_with_derived_texts(patch, base, target), target)
        if rehearsal.makes(target, base, [headed]):
            return [headed]
    operations = list(_operations(base, target, ()))
    written = [json_patch(rehearsal.identifier.identify(base), operations)]
    return written if rehearsal.makes(target, base, written) else None


def _headed(patch: Value, target: Value) -> Value:
    """The patch with what names its target, in the order people write it."""
    metadata = target["metadata"]
    names = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    own = patch.get("metadata") or {}
    rest = {key: item for key, item in patch.items() if key not in {"apiVersion", "kind", "metadata"}}
    head = {"apiVersion": target["apiVersion"], "kind": target["kind"], "metadata": {**names, **own}}
    return {**head, **rest}


def _with_derived_texts(patch: Value, base: Value, target: Value) -> Value:
    """The patch of a ConfigMap with only the changed keys of each embedded file."""
    if base["kind"] != "ConfigMap" or base["apiVersion"] != "v1":
        return patch
    data, below = patch.get("data"), base.get("data")
    if type(data) is not dict or type(below) is not dict:
        return patch
    texts: dict[str, str] = {}
    whole: list[str] = []
    for key, text in data.items():
        old = below.get(key)
        if type(text) is not str or type(old) is not str or configtext.format_of(key) is None:
            continue
        derived = configtext.derive_text(key, old, text)
        if derived is not None and len(derived) < len(text):
            texts[key] = derived
        elif derived is None:
            whole.append(key)
    if not texts and not whole:
        return patch
    changed = {**patch, "data": {**data, **texts}}
    if whole:
        metadata = patch.get("metadata") or {}
        annotations = {**(metadata.get("annotations") or {}), REPLACE_ANNOTATION: ",".join(whole)}
        changed["metadata"] = {**metadata, "annotations": annotations}
    del target
    return changed


def json_patch(resource: ResourceId, operations: Sequence[Value]) -> Value:
    """A `kind: Patch` with operations on one resource."""
    target = {"group": resource.group, "kind": resource.kind, "name": _literal(resource.name)}
    if resource.namespace:
        target["namespace"] = _literal(resource.namespace)
    return {
        "apiVersion": API_VERSION,
        "kind": "Patch",
        "metadata": {"name": f"{resource.kind.lower()}-{resource.name}"},
        "target": target,
        "json6902": list(operations),
    }


def _literal(text: str) -> str:
    """A text as a glob that matches nothing else."""
    return _GLOB.sub(r"[\1]", text)


def _operations(base: Any, target: Any, pointer: Pointer) -> Iterable[Value]:
    """JSON patch operations from one value to another; lists of equal length are compared item by item."""
    if same(base, target):
        return
    if type(base) is dict and type(target) is dict:
        for key in base:
            if key not in target:
                yield {"op": "remove", "path": _pointer((*pointer, key))}
        for key, value in target.items():
            if key not in base:
                yield {"op": "add", "path": _pointer((*pointer, key)), "value": value}
            else:
                yield from _operations(base[key], value, (*pointer, key))
    elif type(base) is list and type(target) is list and len(base) == len(target):
        for position, (old, new) in enumerate(zip(base, target, strict=True)):
            yield from _operations(old, new, (*pointer, position))
    else:
        yield {"op": "replace", "path": _pointer(pointer), "value": target}


def _pointer(pointer: Pointer) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in pointer)


def whole(target: Value, rehearsal: Rehearsal, others: Iterable[str]) -> list[Value] | None:
    """The documents of an overlay that bring an object in which no layer below has.

    `others` are the names of other objects of its kind: one letter apart, the build would ask whether that is meant.
    """
    metadata = target["metadata"]
    name = metadata.get("name")
    mistakable = type(name) is str and any(_is_close(name, other) for other in others)
    if not mistakable and rehearsal.makes(target, None, [target]):
        return [target]
    annotations = metadata.get("annotations")
    marked_annotations = {**(annotations if type(annotations) is dict else {}), NEW_ANNOTATION: "true"}
    marked = {**target, "metadata": {**metadata, "annotations": marked_annotations}}
    if rehearsal.makes(target, None, [marked]):
        return [marked]
    if "annotations" not in metadata:
        return None
    # The mark takes annotations with it that are empty: a patch puts them back.
    back = {"op": "add", "path": "/metadata/annotations", "value": annotations}
    restored = [marked, json_patch(rehearsal.identifier.identify(marked), [back])]
    return restored if name and rehearsal.makes(target, None, restored) else None


def _is_close(name: str, other: str) -> bool:
    return name != other and SequenceMatcher(None, other, name).quick_ratio() > _CLOSE

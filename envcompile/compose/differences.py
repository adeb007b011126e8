"""The way back to sources: the documents of an overlay that turn one object into another."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile import yamlio
from envcompile.compose import configtext
from envcompile.compose.configmaps import REPLACE_ANNOTATION
from envcompile.compose.directives import SET_ORDER
from envcompile.compose.identity import Identifier
from envcompile.compose.layers import NEW_ANNOTATION, Layering
from envcompile.compose.merge_derive import NotExpressibleError, derive
from envcompile.compose.targets import apply_patch
from envcompile.errors import EnvcError, Problems
from envcompile.kubernetes.sequences import Matcher
from envcompile.model import Document
from envcompile.settings import API_VERSION
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.kubernetes import KubeApi
    from envcompile.model import Pointer, Resource, ResourceId

Value = dict[str, Any]

_GLOB = re.compile(r"([*?\[])")
_CLOSE = 0.9
_MUCH_LONGER = 2
_LONG = 10
"""How much longer than a JSON patch a patch may be that spells out the order of a list."""
_APPS = {"object": "object"}


class _NoFile(NamedTuple):
    """The file of a document that nobody has written yet."""

    path: str = "object"
    data: bytes = b""

    def read(self) -> bytes:
        """Nothing is written."""
        return self.data


class Rehearsal:
    """Lays documents over each other as the build of one environment does, one object at a time.

    Args:
        api: what the environment's Kubernetes version and its CRDs say.
        namespace: the environment's namespace; empty for none.
        forced: the environment's namespace always wins.
        merge_texts: configuration files inside ConfigMaps are merged key by key.
    """

    def __init__(self, api: KubeApi, namespace: str, *, forced: bool = False, merge_texts: bool = True) -> None:
        self._api = api
        self.merges_texts = merge_texts
        self.identifier = Identifier(api, namespace or None, forced=forced)

    def makes(self, target: Value, base: Value | None, overlay: Iterable[Value]) -> bool:
        """Tell whether the base with the overlay's documents over it is exactly the target, without a warning."""
        made = self._made(base, overlay)
        return made is not None and same(made.value, target) and made.id == self.identifier.identify(target)

    def made(self, base: Value | None, overlay: Iterable[Value]) -> Value | None:
        """The object that the base with the overlay's documents over it is; None where the build would warn."""
        made = self._made(base, overlay)
        return made.value if made is not None else None

    def _made(self, base: Value | None, overlay: Iterable[Value]) -> Resource | None:
        problems = Problems()
        layering = Layering(self._api, self.identifier, problems, merge_texts=self.merges_texts)
        if base is not None:
            layering.add_base("base", [_document(base)], _APPS)
        documents = [_document(value) for value in overlay]
        try:
            layering.add_overlay("overlay", [each for each in documents if not is_patch(each.value)], _APPS)
            for document in documents:
                if is_patch(document.value) and not apply_patch(
                    layering, "overlay", document, to_patch(document.value), problems
                ):
                    return None
        except EnvcError:
            return None
        results = list(layering.resources.values())
        return results[0] if len(results) == 1 and not problems and not layering.strays else None


def is_patch(value: Value) -> bool:
    """Tell whether a document is a `kind: Patch`."""
    return bool(value["apiVersion"] == API_VERSION)


def to_patch(value: Value) -> Any:
    """A `kind: Patch` as the build reads it."""
    import msgspec

    from envcompile.settings import Patch

    return msgspec.convert(value, Patch)


def _document(value: Value) -> Document:
    return Document(value, _NoFile(), 0, "overlay", generated=True)


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
    headed = None
    if patch is not None:
        headed = _headed(_with_derived_texts(patch, base) if rehearsal.merges_texts else patch, target)
        if not rehearsal.makes(target, base, [headed]):
            headed = None
    if headed is not None and not _spells_out_order(headed):
        return [headed]
    operations = list(json_operations(base, target))
    written = json_patch(rehearsal.identifier.identify(base), operations)
    if headed is not None and _lines(headed) <= _MUCH_LONGER * _lines(written) + _LONG:
        return [headed]
    if rehearsal.makes(target, base, [written]):
        return [written]
    return None if headed is None else [headed]


def _spells_out_order(patch: Any) -> bool:
    if type(patch) is dict:
        return any(str(key).startswith(SET_ORDER) or _spells_out_order(item) for key, item in patch.items())
    return type(patch) is list and any(map(_spells_out_order, patch))


def _lines(value: Value) -> int:
    return yamlio.dump(value).count("\n")


def _headed(patch: Value, target: Value) -> Value:
    """The patch with what names its target, in the order people write it."""
    metadata = target["metadata"]
    names = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    own = patch.get("metadata") or {}
    rest = {key: item for key, item in patch.items() if key not in {"apiVersion", "kind", "metadata"}}
    head = {"apiVersion": target["apiVersion"], "kind": target["kind"], "metadata": {**names, **own}}
    return {**head, **rest}


def _with_derived_texts(patch: Value, base: Value) -> Value:
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
    return changed


def json_patch(resource: ResourceId, operations: Sequence[Value]) -> Value:
    """A `kind: Patch` with operations on one resource."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Patch",
        "metadata": {"name": f"{resource.kind.lower()}-{resource.name}"},
        "target": {
            "group": resource.group,
            "kind": resource.kind,
            "name": glob_of(resource.name),
            "namespace": glob_of(resource.namespace),
        },
        "json6902": list(operations),
    }


def glob_of(text: str) -> str:
    """A text as a glob that matches nothing else."""
    return _GLOB.sub(r"[\1]", text)


def json_operations(base: Any, target: Any) -> Iterator[Value]:
    """The operations of a JSON patch that make the target of the base.

    Items of lists are named by their position; before one with a name is touched, a `test` makes sure of it.
    """
    tested: set[Pointer] = set()
    for operation, pointer in _operations(base, target, ()):
        for length in range(1, len(pointer)):
            above = pointer[:length]
            name = _name_at(base, above) if isinstance(above[-1], int) else None
            if name is not None and above not in tested:
                tested.add(above)
                yield {"op": "test", "path": _pointer((*above, "name")), "value": name}
        yield operation


def _name_at(value: Any, pointer: Pointer) -> str | None:
    for part in pointer:
        value = value[part]
    name = value.get("name") if type(value) is dict else None
    return name if type(name) is str else None


def _operations(base: Any, target: Any, pointer: Pointer) -> Iterator[tuple[Value, Pointer]]:
    """Operations, each with the way to what it changes; lists that grew or shrank are changed from their end."""
    if same(base, target):
        return
    if type(base) is dict and type(target) is dict:
        for key in base:
            if key not in target:
                yield {"op": "remove", "path": _pointer((*pointer, key))}, (*pointer, key)
        for key, value in target.items():
            if key not in base:
                yield {"op": "add", "path": _pointer((*pointer, key)), "value": value}, (*pointer, key)
            else:
                yield from _operations(base[key], value, (*pointer, key))
    elif type(base) is list and type(target) is list and base and target:
        yield from _list_operations(base, target, pointer)
    else:
        yield {"op": "replace", "path": _pointer(pointer), "value": target}, pointer


def _list_operations(base: list[Any], target: list[Any], pointer: Pointer) -> Iterator[tuple[Value, Pointer]]:
    old, new = [[json.dumps(item, sort_keys=True) for item in items] for items in (base, target)]
    steps = Matcher(old, new).get_opcodes()
    # From the end to the beginning: then positions still mean what they mean in the base.
    for _, first, last, begin, end in reversed([step for step in steps if step[0] != "equal"]):
        together = min(last - first, end - begin)
        for position in reversed(range(first + together, last)):
            yield {"op": "remove", "path": _pointer((*pointer, position))}, (*pointer, position)
        for item in reversed(target[begin + together : end]):
            where = (*pointer, first + together)
            yield {"op": "add", "path": _pointer(where), "value": item}, where
        for offset in range(together):
            yield from _operations(base[first + offset], target[begin + offset], (*pointer, first + offset))


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

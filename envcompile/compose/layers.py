"""One layer after another laid over the resources of the base: patches, new resources, `kind: Patch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.configmaps import REPLACE_ANNOTATION, with_merged_texts
from envcompile.compose.identity import select
from envcompile.compose.losses import losses, text_losses
from envcompile.compose.merge import MergeConflict, is_deletion, merge
from envcompile.errors import EnvcError, did_you_mean
from envcompile.model import Resource, Step
from envcompile.yamlio.places import place, within_output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.compose.identity import Identifier
    from envcompile.errors import Problems
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Document, Pointer, ResourceId

NEW_ANNOTATION = "envcompile.dev/new"
"""On a document of an overlay: this resource is new on purpose, although envc cannot check its kind."""

_IDENTIFYING = ("apiVersion", "kind", "metadata")
_OURS = (NEW_ANNOTATION, REPLACE_ANNOTATION)


class Layering:
    """The resources of one environment while the layers are laid over each other."""

    __slots__ = ("_api", "_identifier", "_merge_texts", "_problems", "resources", "warnings")

    def __init__(self, api: KubeApi, identifier: Identifier, problems: Problems, *, merge_texts: bool) -> None:
        self._api = api
        self._identifier = identifier
        self._problems = problems
        self._merge_texts = merge_texts
        self.resources: dict[ResourceId, Resource] = {}
        self.warnings: list[str] = []

    def add_base(self, layer: str, documents: Iterable[Document], app_of: dict[str, str]) -> None:
        """Take in the documents that all environments share.

        `app_of` gives the application of each file. Two documents of one identity are an error that names both.
        """
        for document in documents:
            identity = self._identifier.identify(document.value)
            present = self.resources.get(identity)
            if present is not None:
                self._report_duplicate(identity, present, document)
                continue
            self._create("base", layer, identity, document, app_of)

    def add_overlay(self, layer: str, documents: Iterable[Document], app_of: dict[str, str]) -> None:
        """Lay an overlay's documents over what is there: patches of known resources, and complete new ones."""
        created: set[ResourceId] = set()
        for document in documents:
            identity = self._identifier.identify(document.value)
            present = self.resources.get(identity)
            if present is None:
                if self._accept_new(identity, document):
                    self._create("resource", layer, identity, document, app_of)
                    created.add(identity)
            elif identity in created:
                self._report_duplicate(identity, present, document)
            else:
                self.patch(present, "patch", layer, document, (), document.value)

    def patch(
        self, resource: Resource, role: str, layer: str, document: Document, within: Pointer, patch: dict[str, Any]
    ) -> None:
        """Merge one partial resource into a resource; `$patch: delete` at its root takes the resource out."""
        if is_deletion(patch):
            del self.resources[resource.id]
            return
        before = resource.value
        group, _, version = before["apiVersion"].rpartition("/")
        node = self._api.node(group, version, resource.id.kind)
        lost = list(losses(before, patch, node))
        try:
            if self._merge_texts and resource.id.kind == "ConfigMap" and not resource.id.group:
                lost += text_losses(before, patch)
                patch = with_merged_texts(before, patch, document, within, _text_owners(resource))
            patch = _without_our_annotations(patch)
            after = merge(before, patch, node)
        except MergeConflict as conflict:
            places = [place(document, (*within, *conflict.pointer))]
            origin = resource.steps[0].document
            if origin is not None:
                places.append(place(origin, conflict.pointer))
            said = within_output(document, (*within, *conflict.pointer))
            self._problems.add(f"{resource.id}: {conflict.what}{said}", conflict.fix, *places)
            return
        except EnvcError as error:
            self._problems.extend(error)
            return
        self.warnings += [
            f"{place(document, (*within, *pointer))}: {resource.id}: {what}; {fix}" for pointer, what, fix in lost
        ]
        self.replace(resource, Step(role, layer, document, within, before, after))

    def replace(self, resource: Resource, step: Step) -> bool:
        """Put a resource that was changed by a step in the place of what it was; False when it is no longer itself."""
        after, identity = step.after, resource.id
        same = type(after) is dict and all(after.get(key) is step.before[key] for key in _IDENTIFYING)
        if not same and not self._identifier.keeps(identity, after):
            self._problems.add(
                f"the change makes another resource of {identity}: group, kind, namespace and name stay as they are",
                "take apiVersion, kind, name and namespace out of the patch, or define the other resource by itself",
                *([place(step.document, step.within)] if step.document is not None else []),
            )
            return False
        self.resources[identity] = Resource(identity, after, resource.app, (*resource.steps, step))
        return True

    def _create(self, role: str, layer: str, identity: ResourceId, document: Document, app_of: dict[str, str]) -> None:
        value = _without_our_annotations(document.value)
        step = Step(role, layer, document, (), None, value)
        self.resources[identity] = Resource(identity, value, app_of[document.source.path], (step,))

    def _report_duplicate(self, identity: ResourceId, present: Resource, document: Document) -> None:
        first = present.steps[0].document
        places = [place(document), *([place(first)] if first is not None else [])]
        named = document.value["metadata"].get("namespace")
        if named and named != identity.namespace:
            fix = "forceNamespace puts both into one namespace: rename one of them, or drop forceNamespace"
        else:
            fix = "keep one of them, or give one another name; changes of a base resource belong into an overlay"
        ways = [within_output(each) for each in (document, first) if each is not None]
        said = " and".join(way.replace(" (at", "", 1).rstrip(")") for way in ways if way)
        self._problems.add(f"{identity} is defined twice{f': at{said}' if said else ''}", fix, *places)

    def _accept_new(self, identity: ResourceId, document: Document) -> bool:
        """Tell whether a document that matches nothing may be a new resource; report it when not."""
        from envcompile.kubernetes import shortcomings

        value = document.value
        annotations = value["metadata"].get("annotations")
        if isinstance(annotations, dict) and annotations.get(NEW_ANNOTATION) == "true":
            return True
        known_kind = self._api.knows(identity.group, identity.kind)
        missing = shortcomings(self._api, value) if known_kind and not is_deletion(value) else []
        if known_kind and not missing and not is_deletion(value):
            return self._warn_when_close(identity, document)
        fix = self._nearest(identity, known_kind=known_kind)
        if known_kind and missing:
            first = missing[0]
            where = ".".join(str(part) for part in first.pointer)
            fix += f"\n      as a new resource it is not complete: {first.what}" + (f" at {where}" if where else "")
        what = f"the patch has no target: {identity} is in no layer below{within_output(document)}"
        self._problems.add(what, fix, place(document))
        return False

    def _warn_when_close(self, identity: ResourceId, document: Document) -> bool:
        """Accept a complete new resource; say so when its name looks like a slip of the pen."""
        from difflib import SequenceMatcher

        for other in self.resources:
            if other.kind == identity.kind and other.group == identity.group and other.namespace == identity.namespace:
                close = SequenceMatcher(None, other.name, identity.name).quick_ratio() > 0.9
                if close and _one_slip(other.name, identity.name):
                    self.warnings.append(
                        f"{place(document)}: {identity} is new here and differs from {other.short} by one letter; "
                        f'annotate it with {NEW_ANNOTATION}: "true" if that is meant'
                    )
                    break
        return True

    def _nearest(self, identity: ResourceId, *, known_kind: bool) -> str:
        elsewhere = [other for other in select(f"{identity.kind}/{identity.name}", self.resources) if other != identity]
        if elsewhere:
            other = elsewhere[0]
            if other.group != identity.group:
                return f"did you mean {other}? Its API group is `{other.group or 'core (v1)'}`"
            if other.namespace == identity.namespace:
                return f"did you mean {other}? Kinds are told apart by capitals"
            return f"did you mean {other}? Write `namespace: {other.namespace}` into the patch's metadata"
        same_kind = [other.name for other in self.resources if other.kind.lower() == identity.kind.lower()]
        otherwise = (
            f'to add it as a new resource, annotate it with {NEW_ANNOTATION}: "true"'
            if not known_kind
            else "a patch needs a resource of the same group, kind, namespace and name in base or a layer below"
        )
        by_name = did_you_mean(identity.name, same_kind, "")
        if by_name:
            return by_name + (f" ({otherwise})" if not known_kind else "")
        same_name = [other.short for other in self.resources if other.name == identity.name]
        return f"did you mean {' or '.join(same_name[:3])}?" if same_name else otherwise


def _one_slip(left: str, right: str) -> bool:
    """Tell whether two names differ by one letter added, lost or changed (digits count as intended)."""
    if abs(len(left) - len(right)) > 1:
        return False
    head = 0
    while head < min(len(left), len(right)) and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < min(len(left), len(right)) - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    rest = left[head : len(left) - tail] + right[head : len(right) - tail]
    return len(rest) <= 2 and rest.isalpha()


def _without_our_annotations(value: dict[str, Any]) -> dict[str, Any]:
    """The document without the annotations that only speak to envc."""
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(annotations, dict):
        return value
    if not any(name in annotations for name in _OURS):
        return value
    kept = {name: text for name, text in annotations.items() if name not in _OURS}
    others = {key: item for key, item in metadata.items() if key != "annotations"}
    return {**value, "metadata": {**others, "annotations": kept} if kept else others}


def _text_owners(resource: Resource) -> dict[str, Document]:
    """For each data key of a ConfigMap the document that last wrote its text."""
    owners: dict[str, Document] = {}
    for step in resource.steps:
        data = step.document.value.get("data") if step.document is not None and not step.within else None
        if isinstance(data, dict) and step.document is not None:
            owners.update(dict.fromkeys(data, step.document))
    return owners

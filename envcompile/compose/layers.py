"""One layer after another laid over the resources of the base: patches, new resources, `kind: Patch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.configmaps import REPLACE_ANNOTATION, with_merged_texts
from envcompile.compose.losses import losses, text_losses
from envcompile.compose.merge import MergeConflict, is_deletion, merge
from envcompile.compose.reachable import Reachable
from envcompile.errors import EnvcError
from envcompile.kubernetes.generated import takes_away, with_annotations, without_withdrawals
from envcompile.model import (
    Resource,
    ResourceId,  # ruff: ignore[typing-only-first-party-import] - newcomers are remembered, and read by their types
    Step,
)
from envcompile.record import Record
from envcompile.values import dotted
from envcompile.yamlio.places import place, within_output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.compose.identity import Identifier
    from envcompile.compose.targets import Globs
    from envcompile.errors import Problems
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Document, Location, Pointer

NEW_ANNOTATION = "envcompile.dev/new"
"""On a document of an overlay: this resource is new on purpose, although envc cannot check its kind."""

_IDENTIFYING = ("apiVersion", "kind", "metadata")
_OURS = (NEW_ANNOTATION, REPLACE_ANNOTATION)


Origin = tuple[int, str, int, int]
"""Number of the layer, path of the file, number of the document in it, and among the unit's documents of the layer."""


class Stray(Record, frozen=True):
    """A document of an overlay that is no complete resource and finds nothing to patch in its unit."""

    id: ResourceId
    layer: str
    known_kind: bool
    """Whether the API knows the kind."""
    missing: str
    """What a new resource would lack, with its field; empty for a kind without a schema."""
    where: Location
    way: str = ""
    """Where in jsonnet's output it stands; empty for a document that has lines of its own."""


class Newcomer(Record, frozen=True):
    """A complete resource that an overlay adds without saying that this is meant."""

    id: ResourceId
    layer: str


class Layering:
    """The resources of one unit while the layers are laid over each other.

    What can be judged only with all resources of an environment in sight is kept for that: `strays` and `newcomers`.
    """

    __slots__ = (
        "_api",
        "_identifier",
        "_layers",
        "_merge_texts",
        "_problems",
        "_reachable",
        "newcomers",
        "origins",
        "resources",
        "strays",
        "unknown_kinds",
        "warnings",
    )

    def __init__(self, api: KubeApi, identifier: Identifier, problems: Problems, *, merge_texts: bool) -> None:
        self._api = api
        self._identifier = identifier
        self._problems = problems
        self._merge_texts = merge_texts
        self._layers = -1
        self.resources: dict[ResourceId, Resource] = {}
        self._reachable: Reachable | None = None
        self.origins: dict[ResourceId, Origin] = {}
        """Where the document stands that created each resource: they sort as their layers lay them."""
        self.unknown_kinds: set[tuple[str, str]] = set()
        """Group and kind of what the API does not know."""
        self.strays: list[Stray] = []
        self.newcomers: list[Newcomer] = []
        self.warnings: list[str] = []

    def add_base(self, layer: str, documents: Iterable[Document], app_of: dict[str, str]) -> None:
        """Take in the documents that all environments share.

        `app_of` gives the application of each file. Two documents of one identity are an error that names both.
        """
        self._layers += 1
        for position, document in enumerate(documents):
            identity = self._identifier.identify(document.value)
            present = self.resources.get(identity)
            if present is not None:
                self._report_duplicate(identity, present, document)
                continue
            self._create("base", layer, identity, document, position, app_of)

    def add_overlay(self, layer: str, documents: Iterable[Document], app_of: dict[str, str]) -> None:
        """Lay an overlay's documents over what is there: patches of known resources, and complete new ones."""
        created: set[ResourceId] = set()
        self._layers += 1
        for position, document in enumerate(documents):
            identity = self._identifier.identify(document.value)
            present = self.resources.get(identity)
            if present is None:
                if self._accept_new(identity, layer, document):
                    self._create("resource", layer, identity, document, position, app_of)
                    created.add(identity)
            elif identity in created:
                self._report_duplicate(identity, present, document)
            else:
                self.patch(present, "patch", layer, document, (), document.value)

    def candidates(self, target: Globs) -> list[Resource]:
        """The resources that a target may name, in the order of their layers: few of many where its globs are."""
        if self._reachable is None:
            self._reachable = Reachable(self.origins)
        known = [identity for identity in self._reachable.candidates(target) if identity in self.resources]
        return [self.resources[identity] for identity in sorted(known, key=lambda one: self.origins[one])]

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
                stated, patch = patch, with_merged_texts(before, patch, document, within, _text_owners(resource))
                lost += text_losses(before, stated, patch)
            patch = _without_our_annotations(patch)
            after = merge(before, patch, node)
            if document.generated and takes_away(patch) and not after["metadata"].get("annotations"):
                # The last one was taken away, and nobody wrote that there are none.
                after = {**after, "metadata": with_annotations(after["metadata"], {})}
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

    def _create(
        self,
        role: str,
        layer: str,
        identity: ResourceId,
        document: Document,
        position: int,
        app_of: dict[str, str],
    ) -> None:
        self._report_slip(identity, document)
        value = _without_our_annotations(document.value)
        if document.generated:
            value = without_withdrawals(value)
        path = document.source.path
        step = Step(role, layer, document, (), None, value)
        self.resources[identity] = Resource(identity, value, app_of[path], (step,))
        if self._reachable is not None:
            self._reachable.add(identity)
        self.origins[identity] = (self._layers, path, document.index, position)

    def _report_slip(self, identity: ResourceId, document: Document) -> bool:
        """Refuse a kind that a group of Kubernetes' own lacks, which has no CRDs, where the kind meant is plain."""
        if self._api.knows(identity.group, identity.kind):
            return False
        self.unknown_kinds.add((identity.group, identity.kind))
        from envcompile.kubernetes.completeness import slip_of_kind

        what, meant = slip_of_kind(self._api, document.value)
        if meant:
            self._problems.add(what + within_output(document), f"did you mean `{meant}`?", place(document, ("kind",)))
        return bool(meant)

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

    def _accept_new(self, identity: ResourceId, layer: str, document: Document) -> bool:
        """Tell whether a document that matches nothing may be a new resource; keep it for the report when not."""
        from envcompile.kubernetes import shortcomings

        value = document.value
        annotations = value["metadata"].get("annotations")
        if isinstance(annotations, dict) and annotations.get(NEW_ANNOTATION) == "true":
            return True
        if self._report_slip(identity, document):
            return False
        known_kind = self._api.knows(identity.group, identity.kind)
        missing = []
        if known_kind and not is_deletion(value):
            # A field that an operator asks for tells a resource from half of one with a slip in its name.
            doubts = bool(self._api.project(identity.group, identity.kind))
            missing = shortcomings(self._api, value, with_doubts=doubts)
        if known_kind and not missing and not is_deletion(value):
            self.newcomers.append(Newcomer(identity, layer))
            return True
        lacks = ""
        if known_kind and missing:
            where = dotted(missing[0].pointer)
            lacks = missing[0].what + (f" at {where}" if where else "")
        self.strays.append(Stray(identity, layer, known_kind, lacks, place(document), within_output(document)))
        return False


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

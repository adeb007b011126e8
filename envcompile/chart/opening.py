"""Opens templates where people expect to add something of their own: what pods need and where they run, what is off.

Nothing is rendered where nothing is added, and `values.yaml` does not show these places: the schema knows them, and the
read-me lists them. The names are those of the charts people know: https://github.com/bitnami/charts,
https://helm.sh/docs/chart_best_practices/values/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.chart.names import camel, shortened
from envcompile.chart.places import POD_FIELDS, PROBES
from envcompile.chart.shapes import (
    Concat,
    Const,
    Elem,
    Entry,
    Hole,
    Instead,
    Items,
    Leaf,
    Map,
    More,
    Splice,
    Style,
    Unset,
    Variant,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.chart.places import Places
    from envcompile.chart.shapes import Node, Steps, Subject, ValuePath

    Change = Callable[[list[Entry]], None]

POD_LISTS: Final = {"volumes": "extraVolumes", "initContainers": "initContainers", "containers": "sidecars"}
"""Lists of a pod that get further items, with the names of the values."""
CONTAINER_LISTS: Final = {"envFrom": "extraEnvFrom", "volumeMounts": "extraVolumeMounts"}
"""The same of the container that speaks for its service."""
POD_MAPS: Final = {"labels": "podLabels", "annotations": "podAnnotations"}
ANNOTATED: Final = frozenset({"ServiceAccount", "Service", "Ingress"})
"""Kinds whose annotations people add to."""
SWITCHED: Final = frozenset({
    "Ingress",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "ServiceMonitor",
    "PodMonitor",
    "VerticalPodAutoscaler",
})
"""Kinds that people leave out of their own installation."""


class Opening:
    """Opens the tree of one resource.

    Args:
        subject: the resource.
        places: what its fields are called.
        slot: what its values stand below, inside its service.
    """

    def __init__(self, subject: Subject, places: Places, slot: ValuePath) -> None:
        self._subject = subject
        self._places = places
        self._slot = slot
        self.holes: list[Hole] = []

    def switch(self) -> Hole | None:
        """A switch for a resource that every environment has; None for a kind that is not left out."""
        if self._subject.kind not in SWITCHED:
            return None
        slot = self._slot or (camel(self._subject.kind),)
        return self._hole((*slot, "enabled"), Style.FLAG, value=True)

    def opened(self, node: Node) -> Node:
        """The tree with the places that people may fill; the same tree where there is none."""
        template = self._places.template
        if template is not None:
            return self._within(node, template, self._pod_template)
        if self._subject.kind in ANNOTATED:
            node = self._within(node, ("metadata",), self._metadata)
        if self._subject.kind == "Ingress":
            node = self._within(node, ("spec",), self._ingress)
        return node

    def _ingress(self, entries: list[Entry]) -> None:
        self._instead(entries, "tls", [])

    def _metadata(self, entries: list[Entry]) -> None:
        self._more_entries(entries, "annotations", "annotations")

    def _pod_template(self, entries: list[Entry]) -> None:
        if self._places.template:  # a Pod has its labels where every resource has
            self._inside(entries, "metadata", self._pod_metadata)
        self._inside(entries, "spec", self._pod)

    def _pod_metadata(self, entries: list[Entry]) -> None:
        for key, name in POD_MAPS.items():
            self._more_entries(entries, key, name)

    def _pod(self, entries: list[Entry]) -> None:
        for number, entry in enumerate(entries):
            if entry.key == "containers":
                entries[number] = entry._replace(node=self._containers(entry.node))
        for key, empty in POD_FIELDS.items():
            self._instead(entries, key, empty)
        for key, name in POD_LISTS.items():
            self._more_items(entries, key, name)

    def _containers(self, node: Node) -> Node:
        items = _as_items(node)
        if items is None:
            return node
        opened = []
        for item in items:
            label = _constant(item.node, "name")
            name = Elem(label if isinstance(label, str) else "")
            way: Steps = (*(self._places.template or ()), "spec", "containers", name)
            entries = _as_entries(item.node)
            if self._places.is_main_container(way) and entries and not item.guards:
                for key in PROBES:
                    self._instead(entries, key, {})
                for key, value in CONTAINER_LISTS.items():
                    self._more_items(entries, key, value)
                opened.append(item._replace(node=Map(tuple(entries))))
            else:
                opened.append(item)
        return Items(tuple(opened))

    # ------------------------------------------------------- kinds of places

    def _instead(self, entries: list[Entry], key: str, empty: Any) -> None:
        """Let people put another value in place of a field, or set one that is not there."""
        at = _position(entries, key)
        if at is None:
            hole = self._hole((*self._slot, key), Style.YAML, value=empty)
            entries.append(Entry(key, Leaf(hole), (hole,)))
            return
        entry = entries[at]
        if isinstance(entry.node, Const | Variant):
            hole = self._hole((*self._slot, key), Style.YAML, value=empty)
            entries[at] = self._around(entry, hole)

    def _more_items(self, entries: list[Entry], key: str, name: str) -> None:
        """Let people add items to a list."""
        at = _position(entries, key)
        if at is None:
            hole = self._hole((*self._slot, name), Style.YAML, value=[])
            entries.append(Entry(key, Leaf(hole), (hole,)))
            return
        entry = entries[at]
        if isinstance(entry.node, Leaf) and entry.node.hole.style is Style.YAML:
            own = entry.node.hole
            if own.want != shortened((*self._slot, name)):
                hole = self._hole((*self._slot, name), Style.YAML, value=[])
                entries[at] = Entry(key, Concat(own, hole), (*entry.guards, hole) if entry.guards else ())
            return
        if not isinstance(entry.node, Const | Variant | Items):
            return
        hole = self._hole((*self._slot, name), Style.YAML, value=[])
        entries[at] = self._with_more(entry, hole)

    def _more_entries(self, entries: list[Entry], key: str, name: str) -> None:
        """Let people add labels or annotations; those that the template itself sets stay as they are."""
        at = _position(entries, key)
        if at is None:
            hole = self._hole((*self._slot, name), Style.RANGE, value={})
            entries.append(Entry(key, Map((Entry(None, More(hole)),)), (hole,)))
            return
        entry = entries[at]
        if not isinstance(entry.node, Const | Variant | Map):
            return
        nodes = [node for _, node in entry.node.choices] if isinstance(entry.node, Variant) else [entry.node]
        known = [below for node in nodes for below in _as_entries(node) or ()]
        refused = tuple(dict.fromkeys(below.key for below in known if below.key is not None))
        hole = self._hole((*self._slot, name), Style.RANGE, value={}, refused=refused)
        own = tuple(
            below.node.hole for below in known if isinstance(below.node, Leaf) and below.node.hole.fixed is None
        )
        entries[at] = self._with_more(entry, hole, own)

    def _with_more(self, entry: Entry, hole: Hole, own: tuple[Hole, ...] = ()) -> Entry:
        """An entry that shows what people add behind what it showed."""
        if isinstance(entry.node, Variant):
            choices = [(name, self._with_more(Entry(None, node), hole, own).node) for name, node in entry.node.choices]
            return self._guarded(entry, Variant(entry.node.hole, tuple(choices)), hole)
        join: type[Map | Items] = Map if hole.style is Style.RANGE else Items
        known = (_as_entries if join is Map else _as_items)(entry.node)
        if not known:
            return self._around(entry, hole)
        more = Entry(None, More(hole, own))
        shown_by = {guard for below in known for guard in below.guards}
        if not shown_by.issuperset(entry.guards):
            known = [Entry(None, Splice(tuple(known)), entry.guards)]
        return self._guarded(entry, join((*known, more)), hole)

    @staticmethod
    def _guarded(entry: Entry, node: Node, hole: Hole) -> Entry:
        """An entry that is also shown where people give something."""
        return Entry(entry.key, node, (*entry.guards, hole) if entry.guards else ())

    def _around(self, entry: Entry, hole: Hole) -> Entry:
        """An entry that shows what people give, or else what it showed."""
        return self._guarded(entry, Instead(hole, entry.node), hole)

    def _hole(self, want: ValuePath, style: Style, *, value: Any, refused: tuple[str, ...] = ()) -> Hole:
        values = dict.fromkeys(self._subject.held, value)
        hole = Hole(self._subject, shortened(want), style, values, Unset.EMPTY, is_quiet=True, refused=refused)
        self.holes.append(hole)
        return hole

    # ------------------------------------------------------------- the walk

    def _within(self, node: Node, way: tuple[str, ...], change: Change) -> Node:
        """The tree with the map at the end of a way changed; the same tree where the way is broken."""
        entries = _as_entries(node)
        if not entries:
            return node  # an empty map would be a null where nobody adds anything
        if not way:
            change(entries)
            return Map(tuple(entries))
        at = _position(entries, way[0])
        if at is None:
            return node
        entries[at] = entries[at]._replace(node=self._within(entries[at].node, way[1:], change))
        return Map(tuple(entries))

    def _inside(self, entries: list[Entry], key: str, change: Change) -> None:
        at = _position(entries, key)
        if at is not None:
            entries[at] = entries[at]._replace(node=self._within(entries[at].node, (), change))


def _position(entries: list[Entry], key: str) -> int | None:
    return next((number for number, entry in enumerate(entries) if entry.key == key), None)


def _as_entries(node: Node) -> list[Entry] | None:
    """The entries of a map, whether anything in it is filled in or not; None for what is no map."""
    match node:
        case Map(entries):
            return list(entries)
        case Const(value) if isinstance(value, dict):
            return [Entry(key, Const(item)) for key, item in value.items()]
    return None


def _as_items(node: Node) -> list[Entry] | None:
    """The items of a list; None for what is no list."""
    match node:
        case Items(entries):
            return list(entries)
        case Const(value) if isinstance(value, list):
            return [Entry(None, Const(item)) for item in value]
    return None


def _constant(node: Node, key: str) -> Any:
    """A field of a map that is the same everywhere; None for any other."""
    for entry in _as_entries(node) or ():
        if entry.key == key and isinstance(entry.node, Const):
            return entry.node.value
    return None

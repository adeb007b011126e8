"""Opens the tree of a resource for `nameOverride`: its name, all names it says, and a label that tells releases apart.

Two releases in one namespace must not select each other's pods, so labels and selectors get one more label, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.chart.leaves import called
from envcompile.chart.naming import CLOSE, KEPT, OPEN, Marker, bare, names_in
from envcompile.chart.shapes import (
    Concat,
    Const,
    Entry,
    File,
    Hole,
    Instance,
    Instead,
    Items,
    Leaf,
    Map,
    More,
    Renamed,
    Splice,
    Style,
    Text,
    TextPiece,
    Variant,
)
from envcompile.chart.workloads import POD_TEMPLATES
from envcompile.values import ABSENT, equal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.chart.naming import NameTable
    from envcompile.chart.shapes import Node, Subject

    Path = tuple[str, ...]

_CONTEXT: Final = 80
"""How much of the text before a value tells whether it is a host."""


class Renaming:
    """Renames in the tree of one resource.

    Args:
        subject: the resource.
        table: the names of the chart.
    """

    def __init__(self, subject: Subject, table: NameTable) -> None:
        self._subject = subject
        self._table = table
        self._mark = Marker(table, subject.kind, subject.group)
        self._template = POD_TEMPLATES.get((subject.group, subject.kind))
        self._is_on = Hole(subject, (), Style.PREFIX, {})
        self.holes: list[Hole] = []

    def renamed(self, node: Node) -> Node:
        """The tree in which names follow the release's."""
        return self._node(node, (), {})

    def _node(self, node: Node, path: Path, beside: Mapping[str, Any]) -> Node:
        match node:
            case Const(value):
                return self._constant(value, path, beside)
            case Leaf(hole):
                return self._leaf(hole, path, beside)
            case Map(entries):
                return Map(tuple(self._entries(list(entries), path)))
            case Items(entries):
                return Items(tuple([one._replace(node=self._node(one.node, path, beside)) for one in entries]))
            case Splice(entries):
                return Splice(tuple([one._replace(node=self._node(one.node, path, beside)) for one in entries]))
            case Concat(own, more, _, _):
                inner = self._leaf(own, path, beside)
                if isinstance(inner, Renamed):
                    return Concat(own, more, inner.names, inner.before)
                return node if isinstance(inner, Leaf) else Instead(more, inner)
            case Instead(hole, inner):
                return Instead(hole, self._node(inner, path, beside))
            case Variant(hole, choices):
                return Variant(hole, tuple([(name, self._node(inner, path, beside)) for name, inner in choices]))
            case Text(pieces, sample):
                return Text(tuple(self._pieces(pieces)), sample)
            case File(name, text):
                return File(name, text, tuple(names_in(self._mark.hosts(text))))
        return node

    # ---------------------------------------------------------------- maps

    def _constant(self, value: Any, path: Path, beside: Mapping[str, Any]) -> Node:
        if isinstance(value, str):
            return Const(self._mark.text(value, path, beside))
        if isinstance(value, dict) and (value or self._wants_labels(path)):
            entries = self._entries([Entry(key, Const(item)) for key, item in value.items()], path)
            if all(type(one.node) is Const and one.key is not None and not one.guards for one in entries):
                return Const({one.key: one.node.value for one in entries if isinstance(one.node, Const)})
            return Map(tuple(entries))
        if isinstance(value, list) and value:
            nodes = [self._constant(item, path, beside) for item in value]
            if all(type(one) is Const for one in nodes):
                return Const([one.value for one in nodes if isinstance(one, Const)])
            return Items(tuple([Entry(None, one) for one in nodes]))
        return Const(value)

    def _entries(self, entries: list[Entry], path: Path) -> list[Entry]:
        known = {one.key: _sample(one.node) for one in entries if one.key is not None}
        changed = [
            one if one.key is None else one._replace(node=self._node(one.node, (*path, one.key), known))
            for one in entries
        ]
        if self._wants_labels(path):
            changed = [self._shown(one) if one.key == "labels" else one for one in changed]
        for key in self._labelled(path, known):
            self._ensure(changed, key)
        if self._gets_label(path, entries):
            changed.append(self._label())
        return changed

    def _shown(self, labels: Entry) -> Entry:
        """A map of labels that is left out where it is empty: it no longer is."""
        below = labels.node.entries if isinstance(labels.node, Map) else ()
        if labels.guards and all(one.guards or isinstance(one.node, Instance | More) for one in below):
            return labels._replace(guards=(*labels.guards, self._is_on))
        return labels

    def _wants_labels(self, path: Path) -> bool:
        if path == ("metadata",):
            return self._subject.kind not in KEPT
        return bool(self._template) and path == (*(self._template or ()), "metadata")

    def _labelled(self, path: Path, known: Mapping[str, Any]) -> tuple[str, ...]:
        """The maps of labels that a map must have."""
        if self._wants_labels(path):
            return () if "labels" in known else ("labels",)
        is_selector = path == ("spec", "selector") and bool(self._template)
        return ("matchLabels",) if is_selector and "matchExpressions" in known and "matchLabels" not in known else ()

    def _gets_label(self, path: Path, entries: list[Entry]) -> bool:
        """Whether a map is one of labels that tell releases apart, or selects by such labels."""
        if path[-1:] == ("labels",):
            return self._wants_labels(path[:-1])
        is_plain = path == ("spec", "selector") and self._subject.kind in {"Service", "ReplicationController"}
        is_match = path[-1:] == ("matchLabels",) and "namespaceSelector" not in path
        return (is_plain or is_match) and any(
            self._table.selects(_in_one(entries, index)) for index in self._subject.held
        )

    def _label(self) -> Entry:
        return Entry(None, Instance(self._table.label))

    def _ensure(self, entries: list[Entry], key: str) -> None:
        entries.append(Entry(key, Map((self._label(),)), (self._is_on,)))

    # -------------------------------------------------------------- values

    def _leaf(self, hole: Hole, path: Path, beside: Mapping[str, Any]) -> Node:
        values = {index: value for index, value in hole.values.items() if value is not ABSENT}
        marked = {index: self._mark.deep(value, path, beside) for index, value in values.items()}
        if hole.style is Style.YAML:
            return self._whole(hole, values, marked)
        if hole.style not in {Style.STRING, Style.TEXT, Style.JSON}:
            return Leaf(hole)
        names = {name: None for one in marked.values() for name in names_in(one)}
        if not names:
            return Leaf(hole)
        is_own = path == ("metadata", "name") or (hole.fixed is not None and hole.fixed[:2] == ("global", "names"))
        return Renamed(hole, "name") if is_own else Renamed(hole, "text", tuple(names))

    def _whole(self, hole: Hole, values: Mapping[int, Any], marked: Mapping[int, Any]) -> Node:
        """A map or list that is one value: its text is searched where that is certain, else it is no value."""
        names = {name: None for one in marked.values() for name in names_in(one)}
        if not names:
            return Leaf(hole)
        ways = {way: None for one in marked.values() for way in _ways(one)}
        if not any(_occurs_elsewhere(one, names, ways) for one in marked.values()):
            return Renamed(hole, "whole", tuple(names), tuple(ways))
        choices: dict[str, int] = {}
        chosen: dict[int, Any] = {}
        for index, value in values.items():
            known = next((name for name, at in choices.items() if equal(values[at], value)), None)
            chosen[index] = known or called(value, choices)
            choices.setdefault(chosen[index], index)
        if len(choices) == 1 or len(values) < len(hole.values):
            return Leaf(hole)
        other = Hole(self._subject, (*hole.want, "variant"), Style.CHOICE, chosen)
        self.holes.append(other)
        return Variant(other, tuple([(name, Const(marked[at])) for name, at in choices.items()]))

    def _pieces(self, pieces: tuple[TextPiece, ...]) -> list[TextPiece]:
        found = []
        for piece in pieces:
            before = piece.line if piece.line is not None else piece.literal
            names: dict[str, None] = {}
            values = piece.hole.values.values() if piece.hole is not None else ()
            for value in values:
                if isinstance(value, str):
                    head = before[-_CONTEXT:]
                    names |= names_in(self._mark.hosts(f"{head}{value}")[len(self._mark.hosts(head)) :])
            literal = self._mark.hosts(piece.literal)
            found.append(TextPiece(literal, piece.hole, piece.line, tuple(names)))
        return found


def _sample(node: Node) -> Any:
    """What a part is in one of the environments, as far as its neighbours ask."""
    if isinstance(node, Const):
        return node.value
    if isinstance(node, Leaf):
        return next((value for value in node.hole.values.values() if value is not ABSENT), None)
    return None


def _in_one(entries: list[Entry], index: int) -> dict[str, Any]:
    """A map of labels as one environment has it."""
    found = {}
    for one in entries:
        value = one.node.value if isinstance(one.node, Const) else ABSENT
        if isinstance(one.node, Leaf):
            value = one.node.hole.values.get(index, ABSENT)
        if one.key is not None and value is not ABSENT:
            found[one.key] = value
    return found


def _ways(marked: Any, key: str = "- ") -> dict[str, None]:
    """What stands before the names that are all of a text, as `toYaml` writes it."""
    if isinstance(marked, dict):
        return {way: None for name, item in marked.items() for way in _ways(item, f"{name}: ")}
    if isinstance(marked, list):
        return {way: None for item in marked for way in _ways(item)}
    return {key: None} if isinstance(marked, str) and marked[:1] == OPEN and marked[-1:] == CLOSE else {}


def _occurs_elsewhere(marked: Any, names: Mapping[str, None], ways: Mapping[str, None], key: str = "- ") -> bool:
    """Whether one of the names stands behind one of the ways without being one."""
    if isinstance(marked, dict):
        return any(_occurs_elsewhere(item, names, ways, f"{name}: ") for name, item in marked.items())
    if isinstance(marked, list):
        return any(_occurs_elsewhere(item, names, ways) for item in marked)
    return key in ways and isinstance(marked, str) and marked in names and bare(marked) == marked

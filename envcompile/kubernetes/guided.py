"""The schema of a well-known custom kind: its CustomResourceDefinition, guided by the merge keys of `operators`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.kubernetes.operators import FAMILIES
from envcompile.kubernetes.schema import ListRule, Node, spell_keys
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.kubernetes.operators import Family
    from envcompile.kubernetes.schema import JsonType
    from envcompile.kubernetes.tables import Table


class _Ways(Record, frozen=True):
    """What is known at one place and below it."""

    what: str
    below: dict[str, _Ways]


def well_known(table: Table, group: str, kind: str) -> Node | None:
    """What is known of a well-known kind, as the schema of its root; None for all others.

    Args:
        table: the Kubernetes version whose pods the kind embeds.
        group: the kind's API group.
        kind: its name.
    """
    for family in FAMILIES:
        if family.group == group and kind in family.kinds:
            return _Known(table, family, kind, "", _tree(family.lists))
    return None


def _tree(lists: Mapping[str, str]) -> _Ways:
    root = _Ways("", {})
    for way, what in lists.items():
        at = root
        *steps, last = list(_steps(way))
        for step in steps:
            at = at.below.setdefault(step, _Ways("", {}))
        at.below[last] = _Ways(what, at.below[last].below if last in at.below else {})
    return root


def _steps(way: str) -> Iterator[str]:
    for part in way.split("."):
        yield part.removesuffix("[]")
        if part.endswith("[]"):
            yield "[]"


class _Known(Node):
    """A value on the way to a list that is known; of all else nothing is."""

    __slots__ = ("_family", "_kind", "_path", "_table", "_ways")

    def __init__(self, table: Table, family: Family, kind: str, path: str, ways: _Ways) -> None:
        is_list = "[]" in ways.below or bool(ways.what)
        type_: JsonType = "list" if is_list else "map"
        super().__init__(type_, f"{kind}.{family.group} {path}".strip(), _rule(family, kind, path, ways.what))
        self._table = table
        self._family = family
        self._kind = kind
        self._path = path
        self._ways = ways

    def _make_child(self, key: str) -> Node | None:
        found = self._ways.below.get(key) or self._ways.below.get("*")
        return self._node(found, f"{self._path}.{key}".removeprefix("."))

    def _make_items(self) -> Node | None:
        return self._node(self._ways.below.get("[]"), f"{self._path}[]")

    def _node(self, ways: _Ways | None, path: str) -> Node | None:
        if ways is None:
            return None
        if "." not in ways.what:
            return _Known(self._table, self._family, self._kind, path, ways)
        name, _, field = ways.what.partition("#")
        node = self._table.type_node(name)
        return node.child(field) if field else node


def _rule(family: Family, kind: str, path: str, key: str) -> ListRule | None:
    if not key:
        return None
    return ListRule("merge", (key,), f"merged by {spell_keys((key,))} ({path} of {kind} in {family.source})")


class GuidedNode(Node):
    """The schema of a CustomResourceDefinition, with the well-known merge keys where it states none.

    Args:
        own: what the CustomResourceDefinition or `mergeKeys` say; None where they say nothing.
        known: what is known of the kind.
        every_object: the fields of every object, for the root of a kind without a CustomResourceDefinition.
    """

    __slots__ = ("_every_object", "_known", "_own")

    def __init__(self, own: Node | None, known: Node, every_object: Mapping[str, Node] | None = None) -> None:
        # What `operators` knows of a list goes before an operator's `atomic`, but not before a definition in sight.
        stated = own is not None and own.rule.is_stated and (own.is_certain or own.rule.strategy != "atomic")
        super().__init__(
            own.type if own is not None else known.type,
            own.name if own is not None else known.name,
            own.rule if own is not None and stated else known.rule,
        )
        self._own = own
        self._known = known
        self._every_object = every_object or {}

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the CustomResourceDefinition lists."""
        return self._own.fields if self._own is not None else ()

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that it requires."""
        return self._own.required if self._own is not None else ()

    @property
    def is_open(self) -> bool:
        """What it says of other fields; without one, all are kept."""
        return self._own is None or self._own.is_open

    @property
    def is_nullable(self) -> bool:
        """What it says of null."""
        return self._own is not None and self._own.is_nullable

    @property
    def is_certain(self) -> bool:
        """Whether it is the one of the cluster."""
        return self._own is None or self._own.is_certain

    def _make_child(self, key: str) -> Node | None:
        own = self._own.child(key) if self._own is not None else self._every_object.get(key)
        if own is None and not self.is_open:
            return None
        return _guided(own, self._known.child(key))

    def _make_items(self) -> Node | None:
        return _guided(self._own.items if self._own is not None else None, self._known.items)


def _guided(own: Node | None, known: Node | None) -> Node | None:
    if known is None:
        return own
    return GuidedNode(own, known)

"""The built-in kinds of one Kubernetes version, read from the tables in `data/`.

A table is JSON with three keys. `kubernetes` is the release it was made from. `kinds` maps `group/Kind` to the scope
and the served versions, the preferred one first: `namespaced v2=autoscaling.v2.HorizontalPodAutoscaler v1=…`. `types`
maps a type to its fields, each written as

    ["!"] type ["map=" keys | "merge=" key | "set" | "union" | "atomic"] [defaults of the keys as JSON]

where `!` marks a required field, `type` is a scalar, `>type` for another type, `[]type` for a list and `{}type` for a
map of values, and the word after a list says which attribute of the OpenAPI decides how it merges:
`x-kubernetes-list-map-keys`, `x-kubernetes-patch-merge-key` alone, `x-kubernetes-list-type: set`,
`x-kubernetes-patch-strategy: merge` without a key, `x-kubernetes-list-type: atomic`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import msgspec

from envcompile.errors import PicklableError
from envcompile.kubernetes.schema import SCALARS, ListRule, Node, spell_keys
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.kubernetes.schema import JsonType

DATA: Final = Path(__file__).parent / "data"

TYPE_PREFIX: Final = "io.k8s.api."
GROUP_PREFIXES: Final[Mapping[str, str]] = {
    "meta": "io.k8s.apimachinery.pkg.apis.",
    "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.",
    "apiregistration": "io.k8s.kube-aggregator.pkg.apis.",
}
"""What the tables leave off the names of types: a prefix by the name's first word, TYPE_PREFIX for all others."""

OBJECT_META: Final = "meta.v1.ObjectMeta"


class UnknownVersionError(PicklableError, ValueError):
    """A Kubernetes version without a table; the message names those there are, and so does `known`."""

    def __init__(self, version: str, known: tuple[str, ...]) -> None:
        super().__init__(f"Kubernetes {version} is not known (known: {known[0]} to {known[-1]})")
        self.known = known


class BuiltIn(Record, frozen=True):
    """One built-in kind: its scope, and its type in each served version, the preferred version first."""

    is_namespaced: bool
    versions: Mapping[str, str]


def supported_versions() -> tuple[str, ...]:
    """List the minor versions that have a table, oldest first."""
    return tuple(sorted((path.stem for path in DATA.glob("*.json")), key=lambda minor: int(minor.partition(".")[2])))


class Table:
    """The types of one Kubernetes version; nodes are made when they are first asked for and kept."""

    __slots__ = ("_built_in", "_kinds", "_nodes", "_scalars", "_types", "version")

    def __init__(self, version: str, kinds: Mapping[str, str], types: Mapping[str, Mapping[str, str]]) -> None:
        self.version = version
        self._kinds = kinds
        self._built_in: dict[tuple[str, str], BuiltIn | None] = {}
        self._types = types
        self._nodes: dict[str, TypeNode] = {}
        self._scalars: dict[str, Node] = {}

    @classmethod
    def read(cls, version: str) -> Table:
        """Read the table of a minor version such as `1.35`.

        Raises:
            UnknownVersionError: when there is no table of this version.
        """
        if not version.replace(".", "", 1).isdecimal():
            raise UnknownVersionError(version, supported_versions())
        try:
            data = (DATA / f"{version}.json").read_bytes()
        except OSError as error:
            raise UnknownVersionError(version, supported_versions()) from error
        made = msgspec.json.decode(data)
        return cls(version, made["kinds"], made["types"])

    def built_in(self, group: str, kind: str) -> BuiltIn | None:
        """Look up a kind of this Kubernetes version."""
        try:
            return self._built_in[group, kind]
        except KeyError:
            found = self._built_in[group, kind] = self._read_kind(group, kind)
            return found

    def _read_kind(self, group: str, kind: str) -> BuiltIn | None:
        text = self._kinds.get(f"{group}/{kind}")
        if text is None:
            return None
        scope, *versions = text.split(" ")
        return BuiltIn(scope == "namespaced", dict(version.split("=", 1) for version in versions))

    def kinds(self) -> Iterator[tuple[str, str]]:
        """List every built-in (group, kind)."""
        for key in self._kinds:
            group, _, kind = key.rpartition("/")
            yield group, kind

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def type_node(self, name: str) -> TypeNode:
        """Find the node of a type by its name in the table."""
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = TypeNode(self, name, self._types[name])
        return node

    def field_node(self, text: str, owner: str, field: str) -> Node:
        """Make the node of a field from what the table writes about it."""
        head, _, tail = text.removeprefix("!").partition(" ")
        return self._node(head, tail, owner, field)

    def _node(self, head: str, tail: str, owner: str, field: str) -> Node:
        if head.startswith(">"):
            return self.type_node(head[1:])
        if head in SCALARS or head == "any":
            node = self._scalars.get(head)
            if node is None:
                node = self._scalars[head] = Node(cast("JsonType", head), head)
            return node
        inner = self._node(head[2:], tail, owner, field)
        if head.startswith("{}"):
            return _MapNode(f"{owner}.{field}", inner)
        return _ListNode(f"{owner}.{field}", inner, self._rule(tail, f"{owner}.{field}"))

    def _rule(self, text: str, place: str) -> ListRule:
        """Read how a list merges, and say by which words of the OpenAPI."""
        how, _, defaults = text.partition(" ")
        strategy, _, keys = how.partition("=")
        known = f"of {place}, Kubernetes {self.version}"
        match strategy:
            case "map" | "merge":
                names = tuple(keys.split(","))
                attribute = "x-kubernetes-list-map-keys" if strategy == "map" else "x-kubernetes-patch-merge-key"
                reason = f"merged by {spell_keys(names)} ({attribute} {known})"
                return ListRule(
                    "merge", names, reason, tuple(msgspec.json.decode(defaults).items()) if defaults else ()
                )
            case "set":
                return ListRule("set", (), f"united as a set (x-kubernetes-list-type {known})")
            case "union":
                return ListRule("set", (), f"united as a set (x-kubernetes-patch-strategy {known})")
            case "atomic":
                return ListRule("atomic", (), f"replaced (x-kubernetes-list-type is atomic, {known})")
            case _:
                return ListRule("atomic", (), f"replaced (no merge key is named, {known})")


class TypeNode(Node):
    """A type of the API with its fields."""

    __slots__ = ("_fields", "_names", "_required", "_table")

    def __init__(self, table: Table, name: str, fields: Mapping[str, str]) -> None:
        super().__init__("map", GROUP_PREFIXES.get(name.partition(".")[0], TYPE_PREFIX) + name)
        self._table = table
        self._fields = fields
        self._names = tuple(fields)
        self._required = tuple(key for key, text in fields.items() if text.startswith("!"))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the type."""
        return self._names

    @property
    def required(self) -> tuple[str, ...]:
        """The fields marked with `!`."""
        return self._required

    @property
    def is_open(self) -> bool:
        """False: the API server refuses fields a type does not have."""
        return False

    def _make_child(self, key: str) -> Node | None:
        text = self._fields.get(key)
        return None if text is None else self._table.field_node(text, self.name, key)


class _MapNode(Node):
    """A map whose keys are free and whose values are alike."""

    __slots__ = ("_values",)

    def __init__(self, name: str, values: Node) -> None:
        super().__init__("map", name)
        self._values = values

    def _make_child(self, _key: str) -> Node:
        return self._values


class _ListNode(Node):
    """A list with its merge rule."""

    __slots__ = ()

    def __init__(self, name: str, items: Node, rule: ListRule) -> None:
        super().__init__("list", name, rule)
        self._items = items

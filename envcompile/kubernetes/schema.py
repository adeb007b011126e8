"""What is known about one value of a resource: its JSON type, its fields, and how its lists merge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.model import Pointer

Strategy = Literal["merge", "set", "atomic"]

JsonType = Literal["map", "list", "string", "integer", "number", "boolean", "quantity", "int-or-string", "any"]
"""What a value may be in JSON; a quantity is a string or a number, and `any` is not looked into."""

SCALARS: frozenset[str] = frozenset({"string", "integer", "number", "boolean", "quantity", "int-or-string"})


class ListRule(NamedTuple):
    """How the items of one list are told apart when two lists meet.

    `merge` matches items by `keys`, `set` unites the two lists, `atomic` replaces the whole list. `defaults` gives the
    value of a key that an item leaves out, such as `protocol: TCP`. `reason` is the sentence `explain` prints.
    `is_stated` is False where a list is replaced only because nobody says how it merges.
    """

    strategy: Strategy
    keys: tuple[str, ...]
    reason: str
    defaults: tuple[tuple[str, str | int], ...] = ()
    is_stated: bool = True


UNKNOWN_RULE = ListRule(
    "atomic",
    (),
    "replaced (nothing is known about this kind: add its CustomResourceDefinition, or mergeKeys in envc.yaml)",
    is_stated=False,
)
"""The rule of every list of a kind that has no schema."""


class Shortcoming(Record, frozen=True):
    """One thing an API server would refuse; `pointer` leads to the field, also to one that is missing."""

    pointer: Pointer
    what: str
    is_certain: bool = True
    """False for what a server refuses when an object is created and takes when it is applied, and for what another
    version of an operator may take."""
    is_dropped: bool = False
    """True for a field that is not known: a server that is not asked to be strict drops it."""
    becomes: int | None = None
    """What is applied in place of a number that does not fit."""


def spell_keys(keys: Iterable[str]) -> str:
    """Write merge keys as words: `containerPort and protocol`."""
    return " and ".join(keys)


class Node:
    """The schema of one value; children are made when they are first asked for and kept.

    A node never changes in what it answers: the children it keeps are a cache of its own source.
    """

    __slots__ = ("_children", "_items", "name", "rule", "type")

    def __init__(self, type_: JsonType, name: str, rule: ListRule | None = None) -> None:
        self.type: JsonType = type_
        self.name = name
        """The type in the API's own words, `io.k8s.api.core.v1.PodSpec`, or the way to it inside a custom kind."""
        self.rule = UNKNOWN_RULE if rule is None else rule
        """How the list merges; of no meaning for anything but a list."""
        self._children: dict[str, Node | None] = {}
        self._items: Node | None = None

    def child(self, key: str) -> Node | None:
        """Find the schema of a field; None when the schema does not know the field."""
        try:
            return self._children[key]
        except KeyError:
            made = self._children[key] = self._make_child(key)
            return made

    @property
    def items(self) -> Node | None:
        """The schema of the items of a list; None for anything else."""
        if self._items is None:
            self._items = self._make_items()
        return self._items

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that the schema lists, in its order."""
        return ()

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that must be there."""
        return ()

    @property
    def is_open(self) -> bool:
        """True when fields the schema does not list are kept: a free map, or a value nobody looks into."""
        return True

    @property
    def is_nullable(self) -> bool:
        """True when an explicit null is a value of its own here."""
        return self.type == "any"

    @property
    def is_certain(self) -> bool:
        """True when the API server's schema is this one, with these fields and no others."""
        return True

    def _make_child(self, key: str) -> Node | None:
        return self._children.get(key)

    def _make_items(self) -> Node | None:
        return self._items


def json_type(value: Any) -> str:
    """Name the JSON type of a value as people call it: map, list, string, integer, number, boolean or null."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case float():
            return "number"
        case dict():
            return "map"
        case _:
            return "list"

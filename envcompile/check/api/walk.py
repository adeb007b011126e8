"""The walk over an object with the schema of its kind, asking the rule book and the validators of each type."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.book import read_book
from envcompile.check.api.decoded import decoded
from envcompile.check.api.refusal import Place, Refusal
from envcompile.check.api.validators import ROOTS, VALIDATORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.api.book import Fields, TypeRules
    from envcompile.check.api.refusal import Validator
    from envcompile.kubernetes import KubeApi, Node
    from envcompile.model import Pointer

_DEEP: Final = frozenset({"map", "list"})
_EMPTY: Final[tuple[Any, ...]] = (None, "", 0, [], {})


class _Plan(NamedTuple):
    """What is to be looked at in the values of one type."""

    entry: TypeRules | None
    validators: tuple[Validator, ...]
    below: dict[str, Node | None]
    """The maps and lists in it that are walked into, by field, as they are met; None for a field that is not."""


class _Walk(NamedTuple):
    """What stays the same on the way through one object."""

    book: Mapping[str, TypeRules]
    plans: dict[Node, _Plan]
    group: str
    kind: str
    version: str
    root: dict[str, Any]
    release: int
    is_namespaced: bool
    found: list[Refusal]

    def place(self, pointer: Pointer) -> Place:
        return Place(self.group, self.kind, self.version, self.root, pointer, self.release, self.is_namespaced)

    def plan(self, node: Node) -> _Plan:
        plan = self.plans.get(node)
        if plan is None:
            plan = self.plans[node] = _Plan(self.book.get(node.name), VALIDATORS.get(node.name, ()), {})
        return plan


@lru_cache(maxsize=8)
def _plans(_: KubeApi) -> dict[Node, _Plan]:
    return {}


def refusals(api: KubeApi, value: Any) -> list[Refusal]:
    """List what the API server's validation would refuse of an object of a built-in kind, each field once.

    Types, unknown fields and formats are said by `envcompile.kubernetes.shortcomings`; values of wrong types are passed
    over here. Nothing is said of `status`, which the server drops when an object is created.
    """
    if not isinstance(value, dict):
        return []
    group, _, version = str(value.get("apiVersion", "")).rpartition("/")
    kind = value.get("kind")
    if not isinstance(kind, str) or version not in api.versions(group, kind) or not api.is_built_in(group, kind):
        return []
    node = api.node(group, version, kind)
    if node is None:
        return []
    value = decoded({key: inner for key, inner in value.items() if key != "status"}, node)
    release = int(api.version.partition(".")[2])
    book, namespaced = read_book(release), api.is_namespaced(group, kind) is not False
    walk = _Walk(book, _plans(api), group, kind, version, value, release, namespaced, [])
    for validator in ROOTS:
        for at, what in validator(value, walk.place(())):
            walk.found.append(Refusal(at, what))
    for key, inner in value.items():
        child = node.child(key)
        if child is not None and key not in {"metadata", "status", "apiVersion", "kind"} and child.type in _DEEP:
            _value(walk, inner, child, (key,))
    _type(walk, walk.plan(node), value, ())
    if not walk.found:
        return []
    found: dict[Pointer, Refusal] = {}
    for refusal in walk.found:
        found.setdefault(refusal.pointer, refusal)
    return list(found.values())


def _value(walk: _Walk, value: Any, node: Node, pointer: Pointer) -> None:
    if node.type == "map":
        if isinstance(value, dict):
            _map(walk, value, node, pointer)
    elif isinstance(value, list) and node.items is not None and node.items.type in _DEEP:
        for index, item in enumerate(value):
            _value(walk, item, node.items, (*pointer, index))


def _map(walk: _Walk, value: dict[str, Any], node: Node, pointer: Pointer) -> None:
    plan = walk.plan(node)
    below = plan.below
    for key, inner in value.items():
        if key in below:
            child = below[key]
        else:
            child = _child(plan, node, key)
            if node.fields:  # a free map has keys without end
                below[key] = child
        if child is not None and inner is not None:
            _value(walk, inner, child, (*pointer, key))
    _type(walk, plan, value, pointer)


def _child(plan: _Plan, node: Node, key: str) -> Node | None:
    child = node.child(key)
    if child is None or child.type not in _DEEP or is_plain(child):
        return None
    said = plan.entry.fields.get(key) if plan.entry is not None else None
    return None if said is not None and said.skip else child


def is_plain(node: Node) -> bool:
    """Tell whether a map or list holds texts and numbers only, of which the type around it says all."""
    inner = node.items if node.type == "list" else None if node.fields else node.child("")
    return inner is not None and inner.type not in _DEEP and inner.type != "any"


def _type(walk: _Walk, plan: _Plan, value: dict[str, Any], pointer: Pointer) -> None:
    """Ask what is said of the type of a map."""
    if plan.entry is not None:
        walk.found.extend(_fields(plan.entry, value, pointer))
    for validator in plan.validators:
        for at, what in validator(value, walk.place(pointer)):
            walk.found.append(Refusal((*pointer, *at), what))


def _fields(entry: TypeRules, value: dict[str, Any], pointer: Pointer) -> Iterator[Refusal]:
    for name in entry.wanted:
        inner = value.get(name)
        is_empty = inner is None or (entry.fields[name].required and inner in _EMPTY and inner is not False)
        if is_empty:
            yield Refusal((*pointer, name), f"`{name}` is missing" if inner is None else f"`{name}` is empty")
    fields = entry.fields
    for name, inner in value.items():
        said = fields.get(name) if inner is not None else None
        if said is not None and said.words:
            yield from _words(name, said, inner, (*pointer, name))
    for how, names in entry.members:
        yield from _members(how, names, value, pointer)


def _words(name: str, said: Fields, value: Any, pointer: Pointer) -> Iterator[Refusal]:
    for word in said.words:
        if not word.scope:
            if value != "" or word.empty:
                what = word.form(value, word.argument)
                if what:
                    yield Refusal(pointer, f"`{name}` {what}")
                    return
        elif word.scope == "*":
            for index, item in enumerate(value if isinstance(value, list) else ()):
                if item != "" or word.empty:
                    what = word.form(item, word.argument)
                    if what:
                        yield Refusal((*pointer, index), f"item {index} of `{name}` {what}")
        elif isinstance(value, dict):
            for key, item in value.items():
                what = word.form(key if word.scope == "key" else item, word.argument)
                if what:
                    about = "key" if word.scope == "key" else "value of"
                    yield Refusal((*pointer, key), f"the {about} `{key}` in `{name}` {what}")


def _members(how: str, names: tuple[str, ...], value: dict[str, Any], pointer: Pointer) -> Iterator[Refusal]:
    there = [name for name in names if value.get(name) is not None]
    listed = ", ".join(f"`{name}`" for name in names)
    if not there and how in {"one", "some"}:
        yield Refusal(pointer, f"none of {listed} is there: one must be")
    elif len(there) > 1 and how in {"one", "most-one"}:
        for name in there[1:]:
            yield Refusal((*pointer, name), f"`{name}` and `{there[0]}` stand beside each other: only one may be there")

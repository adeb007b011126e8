"""The difference of two compiled environments as data: resources, and inside them fields matched by merge key."""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.ask.items import steps
from envcompile.ask.redact import redacted
from envcompile.kubernetes.fieldpath import Item, format_field
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.kubernetes import KubeApi, Node
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Resource, ResourceId


class Order(NamedTuple):
    """The order of a keyed list, where items that stay change places."""

    items: tuple[Item, ...]

    def __str__(self) -> str:
        return ", ".join(str(item) for item in self.items)


class Moved(NamedTuple):
    """The place of an item that only moved, in a list without merge keys."""

    position: int
    item: Any

    def __str__(self) -> str:
        return f"[{self.position}]"


class FieldChange(NamedTuple):
    """One field before and after; ABSENT where it is not there, `Hidden` where it is a secret, `Order` of a list.

    An item of a list without merge keys is named by its place in the newer list, one that went by that in the older;
    one that only moved is `Moved` on both sides.
    """

    path: FieldPath
    old: Any
    new: Any

    @property
    def field(self) -> str:
        """The field as people write it."""
        return format_field(self.path)


class Change(NamedTuple):
    """What happened to one resource: `added`, `removed` or `changed`, and which fields."""

    kind: str
    resource: ResourceId
    fields: tuple[FieldChange, ...]


def value_changes(old: Any, new: Any) -> Iterator[FieldChange]:
    """The fields in which two values differ that no schema is known of, such as embedded configuration."""
    return _compare(old, new, (), None) if not _equal_bytes(old, new) else iter(())


def changes(before: Iterable[Resource], after: Iterable[Resource], api: KubeApi) -> list[Change]:
    """The difference of two sets of resources, sorted by identity; list items are matched by their merge keys.

    The order of keys means nothing; what a Secret or a SealedSecret holds is hidden.
    """
    old = {resource.id: resource for resource in before}
    new = {resource.id: resource for resource in after}
    found = []
    for identity in sorted(old.keys() | new.keys()):
        if identity not in old:
            found.append(Change("added", identity, ()))
        elif identity not in new:
            found.append(Change("removed", identity, ()))
        else:
            fields = field_changes(identity, old[identity].value, new[identity].value, api)
            if fields:
                found.append(Change("changed", identity, fields))
    return found


def field_changes(
    identity: ResourceId, old: dict[str, Any], new: dict[str, Any], api: KubeApi
) -> tuple[FieldChange, ...]:
    """The fields in which two versions of one resource differ."""
    if old is new or _equal_bytes(old, new):
        return ()
    left, right = redacted(identity, old), redacted(identity, new)
    return tuple(_compare(left, right, (), root_node(identity, new, api)))


def root_node(identity: ResourceId, value: dict[str, Any], api: KubeApi) -> Node | None:
    """The schema of a resource's root; None for a kind nothing is known of."""
    group, _, version = value["apiVersion"].rpartition("/")
    return api.node(group, version, identity.kind)


def _equal_bytes(old: Any, new: Any) -> bool:
    """Whether two values are equal for sure: equal bytes are equal values, also of `1` and `true`.

    Comparing bytes is ten times faster than walking, and most of what is compared is equal.
    """
    if type(old) is str or type(new) is str:
        return type(old) is type(new) and bool(old == new)
    try:
        return bool(old == new) and marshal.dumps(old, 0) == marshal.dumps(new, 0)
    except ValueError:  # something that only stands for a value
        return False


def _compare(old: Any, new: Any, path: FieldPath, node: Node | None) -> Iterator[FieldChange]:
    if old is new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            left, right = old.get(key, ABSENT), new.get(key, ABSENT)
            if not _equal_bytes(left, right):
                child = node.child(key) if node is not None else None
                yield from _compare(left, right, (*path, key), child)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(old, new, path, node)
    elif type(old) is not type(new) or old != new:
        yield FieldChange(path, old, new)


def _compare_lists(old: list[Any], new: list[Any], path: FieldPath, node: Node | None) -> Iterator[FieldChange]:
    item_node = node.items if node is not None else None
    rule = node.rule if node is not None else None
    left = by_key(old, rule.keys) if rule is not None and rule.strategy == "merge" else None
    right = by_key(new, rule.keys) if rule is not None and rule.strategy == "merge" else None
    if left is None or right is None:
        yield from _compare_items(old, new, path, item_node)
        return
    for key in [*left, *(key for key in right if key not in left)]:
        before, after = left.get(key, ABSENT), right.get(key, ABSENT)
        if not _equal_bytes(before, after):
            yield from _compare(before, after, (*path, key), item_node)
    follows = [*(key for key in left if key in right), *(key for key in right if key not in left)]
    if follows != list(right):
        yield FieldChange(path, Order(tuple(left)), Order(tuple(right)))


def _compare_items(old: list[Any], new: list[Any], path: FieldPath, item_node: Node | None) -> Iterator[FieldChange]:
    """Items that nothing but their content tells apart."""
    found = steps(old, new)
    if found is None:
        if old != new:
            yield FieldChange(path, old, new)
        return
    for before, after, has_moved in found:
        if before is not None and after is not None and has_moved:
            yield FieldChange((*path, after), Moved(before, old[before]), Moved(after, new[after]))
        elif before is not None and after is not None:
            if not _equal_bytes(old[before], new[after]):
                yield from _compare(old[before], new[after], (*path, after), item_node)
        elif before is not None:
            yield FieldChange((*path, before), old[before], ABSENT)
        elif after is not None:
            yield FieldChange((*path, after), ABSENT, new[after])


def by_key(items: list[Any], keys: tuple[str, ...]) -> dict[Item, Any] | None:
    """The items by their merge keys, in order; None when they cannot be told apart."""
    found: dict[Item, Any] = {}
    for item in items:
        if not isinstance(item, dict):
            return None
        stated = tuple((key, item[key]) for key in keys if key in item and not isinstance(item[key], (dict, list)))
        if not stated or Item(stated) in found:
            return None
        found[Item(stated)] = item
    return found

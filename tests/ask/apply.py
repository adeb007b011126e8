"""Applying a difference: what was compared, turned back into the newer version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.ask.changes import Moved, Order, by_key
from envcompile.ask.redact import Hidden
from envcompile.kubernetes.fieldpath import Item
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.ask.changes import FieldChange
    from envcompile.kubernetes import Node
    from envcompile.kubernetes.fieldpath import Part

_Below = list[tuple[int, "FieldChange"]]
"""Changes at or below one place; the number is the length of the path that leads there."""


def apply_fields(value: dict[str, Any], fields: Iterable[FieldChange], node: Node | None) -> dict[str, Any]:
    """The resource with each change made.

    Args:
        value: the older version; it stays as it is.
        fields: what `field_changes` gave.
        node: the schema of the resource's root, as for comparing.
    """
    changed: dict[str, Any] = _applied(value, [(0, field) for field in fields], node)
    return changed


def _applied(value: Any, below: _Below, node: Node | None) -> Any:
    """A value with the changes made that are below it; parts that stand in several places get a copy each."""
    here = [field for depth, field in below if depth == len(field.path)]
    orders = [field.new for field in here if isinstance(field.new, Order)]
    replaced = [field.new for field in here if not isinstance(field.new, (Order, Moved))]
    if replaced:
        return _uncovered(replaced[-1])
    inner: dict[Part, _Below] = {}
    for depth, field in below:
        if depth < len(field.path):
            inner.setdefault(field.path[depth], []).append((depth + 1, field))
    if isinstance(value, dict):
        return _applied_map(value, inner, node)
    if not isinstance(value, list):
        return _uncovered(value)
    items = node.items if node is not None else None
    if orders or any(isinstance(part, Item) for part in inner):
        keys = node.rule.keys if node is not None else ()
        found = _applied_keyed(value, inner, keys, items)
        known = by_key(found, keys) or {}
        return [known[item] for item in orders[-1].items] if orders else found
    return _applied_list(value, inner, items)


def _applied_map(value: dict[str, Any], inner: dict[Part, _Below], node: Node | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in [*value, *(part for part in inner if isinstance(part, str) and part not in value)]:
        changes = inner.get(key)
        new = (
            _uncovered(value[key])
            if changes is None
            else _applied(value.get(key, ABSENT), changes, node.child(key) if node is not None else None)
        )
        if new is not ABSENT:
            found[key] = new
    return found


def _applied_keyed(value: list[Any], inner: dict[Part, _Below], keys: tuple[str, ...], node: Node | None) -> list[Any]:
    known = by_key(value, keys) or {}
    found: list[Any] = []
    for item in [*known, *(part for part in inner if isinstance(part, Item) and part not in known)]:
        changes = inner.get(item)
        new = _uncovered(known[item]) if changes is None else _applied(known.get(item, ABSENT), changes, node)
        if new is not ABSENT:
            found.append(new)
    return found


def _applied_list(value: list[Any], inner: dict[Part, _Below], node: Node | None) -> list[Any]:
    """A list without merge keys: what goes is named by its older place, all else by its newer one."""
    gone: set[int] = set()
    placed: dict[int, Any] = {}
    for part, changes in inner.items():
        for depth, field in changes:
            if depth != len(field.path) or not isinstance(part, int):
                continue
            if isinstance(field.old, Moved) and isinstance(field.new, Moved):
                gone.add(field.old.position)
                placed[part] = _uncovered(field.new.item)
            elif field.new is ABSENT:
                gone.add(part)
            elif field.old is ABSENT:
                placed[part] = _uncovered(field.new)
    kept = iter([item for at, item in enumerate(value) if at not in gone])
    count = len(value) - len(gone) + len(placed)
    return [
        placed[at] if at in placed else _applied(next(kept), _changes_of(inner.get(at, ())), node)
        for at in range(count)
    ]


def _changes_of(below: Sequence[tuple[int, FieldChange]]) -> _Below:
    """The changes of an item that stays, without the going of another one whose older place has the same number."""
    return [(depth, field) for depth, field in below if depth < len(field.path) or field.new is not ABSENT]


def _uncovered(value: Any) -> Any:
    if isinstance(value, Hidden):
        return value.reveal()
    if isinstance(value, dict):
        return {key: _uncovered(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_uncovered(held) for held in value]
    return value

"""Applying a difference: what was compared, turned back into the newer version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.ask.changes import Order, by_key
from envcompile.ask.redact import Hidden
from envcompile.kubernetes.fieldpath import Item
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.ask.changes import FieldChange
    from envcompile.kubernetes import Node


def apply_fields(value: dict[str, Any], fields: Iterable[FieldChange], node: Node | None) -> dict[str, Any]:
    """The resource with each change made, in the order in which comparing found them.

    Args:
        value: the older version; it stays as it is.
        fields: what `field_changes` gave.
        node: the schema of the resource's root, as for comparing.
    """
    # Parts that stand in several places of a value are one object; each place gets a copy of its own.
    holder = {"": _uncovered(value)}
    for field in fields:
        _set(holder, field, node)
    changed: dict[str, Any] = holder[""]
    return changed


def _set(holder: dict[str, Any], field: FieldChange, node: Node | None) -> None:
    at: Any = holder
    key: Any = ""
    for part in field.path:
        at = at[key]
        keys = node.rule.keys if node is not None and isinstance(at, list) else ()
        key = _position(at, part, keys) if isinstance(part, Item) else part
        if node is not None:
            node = node.items if isinstance(at, list) else node.child(str(part))
    if isinstance(field.new, Order):
        items = by_key(at[key], node.rule.keys if node is not None else ()) or {}
        at[key] = [items[item] for item in field.new.items]
    elif field.new is ABSENT:
        del at[key]
    elif isinstance(at, list) and key == len(at):
        at.append(_uncovered(field.new))
    else:
        at[key] = _uncovered(field.new)


def _position(items: list[Any], wanted: Item, keys: tuple[str, ...]) -> int:
    """Where a keyed item stands; behind the last when it is new."""
    known = by_key(items, keys) or {}
    return next((position for position, item in enumerate(known) if item == wanted), len(items))


def _uncovered(value: Any) -> Any:
    if isinstance(value, Hidden):
        return value.reveal()
    if isinstance(value, dict):
        return {key: _uncovered(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_uncovered(held) for held in value]
    return value

"""The strategic merge: lays a partial resource over a resource, by the rules of the kind's schema.

Nothing is ever mutated, and what a patch does not touch is the base's own object in the result: `merge(x, {}, n) is x`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.directives import (
    DELETE,
    DELETE_SCALARS,
    MERGE,
    PATCH,
    REPLACE,
    RETAIN_KEYS,
    SET_ORDER,
    MergeConflict,
    command_of_list,
    command_of_map,
    is_deletion,
    is_directive,
    is_list_command,
    list_argument,
    settled,
)
from envcompile.compose.merge_match import ItemFinder
from envcompile.compose.merge_order import check_order, reordered
from envcompile.kubernetes.schema import UNKNOWN_RULE
from envcompile.values import REMOVED, canonical, same

if TYPE_CHECKING:
    from envcompile.kubernetes import ListRule, Node

__all__ = ["MergeConflict", "is_deletion", "merge"]

_REPLACE_FIX = "write `$patch: replace` into the map to put it there all the same"


def merge(base: Any, patch: Any, node: Node | None) -> Any:
    """Lay a patch over a base value and give the result; None when the patch says `$patch: delete` of it all.

    Maps are merged key by key and null removes a key. A list follows the rule of its schema node: keyed lists are
    merged item by item in the base's order with new items after it, sets are united, all others replaced. Without a
    node (an unknown kind) every list is replaced.

    Two items of one patch with the same keys are laid over the base one after the other, as the API server does.

    Raises:
        MergeConflict: the patch cannot be laid over this base.
    """
    result = settled(patch) if base is None else _merge_value(base, patch, node)
    return None if result is REMOVED else result


def _merge_value(base: Any, patch: Any, node: Node | None) -> Any:
    """Merge where the base has a value; gives the base itself when nothing changes."""
    kind = type(patch)
    if kind is dict:
        if type(base) is dict:
            return _merge_map(base, patch, node)
        if base is not None and command_of_map(patch) == MERGE:
            raise MergeConflict(f"a map cannot take the place of a {_called(base)}", _REPLACE_FIX)
        return settled(patch)
    if kind is list:
        if type(base) is list:
            return _merge_list(base, patch, node)
        if type(base) is dict and command_of_list(patch) in {None, MERGE}:
            raise MergeConflict(
                "a list cannot take the place of a map",
                "begin the list with the item `$patch: replace` to put it there all the same",
            )
        return settled(patch)
    if type(base) is dict:
        raise MergeConflict(
            f"a {_called(patch)} cannot take the place of a map",
            "remove the field with null, or replace the map around it with `$patch: replace`",
        )
    return base if type(base) is kind and base == patch else patch


def _called(value: Any) -> str:
    return "list" if type(value) is list else "scalar"


def _merge_map(base: dict[str, Any], patch: dict[str, Any], node: Node | None) -> Any:
    result: dict[str, Any] | None = None
    for key, value in patch.items():
        if key[:1] == "$" and is_directive(key):
            return _merge_with_directives(base, patch, node)
        if value is None:
            if key in base:
                if result is None:
                    result = base.copy()
                result.pop(key, None)
            continue
        old = base.get(key)
        kind = type(value)
        if kind is dict or kind is list or type(old) is dict:
            try:
                new = _merge_value(old, value, None if node is None else node.child(key))
            except MergeConflict as conflict:
                conflict.climb(key)
                raise
            if new is old:
                continue
        elif kind is type(old) and value == old:
            continue
        else:
            new = value
        if result is None:
            result = base.copy()
        if new is REMOVED:
            result.pop(key, None)
        else:
            result[key] = new
    return base if result is None else result


def _merge_with_directives(base: dict[str, Any], patch: dict[str, Any], node: Node | None) -> Any:
    """Merge a map whose patch holds directives."""
    command = command_of_map(patch)
    if command == DELETE:
        return REMOVED
    if command == REPLACE:
        new = settled(patch)
        return base if same(base, new) else new
    start = base
    if RETAIN_KEYS in patch:
        start = _retained(start, patch)
    plain: dict[str, Any] = {}
    orders: dict[str, list[Any]] = {}
    for key, value in patch.items():
        if not is_directive(key):
            plain[key] = value
        elif key.startswith(DELETE_SCALARS):
            start = _without_scalars(start, key.removeprefix(DELETE_SCALARS), list_argument(key, value))
        elif key.startswith(SET_ORDER):
            orders[key.removeprefix(SET_ORDER)] = list_argument(key, value)
    result = _merge_map(start, plain, node)
    for key, order in orders.items():
        result = _ordered(base, plain, result, key, order, node)
    return result


def _retained(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Drop the base's keys that `$retainKeys` does not name."""
    kept = {key for key in list_argument(RETAIN_KEYS, patch[RETAIN_KEYS]) if isinstance(key, str)}
    for key, value in patch.items():
        if value is not None and not is_directive(key) and key not in kept:
            raise MergeConflict(f"`{key}` is not in `$retainKeys`", "name every key of the patch there").climb(key)
    return base if all(key in kept for key in base) else {key: value for key, value in base.items() if key in kept}


def _without_scalars(base: dict[str, Any], field: str, gone: list[Any]) -> dict[str, Any]:
    """Take items out of a list of scalars."""
    items = base.get(field)
    if type(items) is not list:
        return base
    texts = set(map(canonical, gone))
    left = [item for item in items if canonical(item) not in texts]
    return base if len(left) == len(items) else {**base, field: left}


def _ordered(
    base: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any], field: str, order: list[Any], node: Node | None
) -> dict[str, Any]:
    """Put one list of a merged map into the order the patch gives; a replaced list has its order already."""
    child = node.child(field) if node is not None else None
    items = merged.get(field)
    if child is None or type(items) is not list or child.rule.strategy == "atomic":
        return merged
    try:
        check_order(child.rule, patch.get(field) or (), order)
        new = reordered(child.rule, items, base.get(field) or (), order)
    except MergeConflict as conflict:
        conflict.climb(f"{SET_ORDER}{field}")
        raise
    return merged if new is items else {**merged, field: new}


def _merge_list(base: list[Any], patch: list[Any], node: Node | None) -> Any:
    command = command_of_list(patch)
    if command == DELETE:
        return REMOVED
    rule = UNKNOWN_RULE if node is None else node.rule
    if command == REPLACE or (rule.strategy == "atomic" and not _speaks_of_items(patch)):
        new = settled(patch)
        return base if same(base, new) else new
    if rule.strategy == "merge":
        return _merge_keyed(base, patch, rule, node)
    if rule.strategy == "set" and not _speaks_of_items(patch, but=MERGE):
        return _united(base, patch)
    raise MergeConflict(
        "`$patch` speaks of an item, but nothing tells the items of this list apart",
        "write the whole list as it shall be; for a custom resource, `mergeKeys` of envc.yaml can name its keys",
    )


def _speaks_of_items(patch: list[Any], but: str = "") -> bool:
    """Tell whether an item of the patch has a `$patch`; `but` is a command for the whole list that does not count."""
    return any(
        type(item) is dict and PATCH in item and not (is_list_command(item) and item[PATCH] == but) for item in patch
    )


def _united(base: list[Any], patch: list[Any]) -> list[Any]:
    """Unite two sets: the base's items in their order, then what the patch adds."""
    known = set(map(canonical, base))
    added = []
    for item in settled(patch):
        text = canonical(item)
        if text not in known:
            known.add(text)
            added.append(item)
    return [*base, *added] if added else base


def _merge_named(base: list[Any], patch: list[Any], key: str, node: Node | None) -> list[Any] | None:
    """Merge a list whose items have one name each, as nearly all do; None when anything is unusual about it."""
    at: dict[str, int] = {}
    for index, item in enumerate(base):
        name = item.get(key) if type(item) is dict else None
        if type(name) is not str or name in at:
            return None
        at[name] = index
    result = base
    for index, item in enumerate(patch):
        name = item.get(key) if type(item) is dict and PATCH not in item else None
        found = at.get(name) if type(name) is str else None
        if found is None:
            return None
        try:
            new = _merge_map(result[found], item, node)
        except MergeConflict as conflict:
            conflict.climb(index)
            raise
        if new is not result[found]:
            if result is base:
                result = base.copy()
            result[found] = new
    return result


def _merge_keyed(base: list[Any], patch: list[Any], rule: ListRule, node: Node | None) -> list[Any]:
    items = node.items if node is not None else None
    if len(rule.keys) == 1 and not rule.defaults:
        named = _merge_named(base, patch, rule.keys[0], items)
        if named is not None:
            return named
    result = list(base)
    finder = ItemFinder(rule, result, patch)
    for index, item in enumerate(patch):
        if is_list_command(item):
            continue
        try:
            _merge_item(result, finder, item, items)
        except MergeConflict as conflict:
            conflict.climb(index)
            raise
    is_same = len(result) == len(base) and all(new is old for new, old in zip(result, base, strict=True))
    return base if is_same else [item for item in result if item is not REMOVED]


def _merge_item(result: list[Any], finder: ItemFinder, item: Any, node: Node | None) -> None:
    """Lay one item of a patch over the list it belongs to, in place."""
    if type(item) is not dict:
        raise MergeConflict("an item of this list must be a map", "the list is merged by the keys of its items")
    found = finder.find(item)
    if found is None:
        new = settled(item)
        if new is not REMOVED:
            finder.append(new)
        return
    new = _merge_map(result[found], item, node)
    if new is REMOVED:
        # A list may hold an item twice; the API server removes both (strategicpatch, deleteMatchingEntries).
        finder.remove(finder.twins(found))
    elif new is not result[found]:
        finder.replace(found, new)

"""The way back: the smallest patch that turns one value into another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.compose.directives import DELETE, PATCH, REPLACE, SET_ORDER, MergeConflict, is_directive
from envcompile.compose.losses import is_loss
from envcompile.compose.merge import merge
from envcompile.compose.merge_match import identity_of
from envcompile.compose.merge_order import check_order, reordered
from envcompile.errors import PicklableError
from envcompile.kubernetes.schema import UNKNOWN_RULE
from envcompile.values import ABSENT, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.compose.merge_match import Identity
    from envcompile.kubernetes import ListRule, Node
    from envcompile.model import Pointer


class NotExpressibleError(PicklableError, ValueError):
    """No strategic merge patch leads to the target; `pointer` is the place in the target that stands in the way.

    That is an explicit null, or a field named like a directive, which the base does not have at the same place: a JSON
    patch (RFC 6902) can say it.
    """

    def __init__(self, what: str, pointer: Pointer = ()) -> None:
        super().__init__(what)
        self.what = what
        self.pointer = pointer


class _NoPatchError(Exception):
    """The value cannot be patched at its place: the map around it has to be replaced."""


class _Reordered(NamedTuple):
    """The patch of a list together with the order its items must have."""

    patch: list[Any]
    order: list[Any]


_NULL: Final = "an explicit null"
_LIKE_A_DIRECTIVE: Final = "a field named like a directive"


def derive(base: dict[str, Any], target: dict[str, Any], node: Node | None) -> dict[str, Any] | None:
    """Make a small patch for which `merge(base, patch, node)` is exactly the target; None when the two are the same.

    Only what differs is in the patch, so the caller adds `apiVersion`, `kind` and `metadata.name`. A keyed list is
    patched item by item, its order set by `$setElementOrder` where it would come out different, and replaced with
    `- $patch: replace` where its items cannot be told apart. The order of a map's keys does not count.

    Raises:
        NotExpressibleError: the target has nulls, or fields named like directives, that only a JSON patch can add.
    """
    patch = _derive_map(base, target, node)
    return None if patch is ABSENT else patch


def _derive_map(base: dict[str, Any], target: dict[str, Any], node: Node | None) -> Any:
    """Make the patch of a map, or ABSENT; replace the map when one of its fields cannot be patched."""
    try:
        return _changes(base, target, node) or ABSENT
    except _NoPatchError:
        return {PATCH: REPLACE, **_new(target)}


def _changes(base: dict[str, Any], target: dict[str, Any], node: Node | None) -> dict[str, Any]:
    patch: dict[str, Any] = {key: None for key in base if key not in target and _may_be_patched(key)}
    for key, value in target.items():
        old = base.get(key)
        if key in base and same(old, value):
            continue
        try:
            new = _derive_value(old, value, node.child(key) if node is not None else None)
        except NotExpressibleError as error:
            error.pointer = (key, *error.pointer)
            raise
        if isinstance(new, _Reordered):
            patch[f"{SET_ORDER}{key}"] = new.order
            if new.patch:
                patch[key] = new.patch
        elif _may_be_patched(key):
            patch[key] = new
    return patch


def _may_be_patched(key: str) -> bool:
    """Refuse to touch a field that is named like a directive."""
    if is_directive(key):
        raise _NoPatchError
    return True


def _derive_value(base: Any, target: Any, node: Node | None) -> Any:
    """Make the patch of a value that differs, or is not in the base at all (None)."""
    kind = type(target)
    if target is None:
        raise NotExpressibleError(_NULL)
    if base is None:
        return _new(target)
    if kind is dict:
        return _derive_map(base, target, node) if type(base) is dict else {PATCH: REPLACE, **_new(target)}
    if kind is list:
        if type(base) is list:
            return _derive_list(base, target, node)
        return [{PATCH: REPLACE}, *_new(target)] if type(base) is dict else _new(target)
    if type(base) is dict:
        raise _NoPatchError
    return target


def _derive_list(base: list[Any], target: list[Any], node: Node | None) -> Any:
    rule = UNKNOWN_RULE if node is None else node.rule
    if rule.strategy == "atomic" or node is None:
        # Where nothing says how a list merges, a reader cannot know that the patch means the whole of it.
        said = not rule.is_stated and is_loss(base, target)
        return [{PATCH: REPLACE}, *_new(target)] if said else _new(target)
    try:
        patch = _derive_set(base, target) if rule.strategy == "set" else _derive_keyed(base, target, rule, node.items)
        if patch is not None and same(_merged(base, patch, node), target):
            return patch
    except (NotExpressibleError, MergeConflict):
        # What is in the way may be gone when the whole list is replaced.
        pass
    return [{PATCH: REPLACE}, *_new(target)]


def _merged(base: list[Any], patch: list[Any] | _Reordered, node: Node) -> Any:
    """Lay the patch of a list over its base, to see whether it does what it is for."""
    if not isinstance(patch, _Reordered):
        return merge(base, patch, node)
    check_order(node.rule, patch.patch, patch.order)
    return reordered(node.rule, merge(base, patch.patch, node), base, patch.order)


def _derive_set(base: list[Any], target: list[Any]) -> list[Any] | None:
    """What a set has more; None when it has not all of the base's items any more, or another order."""
    return _new(target[len(base) :]) if same(base, target[: len(base)]) else None


def _derive_keyed(
    base: list[Any], target: list[Any], rule: ListRule, node: Node | None
) -> list[Any] | _Reordered | None:
    """The changes of a keyed list item by item; None when its items cannot be told apart."""
    old, new = _by_identity(rule, base), _by_identity(rule, target)
    if old is None or new is None:
        return None
    patch: list[Any] = [{**_keys(rule, item), PATCH: DELETE} for identity, item in old.items() if identity not in new]
    for identity, item in new.items():
        if identity not in old:
            patch.append(_new(item))
            continue
        change = _derive_map(old[identity], item, node)
        if change is not ABSENT:
            patch.append({**_keys(rule, item), **change})
    reached = [identity for identity in old if identity in new]
    reached += [identity for identity in new if identity not in old]
    return patch if reached == list(new) else _Reordered(patch, [_keys(rule, item) for item in target])


def _by_identity(rule: ListRule, items: list[Any]) -> dict[Identity, dict[str, Any]] | None:
    """Index a keyed list; None when an item has no key, or two have the same."""
    found = {identity_of(rule, item): item for item in items if type(item) is dict and _keys(rule, item)}
    return found if len(found) == len(items) else None


def _keys(rule: ListRule, item: dict[str, Any]) -> dict[str, Any]:
    """The merge keys an item states."""
    return {key: item[key] for key in rule.keys if item.get(key) is not None}


def _new(value: Any) -> Any:
    """Give a value that the base does not have, as a patch states it: the value itself.

    Raises:
        NotExpressibleError: it holds a null field, which would remove the field, or one named like a directive.
    """
    for what, pointer in _obstacles(value):
        raise NotExpressibleError(what, pointer)
    return value


def _obstacles(value: Any) -> Iterator[tuple[str, Pointer]]:
    """List what a patch cannot say of a new value."""
    if type(value) is dict:
        for key, inner in value.items():
            if is_directive(key):
                yield _LIKE_A_DIRECTIVE, (key,)
            elif inner is None:
                yield _NULL, (key,)
            else:
                yield from ((what, (key, *pointer)) for what, pointer in _obstacles(inner))
    elif type(value) is list:
        for index, inner in enumerate(value):
            yield from ((what, (index, *pointer)) for what, pointer in _obstacles(inner))

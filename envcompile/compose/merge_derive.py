"""The way back: the smallest patch that turns one value into another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.compose.directives import (
    DELETE,
    PATCH,
    REPLACE,
    SET_ORDER,
    MergeConflict,
    is_directive,
    same,
    settled,
)
from envcompile.compose.merge import merge
from envcompile.compose.merge_match import identity_of
from envcompile.kubeapi.schema import UNKNOWN_RULE

if TYPE_CHECKING:
    from envcompile.kubeapi import ListRule, Node
    from envcompile.model import Pointer


class NotExpressibleError(ValueError):
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


_SAME: Final = object()


def derive(base: dict[str, Any], target: dict[str, Any], node: Node | None) -> dict[str, Any] | None:
    """Make the patch for which `merge(base, patch, node)` is exactly the target; None when the two are the same.

    Only what differs is in the patch, so the caller adds `apiVersion`, `kind` and `metadata.name`. A keyed list is
    patched item by item, its order set by `$setElementOrder` where it would come out different, and replaced with
    `- $patch: replace` where its items cannot be told apart.

    Raises:
        NotExpressibleError: the target has nulls, or fields named like directives, that only a JSON patch can put there.
    """
    patch = _derive_map(base, target, node)
    return None if patch is _SAME else patch


def _derive(base: Any, target: Any, node: Node | None) -> Any:
    """Make the patch of one value, or _SAME."""
    if same(base, target):
        return _SAME
    if type(target) is dict:
        if type(base) is dict:
            return _derive_map(base, target, node)
        return _new(target) if base is None else {PATCH: REPLACE, **_new(target)}
    if type(target) is list:
        if type(base) is list:
            return _derive_list(base, target, node)
        return [{PATCH: REPLACE}, *_new(target)] if type(base) is dict else _new(target)
    if target is None:
        raise NotExpressibleError("an explicit null")
    if type(base) is dict:
        raise _NoPatchError
    return target


def _derive_map(base: dict[str, Any], target: dict[str, Any], node: Node | None) -> Any:
    patch: dict[str, Any] = {}
    try:
        for key in base:
            if key not in target:
                patch[_field(key)] = None
        for key, value in target.items():
            if key not in base:
                patch[_field(key)] = _at(key, lambda value=value: _new(value))
                continue
            child = node.child(key) if node is not None else None
            change = _at(key, lambda old=base[key], value=value, child=child: _derive(old, value, child))
            if change is not _SAME:
                patch.update(change.fields(_field(key)) if isinstance(change, _Reordered) else {_field(key): change})
    except _NoPatchError:
        return {PATCH: REPLACE, **_new(target)}
    return patch or _SAME

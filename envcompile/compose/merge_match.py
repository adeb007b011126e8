"""Finds the item of a list that a patch's item speaks of, by the list's merge keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.directives import MergeConflict, same_scalar
from envcompile.kubernetes.schema import spell_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.kubernetes import ListRule

Identity = tuple[Any, ...]
"""The values of an item's merge keys, each with its type, as `1` and `true` are different keys."""


def identity_of(rule: ListRule, item: dict[str, Any]) -> Identity:
    """Work out what tells an item apart: its merge keys, with the schema's defaults for those it leaves out."""
    if not rule.defaults:
        return tuple([_typed(item.get(key)) for key in rule.keys])
    values = {key: item[key] for key in rule.keys if item.get(key) is not None}
    return tuple([_typed({**dict(rule.defaults), **values}.get(key)) for key in rule.keys])


def match_item(rule: ListRule, items: Sequence[Any], wanted: dict[str, Any]) -> int | None:
    """Find the item that `wanted` speaks of: its position, or None when it is a new one.

    First the item with the same keys, where a key left out has the default of the schema; should several have them,
    the first one, as for kubectl. Else, when `wanted` leaves out a key, the only item that agrees on those it states.

    Raises:
        MergeConflict: `wanted` states no merge key, or leaves one out and several items agree on the others.
    """
    stated = stated_keys(rule, wanted)
    identity = identity_of(rule, wanted)
    for index, item in enumerate(items):
        if type(item) is dict and identity_of(rule, item) == identity:
            return index
    return None if len(stated) == len(rule.keys) else _only_candidate(rule, items, wanted, stated)


def stated_keys(rule: ListRule, wanted: dict[str, Any]) -> list[str]:
    """List the merge keys that an item of a patch states; there must be one at least, and each must be a scalar."""
    stated = [key for key in rule.keys if wanted.get(key) is not None]
    if not stated:
        raise MergeConflict(
            f"the item has no `{'` and no `'.join(rule.keys)}`, by which the items of this list are told apart",
            f"write {spell_keys(f'`{key}:`' for key in rule.keys)} of the item that is meant",
        )
    for key in stated:
        if type(wanted[key]) in {dict, list}:
            raise MergeConflict(f"`{key}` tells the items of this list apart and must be a scalar", "write one").climb(
                key
            )
    return stated


def _only_candidate(rule: ListRule, items: Iterable[Any], wanted: dict[str, Any], stated: Sequence[str]) -> int | None:
    agreeing = [
        index
        for index, item in enumerate(items)
        if type(item) is dict and all(same_scalar(item.get(key), wanted[key]) for key in stated)
    ]
    if len(agreeing) > 1:
        missing = [key for key in rule.keys if key not in stated]
        named = " and ".join(f"`{key}: {wanted[key]}`" for key in stated)
        raise MergeConflict(
            f"{len(agreeing)} items of the list have {named}",
            f"add {spell_keys(f'`{key}:`' for key in missing)} to say which of them is meant",
        )
    return agreeing[0] if agreeing else None


def _typed(value: Any) -> Any:
    """Make a merge key comparable and hashable: strings as they are, all else with its type; no scalar, no match."""
    kind = type(value)
    if kind is str:
        return value
    return (kind, id(value)) if kind is dict or kind is list else (kind, value)


class ItemFinder:
    """Finds many items in one list that changes meanwhile; answers like `match_item`, without walking the list."""

    __slots__ = ("_by_identity", "_items", "rule")

    def __init__(self, rule: ListRule, items: list[Any]) -> None:
        self.rule = rule
        self._items = items
        self._by_identity: dict[Identity, int] | None = None

    def find(self, wanted: dict[str, Any]) -> int | None:
        """Find the item that `wanted` speaks of, as `match_item` does."""
        rule = self.rule
        stated = stated_keys(rule, wanted)
        known = self._by_identity
        if known is None:
            known = self._by_identity = {}
            for index, item in enumerate(self._items):
                if type(item) is dict:
                    known.setdefault(identity_of(rule, item), index)
        found = known.get(identity_of(rule, wanted))
        if found is None and len(stated) < len(rule.keys):
            return _only_candidate(rule, self._items, wanted, stated)
        return found

    def forget(self) -> None:
        """Say that the list has changed in any other way than by a new last item."""
        self._by_identity = None

    def appended(self) -> None:
        """Say that the list has a new last item."""
        if self._by_identity is not None:
            self._by_identity.setdefault(identity_of(self.rule, self._items[-1]), len(self._items) - 1)

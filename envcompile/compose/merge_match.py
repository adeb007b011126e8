"""Finds the item of a list that a patch's item speaks of, by the list's merge keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.directives import MergeConflict, is_deletion, is_list_command
from envcompile.kubernetes.schema import spell_keys
from envcompile.values import REMOVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.kubernetes import ListRule

Identity = tuple[Any, ...]
"""The values of an item's merge keys, each with its type, as `1` and `true` are different keys."""


def identity_of(rule: ListRule, item: dict[str, Any]) -> Identity:
    """Work out what tells an item apart: its merge keys, with the schema's defaults for those it leaves out."""
    if not rule.defaults:
        if len(rule.keys) == 1:
            name = item.get(rule.keys[0])
            return (name,) if type(name) is str else (_typed(name),)
        return tuple([_typed(item.get(key)) for key in rule.keys])
    values = {key: item[key] for key in rule.keys if item.get(key) is not None}
    return tuple([_typed({**dict(rule.defaults), **values}.get(key)) for key in rule.keys])


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


def _typed(value: Any) -> Any:
    """Make a merge key comparable and hashable: strings as they are, all else with its type; no scalar, no match."""
    kind = type(value)
    if kind is str:
        return value
    return (kind, id(value)) if kind is dict or kind is list else (kind, value)


class ItemFinder:
    """Finds the items that the items of one patch speak of, in one list that changes meanwhile.

    Two items of a patch never speak of one item, unless they state the same keys: what a patch names in full, or has
    spoken of already, is no candidate for an item that leaves a key out. A key with a default is never left out, as
    for server-side apply (`protocol` of a port is TCP); only what takes an item away or gives its place may leave it
    open, as for kubectl, whose patches find a Service's port by its number alone.

    Source: the fields of Service ports and container ports in the OpenAPI (x-kubernetes-list-map-keys, defaults).

    Args:
        rule: how the list's items are told apart.
        items: the list; an item that was taken out is REMOVED, so that positions stay.
        patch: the items that will be looked for.
        only_names: what is looked for states nothing but keys, as the items of an order do.
    """

    __slots__ = ("_by_identity", "_items", "_named", "_only_names", "_partial", "_taken", "rule")

    def __init__(
        self, rule: ListRule, items: list[Any], patch: Iterable[Any] = (), *, only_names: bool = False
    ) -> None:
        self.rule = rule
        self._only_names = only_names
        self._items = items
        self._by_identity: dict[Identity, list[int]] = {}
        self._partial: dict[tuple[str, ...], dict[Identity, list[int]]] = {}
        self._taken: dict[int, Identity] = {}
        self._named: frozenset[Identity] | None = None
        if len(rule.keys) == 1 and not rule.defaults:
            key = rule.keys[0]
            for index, item in enumerate(items):
                if type(item) is dict:
                    name = item.get(key)
                    identity = (name if type(name) is str else _typed(name),)
                    self._by_identity.setdefault(identity, []).append(index)
            return
        for index, item in enumerate(items):
            if type(item) is dict:
                self._by_identity.setdefault(identity_of(rule, item), []).append(index)
        if len(rule.keys) > 1:
            self._named = frozenset(
                identity_of(rule, item)
                for item in patch
                if type(item) is dict and not is_list_command(item) and self._is_complete(item)
            )

    def find(self, wanted: dict[str, Any]) -> int | None:
        """Find the item that `wanted` speaks of: its position, or None when it is a new one.

        First the item with the same keys, where a key left out has the default of the schema; should several have
        them, the first one, as for kubectl. Else, when `wanted` leaves out a key without a default, the only item that
        agrees on those it states.

        Raises:
            MergeConflict: `wanted` states no merge key, or leaves one out and several items agree on the others.
        """
        stated = stated_keys(self.rule, wanted)
        identity = identity_of(self.rule, wanted)
        known = self._by_identity.get(identity)
        if known:
            self._take(known[0], identity)
            return known[0]
        is_name = self._only_names or is_deletion(wanted)
        if len(stated) == len(self.rule.keys) or (self._is_complete(wanted) and not is_name):
            return None
        found = self._only_candidate(wanted, stated, identity)
        if found is not None:
            self._take(found, identity)
        return found

    def twins(self, position: int) -> list[int]:
        """Every position of an item with the keys of this one; a list may hold an item twice."""
        return list(self._by_identity.get(identity_of(self.rule, self._items[position]), (position,)))

    def remove(self, positions: Iterable[int]) -> None:
        """Take items out of the list."""
        for position in positions:
            self._forget(position)
            self._items[position] = REMOVED

    def replace(self, position: int, new: dict[str, Any]) -> None:
        """Put another version of an item into its place."""
        if identity_of(self.rule, new) == identity_of(self.rule, self._items[position]):
            self._items[position] = new
            return
        self._forget(position)
        self._items[position] = new
        self._learn(position, new)

    def append(self, new: dict[str, Any]) -> None:
        """Put a new item behind the last."""
        self._items.append(new)
        self._learn(len(self._items) - 1, new)
        self._take(len(self._items) - 1, identity_of(self.rule, new))

    def _take(self, position: int, identity: Identity) -> None:
        if len(self.rule.keys) > 1:
            self._taken.setdefault(position, identity)

    def _is_complete(self, item: dict[str, Any]) -> bool:
        """Tell whether an item states every key that has no default."""
        defaults = dict(self.rule.defaults)
        return all(item.get(key) is not None or key in defaults for key in self.rule.keys)

    def _forget(self, position: int) -> None:
        item = self._items[position]
        places = [self._by_identity.get(identity_of(self.rule, item))]
        places += [index.get(_values(item, keys)) for keys, index in self._partial.items()]
        for known in places:
            if known is not None and position in known:
                known.remove(position)

    def _learn(self, position: int, item: dict[str, Any]) -> None:
        self._by_identity.setdefault(identity_of(self.rule, item), []).append(position)
        for keys, index in self._partial.items():
            index.setdefault(_values(item, keys), []).append(position)

    def _only_candidate(self, wanted: dict[str, Any], stated: Sequence[str], identity: Identity) -> int | None:
        keys = tuple(stated)
        index = self._partial.get(keys)
        if index is None:
            index = self._partial[keys] = {}
            for position, item in enumerate(self._items):
                if type(item) is dict:
                    index.setdefault(_values(item, keys), []).append(position)
        agreeing = [
            position
            for position in index.get(_values(wanted, keys), ())
            if self._taken.get(position, identity) == identity
            and identity_of(self.rule, self._items[position]) not in (self._named or ())
        ]
        if len(agreeing) > 1:
            missing = [key for key in self.rule.keys if key not in stated]
            named = " and ".join(f"`{key}: {wanted[key]}`" for key in stated)
            raise MergeConflict(
                f"{len(agreeing)} items of the list have {named}",
                f"add {spell_keys(f'`{key}:`' for key in missing)} to say which of them is meant",
            )
        return agreeing[0] if agreeing else None


def _values(item: dict[str, Any], keys: Iterable[str]) -> Identity:
    return tuple([_typed(item.get(key)) for key in keys])

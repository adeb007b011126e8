"""The base of an object: what most environments agree on."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from envcompile.compose import configtext
from envcompile.compose.merge_match import identity_of
from envcompile.values import ABSENT, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.adopt.existing import Value
    from envcompile.compose.merge_match import Identity
    from envcompile.kubernetes import ListRule, Node

_MOST_TEXTS: Final = 6
_WORTHWHILE: Final = 0.8
"""A text becomes the base of texts that differ when base and changes are this much shorter than all of them whole."""


def consensus(values: Sequence[Value], node: Node | None) -> Value:
    """Work out the base of an object from what it is in each environment.

    A field is in the base when more than half of the environments agree on it: for two environments that is what is
    equal in both, for more the exceptions are left to overlays. Keyed lists agree item by item, all others as a
    whole. Configuration files inside of ConfigMaps that differ give one text, over which the others can be laid.
    """
    first = values[0]
    agreed = _map(values, node)
    if first["kind"] == "ConfigMap" and first["apiVersion"] == "v1":
        agreed = _with_texts(agreed, values)
    metadata = {key: item for key, item in agreed.get("metadata", {}).items() if key != "name"}
    name = first["metadata"]["name"]
    head = {"apiVersion": agreed.get("apiVersion", first["apiVersion"]), "kind": first["kind"]}
    return {**head, "metadata": {"name": name, **metadata}, **{key: agreed[key] for key in agreed if key not in _HEAD}}


_HEAD: Final = frozenset({"apiVersion", "kind", "metadata"})


def _agreed(values: Sequence[Any], node: Node | None) -> Any:
    """What more than half of the values say; an absent value is one of them."""
    present = [value for value in values if value is not ABSENT]
    if 2 * len(present) <= len(values):
        return ABSENT
    first = present[0]
    if all(same(first, value) for value in present[1:]):
        return first
    nulls = sum(value is None for value in present)
    if nulls and 2 * (len(present) - nulls) <= len(values):
        return None if 2 * nulls > len(values) else ABSENT
    kinds = {type(value) for value in present if value is not None}
    if kinds == {dict}:
        found = _map(values, node)
        return found if found or 2 * present.count({}) > len(values) else ABSENT
    if kinds == {list} and not nulls and node is not None and node.rule.strategy == "merge":
        items = _keyed(values, node.rule, node.items)
        if items is not None:
            return items or ABSENT
    if dict in kinds:
        # A map and a scalar cannot be laid over each other, so neither is in the base.
        return ABSENT
    return _majority(present, len(values))


def _majority(present: Sequence[Any], count: int) -> Any:
    groups: list[list[Any]] = []
    for value in present:
        group = next((group for group in groups if same(group[0], value)), None)
        if group is None:
            groups.append([value])
        else:
            group.append(value)
    largest = max(groups, key=len)
    return largest[0] if 2 * len(largest) > count else ABSENT


def _map(values: Sequence[Any], node: Node | None) -> dict[str, Any]:
    keys = dict.fromkeys(key for value in values if type(value) is dict for key in value)
    found: dict[str, Any] = {}
    for key in keys:
        each = [value.get(key, ABSENT) if type(value) is dict else ABSENT for value in values]
        agreed = _agreed(each, node.child(key) if node is not None else None)
        if agreed is not ABSENT:
            found[key] = agreed
    return found


def _keyed(values: Sequence[Any], rule: ListRule, node: Node | None) -> list[Any] | None:
    """The items that most lists have, each with what they agree on; None when a list's items cannot be told apart."""
    indexed = [_index(rule, value) if value is not ABSENT else {} for value in values]
    lists = [each for each in indexed if each is not None]
    if len(lists) < len(indexed):
        return None
    agreed: dict[Identity, Any] = {}
    for identity in dict.fromkeys(identity for each in lists for identity in each):
        item = _agreed([each.get(identity, ABSENT) for each in lists], node)
        if item is not ABSENT:
            agreed[identity] = item
    return [agreed[identity] for identity in _ordered(agreed, lists)]


def _index(rule: ListRule, items: list[Any]) -> dict[Identity, Any] | None:
    found: dict[Identity, Any] = {}
    for item in items:
        if type(item) is not dict or not any(item.get(key) is not None for key in rule.keys):
            return None
        if any(type(item.get(key)) in {dict, list} for key in rule.keys):
            return None
        found[identity_of(rule, item)] = item
    return found if len(found) == len(items) else None


def _ordered(chosen: dict[Identity, Any], lists: Sequence[dict[Identity, Any]]) -> list[Identity]:
    """The chosen items in the order of the list that has most of them, the others after what they follow elsewhere."""
    ranked = sorted(([identity for identity in each if identity in chosen] for each in lists), key=len, reverse=True)
    order = list(ranked[0])
    for each in ranked[1:]:
        for before, identity in pairwise([None, *each]):
            if identity is not None and identity not in order:
                order.insert(order.index(before) + 1 if before is not None else 0, identity)
    return order


def _with_texts(agreed: Value, values: Sequence[Value]) -> Value:
    """The ConfigMap with a text for each embedded file on which the environments differ."""
    maps = [value.get("data") for value in values]
    data = agreed.get("data", {})
    if type(data) is not dict:
        return agreed
    keys = dict.fromkeys(key for each in maps if type(each) is dict for key in each)
    chosen: dict[str, str] = {}
    for key in keys:
        texts = [each.get(key) if type(each) is dict else None for each in maps]
        present = [text for text in texts if type(text) is str]
        if key not in data and 2 * len(present) > len(texts) and configtext.format_of(key) is not None:
            text = _best_text(key, present)
            if text is not None:
                chosen[key] = text
    return {**agreed, "data": {**data, **chosen}} if chosen else agreed


def _best_text(key: str, texts: Sequence[str]) -> str | None:
    """The text from which the others follow with the fewest changes; None when they have too little in common."""
    distinct = list(dict.fromkeys(texts))
    best, least = None, _WORTHWHILE * sum(map(len, texts))
    for candidate in distinct[:_MOST_TEXTS]:
        size = len(candidate)
        for text in texts:
            derived = configtext.derive_text(key, candidate, text)
            size += len(text) if derived is None else len(derived)
        if size < least:
            best, least = candidate, size
    return best

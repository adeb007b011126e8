"""Pairs the items of one list over the environments, by what tells the items apart."""

from __future__ import annotations

import re
from itertools import chain, pairwise
from typing import Any, Final

from envcompile.chart.names import camel
from envcompile.chart.shapes import Elem
from envcompile.record import Record

_KEYS: Final[tuple[tuple[str, ...], ...]] = (
    ("name",),
    ("mountPath",),
    ("containerPort",),
    ("containerPort", "protocol"),
    ("port",),
    ("port", "protocol"),
    ("devicePath",),
    ("key",),
    ("host",),
    ("path",),
    ("ip",),
    ("topologyKey",),
    ("secretName",),
    ("kind", "name", "namespace"),
    ("id",),
    ("type",),
)
_NAMED: Final = frozenset({"env", "containers", "initContainers", "volumes", "volumeMounts", "imagePullSecrets"})
"""Lists whose items are what their name says: an item of another name is another item."""

_TOKENS = re.compile(r"[A-Za-z0-9]+")


class Pairing(Record, frozen=True):
    """A list over all environments: one row an item, in an order that suits every environment."""

    rows: tuple[tuple[Elem, dict[int, Any]], ...]


def _metric_label(item: dict[str, Any]) -> str | None:
    """What a metric of an autoscaler measures; autoscalers list several of one type."""
    for field in ("resource", "pods", "object", "external", "containerResource"):
        source = item.get(field)
        if isinstance(source, dict):
            metric = source.get("metric")
            name = source.get("name") or (metric.get("name") if isinstance(metric, dict) else None)
            return name if isinstance(name, str) else None
    return None


def _label(item: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    parts = []
    for key in keys:
        value = item.get(key)
        if value is None and key in {"protocol", "namespace"}:
            continue
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            return None
        parts.append(str(value))
    return "-".join(parts)


def _labelled(lists: list[list[dict[str, Any]]], name: str) -> list[list[str]] | None:
    """The labels of every item, by the first key that tells the items of every list apart; None when none does."""
    if name == "metrics":
        metrics = [[_metric_label(item) for item in items] for items in lists]
        if all(None not in labels and len(set(labels)) == len(labels) for labels in metrics):
            return [[label for label in labels if label is not None] for labels in metrics]
    for keys in _KEYS:
        found: list[list[str]] = []
        for items in lists:
            labels = [_label(item, keys) for item in items]
            if None in labels or len(set(labels)) != len(labels):
                break
            found.append([label for label in labels if label is not None])
        else:
            return found
    return None


def merged_order(sequences: list[list[str]]) -> list[str] | None:
    """One order that every sequence is a part of; None when they contradict each other."""
    first_seen = list(dict.fromkeys(chain.from_iterable(sequences)))
    if all(sequence == first_seen for sequence in sequences):
        return first_seen
    after: dict[str, set[str]] = {label: set() for label in first_seen}
    waiting = dict.fromkeys(first_seen, 0)
    for sequence in sequences:
        for one, other in pairwise(sequence):
            if other not in after[one]:
                after[one].add(other)
                waiting[other] += 1
    order: list[str] = []
    ready = [label for label in first_seen if not waiting[label]]
    while ready:
        label = ready.pop(0)
        order.append(label)
        freed = []
        for other in after[label]:
            waiting[other] -= 1
            if not waiting[other]:
                freed.append(other)
        ready = sorted(ready + freed, key=first_seen.index)
    return order if len(order) == len(first_seen) else None


def _positional(per: dict[int, list[dict[str, Any]]], length: int) -> Pairing:
    labels = [f"item{position}" for position in range(length)]
    common: list[str] = []
    for position in range(length):
        words = [
            [token for value in items[position].values() if isinstance(value, str) for token in _TOKENS.findall(value)]
            for items in per.values()
        ]
        shared = [word for word in words[0] if all(word in other for other in words) and not word.isdigit()]
        common.append(camel(shared[0]) if shared else "")
    if all(common) and len(set(common)) == length:
        labels = common
    return Pairing(
        tuple(
            (Elem(labels[position], alone=length == 1), {index: items[position] for index, items in per.items()})
            for position in range(length)
        ),
    )


def _unrelated(labels: list[list[str]]) -> bool:
    """Whether no item of one list is in all others: then the n-th item of one is more likely the n-th of the others."""
    return not set(labels[0]).intersection(*labels[1:])


def pair(per: dict[int, list[Any]], name: str) -> Pairing | None:
    """The rows of a list called `name`; None when its items cannot be told apart or stand in contradicting orders."""
    lists = list(per.values())
    if not all(isinstance(item, dict) for items in lists for item in items):
        return None
    lengths = {len(items) for items in lists}
    labels = _labelled(lists, name)
    if len(lengths) == 1:
        length = next(iter(lengths))
        if labels is None or (len(labels) > 1 and name not in _NAMED and _unrelated(labels)):
            return _positional(per, length)
    if labels is None:
        return None
    order = merged_order(labels)
    if order is None:
        return None
    alone = len(order) == 1
    rows: dict[str, dict[int, Any]] = {label: {} for label in order}
    for index, items, own in zip(per, lists, labels, strict=True):
        for label, item in zip(own, items, strict=True):
            rows[label][index] = item
    return Pairing(tuple((Elem(label, alone), values) for label, values in rows.items()))

"""Who wrote which field of a live object: `metadata.managedFields` as trees that are walked beside the object.

Source: kubernetes.io, "Server-Side Apply" (field management), and `fieldpath` of sigs.k8s.io/structured-merge-diff.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.kubernetes.clustermade import map_at
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CLUSTER: Final = frozenset({
    "clusterrole-aggregation-controller",
    "cloud-controller-manager",
    "horizontal-pod-autoscaler",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kwok",
})
"""Managers that are parts of a cluster and nobody's hand."""
CLIENT_SIDE: Final = "kubectl-client-side-apply"
"""The manager of everybody's `kubectl apply` without `--server-side`."""


class Writer(NamedTuple):
    """One who wrote fields: its name, how (`Apply` or `Update`), through which subresource, and when it last did."""

    manager: str
    operation: str
    subresource: str
    time: str
    """RFC 3339, as the server says it; empty where it says none."""

    @property
    def is_cluster(self) -> bool:
        """Whether the cluster itself wrote: one of its parts, or anybody who reports a state."""
        return self.manager in CLUSTER or self.subresource == "status"


class Owned(NamedTuple):
    """What a writer owns at one place of an object and below it; an empty tree owns the whole value."""

    writer: Writer
    tree: Mapping[str, Any]
    is_named: bool = True
    """The place itself is named, and not only a value around it that is owned as a whole."""

    @property
    def is_whole(self) -> bool:
        """Whether the writer owns the value itself, and not only something within it."""
        return not self.tree or "." in self.tree


Owners = tuple[Owned, ...]


def owners_of(live: Mapping[str, Any]) -> Owners:
    """Everybody who wrote something of a live object; the one who wrote last comes last."""
    entries = map_at(live, "metadata").get("managedFields")
    found = []
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(tree := entry.get("fieldsV1"), dict) or not tree:
            continue
        writer = Writer(*(str(entry.get(name) or "") for name in ("manager", "operation", "subresource", "time")))
        found.append(Owned(writer, tree))
    return tuple(sorted(found, key=lambda owned: owned.writer.time))


def below_field(owners: Owners, name: str) -> Owners:
    """Who owns something at a field of the value."""
    return _below(owners, f"f:{name}")


def below_item(owners: Owners, item: Any, defaults: Iterable[tuple[str, Any]] = ()) -> Owners:
    """Who owns something at an item of a list that is joined by keys.

    Args:
        owners: those of the list.
        item: the item.
        defaults: the values of keys that it leaves out.
    """
    if not isinstance(item, dict):
        return tuple(owned for owned in owners if not owned.tree)
    said = {**dict(defaults), **item}
    found = []
    for owned in owners:
        if not owned.tree:
            found.append(owned._replace(is_named=False))
        for step, tree in owned.tree.items():
            if step.startswith("k:") and all(said.get(key, ABSENT) == value for key, value in _read(step).items()):
                found.append(Owned(owned.writer, tree if isinstance(tree, dict) else {}))
    return tuple(found)


def below_value(owners: Owners, value: Any) -> Owners:
    """Who owns a value of a list that is a set."""
    return tuple(
        Owned(owned.writer, {}, bool(owned.tree))
        for owned in owners
        if not owned.tree or any(step.startswith("v:") and _read(step) == value for step in owned.tree)
    )


def is_set(owners: Owners) -> bool:
    """Whether the server takes a list for a set of values."""
    return any(step.startswith("v:") for owned in owners for step in owned.tree)


def keys_of(owners: Owners) -> tuple[str, ...]:
    """By which keys the server joins the items of a list; nothing where no one owns an item of it."""
    for owned in owners:
        for step in owned.tree:
            if step.startswith("k:"):
                return tuple(_read(step))
    return ()


def _below(owners: Owners, step: str) -> Owners:
    found = []
    for owned in owners:
        if not owned.tree:
            found.append(owned._replace(is_named=False))
        elif step in owned.tree:
            tree = owned.tree[step]
            found.append(Owned(owned.writer, tree if isinstance(tree, dict) else {}))
    return tuple(found)


def _read(step: str) -> Any:
    try:
        return json.loads(step[2:])
    except ValueError:
        return {}


def part_of(value: Any, tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a map that a tree owns, each cut to what it owns of it."""
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        inner = tree.get(f"f:{name}")
        if inner is None:
            continue
        cut = dict(part_of(item, inner)) if isinstance(item, dict) and set(inner) - {"."} else item
        yield name, cut

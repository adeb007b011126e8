"""Which kind of resource a field of a source names, by where it stands: for completion and for renaming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.yamlio.nodes import LIST, MAP, SCALAR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.model import Pointer
    from envcompile.yamlio.nodes import Node

_BELOW: Final[Mapping[str, str]] = {
    "configMap": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "imagePullSecrets": "Secret",
    "nodePublishSecretRef": "Secret",
    "service": "Service",
    "serviceAccountRef": "ServiceAccount",
    "secretStoreRef": "SecretStore",
}
"""What `name` names below these fields, unless a `kind` stands beside it."""
_NAMED: Final[Mapping[str, str]] = {
    "secretName": "Secret",
    "serviceAccountName": "ServiceAccount",
    "claimName": "PersistentVolumeClaim",
    "serviceName": "Service",
}
_BY_KIND: Final = ("scaleTargetRef", "targetRef", "roleRef", "subjects", "secretStoreRef", "target", "issuerRef")
"""Fields that say themselves which kind they name."""


def referred_kind(pointer: Pointer, beside: Node | None) -> str:
    """The kind of what a field names, as far as its place tells; empty when it names nothing.

    Args:
        pointer: the way to the field in its document.
        beside: the map that it stands in.
    """
    names = [part for part in pointer if isinstance(part, str)]
    if not names:
        return ""
    if names[-1] in _NAMED:
        return _NAMED[names[-1]]
    above = names[-2] if len(names) > 1 else ""
    if names[-1] != "name":
        return ""
    kind = beside.find("kind") if beside is not None and beside.kind == MAP else None
    if above in _BY_KIND and kind is not None:
        return kind[1].text
    return _BELOW.get(above, "")


def named_kind(pointer: Pointer, root: Node) -> str:
    """The kind of the resource whose own name stands at a place of a document; empty anywhere else."""
    if pointer[-2:] != ("metadata", "name"):
        return ""
    node: Node | None = root
    for part in pointer[:-2]:
        found = node.find(part) if node is not None else None
        node = found[1] if found is not None else None
    kind = node.find("kind") if node is not None and node.kind == MAP else None
    return kind[1].text if kind is not None else ""


def scalars(
    node: Node, pointer: Pointer = (), beside: Node | None = None
) -> Iterator[tuple[Pointer, Node, Node | None]]:
    """Every scalar of a document: the way to it, its node, and the map that it stands in."""
    if node.kind == SCALAR:
        yield pointer, node, beside
    elif node.kind == MAP:
        for entry in node.entries:
            if isinstance(entry.key, str):
                yield from scalars(entry.value, (*pointer, entry.key), node)
    elif node.kind == LIST:
        for position, item in enumerate(node.items):
            yield from scalars(item, (*pointer, position), beside)

"""Which workloads read a Secret: what restarts, or has to be restarted, when its value changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NAMED_BY = {
    "secretKeyRef": "name",
    "secretRef": "name",
    "secret": "secretName",
    "imagePullSecrets": "name",
    "tls": "secretName",
    "nodePublishSecretRef": "name",
}
"""Fields that point at a Secret, and the field below that names it."""


class Reader(NamedTuple):
    """A resource that reads a Secret, and whether it restarts by itself when the Secret changes."""

    kind: str
    name: str
    keys: tuple[str, ...]
    """The keys it reads by name; empty when it takes the whole Secret."""


def readers(
    resources: Iterable[Mapping[str, Any]], namespace: str, secret: str, key: str | None = None
) -> list[Reader]:
    """The resources of a namespace that read a Secret (or one key of it), by kind and name."""
    found = []
    for value in resources:
        metadata = value.get("metadata") or {}
        if metadata.get("namespace") != namespace or value.get("kind") in {"Secret", "SealedSecret", "ExternalSecret"}:
            continue
        uses = list(_uses(value, secret))
        if uses and (key is None or None in uses or key in uses):
            keys = () if None in uses else tuple(sorted({use for use in uses if use is not None}))
            found.append(Reader(str(value.get("kind")), str(metadata.get("name")), keys))
    return sorted(found)


def _uses(value: Any, secret: str) -> Iterator[str | None]:
    """The keys under which a value reads the Secret; None for all of them."""
    if isinstance(value, list):
        for item in value:
            yield from _uses(item, secret)
        return
    if not isinstance(value, dict):
        return
    for field, below in value.items():
        naming = _NAMED_BY.get(field)
        for item in (below if isinstance(below, list) else [below]) if naming else ():
            if isinstance(item, dict) and secret in {item.get(naming), item.get("name")}:
                items = item.get("items")
                if field == "secretKeyRef":
                    yield str(item.get("key"))
                elif isinstance(items, list) and items:
                    yield from (str(one.get("key")) for one in items if isinstance(one, dict))
                else:
                    yield None
        yield from _uses(below, secret)

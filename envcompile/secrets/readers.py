"""Which workloads read a Secret: what restarts, or has to be restarted, when its value changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.kubernetes.references import secret_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Consumer(NamedTuple):
    """A resource that reads a Secret, and whether it restarts by itself when the Secret changes."""

    kind: str
    name: str
    keys: tuple[str, ...]
    """The keys it reads by name; empty when it takes the whole Secret."""


def readers(
    resources: Iterable[Mapping[str, Any]], namespace: str, secret: str, key: str | None = None
) -> list[Consumer]:
    """The resources of a namespace that read a Secret (or one key of it), by kind and name."""
    found = []
    for value in resources:
        metadata = value.get("metadata") or {}
        if metadata.get("namespace") != namespace or value.get("kind") in {"Secret", "SealedSecret", "ExternalSecret"}:
            continue
        uses = list(secret_keys(value, secret))
        if uses and (key is None or None in uses or key in uses):
            keys = () if None in uses else tuple(sorted({use for use in uses if use is not None}))
            found.append(Consumer(str(value.get("kind")), str(metadata.get("name")), keys))
    return sorted(found)

"""Compiled and live values in one form, and whether two of them mean the same to an API server."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.cleaner import clean
from envcompile.kubernetes.clustermade import map_at
from envcompile.kubernetes.quantities import quantity
from envcompile.values import ABSENT, equal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.kubernetes.schema import Node

NO_BUNDLE: Final = frozenset({"", "Cg=="})
"""What manifests say in place of a certificate that somebody injects; `Cg==` is an empty line."""


_MARKS: Final[Mapping[str, frozenset[str]]] = {
    "annotations": frozenset({
        "argocd.argoproj.io/tracking-id",
        "argocd.argoproj.io/installation-id",
        "meta.helm.sh/release-name",
        "meta.helm.sh/release-namespace",
    }),
    "labels": frozenset({
        "app.kubernetes.io/instance",
        "app.kubernetes.io/managed-by",
        "argocd.argoproj.io/instance",
        "helm.toolkit.fluxcd.io/name",
        "helm.toolkit.fluxcd.io/namespace",
        "kustomize.toolkit.fluxcd.io/name",
        "kustomize.toolkit.fluxcd.io/namespace",
    }),
}
"""By what the programs that apply objects know them again: Argo CD, Flux, Helm."""


class Digest:
    """What stands in the place of a Secret's value: it can be compared and never seen."""

    __slots__ = ("_digest",)

    def __init__(self, value: bytes, key: bytes) -> None:
        self._digest = hashlib.blake2b(value, key=key, digest_size=32).digest()

    def __eq__(self, other: object) -> bool:
        return self._digest == other._digest if isinstance(other, Digest) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return "<redacted>"


def is_nothing(value: Any) -> bool:
    """Whether a value is as good as none: null, an empty map, an empty list or an empty text."""
    return value is ABSENT or value is None or (isinstance(value, dict | list | str) and not value)


def agree(node: Node | None, want: Any, have: Any) -> bool:
    """Whether two values that hold no others mean the same; amounts are compared by what they are worth.

    Args:
        node: the schema of the value, where one is known.
        want: the compiled value.
        have: the live one.
    """
    if isinstance(want, Digest) or isinstance(have, Digest):
        return bool(want == have)
    if equal(want, have):
        return True
    if node is None or node.type != "quantity" or isinstance(want, dict | list) or isinstance(have, dict | list):
        return False
    amount = quantity(want)
    return amount is not None and amount == quantity(have)


def compiled_form(value: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """A compiled object as the server keeps it: `stringData` is folded in, a Secret's values are digests.

    Args:
        value: the object.
        key: keys the digests; of no meaning to anybody else.
    """
    done = {name: item for name, item in value.items() if name != "status"}
    metadata = map_at(done, "metadata")
    done["metadata"] = {name: item for name, item in metadata.items() if name not in {"creationTimestamp", "namespace"}}
    if _is_secret(value):
        plain = map_at(done, "stringData")
        done.pop("stringData", None)
        data = {name: _digest_of(item, key) for name, item in map_at(done, "data").items()}
        data |= {name: Digest(str(item).encode(), key) for name, item in plain.items()}
        if data:
            done["data"] = data
    elif isinstance(files := done.get("binaryData"), dict):
        done["binaryData"] = {name: _canonical(item) for name, item in files.items()}
    if done.get("aggregationRule") and value.get("kind") == "ClusterRole":
        done["rules"] = []
    return done


def without_marks(value: dict[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    """An object without the marks of whoever applied it; one that the compiled object has itself stays."""
    metadata = dict(map_at(value, "metadata"))
    for field, marks in _MARKS.items():
        asked = map_at(desired, "metadata", field)
        found = map_at(metadata, field)
        if left := {name: text for name, text in found.items() if name in asked or name not in marks}:
            metadata[field] = left
        elif found:
            del metadata[field]
    return {**value, "metadata": metadata}


def live_form(
    live: dict[str, Any], desired: Mapping[str, Any], key: bytes, *, is_marked: bool = False
) -> dict[str, Any]:
    """A live object without what only a server writes; what the compiled object asks for stays.

    Args:
        live: the server's answer.
        desired: the compiled object.
        key: as of `compiled_form`.
        is_marked: a program that marks its objects applies it.
    """
    done = dict(clean(live, asked=desired).value)
    metadata = dict(map_at(done, "metadata"))
    metadata.pop("namespace", None)
    # Who owns an object is a matter of its metadata's writers here, not of the manifest somebody would apply.
    if owners := map_at(live, "metadata").get("ownerReferences"):
        metadata["ownerReferences"] = owners
    done["metadata"] = metadata
    if _is_secret(live):
        done["data"] = {name: _digest_of(item, key) for name, item in map_at(done, "data").items()}
    return without_marks(done, desired) if is_marked else done


def _is_secret(value: Mapping[str, Any]) -> bool:
    return value.get("kind") == "Secret" and value.get("apiVersion") == "v1"


def _digest_of(encoded: Any, key: bytes) -> Digest:
    return Digest(_decoded(encoded), key)


def _decoded(encoded: Any) -> bytes:
    text = str(encoded if encoded is not None else "")
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return text.encode()


def _canonical(encoded: Any) -> Any:
    return base64.b64encode(_decoded(encoded)).decode() if isinstance(encoded, str) else encoded

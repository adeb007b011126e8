"""Names that kustomize's generators made: the name somebody chose, and a hash of the content behind it.

Source: kustomize api/hasher `encode`: ten of the characters that hexadecimal digits become when vowels and look-alikes
are replaced.
"""

from __future__ import annotations

import re
from typing import Any, Final

_HASH: Final = r"-[bcdfghkmt2456789]{10}$"
SUFFIX_ANNOTATION: Final = "envcompile.dev/name-suffix"
"""On a ConfigMap or Secret: `hash`, where its name shall end in one; the build takes it out."""
GENERATED_KINDS: Final = frozenset({"ConfigMap", "Secret"})


def has_content_hash(name: str) -> bool:
    """Whether a name ends in such a hash."""
    return re.search(_HASH, name) is not None


def without_content_hash(name: str) -> str:
    """The name that somebody chose."""
    return re.sub(_HASH, "", name)


def takes_away(patch: dict[str, Any]) -> bool:
    """Whether a partial object takes the hash behind the name away from what is below it."""
    metadata = patch.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and annotations.get(SUFFIX_ANNOTATION, "") is None


def without_withdrawals(value: dict[str, Any]) -> dict[str, Any]:
    """What a `kind: Generate` of an overlay makes where nothing is below it: there is nothing that it takes away."""
    metadata = value["metadata"]
    annotations = metadata.get("annotations")
    if not isinstance(annotations, dict) or SUFFIX_ANNOTATION not in annotations:
        return value
    kept = {name: text for name, text in annotations.items() if text is not None}
    placed = {key: item for key, item in value.items() if key != "immutable" or item is not None}
    return {**placed, "metadata": with_annotations(metadata, kept)}


def with_annotations(metadata: dict[str, Any], annotations: dict[str, Any]) -> dict[str, Any]:
    """The metadata with some annotations, and without the field where there are none."""
    if annotations:
        return {**metadata, "annotations": annotations}
    return {key: item for key, item in metadata.items() if key != "annotations"}

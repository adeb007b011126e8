"""What a resource holds in clear: which fields of a Secret are plaintext, which its annotations declare harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.model import HARMLESS_ANNOTATION

if TYPE_CHECKING:
    from envcompile.model import Pointer

OWN_ANNOTATIONS = "envcompile.dev/"
"""Annotations that speak to envc and are no part of any emitted object."""


def is_secret(value: Any) -> bool:
    """Whether a resource is a core Secret."""
    return isinstance(value, dict) and value.get("kind") == "Secret" and value.get("apiVersion") == "v1"


def listed(annotations: Any, name: str) -> frozenset[str]:
    """The keys that an annotation lists, separated by commas."""
    text = annotations.get(name) if isinstance(annotations, dict) else None
    return frozenset(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else frozenset()


def is_listed(key: str, annotations: Any, name: str) -> bool:
    """Whether an annotation lists a key; `*` stands for every key."""
    return bool({key, "*"} & listed(annotations, name))


def find_plaintext(value: Any) -> list[Pointer]:
    """The fields of a resource that hold a secret in clear: what no compiled environment may contain.

    Looks at a Secret, and into a `List`. A key is fine when the Secret declares it harmless.
    """
    if not isinstance(value, dict):
        return []
    if isinstance(items := value.get("items"), list) and str(value.get("kind", "")).endswith("List"):
        return [("items", index, *rest) for index, item in enumerate(items) for rest in find_plaintext(item)]
    if not is_secret(value):
        return []
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return [
        (part, key)
        for part in ("data", "stringData")
        if isinstance(value.get(part), dict)
        for key in value[part]
        if not is_listed(key, annotations, HARMLESS_ANNOTATION)
    ]

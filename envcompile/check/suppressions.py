"""Findings set aside beside the resource: the annotation `envcompile.dev/ignore`, with a reason for each rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from envcompile.model import Pointer, ResourceId

IGNORE: Final = "envcompile.dev/ignore"
"""The annotation; its text is `rule: reason`, several on lines of their own or with `;` between them."""
POINTER: Final[Pointer] = ("metadata", "annotations", IGNORE)

_SEPARATOR = re.compile(r"[;\n]")


class Suppression(NamedTuple):
    """One entry of the annotation."""

    resource: ResourceId
    rule: str
    reason: str


def read_suppressions(resource: ResourceId, value: dict[str, Any]) -> list[Suppression]:
    """The entries of a resource's annotation in their order; none without one."""
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    text = annotations.get(IGNORE) if isinstance(annotations, dict) else None
    if not isinstance(text, str):
        return []
    found = []
    for entry in _SEPARATOR.split(text):
        rule, _, reason = entry.partition(":")
        if entry.strip():
            found.append(Suppression(resource, rule.strip(), reason.strip()))
    return found

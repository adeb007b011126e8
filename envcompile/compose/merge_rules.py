"""For `explain`: which rule each list on the way to a field follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.schema import UNKNOWN_RULE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.kubernetes import ListRule, Node
    from envcompile.model import Pointer


def walk(node: Node | None, value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, ListRule]]:
    """Follow a pointer through a resource and give each list it meets, with the rule by which the list merges.

    `node` is the schema of the resource's root, None for an unknown kind. A list at the end of the way counts; what the
    pointer leads to beyond the value's own fields is left out.
    """
    for depth in range(len(pointer) + 1):
        if isinstance(value, list):
            yield pointer[:depth], UNKNOWN_RULE if node is None else node.rule
        if depth == len(pointer):
            return
        part = pointer[depth]
        if isinstance(value, dict) and part in value:
            node = node.child(str(part)) if node is not None else None
        elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
            node = node.items if node is not None else None
        else:
            return
        value = value[part]

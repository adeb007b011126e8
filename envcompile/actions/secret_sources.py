"""What a sealed or external field was made of: the key of the Secret that people wrote, and who had a say in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.compose.provenance import explain
from envcompile.kubernetes.fieldpath import Item, parse_field

if TYPE_CHECKING:
    from envcompile.compose.provenance import FieldOrigin, Where
    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Resource

_PARTS: Final = ("stringData", "data")
"""Where a Secret holds its keys, the way people write it first."""
_SAME: Final = (
    ("spec", "encryptedData"),
    ("spec", "template", "data"),
    ("spec", "target", "template", "data"),
)
"""Below these the keys of the Secret stand under their own names."""
_ITEMS: Final = ("spec", "data")
"""The list of an ExternalSecret, whose items name a key."""


def secret_source(target: Resource, field: str, api: KubeApi, where: Where) -> FieldOrigin | None:
    """Who had a say in the key of a Secret that a field was made of; None for any other field.

    Args:
        target: the compiled resource.
        field: the field of it, as `envc explain` names it.
        api: the kinds.
        where: the places of settings.
    """
    if target.id.kind == "Secret" or not any(step.after.get("kind") == "Secret" for step in target.steps):
        return None
    path, _ = parse_field(field)
    key = _key_of(path)
    for part in _PARTS if key is not None else ():
        found = explain(target, (part, str(key)), api, where)
        if found:
            return found[0]
    return None


def _key_of(path: FieldPath) -> str | None:
    for above in _SAME:
        if len(path) == len(above) + 1 and path[: len(above)] == above:
            return str(path[-1])
    if len(path) > len(_ITEMS) and path[: len(_ITEMS)] == _ITEMS:
        item = path[len(_ITEMS)]
        if isinstance(item, Item):
            return next((str(value) for name, value in item.keys if name == "secretKey"), None)
    return None

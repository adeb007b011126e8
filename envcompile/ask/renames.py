"""Resources that went under one name and came back under another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.generated import GENERATED_KINDS, has_content_hash, without_content_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.model import Resource, ResourceId

LEAST = 0.6
"""How much of their fields two resources share, of all that either has, before they count as one that was renamed."""
_MOST = 2_000
"""Pairs that are compared; a change of more replaces an environment, and nobody looks for renames in it."""


def renames(removed: Sequence[Resource], added: Sequence[Resource]) -> dict[ResourceId, ResourceId]:
    """New identity -> old identity, the most alike first; both are of one group and kind.

    Names that differ in kustomize's hash of the content only are one, whatever the content is. Else likeness is the
    Jaccard index of the sets of fields with their values; the object's own name is left out, and stands for itself
    where it appears in other fields.
    """
    found = _generated(removed, added)
    removed = [resource for resource in removed if resource.id not in found.values()]
    added = [resource for resource in added if resource.id not in found]
    pairs = [
        (old, new) for old in removed for new in added if (old.id.group, old.id.kind) == (new.id.group, new.id.kind)
    ]
    if not pairs or len(pairs) > _MOST:
        return found
    fields = {resource.id: set(_fields(resource.value, resource.id.name, ())) for resource in (*removed, *added)}
    scored = sorted(
        ((-_likeness(fields[old.id], fields[new.id]), new.id, old.id) for old, new in pairs),
    )
    taken: set[ResourceId] = set()
    for likeness, new_id, old_id in scored:
        if -likeness >= LEAST and new_id not in found and old_id not in taken:
            found[new_id] = old_id
            taken.add(old_id)
    return found


def _generated(removed: Sequence[Resource], added: Sequence[Resource]) -> dict[ResourceId, ResourceId]:
    """The pairs of generated names; of several of one name there is no telling which became which."""
    sides: list[dict[tuple[str, str, str], list[ResourceId]]] = [{}, {}]
    for side, resources in zip(sides, (removed, added), strict=True):
        for each in (resource.id for resource in resources):
            if each.kind in GENERATED_KINDS and not each.group and has_content_hash(each.name):
                side.setdefault((each.kind, each.namespace, without_content_hash(each.name)), []).append(each)
    old, new = sides
    return {new[key][0]: old[key][0] for key in new if len(new[key]) == len(old.get(key, ())) == 1}


def _likeness(left: set[Any], right: set[Any]) -> float:
    return len(left & right) / len(left | right)


def _fields(value: Any, own_name: str, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        for key, held in value.items():
            if (*path, key) not in {("metadata", "name"), ("metadata", "namespace")}:
                yield from _fields(held, own_name, (*path, key))
    elif isinstance(value, list) and value:
        for item in value:
            yield from _fields(item, own_name, (*path, "[]"))
    else:
        text = value.replace(own_name, "\0") if isinstance(value, str) else str(value)
        yield (*path, type(value).__name__, text)

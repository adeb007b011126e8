"""Who last changed each field of a resource: found in the recorded changes, without reading old contents.

A change that a merge brought in is followed to the commit on the merged branch, as `git blame` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.history.figures import changes_of_fields, parents, presence
from envcompile.kubeapi.fieldpath import format_field, keyed, look_up, parse_field, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.history.store import Revision, Store
    from envcompile.kubeapi import Node
    from envcompile.kubeapi.fieldpath import FieldPath
    from envcompile.model import Pointer, ResourceId


class Blamed(NamedTuple):
    """A field, its value, and the commit that gave it that value.

    `how` is `changed`, `added` (the field) or `created` (the whole resource); `old` is the JSON of the value before,
    empty where there was none; `place` is FILE:LINE:COLUMN, empty when it is not recorded. `or_before` means that
    earlier commits are not recorded.
    """

    path: FieldPath
    value: Any
    commit: str
    how: str
    old: str
    place: str
    or_before: bool

    @property
    def field(self) -> str:
        """The field as people write it."""
        return format_field(self.path)


class _Row(NamedTuple):
    field: str
    how: str
    old: str
    place: str


class _Leaf(NamedTuple):
    path: FieldPath
    pointer: Pointer
    value: Any


def blame(
    store: Store, environment: str, commit: str, resource: ResourceId, node: Node | None, within: FieldPath = ()
) -> list[Blamed]:
    """The last change of every field of a resource that a commit has; empty when it has no such field.

    Args:
        store: the history database.
        environment: its name.
        commit: a recorded commit.
        resource: a resource of the environment at that commit.
        node: the schema of its kind, for the merge keys of lists.
        within: only this field, and what is below it.
    """
    search = _Search(store, environment, resource)
    value = search.value_at(search.revisions[commit])
    start = resolve(within, value)
    if start is None:
        return []
    leaves = [
        _Leaf(keyed(pointer, value, node), pointer, look_up(value, pointer))
        for pointer in _pointers(look_up(value, start), start)
    ]
    found = {blamed.path: blamed for blamed in search.follow(search.revisions[commit], leaves)}
    return [found[leaf.path] for leaf in leaves]


class _Search:
    """The recorded changes of one resource."""

    def __init__(self, store: Store, environment: str, resource: ResourceId) -> None:
        self._store = store
        self._resource = resource
        self.revisions = store.revisions(environment)
        self._by_id = {revision.id: revision for revision in self.revisions.values()}
        self._parents = parents(store.database)
        self._presence = presence(store.database, environment, resource)
        self._rows: dict[int, list[_Row]] = {}
        for revision, *row in changes_of_fields(store.database, environment, resource):
            self._rows.setdefault(revision, []).append(_Row(*row))

    def value_at(self, revision: Revision) -> Any:
        """The resource at a revision; None when it is not there."""
        held = self._store.state(revision.id).get(self._resource)
        return self._store.values([held.content])[held.content] if held is not None else None

    def follow(self, start: Revision, leaves: Sequence[_Leaf]) -> Iterator[Blamed]:
        """Walk back along first parents until every field has its commit."""
        pending = list(leaves)
        value = self.value_at(start)
        revision: Revision | None = start
        while revision is not None and pending:
            if revision.id in self._presence:
                rows = [
                    (pointer, row)
                    for row in self._rows.get(revision.id, ())
                    if row.how != "order" and (pointer := resolve(parse_field(row.field)[0], value)) is not None
                ]
                created = not self._was_there(revision)
                left: list[_Leaf] = []
                for leaf in pending:
                    row = next((row for pointer, row in rows if leaf.pointer[: len(pointer)] == pointer), None)
                    if row is None and not created:
                        left.append(leaf)
                    else:
                        yield self._elsewhere(revision, leaf) or self._here(revision, leaf, row)
                pending = left
            revision = self._by_id[revision.base] if revision.base is not None else None

    def _was_there(self, revision: Revision) -> bool:
        """Tell whether the revision before had the resource."""
        base = revision.base
        while base is not None:
            if base in self._presence:
                return self._presence[base]
            base = self._by_id[base].base
        return False

    def _here(self, revision: Revision, leaf: _Leaf, row: _Row | None) -> Blamed:
        if row is not None:
            return Blamed(leaf.path, leaf.value, revision.commit, row.how, row.old, row.place, or_before=False)
        before = self._parents.get(revision.commit, ())
        unknown = revision.base is None and bool(before) and before[0] not in self._parents
        return Blamed(leaf.path, leaf.value, revision.commit, "created", "", "", or_before=unknown)

    def _elsewhere(self, revision: Revision, leaf: _Leaf) -> Blamed | None:
        """Where a merge has a field from, when one of the merged branches has it as it is."""
        for parent in self._parents.get(revision.commit, ())[1:]:
            merged = self.revisions.get(parent)
            value = self.value_at(merged) if merged is not None else None
            pointer = resolve(leaf.path, value) if value is not None else None
            if merged is not None and pointer is not None and look_up(value, pointer) == leaf.value:
                return next(self.follow(merged, [_Leaf(leaf.path, pointer, leaf.value)]), None)
        return None


def _pointers(value: Any, pointer: Pointer) -> Iterator[Pointer]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _pointers(item, (*pointer, key))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from _pointers(item, (*pointer, position))
    else:
        yield pointer

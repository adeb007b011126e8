"""Who last changed each field of a resource: found in the recorded changes, without reading old contents.

A change that a merge brought in is followed to the commit on the merged branch, as `git blame` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.history.stats import changes_of_fields, parents, presence
from envcompile.kubernetes.fieldpath import format_field, keyed, look_up, parse_field, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.history.store import Revision, Store
    from envcompile.kubernetes import Node
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Pointer, ResourceId


Parts = Callable[[Any], Mapping[str, Any]]
"""Takes a resource apart."""


class Blamed(NamedTuple):
    """A field, or a key of a file in it, its value, and the commit that gave it that value.

    `how` is `changed`, `added` (the field) or `created` (the whole resource); `old` is the JSON of the value before,
    empty where there was none; `place` is FILE:LINE:COLUMN, empty when it is not recorded. `or_before` means that
    earlier commits are not recorded, or were pruned.
    """

    path: FieldPath
    value: Any
    commit: str
    how: str
    old: str
    place: str
    or_before: bool
    key: str = ""

    @property
    def field(self) -> str:
        """The field as people write it."""
        return format_field(self.path) + (f"#{self.key}" if self.key else "")


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


def blame_parts(
    store: Store, environment: str, commit: str, resource: ResourceId, path: FieldPath, parts: Parts
) -> list[Blamed]:
    """The last change of every part of a field that a commit has, such as the keys of a file in it.

    Args:
        store: the history database.
        environment: its name.
        commit: a recorded commit.
        resource: a resource of the environment at that commit.
        path: the field.
        parts: takes a resource apart, None for one that is not there: the name of each part and its value.
    """
    search = _Search(store, environment, resource)
    start = search.revisions[commit]
    now = parts(search.value_at(start))
    found = {blamed.key: blamed for blamed in search.follow_parts(start, path, parts, now)}
    return [found[name] for name in now]


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

    def follow_parts(
        self, start: Revision, path: FieldPath, parts: Parts, wanted: Mapping[str, Any]
    ) -> Iterator[Blamed]:
        """Walk back along first parents until every part has the commit that gave it its value."""
        pending = dict(wanted)
        revision: Revision | None = start
        while revision is not None and pending:
            base = self._by_id[revision.base] if revision.base is not None else None
            if revision.id in self._presence:
                before = self.value_at(base) if base is not None else None
                old = parts(before)
                for name, value in list(pending.items()):
                    if name not in old or old[name] != value:
                        del pending[name]
                        here = self._part_here(revision, path, name, value, old, is_new=before is None)
                        yield self._part_elsewhere(revision, path, parts, name, value) or here
            revision = base

    def _part_here(
        self, revision: Revision, path: FieldPath, name: str, value: Any, old: Mapping[str, Any], *, is_new: bool
    ) -> Blamed:
        how = "created" if is_new else "changed" if name in old else "added"
        text = json.dumps(old[name], ensure_ascii=False, default=str) if name in old else ""
        or_before = self._has_unknown_parent(revision) and is_new
        return Blamed(path, value, revision.commit, how, text, "", or_before, name)

    def _part_elsewhere(
        self, revision: Revision, path: FieldPath, parts: Parts, name: str, value: Any
    ) -> Blamed | None:
        """Where a merge has a part from, when one of the merged branches has it as it is."""
        for parent in self._parents.get(revision.commit, ())[1:]:
            merged = self.revisions.get(parent)
            there = parts(self.value_at(merged)) if merged is not None else {}
            if merged is not None and name in there and there[name] == value:
                return next(self.follow_parts(merged, path, parts, {name: value}), None)
        return None

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
        unknown = self._has_unknown_parent(revision)
        return Blamed(leaf.path, leaf.value, revision.commit, "created", "", "", or_before=unknown)

    def _has_unknown_parent(self, revision: Revision) -> bool:
        """Tell whether what was before a revision is not recorded, or was pruned."""
        before = self._parents.get(revision.commit, ())
        return revision.base is None and bool(before) and before[0] not in self._parents

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

"""Who last changed each field of a resource: found in the recorded changes, without reading old contents.

A change that a merge brought in is followed to the commit on the merged branch, as `git blame` does.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.history.stats import changes_of_fields, contents_by_revision, parents
from envcompile.kubernetes.fieldpath import format_field, keyed, look_up, parse_field, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.history.stats import FieldChange
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


class Blame:
    """Asks who last changed fields of an environment at a commit, as often as wanted; the database is read once.

    Args:
        store: the history database.
        environment: its name.
        commit: a recorded commit.
        only: the one resource that will be asked about; any of the environment when left out.
    """

    def __init__(self, store: Store, environment: str, commit: str, only: ResourceId | None = None) -> None:
        self._store = store
        self._line = _Line(store.revisions(environment), commit, parents(store.database))
        self._contents = contents_by_revision(store.database, environment, only)
        self._rows = changes_of_fields(store.database, environment, only)

    def fields(self, resource: ResourceId, node: Node | None, within: FieldPath = ()) -> list[Blamed]:
        """The last change of every field of a resource; empty when there is no such resource or field.

        Args:
            resource: any.
            node: the schema of its kind, for the merge keys of lists.
            within: only this field, and what is below it.
        """
        search = self._search(resource)
        value = search.value_at(self._line.start)
        start = resolve(within, value) if value is not None else None
        if start is None:
            return []
        leaves = [
            _Leaf(keyed(pointer, value, node), pointer, look_up(value, pointer))
            for pointer in _pointers(look_up(value, start), start)
        ]
        found = {blamed.path: blamed for blamed in search.follow(self._line.start, leaves)}
        return [found[leaf.path] for leaf in leaves]

    def parts(self, resource: ResourceId, path: FieldPath, parts: Parts) -> list[Blamed]:
        """The last change of every part of a field, such as the keys of a file in it.

        Args:
            resource: any.
            path: the field.
            parts: takes a resource apart, None for one that is not there: the name of each part and its value.
        """
        search = self._search(resource)
        now = parts(search.value_at(self._line.start))
        found = {blamed.key: blamed for blamed in search.follow_parts(self._line.start, path, parts, now)}
        return [found[name] for name in now]

    def _search(self, resource: ResourceId) -> _Search:
        return _Search(self._store, self._line, self._contents.get(resource, {}), self._rows.get(resource, ()))


class _Line:
    """The revisions of an environment, and the way back from one of them along first parents."""

    def __init__(self, revisions: Mapping[str, Revision], commit: str, above: Mapping[str, tuple[str, ...]]) -> None:
        self.revisions = revisions
        self.parents = above
        self.start = revisions[commit]
        self._by_id = {revision.id: revision for revision in revisions.values()}
        self._way: list[int] = []
        at: int | None = self.start.id
        while at is not None:
            self._way.append(at)
            at = self._by_id[at].base
        self._place = {number: place for place, number in enumerate(self._way)}

    def base(self, revision: Revision) -> Revision | None:
        """The revision before."""
        return self._by_id[revision.base] if revision.base is not None else None

    def places(self, touched: Iterable[int]) -> list[int]:
        """Where on the way revisions are, nearest first; those beside it are left out."""
        return sorted(self._place[number] for number in touched if number in self._place)

    def nearest(self, revision: Revision | None, touched: Mapping[int, Any], places: Sequence[int]) -> Revision | None:
        """The first of the touched revisions from one on, which may be itself.

        Args:
            revision: where to begin.
            touched: the revisions that are looked for.
            places: where on the way they are.
        """
        while revision is not None and revision.id not in touched:
            here = self._place.get(revision.id)
            if here is not None:
                further = bisect_left(places, here)
                return self._by_id[self._way[places[further]]] if further < len(places) else None
            revision = self.base(revision)
        return revision


class _Search:
    """The recorded changes of one resource."""

    def __init__(
        self, store: Store, line: _Line, contents: Mapping[int, int | None], rows: Iterable[FieldChange]
    ) -> None:
        self._store = store
        self._line = line
        self._contents = contents
        self._places = line.places(contents)
        self._rows: dict[int, list[_Row]] = {}
        for revision, *row in rows:
            self._rows.setdefault(revision, []).append(_Row(*row))

    def value_at(self, revision: Revision | None) -> Any:
        """The resource at a revision; None when it is not there."""
        touched = self._touched(revision)
        content = self._contents[touched.id] if touched is not None else None
        return self._store.values([content])[content] if content is not None else None

    def _touched(self, revision: Revision | None) -> Revision | None:
        """The revision that last touched the resource, from one on."""
        return self._line.nearest(revision, self._contents, self._places)

    def follow(self, start: Revision, leaves: Sequence[_Leaf]) -> Iterator[Blamed]:
        """Walk back along first parents until every field has its commit."""
        pending = list(leaves)
        value = self.value_at(start)
        revision = self._touched(start)
        while revision is not None and pending:
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
            revision = self._touched(self._line.base(revision))

    def follow_parts(
        self, start: Revision, path: FieldPath, parts: Parts, wanted: Mapping[str, Any]
    ) -> Iterator[Blamed]:
        """Walk back along first parents until every part has the commit that gave it its value."""
        pending = dict(wanted)
        revision = self._touched(start)
        while revision is not None and pending:
            base = self._line.base(revision)
            before = self.value_at(base)
            old = parts(before)
            for name, value in list(pending.items()):
                if name not in old or old[name] != value:
                    del pending[name]
                    here = self._part_here(revision, path, name, value, old, is_new=before is None)
                    yield self._part_elsewhere(revision, path, parts, name, value) or here
            revision = self._touched(base)

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
        for parent in self._line.parents.get(revision.commit, ())[1:]:
            merged = self._line.revisions.get(parent)
            there = parts(self.value_at(merged)) if merged is not None else {}
            if merged is not None and name in there and there[name] == value:
                return next(self.follow_parts(merged, path, parts, {name: value}), None)
        return None

    def _was_there(self, revision: Revision) -> bool:
        """Tell whether the revision before had the resource."""
        touched = self._touched(self._line.base(revision))
        return touched is not None and self._contents[touched.id] is not None

    def _here(self, revision: Revision, leaf: _Leaf, row: _Row | None) -> Blamed:
        if row is not None:
            return Blamed(leaf.path, leaf.value, revision.commit, row.how, row.old, row.place, or_before=False)
        unknown = self._has_unknown_parent(revision)
        return Blamed(leaf.path, leaf.value, revision.commit, "created", "", "", or_before=unknown)

    def _has_unknown_parent(self, revision: Revision) -> bool:
        """Tell whether what was before a revision is not recorded, or was pruned."""
        before = self._line.parents.get(revision.commit, ())
        return revision.base is None and bool(before) and before[0] not in self._line.parents

    def _elsewhere(self, revision: Revision, leaf: _Leaf) -> Blamed | None:
        """Where a merge has a field from, when one of the merged branches has it as it is."""
        for parent in self._line.parents.get(revision.commit, ())[1:]:
            merged = self._line.revisions.get(parent)
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

"""Turns one resource, seen over all environments, into a template tree with holes for what the values fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.chart.leaves import LABELLED, LeafBuilder, all_equal, beside, scalar_style, unset_of
from envcompile.chart.lists import pair
from envcompile.chart.names import camel, shortened
from envcompile.chart.opening import Opening
from envcompile.chart.renaming import Renaming
from envcompile.chart.shapes import Const, Entry, Items, Leaf, Map, Range, Style, Template, Unset
from envcompile.chart.strictness import depth
from envcompile.record import Record
from envcompile.values import ABSENT, same, value_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.chart.shapes import Elem, Node, Steps

_FIRST_KEYS: Final = ("apiVersion", "kind", "metadata")
_MOST_GUARDS: Final = 4


class TreeBuilder(LeafBuilder):
    """Builds the tree of one resource and collects its holes."""

    def template(self) -> Template:
        """The whole resource; its flag is on where the environment has the resource."""
        versions = dict(self._subject.versions)
        node = self._build_any(versions, ())
        flag = None
        if len(versions) < len(self._environments):
            here = {index: index in versions for index in range(len(self._environments))}
            slot = self._home.slot or (camel(self._subject.kind),)
            flag = self._hole((*slot, "enabled"), Style.FLAG, here)
        opening = Opening(self._subject, self._places, self._home.slot)
        node = opening.opened(node)
        flag = flag or opening.switch()
        self.holes += opening.holes
        if self._table is not None:
            renaming = Renaming(self._subject, self._table)
            node = renaming.renamed(node)
            self.holes += renaming.holes
        return Template(self._subject, node, flag)

    def _build_any(self, per: dict[int, Any], steps: Steps) -> Node:
        """A part of which nothing is known yet."""
        values = list(per.values())
        first = values[0]
        for value in values:
            if value is not first and not same(first, value):
                return self._build(per, steps, same=all_equal(values))
        return self._constant(first, steps, _Twins(per))

    def _build(self, per: dict[int, Any], steps: Steps, *, same: bool) -> Node:
        values = list(per.values())
        first = values[0]
        kinds = {type(value) for value in values}
        if dict in kinds or list in kinds:
            if len(kinds) > 1:
                return self._variant(per, steps)
            return self._map(per, steps, same=same) if type(first) is dict else self._list(per, steps, same=same)
        return self._scalar(per, steps, same=same)

    # ----------------------------------------------- parts that are the same

    def _constant(self, value: Any, steps: Steps, twins: _Twins) -> Node:
        """A part that is the same everywhere, most of which needs no second look: what `_build` would make of it."""
        kind = type(value)
        if kind is dict:
            return self._constant_map(value, steps, twins)
        if kind is list:
            return self._constant_list(value, steps, twins)
        if steps and value is not None and self._places.may_be_exposed(steps):
            return self._scalar(twins.per(), steps, same=True)
        return Const(value)

    def _constant_map(self, value: dict[str, Any], steps: Steps, twins: _Twins) -> Node:
        if not value and (not steps or steps[-1] != "resources"):
            return Const(value)
        if self._places.is_special(steps):
            return self._map(twins.per(), steps, same=True)
        parent = steps[-1] if steps else ""
        labelled = parent in LABELLED
        exposed = self._places.exposed_keys(steps)
        found: dict[str, Entry] = {}
        for key in value if steps else _key_union({0: value}, top=True):
            item = value[key]
            if labelled or key == "namespace" or (key == "name" and parent == "metadata"):
                below = dict.fromkeys(twins.top, item)
                hole = self._shared_hole(key, below, below, steps)
                if hole is not None:
                    found[key] = Entry(key, Leaf(hole), () if hole.unset is Unset.NEVER else (hole,))
                    continue
            kind = type(item)
            if kind is dict or kind is list or (item is not None and (exposed is None or key in exposed)):
                node = self._constant(item, (*steps, key), _Twins(twins.top, (*twins.way, key)))
                if type(node) is not Const:
                    found[key] = Entry(key, node)
        if not found:
            return Const(value)
        keys = value if steps else _key_union({0: value}, top=True)
        return Map(tuple([found.get(key) or Entry(key, Const(value[key])) for key in keys]))

    def _constant_list(self, value: list[Any], steps: Steps, twins: _Twins) -> Node:
        if (
            not value
            or not isinstance(value[0], dict)
            or (self._places.may_be_whole(steps) and self._places.place(steps).whole)
        ):
            return Const(value)
        pairing = pair({0: value}, next((step for step in reversed(steps) if isinstance(step, str)), ""))
        if pairing is None:
            return Const(value)
        nodes = [
            self._constant(item, (*steps, label), _Twins(twins.top, (*twins.way, position)))
            for position, (item, (label, _)) in enumerate(zip(value, pairing.rows, strict=True))
        ]
        if all(isinstance(node, Const) for node in nodes):
            return Const(value)
        return Items(tuple([Entry(None, node) for node in nodes]))

    # ------------------------------------------------------------------ maps

    def _map(self, per: dict[int, dict[str, Any]], steps: Steps, *, same: bool) -> Node:
        values = list(per.values())
        if steps and self._places.may_be_whole(steps):
            place = self._places.place(steps)
            if place.whole and (place.exposed or not same):
                leaf = self._whole(per, place)
                return leaf or (Const(values[0]) if same else self._variant(per, steps))
        if same and not values[0]:
            return Const(values[0])
        if steps and not all(values):
            return self._whole(per, self._places.place(steps)) or self._variant(per, steps)
        extension = self._places.extension(steps)
        asks = bool(steps) and steps[-1] in LABELLED
        entries = []
        for key in _key_union(per, top=not steps):
            entry = None if same or asks else self._twin_entry(key, values, per, steps)
            if entry is None:
                below = {index: value[key] for index, value in per.items() if key in value}
                entry = self._entry(key, below, per, steps, same=same)
            entries.append(entry)
        missing = [key for key in extension if not any(key in value for value in values)]
        for key in missing:
            entries.insert(
                0 if extension[key] is Style.INTEGER else len(entries), self._extension(key, extension[key], per, steps)
            )
        if self._places.is_main_container(steps):
            self._more_env(entries, per, steps)
        if same and all(isinstance(entry.node, Const) and not entry.guards for entry in entries):
            return Const(values[0])
        return Map(tuple(entries))

    def _twin_entry(
        self, key: str, values: list[dict[str, Any]], per: dict[int, dict[str, Any]], steps: Steps
    ) -> Entry | None:
        """An entry that is the same in every environment and cannot be a shared value; None for any other."""
        if key in {"namespace", "name"}:
            return None
        first = values[0].get(key, ABSENT)
        if first is ABSENT:
            return None
        for value in values:
            other = value.get(key, ABSENT)
            if other is not first and not same(first, other):
                return None
        return Entry(key, self._constant(first, (*steps, key), _Twins(per, (key,))))

    def _more_env(self, entries: list[Entry], per: Mapping[int, Any], steps: Steps) -> None:
        """Let people add env vars to a container whose list of them is there everywhere, or nowhere."""
        at = next((number for number, entry in enumerate(entries) if entry.key == "env"), None)
        known: tuple[Entry, ...] = ()
        if at is not None:
            entry = entries[at]
            if entry.guards or not isinstance(entry.node, Items | Const):
                return
            known = entry.node.entries if isinstance(entry.node, Items) else _as_entries(entry.node.value)
            if not known:
                return
        hole = self._hole(self._places.place((*steps, "extraEnv")).want, Style.RANGE, {index: {} for index in per})
        more = Items((*known, Entry(None, Range(hole))))
        if at is None:
            entries.append(Entry("env", more, (hole,)))
        else:
            entries[at] = Entry("env", more)

    def _entry(self, key: str, below: dict[int, Any], per: Mapping[int, Any], steps: Steps, *, same: bool) -> Entry:
        here = (*steps, key)
        hole = self._shared_hole(key, below, per, steps)
        if hole is not None:
            return Entry(key, Leaf(hole), () if hole.unset is Unset.NEVER else (hole,))
        if len(below) == len(per):
            node = self._build(below, here, same=True) if same else self._build_any(below, here)
            is_left_out = (
                isinstance(node, Leaf) and node.hole.style is Style.YAML and node.hole.unset is not Unset.NEVER
            )
            return Entry(key, node, (node.hole,) if is_left_out and isinstance(node, Leaf) else ())
        return self._optional(key, below, per, here)

    def _optional(self, key: str, below: dict[int, Any], per: Mapping[int, Any], here: Steps) -> Entry:
        """An entry that some environments leave out."""
        place = self._places.place(here)
        values = list(below.values())
        full = {index: below.get(index, ABSENT) for index in per}
        if not any(isinstance(value, dict | list) for value in values):
            style = scalar_style(values)
            if place.image and all(isinstance(value, str) for value in values):
                style = None
            if style is not None:
                hole = self._hole(place.want, style, full, unset_of(values, style))
                return Entry(key, Leaf(hole), (hole,))
        elif key in LABELLED and all(isinstance(value, dict) and value for value in values):
            assembled = self._labels(key, below, per, here)
            if assembled is not None:
                return assembled
        shallow = place.whole or all(depth(value) <= 1 for value in values)
        if shallow and (leaf := self._whole(full, place)) is not None:
            return Entry(key, leaf, (leaf.hole,))
        marked = len(self.holes)
        node = self._build_any(below, here)
        if isinstance(node, Leaf) and node.hole.style is Style.YAML and node.hole.unset is Unset.NEVER:
            hole = node.hole
            hole.values, hole.unset = full, Unset.EMPTY if all(values) else Unset.NULL
            return Entry(key, node, (hole,))
        is_here = {index: index in below for index in per}
        flag = self._hole(beside(place.want, here, "enabled"), Style.FLAG, is_here, topic=key)
        self.holes.insert(marked, self.holes.pop())
        return Entry(key, node, (flag,))

    def _labels(self, key: str, below: dict[int, Any], per: Mapping[int, Any], here: Steps) -> Entry | None:
        """A map of labels whose every label is a shared value: it is shown when any of them is."""
        names = list(dict.fromkeys(name for value in below.values() for name in value))
        shared = []
        for name in names:
            values = {index: below[index].get(name, ABSENT) if index in below else ABSENT for index in per}
            hole = self._shared.label(key, name, values)
            if hole is None or hole.unset is Unset.NEVER:
                return None
            shared.append(Entry(name, Leaf(hole), (hole,)))
        if len(shared) > _MOST_GUARDS or not here:
            return None
        return Entry(key, Map(tuple(shared)), tuple(entry.guards[0] for entry in shared))

    # ----------------------------------------------------------------- lists

    def _list(self, per: dict[int, list[Any]], steps: Steps, *, same: bool) -> Node:
        values = list(per.values())
        place = self._places.place(steps)
        name = next((step for step in reversed(steps) if isinstance(step, str)), "")
        if same and (not values[0] or not isinstance(values[0][0], dict)):
            return Const(values[0])
        if not place.whole and all(values):
            pairing = pair(per, name)
            if pairing is not None:
                entries = tuple(self._item(label, below, per, steps, same=same) for label, below in pairing.rows)
                if same and all(isinstance(entry.node, Const) for entry in entries):
                    return Const(values[0])
                return Items(entries)
        if same:
            return Const(values[0])
        return self._whole(per, place) or self._variant(per, steps)

    def _item(self, label: Elem, below: dict[int, Any], per: Mapping[int, Any], steps: Steps, *, same: bool) -> Entry:
        here = (*steps, label)
        marked = len(self.holes)
        node = self._build(below, here, same=True) if same else self._build_any(below, here)
        if len(below) == len(per):
            return Entry(None, node)
        made = self.holes[marked:]
        if len(made) == 1 and isinstance(node, Map) and made[0].style in {Style.STRING, Style.INTEGER}:
            hole = made[0]
            if hole.unset is Unset.NEVER and hole.want[-2:-1] == ("env",):
                hole.unset = Unset.NULL
                hole.values = {index: hole.values.get(index, ABSENT) for index in per}
                return Entry(None, node, (hole,))
        want = self._places.place(here).want
        flag = self._hole(
            shortened((*want, "enabled")), Style.FLAG, {index: index in below for index in per}, topic=label.label
        )
        return Entry(None, node, (flag,))


class _Twins(Record, frozen=True):
    """Values that are the same, found in each environment only when one of them is asked for.

    They may still list their keys in another order.
    """

    top: Mapping[int, Any]
    """By position of the environment, values that hold them."""
    way: tuple[str | int, ...] = ()

    def per(self) -> dict[int, Any]:
        """The values by position of their environment."""
        return {index: value_at(value, self.way) for index, value in self.top.items()}


def _as_entries(value: Any) -> tuple[Entry, ...]:
    return tuple(Entry(None, Const(item)) for item in value) if isinstance(value, list) else ()


def _key_union(per: Mapping[int, dict[str, Any]], *, top: bool) -> list[str]:
    keys: dict[str, None] = {}
    for value in per.values():
        if not value.keys() <= keys.keys():
            keys.update(dict.fromkeys(value))
    if top:
        return [*(key for key in _FIRST_KEYS if key in keys), *(key for key in keys if key not in _FIRST_KEYS)]
    return list(keys)

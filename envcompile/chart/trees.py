"""Turns one resource, seen over all environments, into a template tree with holes for what the values fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.chart import configtext
from envcompile.chart.lists import pair
from envcompile.chart.names import MOST_KEYS, camel, shortened
from envcompile.chart.places import LABEL_MAPS, Places, is_short
from envcompile.chart.scalars import fits_block
from envcompile.chart.shapes import (
    Const,
    Entry,
    File,
    Hole,
    Items,
    Leaf,
    Map,
    Range,
    Style,
    Template,
    Text,
    TextPiece,
    Unset,
    Variant,
)
from envcompile.chart.strictness import EXACT_INTEGERS, depth, fits_values, same_shapes
from envcompile.kubernetes.images import parse_exact_image
from envcompile.values import ABSENT, equal, same, value_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.chart.services import Home
    from envcompile.chart.shapes import Elem, Node, Steps, Subject, ValuePath
    from envcompile.chart.shared import Shared

_LABELLED: Final = LABEL_MAPS | {"annotations"}
_LONG_TEXT: Final = 8192
_NAMESPACE_HOLDERS: Final = frozenset({"metadata", "subjects", "service"})
_FIRST_KEYS: Final = ("apiVersion", "kind", "metadata")
_MOST_GUARDS: Final = 4


class TreeBuilder:
    """Builds the tree of one resource and collects its holes."""

    def __init__(self, subject: Subject, home: Home, shared: Shared, environments: tuple[str, ...]) -> None:
        self._subject = subject
        self._home = home
        self._places = Places(subject, home.slot)
        self._shared = shared
        self._environments = environments
        self.holes: list[Hole] = []

    def template(self) -> Template:
        """The whole resource; its flag is on where the environment has the resource."""
        versions = dict(self._subject.versions)
        node = self._build_any(versions, ())
        flag = None
        if len(versions) < len(self._environments):
            here = {index: index in versions for index in range(len(self._environments))}
            slot = self._home.slot or (camel(self._subject.kind),)
            flag = self._hole((*slot, "enabled"), Style.FLAG, here)
        return Template(self._subject, node, flag)

    def _hole(
        self,
        want: ValuePath,
        style: Style,
        values: dict[int, Any],
        unset: Unset = Unset.NEVER,
        topic: str = "",
    ) -> Hole:
        hole = Hole(self._subject, want, style, values, unset, topic=topic)
        self.holes.append(hole)
        return hole

    def _build_any(self, per: dict[int, Any], steps: Steps) -> Node:
        """A part of which nothing is known yet."""
        values = list(per.values())
        first = values[0]
        for value in values:
            if value is not first and not same(first, value):
                return self._build(per, steps, same=_all_equal(values))
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
        labelled = parent in _LABELLED
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
                leaf = self._whole(per, place.want)
                return leaf or (Const(values[0]) if same else self._variant(per, steps))
        if same and not values[0]:
            return Const(values[0])
        if steps and not all(values):
            return self._whole(per, self._places.place(steps).want) or self._variant(per, steps)
        extension = self._places.extension(steps)
        asks = bool(steps) and steps[-1] in _LABELLED
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

    def _extension(self, key: str, style: Style, per: Mapping[int, Any], steps: Steps) -> Entry:
        want = self._places.place((*steps, key)).want
        unset = Unset.EMPTY if style is Style.YAML else Unset.NULL
        hole = self._hole(want, style, dict.fromkeys(per, ABSENT), unset)
        return Entry(key, Leaf(hole), (hole,))

    def _entry(self, key: str, below: dict[int, Any], per: Mapping[int, Any], steps: Steps, *, same: bool) -> Entry:
        here = (*steps, key)
        hole = self._shared_hole(key, below, per, steps)
        if hole is not None:
            return Entry(key, Leaf(hole), () if hole.unset is Unset.NEVER else (hole,))
        if len(below) == len(per):
            node = self._build(below, here, same=True) if same else self._build_any(below, here)
            return Entry(key, node)
        return self._optional(key, below, per, here)

    def _shared_hole(self, key: str, below: dict[int, Any], per: Mapping[int, Any], steps: Steps) -> Hole | None:
        for value in below.values():
            if type(value) is not str:
                return None
        parent = steps[-1] if steps else ""
        values = {index: below.get(index, ABSENT) for index in per}
        if isinstance(parent, str) and parent in _LABELLED:
            return self._shared.label(parent, key, values)
        if key == "namespace":
            holder = next((step for step in reversed(steps) if isinstance(step, str)), "")
            known = steps == ("metadata",) or (holder in _NAMESPACE_HOLDERS and len(steps) > 1)
            return self._shared.namespace(values) if known or not _all_equal(list(values.values())) else None
        if key == "name" and steps == ("metadata",) and self._subject.kind == "Namespace":
            return self._shared.namespace(values) or self._shared.name(values)
        return self._shared.name(below) if len(below) == len(per) else None

    def _optional(self, key: str, below: dict[int, Any], per: Mapping[int, Any], here: Steps) -> Entry:
        """An entry that some environments leave out."""
        place = self._places.place(here)
        values = list(below.values())
        full = {index: below.get(index, ABSENT) for index in per}
        if not any(isinstance(value, dict | list) for value in values):
            style = _scalar_style(values)
            if place.image and all(isinstance(value, str) for value in values):
                style = None
            if style is not None:
                hole = self._hole(place.want, style, full, _unset(values, style))
                return Entry(key, Leaf(hole), (hole,))
        elif key in _LABELLED and all(isinstance(value, dict) and value for value in values):
            assembled = self._labels(key, below, per, here)
            if assembled is not None:
                return assembled
        shallow = place.whole or all(depth(value) <= 1 for value in values)
        if shallow and (leaf := self._whole(full, place.want)) is not None:
            return Entry(key, leaf, (leaf.hole,))
        flag = self._hole(
            shortened((*place.want, "enabled")), Style.FLAG, {index: index in below for index in per}, topic=key
        )
        return Entry(key, self._build_any(below, here), (flag,))

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

    def _whole(self, per: Mapping[int, Any], want: ValuePath) -> Leaf | None:
        """A map or list as one value; None when it would not survive Helm's values or lie too deep."""
        known = [value for value in per.values() if value is not ABSENT]
        if len({type(value) for value in known}) > 1 or not all(isinstance(value, dict | list) for value in known):
            return None
        if not all(fits_values(value) for value in known) or not same_shapes(known):
            return None
        if len(want) + max(map(depth, known)) > MOST_KEYS + 1 or len(want) > MOST_KEYS:
            return None
        unset = Unset.NEVER if len(known) == len(per) else Unset.EMPTY if all(known) else Unset.NULL
        return Leaf(self._hole(want, Style.YAML, dict(per), unset))

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
        return self._whole(per, place.want) or self._variant(per, steps)

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

    # --------------------------------------------------------------- scalars

    def _scalar(self, per: dict[int, Any], steps: Steps, *, same: bool) -> Node:
        values = list(per.values())
        if not steps:
            return Const(values[0])
        place = self._places.place(steps)
        if same and (not place.exposed or values[0] is None):
            return Const(values[0])
        if place.image and all(isinstance(value, str) for value in values):
            parsed = {index: parse_exact_image(value) for index, value in per.items()}
            names = ("repository", "tag", "digest")
            found = {at: dict(zip(names, image, strict=True)) for at, image in parsed.items() if image is not None}
            if len(found) == len(per):
                return Leaf(self._hole(place.want, Style.IMAGE, found))
        if place.text and all(isinstance(value, str) for value in values):
            node = self._text({index: str(value) for index, value in per.items()}, steps, place.want, same=same)
            if node is not None:
                return node
        style = _scalar_style(values)
        if style is None:
            return Const(values[0]) if same else self._variant(per, steps)
        if same and not is_short(values[0]):
            return Const(values[0])
        return Leaf(self._hole(place.want, style, dict(per)))

    def _text(self, per: dict[int, str], steps: Steps, want: ValuePath, *, same: bool) -> Node | None:
        first = next(iter(per.values()))
        key = steps[-1]
        name = key if isinstance(key, str) else key.label
        if same and len(first) > _LONG_TEXT and fits_block(first):
            return File(name, first)
        found = configtext.pieces(name, per)
        if found is None:
            return None
        pieces = []
        for piece in found:
            hole = None
            if piece.values is not None:
                switch = any(value is True for value in piece.values.values())
                unset = Unset.NEVER if switch or piece.line is None else Unset.EMPTY
                style = Style.FLAG if switch else Style.TEXT
                hole = self._hole(shortened((*want, piece.key)), style, dict(piece.values), unset)
            pieces.append(TextPiece(piece.literal, hole, piece.line))
        return Text(tuple(pieces), first)

    def _variant(self, per: dict[int, Any], steps: Steps) -> Node:
        """A part that no value can carry: it stands in the template once for each way it looks."""
        choices: list[tuple[str, Any]] = []
        chosen: dict[int, str] = {}
        for index, value in per.items():
            for name, other in choices:
                if equal(value, other):
                    chosen[index] = name
                    break
            else:
                choices.append((self._environments[index], value))
                chosen[index] = self._environments[index]
        if len(choices) == 1:
            return Const(choices[0][1])
        want = self._places.place(steps).want
        hole = self._hole(shortened((*want, "variant")), Style.CHOICE, dict(chosen))
        return Variant(hole, tuple(choices))


class _Twins(NamedTuple):
    """Values that are the same, found in each environment only when one of them is asked for.

    They may still list their keys in another order.
    """

    top: Mapping[int, Any]
    """By position of the environment, values that hold them."""
    way: tuple[str | int, ...] = ()

    def per(self) -> dict[int, Any]:
        """The values by position of their environment."""
        return {index: value_at(value, self.way) for index, value in self.top.items()}


def _all_equal(values: list[Any]) -> bool:
    first = values[0]
    return all(equal(first, value) for value in values[1:])


def _as_entries(value: Any) -> tuple[Entry, ...]:
    return tuple(Entry(None, Const(item)) for item in value) if isinstance(value, list) else ()


def _key_union(per: Mapping[int, dict[str, Any]], *, top: bool) -> list[str]:
    keys = dict.fromkeys(key for value in per.values() for key in value)
    if top:
        return [*(key for key in _FIRST_KEYS if key in keys), *(key for key in keys if key not in _FIRST_KEYS)]
    return list(keys)


def _scalar_style(values: list[Any]) -> Style | None:
    """How scalars of these values are written; None when Helm's values cannot carry them."""
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return Style.STRING
    if kinds == {bool}:
        return Style.BOOLEAN
    if kinds == {int} and all(-EXACT_INTEGERS < value < EXACT_INTEGERS for value in values):
        return Style.INTEGER
    return Style.JSON if all(fits_values(value) for value in values) else None


def _unset(values: list[Any], style: Style) -> Unset:
    return Unset.EMPTY if style is Style.STRING and all(values) else Unset.NULL

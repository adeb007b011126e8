"""The places of a template that values fill in: scalars, texts, whole maps and lists, and what is shared by many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.chart import configtext
from envcompile.chart.names import MOST_KEYS, shortened, upper_first
from envcompile.chart.places import LABEL_MAPS, POD_FIELDS, PROBES, Places, is_short
from envcompile.chart.scalars import fits_block
from envcompile.chart.shapes import Const, Entry, File, Hole, Leaf, Style, Text, TextPiece, Unset, Variant
from envcompile.chart.strictness import EXACT_INTEGERS, depth, fits_values, same_shapes
from envcompile.kubernetes.images import parse_exact_image
from envcompile.values import ABSENT, equal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from envcompile.chart.naming import NameTable
    from envcompile.chart.places import Place
    from envcompile.chart.services import Home
    from envcompile.chart.shapes import Node, Steps, Subject, ValuePath
    from envcompile.chart.shared import Shared

LABELLED: Final = LABEL_MAPS | {"annotations"}
"""The keys whose maps hold labels or annotations."""
OPENED: Final = frozenset({*POD_FIELDS, *PROBES, "tls", "initContainers", "labels", "annotations"})
"""The keys whose own names are those under which people give something of theirs."""

_LONG_TEXT: Final = 8192
_NAMING: Final = frozenset({"namespace", "name"})
_NAMESPACE_HOLDERS: Final = frozenset({"metadata", "subjects", "service"})


class LeafBuilder:
    """Makes the holes of one resource, and collects them.

    Args:
        subject: the resource.
        home: where its values live.
        shared: the values that many resources show.
        environments: their names.
        table: the names that follow the release's; None where none does.
    """

    def __init__(
        self,
        subject: Subject,
        home: Home,
        shared: Shared,
        environments: tuple[str, ...],
        table: NameTable | None = None,
    ) -> None:
        self._subject = subject
        self._home = home
        self._places = Places(subject, home.slot)
        self._shared = shared
        self._environments = environments
        self._table = table
        self.holes: list[Hole] = []

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

    def _extension(self, key: str, style: Style, per: Mapping[int, Any], steps: Steps) -> Entry:
        want = self._places.place((*steps, key)).want
        unset = Unset.EMPTY if style is Style.YAML else Unset.NULL
        hole = self._hole(want, style, dict.fromkeys(per, ABSENT), unset)
        return Entry(key, Leaf(hole), (hole,))

    def _shared_hole(self, key: str, below: dict[int, Any], per: Mapping[int, Any], steps: Steps) -> Hole | None:
        parent = steps[-1] if steps else ""
        is_label = isinstance(parent, str) and parent in LABELLED
        if is_label and not self._shared.has_label(parent, key):
            return None
        if not is_label and key not in _NAMING and not self._shared.has_names:
            return None
        for value in below.values():
            if type(value) is not str:
                return None
        values = {index: below.get(index, ABSENT) for index in per}
        if isinstance(parent, str) and is_label:
            return self._shared.label(parent, key, values)
        if key == "namespace":
            holder = next((step for step in reversed(steps) if isinstance(step, str)), "")
            known = steps == ("metadata",) or (holder in _NAMESPACE_HOLDERS and len(steps) > 1)
            return self._shared.namespace(values) if known or not all_equal(list(values.values())) else None
        if key == "name" and steps == ("metadata",) and self._subject.kind == "Namespace":
            found = self._shared.namespace(values) or self._shared.name(values)
            # A value that other objects leave out would leave this one without a name where it is switched on.
            return found if found is not None and found.unset is Unset.NEVER else None
        return self._shared.name(below) if len(below) == len(per) else None

    def _whole(self, per: Mapping[int, Any], place: Place) -> Leaf | None:
        """A map or list as one value; None when it would not survive Helm's values or lie too deep."""
        want = place.want
        known = [value for value in per.values() if value is not ABSENT]
        if len({type(value) for value in known}) > 1 or not all(isinstance(value, dict | list) for value in known):
            return None
        if not all(fits_values(value) for value in known) or not same_shapes(known):
            return None
        if not place.replaced and (len(want) + max(map(depth, known)) > MOST_KEYS + 1 or len(want) > MOST_KEYS):
            return None
        unset = Unset.EMPTY if all(known) else Unset.NULL
        if len(known) == len(per) and not place.replaced:
            unset = Unset.NEVER
        return Leaf(self._hole(want, Style.YAML, dict(per), unset))

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
        style = scalar_style(values)
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
                chosen[index] = called(value, [name for name, _ in choices])
                choices.append((chosen[index], value))
        if len(choices) == 1:
            return Const(choices[0][1])
        want = beside(self._places.place(steps).want, steps, "variant")
        hole = self._hole(want, Style.CHOICE, dict(chosen))
        return Variant(hole, tuple([(name, Const(value)) for name, value in choices]))


def beside(want: ValuePath, steps: Steps, word: str) -> ValuePath:
    """The name of what decides about a field: below the field's own, or beside it where people may set the field."""
    if want and steps and steps[-1] in OPENED:
        return (*want[:-1], f"{want[-1]}{upper_first(word)}")
    return shortened((*want, word))


def called(value: Any, taken: Collection[str]) -> str:
    """What a way that a part looks is called: by its shape, never by an environment, of which there may be more."""
    if value is None:
        word = "none"
    elif isinstance(value, bool):
        word = "true" if value else "false"
    elif isinstance(value, int | float):
        word = "number"
    elif not value:
        word = "empty"
    else:
        word = "map" if isinstance(value, dict) else "list" if isinstance(value, list) else "text"
    name, number = word, 2
    while name in taken:
        name, number = f"{word}{number}", number + 1
    return name


def all_equal(values: list[Any]) -> bool:
    """Whether all values are worth the same."""
    first = values[0]
    return all(value is first or equal(first, value) for value in values[1:])


def scalar_style(values: list[Any]) -> Style | None:
    """How scalars of these values are written; None when Helm's values cannot carry them."""
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return Style.STRING
    if kinds == {bool}:
        return Style.BOOLEAN
    if kinds == {int} and all(-EXACT_INTEGERS < value < EXACT_INTEGERS for value in values):
        return Style.INTEGER
    return Style.JSON if all(fits_values(value) for value in values) else None


def unset_of(values: list[Any], style: Style) -> Unset:
    """How values.yaml says that a field of these values is left out."""
    return Unset.EMPTY if style is Style.STRING and all(values) else Unset.NULL

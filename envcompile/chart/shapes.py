"""What the rooms of the chart hand to each other: the input, aligned resources, holes and template trees."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.chart.facts import Facts, Uses
    from envcompile.chart.portions import Held

ValuePath = tuple[str, ...]
"""The way to a value: keys from the root of values.yaml, or from the service's own map where a docstring says so."""


class ChartOptions(Record, frozen=True):
    """How a chart is made; the defaults suit a chart that is rebuilt with every change."""

    version: str = "0.1.0"
    details: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Further fields of Chart.yaml: https://helm.sh/docs/topics/charts/#the-chartyaml-file."""
    crds: Literal["crds", "templates", "separate", "skip"] = "crds"
    """Where CustomResourceDefinitions go; `separate` makes a second chart of them, `<name>-crds`."""
    split: bool = False
    """True for a subchart per service, each with a `condition:`, in place of one flat chart."""
    test_image: str | None = None
    """The image of pods that `helm test` starts, one for each Service; without it there are none."""
    renames: bool = False
    """True for the values `nameOverride` and `fullnameOverride`: all objects are then called after the release."""


class ChartInput(Record, frozen=True):
    """Everything a chart is made from; `resources` gives (app, resource) pairs for each environment."""

    name: str
    environments: tuple[str, ...]
    resources: Mapping[str, Sequence[tuple[str, Any]]]
    default_environment: str | None = None
    """Whose values stand in values.yaml; the first environment when None."""
    options: ChartOptions = msgspec.field(default_factory=ChartOptions)

    @property
    def default_index(self) -> int:
        """The position of the environment whose values stand in values.yaml."""
        if self.default_environment is None:
            return 0
        return self.environments.index(self.default_environment)


class ChartFacts(Record, frozen=True):
    """What a chart is called and how it is made."""

    name: str
    environments: tuple[str, ...]
    default: int
    """The position of the environment whose values stand in values.yaml."""
    options: ChartOptions


class Elem(Record, frozen=True):
    """A step into a list: what tells the item from its siblings, and whether it is the only one everywhere."""

    label: str
    alone: bool = False


Steps = tuple["str | Elem", ...]
"""The way to a field inside a resource, with list items named by what tells them apart."""


class Subject(msgspec.Struct, frozen=True, eq=False):
    """One resource seen over all environments; two subjects are the same only when they are one object."""

    group: str
    kind: str
    namespace: str
    name: str
    app: str
    stem: str
    """The name without a digest of the content behind it: what the resource is called in the chart."""
    held: Mapping[int, Held]
    """Where the resource is, by position of its environment in ascending order; others do not have it."""

    @property
    def order(self) -> tuple[str, str, str, str]:
        """The key that sorts subjects however the files were ordered."""
        return (self.kind, self.name, self.namespace, self.group)

    @property
    def title(self) -> str:
        """KIND/NAME, as comments and messages say it."""
        return f"{self.kind}/{self.name}"

    @property
    def facts(self) -> dict[int, Facts]:
        """What is known of the resource without its value, by position of its environment."""
        return {index: held.portion.facts[held.position] for index, held in self.held.items()}

    @property
    def versions(self) -> dict[int, dict[str, Any]]:
        """The resource itself by position of its environment."""
        return {index: held.portion.values[held.position] for index, held in self.held.items()}

    @property
    def sample(self) -> dict[str, Any]:
        """The resource as the first environment that has it sees it."""
        held = self.held[min(self.held)]
        return held.portion.values[held.position]

    @property
    def uses(self) -> Uses:
        """What the resource says of others where the first environment has it."""
        held = self.held[min(self.held)]
        return held.portion.uses(held.position)


class Style(Enum):
    """How a value becomes text in a template."""

    STRING = "quote"
    INTEGER = "int64"
    BOOLEAN = "bool"
    JSON = "toJson"
    YAML = "toYaml"
    IMAGE = "image"
    TEXT = "text"
    FLAG = "flag"
    CHOICE = "choice"
    RANGE = "range"
    PREFIX = "prefix"
    """Not from the values: on where objects are called after the release."""


class Unset(Enum):
    """How values.yaml says that an optional field is left out."""

    NEVER = "always set"
    EMPTY = "empty"
    NULL = "null"


class Hole(msgspec.Struct, eq=False):
    """One place of a template that is filled from the values; compared by identity."""

    subject: Subject | None
    """Whose place it is; None for a value that many share."""
    want: ValuePath
    """The name the place would like, below its service."""
    style: Style
    values: dict[int, Any]
    """The value by position of the environment, ABSENT where the field is left out; others do not matter."""
    unset: Unset = Unset.NEVER
    fixed: ValuePath | None = None
    """The full way to the value when the place shares one with others; None to be named by its service."""
    topic: str = ""
    """What a flag switches, in the source's own words; flags of one topic may become one."""
    is_quiet: bool = False
    """Of a place that people may fill though no environment does: the values do not show it, their schema knows it."""
    refused: tuple[str, ...] = ()
    """The keys that a quiet map may not have, since the template itself sets them."""


class Const(Record, frozen=True):
    """A part that is the same in every environment and stands in the template as it is."""

    value: Any


class Leaf(Record, frozen=True):
    """A part that is filled from the values."""

    hole: Hole


class Variant(Record, frozen=True):
    """A part that stands in the template once for each environment that differs; a value chooses."""

    hole: Hole
    choices: tuple[tuple[str, Node], ...]


class TextPiece(Record, frozen=True):
    """A run of literal text, then what is filled in behind it (None at the end of the text)."""

    literal: str
    hole: Hole | None
    line: str | None = None
    """What stands before the value on a line of its own that is left out where the value is; None otherwise."""
    names: tuple[str, ...] = ()
    """The names of objects that the value may hold, which follow the release's."""


class Text(Record, frozen=True):
    """A file inside a ConfigMap of which only some values are filled in."""

    pieces: tuple[TextPiece, ...]
    sample: str
    """The text as one environment has it, which tells how the block is written."""


class File(Record, frozen=True):
    """A long text that is kept beside the templates and read from there, so that it needs no escapes."""

    path: str
    text: str
    names: tuple[str, ...] = ()
    """The names of objects that the text holds, which follow the release's."""


class Range(Record, frozen=True):
    """Further items of a list of env vars, one for each key of a map in the values."""

    hole: Hole


class More(Record, frozen=True):
    """Further items of a list, or entries of a map, that people may add; nothing where they add none."""

    hole: Hole
    known: tuple[Hole, ...] = ()
    """The entries of the map that are values of their own below it."""


class Renamed(Record, frozen=True):
    """A part that is filled from the values, and in which names of objects follow the release's."""

    hole: Hole
    way: Literal["name", "text", "whole"]
    """It is a name, a text with names in it, or a map or list."""
    names: tuple[str, ...] = ()
    """Those that may be in it."""
    before: tuple[str, ...] = ()
    """What stands before them in a map or list, as YAML."""


class Instance(Record, frozen=True):
    """An entry of a map of labels that is there where objects are called after the release."""

    label: str


class Spelled(Record, frozen=True):
    """A part that is no value of one service: what stands between the braces."""

    action: str


class Instead(Record, frozen=True):
    """A part that people may put another one in place of."""

    hole: Hole
    node: Node


class Splice(Record, frozen=True):
    """Several items in place of one, shown together."""

    entries: tuple[Entry, ...]


class Concat(Record, frozen=True):
    """A list that is a value, and behind it the further items that people may add."""

    own: Hole
    more: Hole
    names: tuple[str, ...] = ()
    """The names of objects that may be in it, which follow the release's."""
    before: tuple[str, ...] = ()
    """What stands before them, as YAML."""


class Entry(Record, frozen=True):
    """One key of a map, or one item of a list (then `key` is None), shown when any of its guards is on."""

    key: str | None
    node: Node
    guards: tuple[Hole, ...] = ()


class Map(Record, frozen=True):
    """A map some of whose entries are filled from the values."""

    entries: tuple[Entry, ...]


class Items(Record, frozen=True):
    """A list some of whose items are filled from the values."""

    entries: tuple[Entry, ...]


DROPPED: Final = frozenset({"livenessProbe", "readinessProbe", "startupProbe", "lifecycle"})
"""Maps that people leave out by a null, although each of their fields may be a value of its own."""

Node = (
    Const
    | Leaf
    | Variant
    | Text
    | File
    | Map
    | Items
    | Splice
    | Range
    | More
    | Concat
    | Instead
    | Renamed
    | Instance
    | Spelled
)


class Template(msgspec.Struct, frozen=True, eq=False):
    """One resource of the chart: its tree, and the flag that switches it off where an environment lacks it."""

    subject: Subject
    node: Node
    flag: Hole | None


def holes_of(node: Node) -> list[Hole]:
    """The holes of a tree, those that only decide whether a part is shown among them."""
    stack = [node]
    found: list[Hole] = []
    while stack:
        match stack.pop():
            case Leaf(hole):
                found.append(hole)
            case Map(entries) | Items(entries) | Splice(entries):
                for entry in entries:
                    if entry.guards:
                        found += entry.guards
                    if type(entry.node) is not Const:
                        stack.append(entry.node)
            case Range(hole) | More(hole, _) | Renamed(hole):
                found.append(hole)
            case Variant(hole, choices):
                found.append(hole)
                stack += [node for _, node in choices if type(node) is not Const]
            case Instead(hole, below):
                found.append(hole)
                stack.append(below)
            case Concat(own, more, _, _):
                found += [own, more]
            case Text(pieces, _):
                found += [piece.hole for piece in pieces if piece.hole is not None]
            case _:
                pass
    return found

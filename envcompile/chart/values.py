"""Gathers the values of all environments and writes values.yaml and the files that are laid over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from envcompile.chart.scalars import key_text, tree
from envcompile.chart.schema import schema_of
from envcompile.chart.shapes import Style, Unset
from envcompile.record import Record
from envcompile.values import ABSENT, equal, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.chart.shapes import Hole, ValuePath

_MOST_NAMED: Final = 3
_OF_A_SERVICE: Final = 2
_OF_AN_OBJECT: Final = 3
_FIRST: Final = (
    "enabled",
    "namespace",
    "namespaces",
    "labels",
    "annotations",
    "features",
    "names",
    "replicas",
    "schedule",
    "suspend",
    "image",
    "args",
    "command",
    "env",
    "extraEnv",
    "resources",
    "config",
    "service",
    "ingress",
    "autoscaling",
    "persistence",
)
_RANKS: Final = {key: rank for rank, key in enumerate(_FIRST)}


_WHAT: Final[Mapping[str, str]] = {
    "args": "arguments of the main container",
    "autoscaling": "bounds and targets of the autoscaler",
    "command": "what the main container starts",
    "config": "entries of the ConfigMap",
    "env": "env vars of the main container",
    "image": "image of the main container",
    "ingress": "hosts, class and TLS of the Ingress",
    "persistence": "size and class of the volume",
    "replicas": "number of pods",
    "resources": "requests and limits of the main container",
    "schedule": "when it runs, in the words of cron",
    "service": "type and ports of the Service",
    "suspend": "true starts no further runs",
}
"""What the values of a service are that charts usually have, by their keys."""
_WHAT_OF_ALL: Final[Mapping[str, str]] = {
    "features": "false leaves them out",
    "labels": "a label of theirs",
    "annotations": "an annotation of theirs",
    "names": "what it is called",
    "namespace": "the namespace they are in",
    "namespaces": "the namespace they are in",
}
"""The same for `global`."""
_SHARED: Final = frozenset({"labels", "annotations", "namespace", "namespaces"})
"""What of `global` any resource may have, whatever it is."""


class Value(Record, frozen=True):
    """One value of the chart: where it stands, how it is used, what each environment makes of it, whom it reaches."""

    path: ValuePath
    style: Style
    unset: Unset
    by_environment: tuple[Any, ...]
    reach: tuple[str, ...]
    choices: tuple[str, ...]
    is_quiet: bool = False
    """Whether only the schema knows it."""
    refused: tuple[str, ...] = ()
    """The keys that it may not have, as a quiet map."""


def gather(
    paths: Mapping[Hole, ValuePath], environments: int, default: int, reach: Mapping[Hole, Iterable[str]]
) -> list[Value]:
    """Every value once, in the order of values.yaml; where nobody asks, an environment keeps the default."""
    joined: dict[ValuePath, list[Hole]] = {}
    for hole, path in paths.items():
        joined.setdefault(path, []).append(hole)
    found = []
    for path, holes in joined.items():
        first, *others = holes
        known, names = first.values, dict.fromkeys(reach.get(first, ()))
        for hole in others:
            known = {**known, **hole.values}
            names.update(dict.fromkeys(reach.get(hole, ())))
        spare = known[default] if default in known else known[min(known)]
        if spare is ABSENT and first.unset is Unset.NEVER:
            spare = next(value for value in known.values() if value is not ABSENT)
        choices = tuple(sorted({str(value) for value in known.values()})) if first.style is Style.CHOICE else ()
        values = tuple([known.get(index, spare) for index in range(environments)])
        found.append(
            Value(path, first.style, first.unset, values, tuple(names), choices, first.is_quiet, first.refused)
        )
    found.sort(key=lambda value: (value.path[0] != "global", value.path[0], _rank(value.path)))
    return found


def _rank(path: ValuePath) -> int:
    """Where a value stands inside its service: what people change most comes first."""
    return _RANKS.get(path[1], len(_RANKS)) if len(path) > 1 else len(_RANKS)


def _blank(value: Value) -> Any:
    """What values.yaml shows for a field that the environment leaves out."""
    if value.unset is not Unset.EMPTY:
        return None
    sample: Any = next((item for item in value.by_environment if item is not ABSENT), {})
    return type(sample)()


def tree_of(values: Iterable[Value], environment: int) -> dict[str, Any]:
    """All values of one environment as nested maps."""
    root: dict[str, Any] = {}
    for value in values:
        node = root
        for key in value.path[:-1]:
            node = node.setdefault(key, {})
        found = value.by_environment[environment]
        node[value.path[-1]] = _blank(value) if found is ABSENT else found
    return root


def merge_patch(base: Any, wanted: Any) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that makes one map of another; a null in a map counts as a missing key."""
    patch: dict[str, Any] = {}
    for key, value in base.items():
        other = wanted.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            if inner := merge_patch(value, other):
                patch[key] = inner
        elif value is not None and other is None:
            patch[key] = None
        elif not equal(value, other):
            patch[key] = other
    patch.update({key: value for key, value in wanted.items() if key not in base})
    return patch


class _Commented:
    """Writes values.yaml with a comment on every value, or on the map all of whose values reach the same resources."""

    def __init__(self, values: Iterable[Value]) -> None:
        self._by_path = {value.path: value for value in values}
        self._reach: dict[ValuePath, tuple[str, ...] | None] = {}
        for value in self._by_path.values():
            for cut in range(1, len(value.path) + 1):
                above = value.path[:cut]
                known = self._reach.setdefault(above, value.reach)
                if known != value.reach:
                    self._reach[above] = None

    def write(self, root: Mapping[str, Any]) -> str:
        """The text of some of the maps at the root, without a final newline."""
        lines: list[str] = []
        for key, value in root.items():
            self._node((key,), value, lines, told=False)
        return "\n".join(lines)

    def _node(self, path: ValuePath, value: Any, lines: list[str], *, told: bool) -> None:
        padding = "  " * (len(path) - 1)
        known = self._by_path.get(path)
        reach = self._reach.get(path)
        if not told and reach and len(path) > 1:
            lines.append(f"{padding}# -- {_people(path, reach)}{_what(path)}{_note(known)}")
            told = True
        elif known is not None and _note(known):
            lines.append(f"{padding}#{_note(known).replace(' ·', '', 1)}")
        if known is None and isinstance(value, dict):
            lines.append(f"{padding}{key_text(path[-1], len(padding))}" + ("" if value else " {}"))
            for key, item in value.items():
                self._node((*path, key), item, lines, told=told)
        else:
            lines.append(f"{padding}{key_text(path[-1], len(padding))}{tree(value, 2 * len(path))}")


def _people(path: ValuePath, reach: tuple[str, ...]) -> str:
    """Whom a value reaches.

    What everything may share is said without names and numbers: an application more would change them, and two branches
    that each add one would meet in this line.
    """
    is_shared = path[0] == "global" and path[1] in _SHARED
    if len(reach) <= (1 if is_shared else _MOST_NAMED):
        return ", ".join(reach)
    if is_shared:
        kinds = sorted({title.partition("/")[0] for title in reach})
        few = f"several of kind{'s' * (len(kinds) > 1)} {', '.join(kinds)}"
        return few if len(kinds) <= _MOST_NAMED else "resources of many kinds"
    return f"{', '.join(reach[:_MOST_NAMED])} and {len(reach) - _MOST_NAMED} more"


def _what(path: ValuePath) -> str:
    """What a value is, where its key is one that people know."""
    if path[0] == "global":
        word = _WHAT_OF_ALL.get(path[1], "")
    elif path[-1] == "enabled" and len(path) <= _OF_AN_OBJECT:
        word = "false leaves it out"
    else:
        word = _WHAT.get(path[1], "") if len(path) == _OF_A_SERVICE else ""
    return f" · {word}" if word else ""


def _note(value: Value | None) -> str:
    if value is None:
        return ""
    if value.style is Style.CHOICE:
        return f" · one of: {', '.join(value.choices)}"
    if value.style is Style.RANGE:
        return " · further env vars, by name"
    if value.unset is Unset.NULL:
        return " · null leaves it out"
    return ""


def _in_all(value: Any, others: Sequence[Any]) -> Any:
    """The part of a map whose keys all other maps have, too."""
    if not isinstance(value, dict) or not all(isinstance(other, dict) for other in others):
        return value
    return {
        key: _in_all(item, [other[key] for other in others])
        for key, item in value.items()
        if all(key in other for other in others)
    }


def defaults(values: Sequence[Value], default: int, *, split: bool) -> dict[str, Any]:
    """What stands in values.yaml: the values of the default environment.

    In a chart that is split, a map holds only the keys that every environment has: a null in an environment's file
    does not reliably remove a key on the way into a subchart.
    """
    if not split:
        return tree_of(values, default)
    common = []
    for value in values:
        known = [item for item in value.by_environment if item is not ABSENT]
        if value.style is Style.YAML and value.by_environment[default] is not ABSENT:
            shown = _in_all(value.by_environment[default], known)
            own = [*value.by_environment]
            own[default] = shown if len(known) == len(own) or not isinstance(shown, dict) else {}
            common.append(value._replace(by_environment=tuple(own)))
        else:
            common.append(value)
    return tree_of(common, default)


class Section(msgspec.Struct, frozen=True, array_like=True):
    """What one key at the root of the values is in each of the files that speak of values; empty for no values."""

    values: str
    """In values.yaml."""
    patches: tuple[str, ...]
    """In the file of each environment: only what differs from values.yaml."""
    schema: str
    """In values.schema.json: the schema of its map."""

    @property
    def texts(self) -> tuple[str, ...]:
        """In values.yaml, in the file of each environment, and in values.schema.json."""
        return (self.values, *self.patches, self.schema)


def section(values: Sequence[Value], environments: int, default: int, *, split: bool, is_subchart: bool) -> Section:
    """The texts of the values below one key.

    Args:
        values: all of them, in order.
        environments: how many there are.
        default: the one whose values stand in values.yaml.
        split: the chart has subcharts.
        is_subchart: the key is that of one.
    """
    if not values:
        return Section("", ("",) * environments, "")
    schema = schema_of(values, is_subchart=is_subchart, is_global=values[0].path[0] == "global")
    values = [value for value in values if not value.is_quiet]
    base = defaults(values, default, split=split)
    if split:  # values.yaml does not hold all of the default environment
        patches = [merge_patch(base, tree_of(values, index)) for index in range(environments)]
    else:
        patches = [_patch(base, values, index, default) for index in range(environments)]
    return Section(
        _Commented(values).write(base),
        tuple([tree(patch, 0) if patch else "" for patch in patches]),
        schema,
    )


def _patch(base: dict[str, Any], values: Sequence[Value], environment: int, default: int) -> dict[str, Any]:
    """The merge patch from values.yaml to an environment: most values are the same, and are not looked at again."""
    if environment == default:
        return {}
    changed = [
        value
        for value in values
        if (own := value.by_environment[environment]) is not (other := value.by_environment[default])
        and not same(own, other)
    ]
    if not changed:
        return {}
    ways = {value.path[:cut] for value in changed for cut in range(1, len(value.path))}
    return merge_patch(_narrowed(base, (), ways, {value.path for value in changed}), tree_of(changed, environment))


def _narrowed(base: dict[str, Any], above: ValuePath, ways: set[ValuePath], wanted: set[ValuePath]) -> dict[str, Any]:
    """The part of a tree that leads to some values, in its own order."""
    found = {}
    for key, item in base.items():
        path = (*above, key)
        if path in wanted:
            found[key] = item
        elif path in ways:
            found[key] = _narrowed(item, path, ways, wanted)
    return found

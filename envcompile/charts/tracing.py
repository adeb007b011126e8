"""Which fields each value of a chart changes: found by rendering the chart once more with another value."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.actions.chart_values import MORE, named, spelled
from envcompile.charts.rendering import objects_in, parts_of, printed
from envcompile.compose.identity import Identifier
from envcompile.errors import EnvcError
from envcompile.kubernetes.fieldpath import format_field, keyed
from envcompile.log import progress
from envcompile.values import ABSENT, leaves, same, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.charts.archives import Archive
    from envcompile.charts.helm import Helm
    from envcompile.charts.wanted import Wanted
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Location, Pointer

_MOST_PROBES: Final = 240
"""How many renderings of one chart may try values."""
_MOST_FIELDS: Final = 60
"""How many fields of one value the lock names."""
_RENDERERS: Final = 2

Fields = dict[tuple[str, str], Any]
"""Object and field -> value."""


class Traced(NamedTuple):
    """What was found out about the values of a release."""

    values: dict[str, tuple[str, ...]]
    untraced: tuple[str, ...]


class Printed(NamedTuple):
    """A chart as helm printed it in one environment."""

    wanted: Wanted
    archive: Archive
    api: KubeApi


def trace(helm: Helm, printings: Sequence[Printed], where: Sequence[Location]) -> Traced:
    """Try another value for each that somebody wrote, in every environment that has it, and see what changes.

    What a value does may hang on others: one that changes nothing here may change much where another switch is on.

    Args:
        helm: the program.
        printings: the release in its environments; those that are alike but for their namespace are tried once.
        where: the place of the chart in envc.yaml.
    """
    distinct = {_likeness(one): one for one in reversed(printings)}
    todo = [
        (spelled(pointer), pointer, one)
        for one in reversed(distinct.values())
        for pointer, item in leaves(one.wanted.values)
        if pointer and item not in ({}, [])
    ]
    tried, left = todo[:_MOST_PROBES], todo[_MOST_PROBES:]
    plain = {one: _parts(helm, printing, where, printing.wanted.values) for one, printing in distinct.items()}

    def probe(pointer: Pointer, one: Printed) -> list[str] | None:
        for values in _others(one.wanted.values, pointer):
            try:
                found = _changed(plain[_likeness(one)], _parts(helm, one, where, values), one)
            except EnvcError:
                continue
            return [f"{who} {field}".rstrip() for who, field in found]
        return None

    found: dict[str, dict[str, None]] = {}
    untraced = {path for path, _, _ in left}
    with ThreadPoolExecutor(_RENDERERS) as pool:
        answers = pool.map(lambda item: probe(*item[1:]), tried)
        for done, ((path, _, _), fields) in enumerate(zip(tried, answers, strict=True), start=1):
            progress("values of charts tried", done, len(tried))
            if fields is None:
                untraced.add(path)
            else:
                found.setdefault(path, {}).update(dict.fromkeys(fields))
    values = {
        path: (*list(fields)[:_MOST_FIELDS], *([MORE] if len(fields) > _MOST_FIELDS else []))
        for path, fields in sorted(found.items())
    }
    return Traced(values, tuple(sorted(untraced)))


def _likeness(one: Printed) -> str:
    """What two environments have in common in which a value does the same."""
    wanted = one.wanted
    return json.dumps(
        [wanted.values, one.archive.locked.digest, wanted.kubernetes, wanted.api_versions], sort_keys=True
    )


def _parts(helm: Helm, one: Printed, where: Sequence[Location], values: Mapping[str, Any]) -> list[bytes]:
    return parts_of(printed(helm, one.wanted, one.archive, where, values=values, with_crds=False))


def _others(values: Mapping[str, Any], pointer: Pointer) -> Iterator[dict[str, Any]]:
    """The values with another one at a place: the kinds of value that charts are most likely to take."""
    item = value_at(values, pointer)
    if isinstance(item, bool):
        others: list[Any] = [not item]
    elif isinstance(item, int):
        others = [item + 1, item - 1]
    elif isinstance(item, float):
        others = [item + 1.0]
    elif isinstance(item, str):
        others = [f"{item}x", f"{item}1", ""]
    else:
        others = [ABSENT]
    for other in others:
        made = copy.deepcopy(dict(values))
        below: Any = made
        for part in pointer[:-1]:
            below = below[part]
        if other is ABSENT:
            del below[pointer[-1]]
        else:
            below[pointer[-1]] = other
        yield made


def _changed(before: Sequence[bytes], after: Sequence[bytes], one: Printed) -> Iterator[tuple[str, str]]:
    """Object and field of what is otherwise; documents that are the same to the byte are not looked into."""
    known, unknown = set(before), set(after)
    old = _fields([part for part in before if part not in unknown], one)
    new = _fields([part for part in after if part not in known], one)
    gone = {who for who, _ in old} - {who for who, _ in new}
    yield from ((who, "") for who in sorted(gone))
    for (who, field), item in old.items():
        if who not in gone and not same(item, new.get((who, field), ABSENT)):
            yield who, field


def _fields(parts: Sequence[bytes], one: Printed) -> Fields:
    identifier = Identifier(one.api, one.wanted.namespace, forced=False)
    found: Fields = {}
    for existing in objects_in(parts):
        value = existing.value
        group, _, version = value["apiVersion"].rpartition("/")
        node = one.api.node(group, version, value["kind"])
        who = named(identifier.identify(value))
        for pointer, item in leaves(value):
            found[who, format_field(keyed(pointer, value, node))] = item
    return found

"""Charts that make something else each time: found by rendering them twice, with the value that would settle it."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile import yamlio
from envcompile.actions.chart_values import spelled
from envcompile.adopt.existing import literal_identity, shortly, title
from envcompile.charts.rendering import SECRET_NAME, printed, rendering_of
from envcompile.errors import EnvcError
from envcompile.values import ABSENT, dotted, leaves, same, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.charts.helm import Helm
    from envcompile.charts.rendering import Rendering
    from envcompile.errors import Problems
    from envcompile.model import Location, Pointer

_MOST_TRIED: Final = 6
_SHOWN: Final = 5
_FIXED: Final = "envc-tries-this"


def report_unstable(
    helm: Helm, first: Rendering, second: Rendering, where: Sequence[Location], problems: Problems
) -> bool:
    """Note the fields that two renderings of the same do not share, and the values that would settle them.

    Args:
        helm: the program.
        first: one rendering.
        second: another one of the same chart, environment and values.
        where: the place of the chart in envc.yaml.
        problems: takes what differs.
    """
    differing = list(_differing(first, second))
    if not differing:
        return False
    chart = first.wanted.chart
    named = shortly([f"{name} {dotted(pointer)}".rstrip() for name, pointer in differing], _SHOWN)
    what = f"chart {chart.name} makes something else each time in {first.wanted.environment}: {named}"
    settling = _settling(helm, first, differing, where)
    if settling:
        named = " and ".join(f"`{path}`" for path in settling)
        fix = f"set {named} in its values: then it stays; a secret as a reference such as `ref+env://NAME`"
    else:
        fix = "set the value that it comes from (`helm show values`), or leave the object out by the chart's `exclude`"
    problems.add(what, fix, *where)
    return True


def _differing(first: Rendering, second: Rendering) -> Iterator[tuple[str, Pointer]]:
    """Object and field of each difference."""
    other = {literal_identity(existing.value): existing.value for existing in second.objects}
    for existing in first.objects:
        value = existing.value
        found = other.pop(literal_identity(value), None)
        if found is None:
            yield title(value), ()
        elif not same(value, found):
            theirs = dict(leaves(found))
            for pointer, item in leaves(value):
                if not same(theirs.get(pointer, ABSENT), item):
                    yield title(value), pointer
    for value in other.values():
        yield title(value), ()


def _settling(
    helm: Helm, first: Rendering, differing: Sequence[tuple[str, Pointer]], where: Sequence[Location]
) -> list[str]:
    """The values of the chart that make fields stay when they are set, most of all those that are called alike."""
    wanted, archive = first.wanted, first.archive
    try:
        documents = yamlio.load_all(archive.file("values.yaml"), "values.yaml", last_wins=True)
    except EnvcError:
        return []
    defaults = documents[0] if documents and isinstance(documents[0], dict) else {}
    words = {_plain(pointer[-1]) for _, pointer in differing if pointer and isinstance(pointer[-1], str)}
    empty = [
        pointer
        for pointer, item in leaves(defaults)
        if (item is None or item == "")
        and all(isinstance(part, str) for part in pointer)
        and (value_at(wanted.values, pointer) is ABSENT or not value_at(wanted.values, pointer))
    ]
    likely = [pointer for pointer in empty if SECRET_NAME.search(str(pointer[-1]))]
    ranked = sorted(likely, key=lambda pointer: not any(_alike(_plain(pointer[-1]), word) for word in words))
    settling = []
    for pointer in ranked[:_MOST_TRIED]:
        values = _with(wanted.values, pointer, _FIXED)
        try:
            made = [
                rendering_of(wanted, archive, printed(helm, wanted, archive, where, values=values)) for _ in range(2)
            ]
        except EnvcError:
            continue
        still = list(_differing(*made))
        if not still:
            return [spelled(pointer)]
        if len(still) < len(differing):
            settling.append(spelled(pointer))
    return settling


def _with(values: Any, pointer: Pointer, item: Any) -> Any:
    made = copy.deepcopy(dict(values))
    below = made
    for part in pointer[:-1]:
        held = below.get(part)
        below[part] = below = dict(held) if isinstance(held, dict) else {}
    below[pointer[-1]] = item
    return made


def _plain(name: Any) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _alike(value: str, word: str) -> bool:
    return value.endswith(word) or word.endswith(value)

"""Prefixes and suffixes that kustomize puts around names: others in each environment, so they become parameters."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.adopt.existing import ExistingEnvironment, Value

PREFIX: Final = "\ue000"
SUFFIX: Final = "\ue001"
"""Stand for what an environment puts around a name; nobody writes such characters."""
NAMES: Final = {PREFIX: "namePrefix", SUFFIX: "nameSuffix"}
"""The parameters that say it."""
_OPEN, _CLOSE = "\ue002", "\ue003"
VARIABLE: Final = re.compile(f"{_OPEN}([A-Za-z0-9_]+){_CLOSE}")
"""Stands for a variable that Flux fills in, and that becomes a parameter."""
_MARKS: Final = frozenset((PREFIX, SUFFIX, _OPEN))
_SPELLED: Final = {mark: f"${{{{ params.{name} }}}}" for mark, name in NAMES.items()}
_BARE: Final = frozenset({"CustomResourceDefinition", "APIService", "Namespace"})
"""Kinds whose names kustomize leaves alone (api/internal/plugins/builtinconfig, `prefixFieldSpecsToSkip`)."""

_Index = dict[tuple[str, str, str], "Value"]


def bare(name: str) -> str:
    """A name without marks, and without the parameters that stand for them."""
    for mark, spelled in _SPELLED.items():
        name = name.replace(mark, "").replace(spelled, "")
    return name


def variable(name: str) -> str:
    """The mark that stands for a variable."""
    return f"{_OPEN}{name}{_CLOSE}"


def spelled(value: Any) -> Any:
    """The value with parameters in the place of marks."""

    def change(text: str) -> str:
        text = text.replace(PREFIX, _SPELLED[PREFIX]).replace(SUFFIX, _SPELLED[SUFFIX])
        return VARIABLE.sub(r"${{ params.\1 }}", text)

    return _mapped(value, change)


def filled(value: Any, params: Mapping[str, Any]) -> Any:
    """The value with what the parameters of one environment say in the place of marks."""
    before, behind = (params.get(name, "") for name in NAMES.values())

    def change(text: str) -> str:
        text = text.replace(PREFIX, before).replace(SUFFIX, behind)
        return VARIABLE.sub(lambda match: str(params.get(match[1], "")), text)

    return _mapped(value, change)


def _mapped(value: Any, change: Any) -> Any:
    if type(value) is str:
        return change(value) if not _MARKS.isdisjoint(value) else value
    if type(value) is dict:
        return {_mapped(key, change): _mapped(item, change) for key, item in value.items()}
    return [_mapped(item, change) for item in value] if type(value) is list else value


def parameters(environments: Iterable[ExistingEnvironment]) -> dict[str, dict[str, str]]:
    """The parameters of each environment: of the prefix where one has a prefix, and of the suffix likewise."""
    found = {environment.name: environment.affixes for environment in environments}
    used = [position for position in range(len(NAMES)) if any(affixes[position] for affixes in found.values())]
    names = list(NAMES.values())
    return {name: {names[position]: affixes[position] for position in used} for name, affixes in found.items()}


def are_different(environments: Iterable[ExistingEnvironment]) -> bool:
    """Whether environments put different things around names."""
    return len({environment.affixes for environment in environments}) > 1


def with_marks(
    environments: Sequence[ExistingEnvironment], base: Sequence[Value]
) -> tuple[tuple[ExistingEnvironment, ...], list[Value]]:
    """The objects with marks around names, and wherever they are referred to, so that environments have them in common.

    An environment that puts nothing around names, and the base, get them where the others have them.

    Args:
        environments: under the names that people gave them.
        base: the objects of the author's own base.
    """
    used = any(each.affixes[0] for each in environments), any(each.affixes[1] for each in environments)
    known: _Index = {}
    found: dict[str, list[Value]] = {}
    for environment in environments:
        if any(environment.affixes):
            values = [existing.value for existing in environment.objects]
            found[environment.name] = marked(values, environment.affixes, used)
            for value in found[environment.name]:
                known.setdefault(_what(value), value)
    placed = []
    for environment in environments:
        values = found.get(environment.name) or [_like(existing.value, known) for existing in environment.objects]
        objects = (existing._replace(value=value) for existing, value in zip(environment.objects, values, strict=True))
        placed.append(replace(environment, objects=tuple(objects)))
    return tuple(placed), [_like(value, known) for value in base]


def marked(values: Sequence[Value], affixes: tuple[str, str], used: tuple[bool, bool] = (True, True)) -> list[Value]:
    """The objects of one environment with marks in the place of what is around their names.

    Args:
        values: the objects.
        affixes: what is before and behind their names.
        used: whether any environment has something before, and behind.
    """
    prefix, suffix = affixes
    names = {
        name: f"{PREFIX * used[0]}{name[len(prefix) : len(name) - len(suffix)]}{SUFFIX * used[1]}"
        for value in values
        if value["kind"] not in _BARE
        and (name := str(value["metadata"].get("name") or "")).startswith(prefix)
        and name.endswith(suffix)
        and len(name) > len(prefix) + len(suffix)
    }
    return [_replaced(value, names) for value in values] if any(affixes) else list(values)


def _replaced(value: Any, names: Mapping[str, str]) -> Any:
    if type(value) is str:
        return names.get(value, value)
    if type(value) is dict:
        return {key: _replaced(item, names) for key, item in value.items()}
    return [_replaced(item, names) for item in value] if type(value) is list else value


def _what(value: Value) -> tuple[str, str, str]:
    group = value["apiVersion"].rpartition("/")[0]
    return group, value["kind"], bare(value["metadata"].get("name") or "")


def _like(value: Value, known: _Index) -> Value:
    other = known.get(_what(value))
    found: Value = aligned(value, other) if other is not None else value
    return found


def aligned(value: Any, other: Any) -> Any:
    """The value with marks, or parameters, where another one has them around the same name."""
    if type(value) is str:
        return other if type(other) is str and other != value and bare(other) == value else value
    if type(value) is dict and type(other) is dict:
        return {key: aligned(item, other[key]) if key in other else item for key, item in value.items()}
    if type(value) is list and type(other) is list and len(value) == len(other):
        return list(starmap(aligned, zip(value, other, strict=True)))
    return value

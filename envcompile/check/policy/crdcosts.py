"""What the rules of a custom kind may cost, as the API server estimates it before it takes their definition.

Sources: pkg/apis/apiextensions/validation/validation.go (StaticEstimatedCostLimit, StaticEstimatedCRDCostLimit,
getExpressionCost, getCostErrorMessage) and cel_validation.go (CELSchemaContext) of k8s.io/apiextensions-apiserver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel.estimates import most
from envcompile.check.cel.ranges import MANY
from envcompile.check.cel.shapes import shape_of
from envcompile.check.policy.kinds import RULES
from envcompile.check.reading import map_at, maps_at, text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envcompile.check.cel.engine import Program
    from envcompile.model import Pointer

PER_RULE: Final = 10_000_000
"""The most that a rule, or its message, may be estimated at."""
PER_DEFINITION: Final = 100_000_000
"""The most that all rules of one version of a kind may be estimated at together."""
_HUGE: Final = 100
_CLOSE: Final = 1.5
_ADVICE: Final = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
    "declared)"
)


class Dear(NamedTuple):
    """A rule that is estimated as too dear: where in the schema, and the server's words."""

    pointer: Pointer
    words: str


class Costs(NamedTuple):
    """What goes into the estimate of one version of a kind."""

    compiled: Callable[[Mapping[str, Any], str, bool], Program | str]
    """A rule by its schema, its text, and whether the schema is that of a whole object; a text where it is refused."""
    spell: Callable[[str], str | None]
    """A field's name as expressions write it."""


def too_dear(schema: Mapping[str, Any], given: Costs) -> Iterator[Dear]:
    """The rules of a structural schema that the server refuses for what they may cost.

    Args:
        schema: of one version of a kind.
        given: how its rules are compiled.
    """
    total = 0
    for pointer, what, cost in _costs(schema, given, (), 1, is_whole=True):
        total = min(MANY, total + cost)
        if cost > PER_RULE:
            yield Dear(pointer, _words(f"estimated {what} cost", cost, PER_RULE))
    if total > PER_DEFINITION:
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        yield Dear((), _words(what, total, PER_DEFINITION))


def _costs(
    schema: Mapping[str, Any], given: Costs, where: Pointer, count: int | None, *, is_whole: bool
) -> Iterator[tuple[Pointer, str, int]]:
    """Where a rule or message stands, what it is, and its estimate.

    Args:
        schema: the schema.
        given: how its rules are compiled.
        where: the way to it.
        count: how often its values may stand in an object; None where nothing bounds it.
        is_whole: True for the schema of a whole object.
    """
    rules = list(maps_at(schema, RULES))
    if rules:
        whole = is_whole or schema.get("x-kubernetes-embedded-resource") is True
        shape = shape_of(schema, given.spell, is_whole=whole)
        for at, item in rules if shape is not None else ():
            for field in ("rule", "messageExpression"):
                text = text_at(item, field)
                program = given.compiled(schema, text, is_whole) if text.strip() else ""
                if isinstance(program, str) or shape is None:
                    continue
                cost = most(program.checked, shape)
                if field == "rule":
                    cost = min(MANY, cost * (shape.cardinality if count is None else count))
                yield (*where, RULES, at, field), field, cost
    inside = _inside(schema)
    count = None if count is None or inside is None else min(MANY, count * inside)
    for step, sub in below(schema):
        yield from _costs(sub, given, (*where, *step), count, is_whole=False)


def below(schema: Mapping[str, Any]) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    """The schemas of what is in a value, and the way to each."""
    for name, sub in map_at(schema, "properties").items():
        if isinstance(sub, dict):
            yield ("properties", name), sub
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield (name,), schema[name]


def _inside(schema: Mapping[str, Any]) -> int | None:
    """How often what is in a value may stand in it; None where nothing bounds it."""
    kind = text_at(schema, "type")
    if kind == "array":
        bound = schema.get("maxItems")
    elif kind == "object" and schema.get("additionalProperties") is not None:
        bound = schema.get("maxProperties")
    else:
        return 1
    return max(0, bound) if isinstance(bound, int) else None


def _words(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100x" if factor > _HUGE else f"{factor:f}x" if factor < _CLOSE else f"{factor:.1f}x"
    return f"{what} exceeds budget by factor of {shown} {_ADVICE}"

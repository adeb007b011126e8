"""The parts that expressions are made of, each a function of a frame: names, fields, logic, calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.cel import convert, costs, libraries
from envcompile.check.cel.values import (
    NOTHING,
    CelError,
    CostError,
    Maybe,
    TypeName,
    UnknownError,
    member,
    missing,
    no_overload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Evaluation = Callable[["Frame"], Any]

_TYPES: Final = (
    "int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "dyn", "optional_type",
    "google.protobuf.Timestamp", "google.protobuf.Duration", "net.IP", "net.CIDR", "kubernetes.URL",
    "kubernetes.Quantity", "kubernetes.Semver", "kubernetes.NamedFormat",
)  # fmt: skip


class Frame:
    """The names that an expression may use, and what its evaluation has cost so far."""

    __slots__ = ("cost", "limit", "names")

    def __init__(self, names: Mapping[str, Any], limit: int = costs.PER_CALL) -> None:
        self.names: dict[str, Any] = dict(names)
        self.cost = 0
        self.limit = limit

    def spend(self, cost: int) -> None:
        """Count what was done.

        Raises:
            CostError: it is more than may be.
        """
        self.cost += cost
        if self.cost > self.limit:
            raise CostError("operation cancelled: actual cost limit exceeded")


def attempt(part: Evaluation, frame: Frame) -> Any:
    """The value of a part, or the error that it has become."""
    try:
        return part(frame)
    except CelError as error:
        return error


def name_of(name: str) -> Evaluation:
    """A name: a variable, with fields behind dots, or a type."""
    if name in _TYPES:
        value = TypeName(name)
        return lambda _: value
    root, _, rest = name.partition(".")
    if rest and not name.startswith("."):
        found = name_of(root)
        for field in rest.split("."):
            found = select(found, field, is_test=False)
        return found

    def look(frame: Frame) -> Any:
        frame.cost += 1
        try:
            found = frame.names[name]
        except KeyError:
            raise CelError(f"no such attribute(s): {name}") from None
        if isinstance(found, CelError):
            raise found
        return found

    return look


def select(operand: Evaluation, field: str, *, is_test: bool) -> Evaluation:
    """`operand.field`, or whether it is there."""

    def look(frame: Frame) -> Any:
        value = operand(frame)
        frame.cost += 1
        if type(value) is dict and field in value:
            return _known(value[field])
        if isinstance(value, Maybe):
            return _inside(value, field)
        there, found = member(value, field)
        if not there:
            raise missing(value, field)
        return found

    def test(frame: Frame) -> bool:
        value = operand(frame)
        if isinstance(value, Maybe):
            return _inside(value, field).is_there
        return member(value, field)[0]

    return test if is_test else look


def _inside(value: Maybe, key: Any) -> Maybe:
    if not value.is_there:
        return NOTHING
    there, found = member(value.value, key)
    return Maybe(_known(found), is_there=True) if there else NOTHING


def _known(value: Any) -> Any:
    """A value that stands in another one, unless nobody can know it here."""
    if isinstance(value, UnknownError):
        raise value
    return value


def _type(part: Evaluation) -> Evaluation:
    """`type(value)`, which may be known where the value is not."""

    def ask(frame: Frame) -> TypeName:
        frame.cost += 1
        try:
            return convert.type_of(part(frame))
        except UnknownError as error:
            if error.type_name:
                return TypeName(error.type_name)
            raise

    return ask


def _index(operand: Evaluation, key: Evaluation) -> Evaluation:
    def index(frame: Frame) -> Any:
        value, at = operand(frame), key(frame)
        frame.cost += 1
        if isinstance(value, Maybe):
            return _inside(value, at)
        there, found = member(value, at)
        if not there:
            raise missing(value, at)
        return _known(found)

    return index


def _optional(operand: Evaluation, key: Evaluation) -> Evaluation:
    """`value.?field` and `value[?index]`."""

    def look(frame: Frame) -> Maybe:
        value, at = operand(frame), key(frame)
        frame.cost += 1
        return _inside(value if isinstance(value, Maybe) else Maybe(value, is_there=True), at)

    return look


def _logic(left: Evaluation, right: Evaluation, *, ends: bool) -> Evaluation:
    """`||` (which true ends) and `&&` (which false ends)."""

    def decide(frame: Frame) -> bool:
        failure: CelError | None = None
        for part in (left, right):
            try:
                found = part(frame)
                if isinstance(found, bool) and found is ends:
                    return found
                if not isinstance(found, bool):
                    failure = failure or no_overload("")
            except UnknownError as error:
                failure = error
            except CelError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not ends

    return decide


def _choice(condition: Evaluation, then: Evaluation, otherwise: Evaluation) -> Evaluation:
    def choose(frame: Frame) -> Any:
        chosen = condition(frame)
        if chosen is True:
            return then(frame)
        if chosen is False:
            return otherwise(frame)
        raise no_overload("")

    return choose


def _not(part: Evaluation) -> Evaluation:
    def turn(frame: Frame) -> bool:
        found = part(frame)
        frame.cost += 1
        if not isinstance(found, bool):
            raise no_overload("")
        return not found

    return turn


def _not_strictly_false(part: Evaluation) -> Evaluation:
    def ask(frame: Frame) -> bool:
        found = attempt(part, frame)
        frame.cost += 1
        return found is not False

    return ask


def _or(left: Evaluation, right: Evaluation) -> Evaluation:
    """`value.or(other)`."""

    def either(frame: Frame) -> Any:
        found = left(frame)
        if not isinstance(found, Maybe):
            raise no_overload("")
        return found if found.is_there else right(frame)

    return either


def _or_value(left: Evaluation, right: Evaluation) -> Evaluation:
    """`value.orValue(other)`."""

    def either(frame: Frame) -> Any:
        found = left(frame)
        if not isinstance(found, Maybe):
            raise no_overload("")
        return found.value if found.is_there else right(frame)

    return either


SPECIAL: Final[Mapping[str, Callable[..., Evaluation]]] = {
    "_||_": lambda left, right: _logic(left, right, ends=True),
    "_&&_": lambda left, right: _logic(left, right, ends=False),
    "_?_:_": _choice,
    "!_": _not,
    "_[_]": _index,
    "_?._": _optional,
    "_[?_]": _optional,
    "@not_strictly_false": _not_strictly_false,
    "or": _or,
    "type": _type,
    "orValue": _or_value,
}
"""Functions that do not take all of their arguments as values."""


def binary(
    left: Evaluation, right: Evaluation, call: Callable[[Any, Any], Any], cost: Callable[..., int] | None
) -> Evaluation:
    """A function of two values."""

    def work(frame: Frame) -> Any:
        one, other = left(frame), right(frame)
        found = call(one, other)
        frame.cost += 1 if cost is None else cost((one, other), found)
        return found

    return work


def strict(parts: list[Evaluation], call: Callable[..., Any], cost: Callable[..., int] | None) -> Evaluation:
    """A function of values."""

    def work(frame: Frame) -> Any:
        values = [part(frame) for part in parts]
        found = call(*values)
        frame.cost += 1 if cost is None else cost(values, found)
        return found

    return work


def library(name: str, parts: list[Evaluation], overloads: list[libraries.Function]) -> Evaluation:
    """A function of the libraries; the overload is found when its values are there."""

    def work(frame: Frame) -> Any:
        values = [part(frame) for part in parts]
        overload, found = libraries.call(name, overloads, values)
        cost = costs.BY_OVERLOAD.get(overload) or costs.BY_FUNCTION.get(name)
        frame.spend(1 if cost is None else cost(values, found))
        return found

    return work

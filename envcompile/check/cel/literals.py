"""What the server refuses of literals in an expression, and of fields of objects whose shape is known.

Sources: cel/validator.go and ext/formatting.go of github.com/google/cel-go with the validators that
pkg/cel/environment/base.go of k8s.io/apiserver turns on; constants are converted when a policy is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.api.patterns import bad_pattern
from envcompile.check.cel import convert
from envcompile.check.cel.scopes import scoped, way_in
from envcompile.check.cel.strings import ACCEPTED, clauses
from envcompile.check.cel.tree import UNSIGNED, Call, Constant, ListLiteral, MapLiteral, Select, nodes, way_to
from envcompile.check.cel.values import CelError, Uint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from envcompile.check.cel.tree import CelType, Checked, Node

_CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "int": convert.to_int,
    "uint": convert.to_uint,
    "double": convert.to_double,
    "bool": convert.to_bool,
    "bytes": convert.to_bytes,
    "string": convert.to_string,
}
_TIMES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "timestamp": convert.to_timestamp,
    "duration": convert.to_duration,
}


def refused_literals(checked: Checked, fields: Mapping[str, Iterable[str]], *, is_typed: bool) -> str | None:
    """Say in the server's words what it refuses; None for nothing."""
    for node, scope in scoped(checked, checked.root):
        if isinstance(node, Select) and node.field not in fields.get(
            way_in(checked, node.operand, scope), (node.field,)
        ):
            return f"compilation failed: undefined field '{node.field}'"
        what = _refused(checked, node, fields, is_typed=is_typed)
        if what is not None:
            return what
    return None


def _refused(checked: Checked, node: Node, fields: Mapping[str, Iterable[str]], *, is_typed: bool) -> str | None:
    match node:
        case Call(function="format", target=Constant(value=str() as text), arguments=(ListLiteral() as values,)):
            what = _bad_format(checked, text, values, fields)
            return f"compilation failed: {what}" if what else None
        case Call():
            return _bad_object(node, fields) or _bad_constant(node)
        case ListLiteral() if not _is_format(checked, node):
            kinds = [_kind(checked, item, at in node.optional) for at, item in enumerate(node.items)]
            return _unlike(kinds, is_typed=is_typed)
        case MapLiteral() if not node.message and not _is_format(checked, node):
            keys = [checked.type_of(key) for key, _, _ in node.entries]
            values_ = [_kind(checked, value, optional) for _, value, optional in node.entries]
            return _unlike(keys, is_typed=is_typed) or _unlike(values_, is_typed=is_typed)
    return None


def _is_format(checked: Checked, node: Node) -> bool:
    """Tell whether a list holds the values of `format`, or a list or map stands inside of one that does."""
    return any(
        isinstance(call, Call)
        and call.function == "format"
        and any(part.id == node.id for argument in call.arguments for part in nodes(argument))
        for call in nodes(checked.root)
    )


def _kind(checked: Checked, node: Node, optional: bool) -> CelType:  # ruff: ignore[boolean-type-hint-positional-argument] - a question of the node
    kind = checked.type_of(node)
    return kind.parameters[0] if optional and kind.name == "optional_type" and kind.parameters else kind


def _unlike(kinds: list[CelType], *, is_typed: bool) -> str | None:
    for kind in kinds[1:]:
        if kind != kinds[0] and (is_typed or "dyn" not in f"{kind} {kinds[0]}"):
            return f"compilation failed: expected type '{kinds[0]}' but found '{kind}'"
    return None


def _bad_constant(node: Call) -> str | None:
    constants = [part for part in node.arguments if isinstance(part, Constant)]
    if node.function in {"matches", "find", "findAll"} and constants and isinstance(constants[0].value, str):
        if bad_pattern(constants[0].value):
            return f"compilation failed: invalid {node.function} argument"
        return None
    try:
        _folded(node)
    except CelError as error:
        if constants and node.function in _TIMES:
            return f"compilation failed: invalid {node.function} argument"
        return f"program instantiation failed: {error}"
    return None


_VARIABLE: Final = object()


def _folded(node: Node) -> Any:
    """The value of a literal, or of conversions of one, which are made once; `_VARIABLE` for anything else.

    Raises:
        CelError: a conversion fails.
    """
    if isinstance(node, Constant):
        return Uint(node.value) if node.kind == UNSIGNED else node.value
    if not isinstance(node, Call) or node.target is not None or len(node.arguments) != 1:
        return _VARIABLE
    make = _TIMES.get(node.function) or _CONVERSIONS.get(node.function)
    if make is None and node.function != "dyn":
        return _VARIABLE
    value = _folded(node.arguments[0])
    if value is _VARIABLE or (node.function in _TIMES and not isinstance(value, str)):
        return _VARIABLE
    return make(value) if make is not None else value


_OF_SCALARS: Final = frozenset({
    *_CONVERSIONS, *_TIMES, "size", "matches", "startsWith", "endsWith", "contains", "find", "findAll", "lowerAscii",
    "upperAscii", "trim", "split", "substring", "replace", "charAt", "indexOf", "lastIndexOf", "join", "_+_", "_-_",
    "_*_", "_/_", "_%_", "_<_", "_<=_", "_>_", "_>=_", "_[_]", "_&&_", "_||_", "!_", "-_",
})  # fmt: skip
"""Functions without a form for an object whose shape is known."""


def _bad_object(node: Call, fields: Mapping[str, Iterable[str]]) -> str | None:
    """An object of a known shape, such as `request.kind`, where a text, number, list or map belongs."""
    if node.function not in _OF_SCALARS:
        return None
    for part in (node.target, *node.arguments):
        if part is not None and (name := _object(part, fields)):
            return f"compilation failed: found no matching overload for '{node.function}' applied to `{name}`"
    return None


def _object(node: Node, fields: Mapping[str, Iterable[str]]) -> str:
    """The name of an object of known shape; empty for anything else, and for the question whether it is there."""
    name = "" if isinstance(node, Select) and node.is_test else ".".join(way_to(node))
    return name if name in fields else ""


def _bad_format(checked: Checked, text: str, values: ListLiteral, fields: Mapping[str, Iterable[str]]) -> str | None:
    try:
        wanted = [clause for clause in clauses(text) if not isinstance(clause, str)]
    except CelError as error:
        return str(error)
    for at, (letter, _) in enumerate(wanted):
        if at >= len(values.items):
            return f"index {at} out of range"
        kind = _unwritable(checked, values.items[at], letter, fields)
        if kind is not None:
            return f"error during formatting: `%{letter}` was given {kind}"
    if len(values.items) > len(wanted):
        return f"too many arguments supplied to string.format (expected {len(wanted)}, got {len(values.items)})"
    return None


def _unwritable(checked: Checked, node: Node, letter: str, fields: Mapping[str, Iterable[str]]) -> str | None:
    """The type of a value that a letter cannot write, or of one inside of it; source: verifyString."""
    if name := _object(node, fields):
        return f"an object: `{name}`"
    kind = checked.type_of(node).name
    if kind != "dyn" and kind not in ACCEPTED[letter]:
        return str(kind)
    inner: list[Node] = []
    if isinstance(node, ListLiteral):
        inner = [*node.items]
    elif isinstance(node, MapLiteral):
        inner = [part for key, value, _ in node.entries for part in (key, value)]
    return next((bad for part in inner if (bad := _unwritable(checked, part, letter, fields)) is not None), None)

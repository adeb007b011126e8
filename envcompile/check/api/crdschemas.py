"""What is refused of the schemas in CustomResourceDefinitions: structural schemas, and what they hold.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go (ValidateStructural) and
pkg/apis/apiextensions/validation/validation.go (ValidateCustomResourceDefinitionOpenAPISchema) of
kubernetes/kubernetes.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.automata import automaton
from envcompile.check.api.patterns import bad_pattern
from envcompile.check.reading import list_at, map_at, maps_at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.api.refusal import Said
    from envcompile.model import Pointer

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_NEVER: Final = ("additionalItems", "definitions", "dependencies", "id", "patternProperties", "$ref")
_NESTED_NEVER: Final = (
    "additionalProperties",
    "default",
    "description",
    "nullable",
    "title",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
)
_REASONS: Final = frozenset({"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"})
_LIST_TYPES: Final = frozenset({"atomic", "map", "set"})
_MAP_TYPES: Final = frozenset({"atomic", "granular"})
_PATH_PART: Final = re.compile(r"\.([A-Za-z_$][\w$]*)|\['([^']+)'\]|\[(\d+)\]")
_POSITION: Final = re.compile(r"\[\d+\]")
_JSON_TYPES: Final = {"array": list, "boolean": bool, "object": dict, "string": str}


class Level(Enum):
    """Where a schema stands."""

    ROOT = "root"
    ITEM = "item"
    FIELD = "field"
    NESTED = "nested"
    """Below allOf, anyOf, oneOf or not, where a schema only judges values."""


def schema_refusals(schema: dict[str, Any], where: Pointer, level: Level) -> Said:
    """List what is refused of a schema and of those in it; pointers are from the start of `where`."""
    kind = schema.get("type")
    yield from _kind(schema, where, level)
    for field in _NEVER:
        if schema.get(field):
            yield (*where, field), f"`{field}` is not supported in schemas of CustomResourceDefinitions"
    if schema.get("uniqueItems") is True:
        yield (*where, "uniqueItems"), "`uniqueItems` cannot be true: take `x-kubernetes-list-type: set`"
    if level is Level.NESTED:
        for field in _NESTED_NEVER:
            if schema.get(field) not in (None, False, "", []):
                yield (*where, field), f"`{field}` cannot stand below allOf, anyOf, oneOf or not"
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and (what := bad_pattern(pattern)):
        yield (*where, "pattern"), f"`pattern` {what}"
    yield from _properties(schema, where, level)
    yield from _lists(schema, where)
    yield from _default(schema, where)
    yield from _rules(schema, where)
    if kind == "array" and not schema.get("items") and level is not Level.NESTED:
        yield (*where, "items"), "`items` is missing: `type: array` needs it"
    yield from _below(schema, where, level)


def _kind(schema: dict[str, Any], where: Pointer, level: Level) -> Said:
    kind = schema.get("type")
    at: Pointer = (*where, "type")
    free = schema.get("x-kubernetes-int-or-string") is True
    open_ = schema.get("x-kubernetes-preserve-unknown-fields") is True
    embedded = schema.get("x-kubernetes-embedded-resource") is True
    if isinstance(kind, str) and kind and kind not in _TYPES:
        yield at, f"`type` is not one of {', '.join(_TYPES)}"
    elif level is Level.NESTED:
        if kind and not _says_int_or_string(schema, where):
            yield at, "`type` cannot stand below allOf, anyOf, oneOf or not"
    elif level is Level.ROOT and kind != "object" and (kind or not open_):
        yield at, "`type` of the whole schema is not object"
    elif embedded and kind != "object":
        yield at, "`type` is not object, as `x-kubernetes-embedded-resource` needs"
    elif not kind and not free and not open_:
        yield at, "`type` is missing"
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        yield (*where, "x-kubernetes-preserve-unknown-fields"), "it may only be true"
    if free and open_:
        yield (*where, "x-kubernetes-preserve-unknown-fields"), "it contradicts `x-kubernetes-int-or-string`"
    if free and embedded:
        yield (*where, "x-kubernetes-embedded-resource"), "it contradicts `x-kubernetes-int-or-string`"
    if embedded and not open_ and not schema.get("properties"):
        yield (*where, "properties"), "`properties` is missing: `x-kubernetes-embedded-resource` needs it"
    if level is Level.ROOT and schema.get("nullable") is True:
        yield (*where, "nullable"), "the whole schema cannot be nullable"


def _says_int_or_string(schema: dict[str, Any], where: Pointer) -> bool:
    """True for the two branches of `anyOf` that `x-kubernetes-int-or-string` allows."""
    return set(schema) == {"type"} and schema["type"] in {"integer", "string"} and "anyOf" in where[-2:]


def _properties(schema: dict[str, Any], where: Pointer, level: Level) -> Said:
    extra, properties = schema.get("additionalProperties"), schema.get("properties")
    if extra is not None and not isinstance(extra, bool | dict):
        yield (*where, "additionalProperties"), "`additionalProperties` is neither a schema nor true nor false"
    elif extra not in (None, {}) and properties and (extra is False or isinstance(extra, dict)):
        yield (*where, "additionalProperties"), "`additionalProperties` and `properties` exclude each other"
    elif extra is not None and level is Level.ROOT:
        yield (*where, "additionalProperties"), "`additionalProperties` cannot stand at the root"
    if level is not Level.ROOT:
        return
    for field in ("apiVersion", "kind"):
        inner = map_at(schema, "properties").get(field)
        if isinstance(inner, dict) and inner.get("type") != "string":
            yield (*where, "properties", field, "type"), f"`type` of `{field}` is not string"
    meta = map_at(schema, "properties").get("metadata")
    if isinstance(meta, dict):
        if meta.get("type") != "object":
            yield (*where, "properties", "metadata", "type"), "`type` of `metadata` is not object"
        if set(map_at(meta, "properties")) - {"name", "generateName"}:
            yield (*where, "properties", "metadata"), "only `name` and `generateName` of the metadata can be restricted"


def _lists(schema: dict[str, Any], where: Pointer) -> Said:
    """How lists and maps merge; source: validateMapListKeysMapSet and around."""
    kind, how = schema.get("type"), schema.get("x-kubernetes-list-type")
    at: Pointer = (*where, "x-kubernetes-list-type")
    keys = list_at(schema, "x-kubernetes-list-map-keys")
    at_keys: Pointer = (*where, "x-kubernetes-list-map-keys")
    item = map_at(schema, "items")
    if how is not None:
        if kind != "array":
            yield (*where, "type"), "`type` is not array, as `x-kubernetes-list-type` needs"
        if not isinstance(how, str) or how not in _LIST_TYPES:
            yield at, f"`x-kubernetes-list-type` is not one of {', '.join(sorted(_LIST_TYPES))}"
    if how == "map":
        if not keys:
            yield at_keys, "`x-kubernetes-list-map-keys` is missing: a list of type map needs them"
        if item and item.get("type") != "object":
            yield (*where, "items", "type"), "`type` is not object, as a list of type map needs"
    elif keys:
        yield at, "`x-kubernetes-list-type` is not map, as `x-kubernetes-list-map-keys` need"
    properties = map_at(item, "properties")
    for index, key in enumerate(keys):
        inner = properties.get(key) if isinstance(key, str) else None
        if not isinstance(inner, dict):
            yield (*at_keys, index), "the key is no property of the items"
            continue
        if inner.get("type") in {"object", "array"}:
            yield (*where, "items", "properties", key, "type"), "`type` of a key is a map or list"
        if key not in list_at(item, "required") and inner.get("default") is None:
            yield (
                (*where, "items", "properties", key, "default"),
                f"the key `{key}` is neither required nor has a default",
            )
        if inner.get("nullable") is True:
            yield (*where, "items", "properties", key, "nullable"), f"the key `{key}` cannot be nullable"
        if key in keys[:index]:
            yield (*at_keys, index), "the key stands twice"
    if how in {"map", "set"} and item.get("nullable") is True:
        yield (*where, "items", "nullable"), f"items of a list of type {how} cannot be nullable"
    if how == "set":
        if item.get("type") == "object" and item.get("x-kubernetes-map-type") != "atomic":
            yield (*where, "items", "x-kubernetes-map-type"), "items of a set are not atomic"
        if item.get("type") == "array" and item.get("x-kubernetes-list-type") not in {None, "atomic"}:
            yield (*where, "items", "x-kubernetes-list-type"), "items of a set are not atomic"
    merges = schema.get("x-kubernetes-map-type")
    if merges is not None:
        if kind != "object":
            yield (*where, "type"), "`type` is not object, as `x-kubernetes-map-type` needs"
        if not isinstance(merges, str) or merges not in _MAP_TYPES:
            yield (
                (*where, "x-kubernetes-map-type"),
                f"`x-kubernetes-map-type` is not one of {', '.join(sorted(_MAP_TYPES))}",
            )


def _default(schema: dict[str, Any], where: Pointer) -> Said:
    """A default that the schema takes; source: ValidateDefaults."""
    given = schema.get("default")
    if given is None:
        return
    if what := misfit(given, schema) or _odd_bound(schema):
        yield (*where, "default"), f"`default` {what}"


def misfit(value: Any, schema: dict[str, Any]) -> str | None:
    """Say why a value does not fit a schema; only what is plain is looked at."""
    kind = schema.get("type")
    if value is None:
        return None if schema.get("nullable") is True else "is null"
    if schema.get("x-kubernetes-int-or-string") is True:
        fits = isinstance(value, int | str) and not isinstance(value, bool)
        return None if fits else "is neither an integer nor a string"
    if kind in _JSON_TYPES and not isinstance(value, _JSON_TYPES[kind]):
        return f"is not of type {kind}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in {"integer", "number"} and (not is_number or (kind == "integer" and int(value) != value)):
        return f"is not of type {kind}"
    allowed = schema.get("enum")
    if isinstance(allowed, list) and allowed and value not in allowed:
        return "is not in `enum`"
    if is_number and (what := _out_of_range(value, schema)):
        return what
    if isinstance(value, str):
        shortest, longest = schema.get("minLength"), schema.get("maxLength")
        if isinstance(shortest, int) and len(value) < shortest:
            return "is shorter than `minLength`"
        if isinstance(longest, int) and len(value) > longest:
            return "is longer than `maxLength`"
        pattern = schema.get("pattern")
        machine = automaton(pattern) if isinstance(pattern, str) else None
        if machine is not None and not machine.searches(value):
            return "does not match `pattern`"
    return None


def _odd_bound(schema: dict[str, Any]) -> str | None:
    """Say which bound no integer can be; source: k8s.io/kube-openapi, pkg/validation/validate/values.go."""
    bits = 31 if schema.get("format") == "int32" else 63
    low = -(2.0**bits) - (1 if bits < 63 else 0)
    for field in ("minimum", "maximum", "multipleOf") if schema.get("type") == "integer" else ():
        bound = schema.get(field)
        if isinstance(bound, int | float) and not (float(bound).is_integer() and low < float(bound) < 2.0**bits):
            return f"cannot be held against `{field}`, which is no integer of {bits + 1} bits"
    return None


def _out_of_range(value: float, schema: dict[str, Any]) -> str | None:
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(low, int | float) and (value < low or (value == low and schema.get("exclusiveMinimum") is True)):
        return "is below `minimum`"
    if isinstance(high, int | float) and (value > high or (value == high and schema.get("exclusiveMaximum") is True)):
        return "is above `maximum`"
    return None


def _rules(schema: dict[str, Any], where: Pointer) -> Said:
    """CEL rules; source: ValidateCustomResourceDefinitionOpenAPISchema. Their text is judged where CEL is."""
    for index, item in maps_at(schema, "x-kubernetes-validations"):
        at: Pointer = (*where, "x-kubernetes-validations", index)
        rule, message = text_at(item, "rule"), item.get("message")
        if not rule.strip():
            yield (*at, "rule"), "`rule` is missing or blank"
        if isinstance(message, str):
            if message and not message.strip():
                yield (*at, "message"), "`message` is blank"
            elif "\n" in message.strip() or "\r" in message.strip():
                yield (*at, "message"), "`message` has line breaks"
            elif len(message) > 2048:
                yield (*at, "message"), "`message` has more than 2048 characters"
        if "\n" in rule.strip() and not text_at(item, "message").strip() and not item.get("messageExpression"):
            yield (*at, "message"), "`message` is missing for a `rule` with line breaks"
        expression = item.get("messageExpression")
        if isinstance(expression, str) and expression and not expression.strip():
            yield (*at, "messageExpression"), "`messageExpression` is blank"
        reason = item.get("reason")
        if reason is not None and (not isinstance(reason, str) or reason not in _REASONS):
            yield (*at, "reason"), f"`reason` is not one of {', '.join(sorted(_REASONS))}"
        path = item.get("fieldPath")
        if isinstance(path, str) and path and (find_property(schema, path) is None or _POSITION.search(path)):
            yield (*at, "fieldPath"), "`fieldPath` leads to no field of the schema"


def find_property(schema: Any, path: str) -> dict[str, Any] | None:
    """Find the schema of a field by a path such as `.spec.size`; None where there is none.

    Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go, ValidFieldPath.
    """
    position = 0
    while position < len(path):
        part = _PATH_PART.match(path, position)
        if part is None or not isinstance(schema, dict):
            return None
        position = part.end()
        name = part[1] or part[2]
        if name is None:
            schema = schema.get("items")
        elif name in map_at(schema, "properties"):
            schema = schema["properties"][name]
        else:
            schema = schema.get("additionalProperties")
    return schema if isinstance(schema, dict) and path else None


class Part(NamedTuple):
    """A schema in a schema, that says what a value is."""

    schema: dict[str, Any]
    where: Pointer
    has_old: bool
    """Whether the server finds the former value of the same thing: items of lists have one by their keys only."""


def schemas_in(schema: dict[str, Any], where: Pointer, *, has_old: bool = True) -> Iterator[Part]:
    """List a schema and those in it that say what a value is, each with its place; what only judges is left out."""
    yield Part(schema, where, has_old)
    for key, value in map_at(schema, "properties").items():
        if isinstance(value, dict):
            yield from schemas_in(value, (*where, "properties", key), has_old=has_old)
    for field in ("items", "additionalProperties"):
        value = schema.get(field)
        if isinstance(value, dict):
            keyed = field != "items" or schema.get("x-kubernetes-list-type") == "map"
            yield from schemas_in(value, (*where, field), has_old=has_old and keyed)


def _below(schema: dict[str, Any], where: Pointer, level: Level) -> Said:
    inner = Level.NESTED if level is Level.NESTED else Level.FIELD
    for key, value in map_at(schema, "properties").items():
        given: Any = {} if value is None else value
        if level is Level.ROOT and key in {"apiVersion", "kind", "metadata"}:
            if isinstance(given, dict) and given.get("default") is not None:
                yield (*where, "properties", key, "default"), "what every object has cannot have a default"
            continue
        if isinstance(given, dict):
            yield from schema_refusals(given, (*where, "properties", key), inner)
    for field, deeper in (
        ("items", Level.NESTED if level is Level.NESTED else Level.ITEM),
        ("additionalProperties", inner),
        ("not", Level.NESTED),
    ):
        value = schema.get(field)
        if isinstance(value, dict):
            yield from schema_refusals(value, (*where, field), deeper)
        elif field == "items" and isinstance(value, list):
            yield (*where, "items"), "`items` is a list: one schema holds for all items"
    for field in ("allOf", "anyOf", "oneOf"):
        for index, value in maps_at(schema, field):
            yield from schema_refusals(value, (*where, field, index), Level.NESTED)

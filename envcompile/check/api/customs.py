"""What is refused of an object of a custom kind by the schema of its CustomResourceDefinition.

Types, unknown and missing fields are said by `envcompile.kubernetes.shortcomings`; here is what a value may be: enums,
bounds, patterns, formats, keys of lists, and what `allOf`, `anyOf`, `oneOf` and `not` say. Rules in CEL are not looked
at here.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/validation.go, pkg/apiserver/schema/
listtype/validation.go and pkg/apiserver/validation/formats.go of kubernetes/kubernetes; k8s.io/kube-openapi
pkg/validation/validate.
"""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.automata import automaton
from envcompile.check.api.customformats import FORMATS, YOUNG
from envcompile.check.api.decoded import decoded
from envcompile.check.api.meta import metadata
from envcompile.check.api.refusal import Place, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.api.refusal import Said
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Pointer

Schema = dict[str, Any]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_TOLERANCE: Final = 1e-9
_LARGEST_FLOAT: Final = 3.4028234663852886e38


def custom_refusals(api: KubeApi, value: Any) -> list[Refusal]:
    """List what is refused of an object of a custom kind with a schema; empty for all others."""
    group, _, version = str(value.get("apiVersion", "")).rpartition("/")
    custom = api.custom(group, str(value.get("kind"))) if group else None
    schema = custom.versions.get(version) if custom is not None and custom.is_defined else None
    if schema is None or custom is None:
        return []
    release = int(api.version.partition(".")[2])
    unknown = tuple(_no_format(name) for name, since in YOUNG.items() if since > release)
    said = _judged(_defaulted(value, schema), schema, ())
    return [Refusal(at, what) for at, what in said if not (unknown and what.endswith(unknown))]


def keeps_rules_unasked(value: Any, schema: Schema) -> bool:
    """Tell whether a value is so wrong that the server asks no rule in CEL: type, format, enum, missing or too much.

    Source: hasBlockingErr of staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go.
    """
    if value is None:
        return False
    if not _fits(value, schema):
        return True
    if isinstance(value, (str, list, dict)):
        most = {str: "maxLength", list: "maxItems", dict: "maxProperties"}[type(value)]
        if len(value) > schema.get(most, len(value)):
            return True
    if isinstance(value, str) and (judge := FORMATS.get(str(schema.get("format")))) is not None and not judge(value):
        return True
    allowed = schema.get("enum")
    if isinstance(allowed, list) and not any(_same(value, one) for one in allowed):
        return True
    if isinstance(value, dict):
        if not all(name in value for name in schema.get("required") or ()):
            return True
        return any(keeps_rules_unasked(inner, _field(schema, key) or {}) for key, inner in value.items())
    items = schema.get("items")
    return isinstance(value, list) and isinstance(items, dict) and any(keeps_rules_unasked(one, items) for one in value)


def metadata_refusals(api: KubeApi, value: Any) -> list[Refusal]:
    """List what is refused of the metadata of an object of a custom kind."""
    group, _, version = str(value.get("apiVersion", "")).rpartition("/")
    kind = str(value.get("kind"))
    node = api.node(group, version, kind) if group and not api.is_built_in(group, kind) else None
    if node is None:
        return []
    release = int(api.version.partition(".")[2])
    place = Place(group, kind, version, value, (), release, api.is_namespaced(group, kind) is not False)
    return list(starmap(Refusal, metadata(decoded(value, node), place, any_finalizer=True)))


def _defaulted(value: Any, schema: Schema) -> Any:
    """A value as the server judges it: what is left out has the schema's default.

    Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting/algorithm.go.
    """
    if isinstance(value, dict):
        given: dict[str, Any] = {}
        for name, of in (schema.get("properties") or {}).items():
            if "default" in of and (name not in value or (value[name] is None and not of.get("nullable"))):
                given[name] = of["default"]
        whole = {**value, **given}
        return {key: _defaulted(inner, _field(schema, key) or {}) for key, inner in whole.items()}
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_defaulted(item, schema["items"]) for item in value]
    return value


def _judged(value: Any, schema: Schema, at: Pointer) -> Said:
    """What is wrong with a value and those in it; a value of a wrong type is passed over."""
    if value is None or not _fits(value, schema):
        return
    yield from ((at, what) for what in _alone(value, schema))
    yield from _joined(value, schema, at)
    if isinstance(value, dict):
        for key, inner in value.items():
            below = _field(schema, key)
            if below is not None:
                yield from _judged(inner, below, (*at, key))
    elif isinstance(value, list):
        yield from _keyed(value, schema, at)
        items = schema.get("items") or {}
        for index, item in enumerate(value):
            yield from _judged(item, items, (*at, index))


def _field(schema: Schema, key: str) -> Schema | None:
    fields = schema.get("properties")
    below = fields.get(key) if isinstance(fields, dict) else None
    if below is None:
        below = schema.get("additionalProperties")
    return below if isinstance(below, dict) else None


def _fits(value: Any, schema: Schema) -> bool:
    if schema.get("x-kubernetes-int-or-string"):
        return isinstance(value, (int, str)) and not isinstance(value, bool)
    wanted = _TYPES.get(str(schema.get("type")))
    if wanted is None:
        return True
    if isinstance(value, bool):
        return bool in wanted
    return isinstance(value, wanted) or (wanted == (int,) and isinstance(value, float) and value.is_integer())


def _alone(value: Any, schema: Schema) -> Iterator[str]:
    """What a schema says of a value by itself."""
    allowed = schema.get("enum")
    if isinstance(allowed, list) and not any(_same(value, one) for one in allowed):
        yield f"{_spelt(value)} is none of {', '.join(map(_spelt, allowed))}"
    if isinstance(value, str):
        yield from _text(value, schema)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number(value, schema)
    elif isinstance(value, (list, dict)):
        least, most = ("minItems", "maxItems") if isinstance(value, list) else ("minProperties", "maxProperties")
        yield from _size(len(value), schema, least, most, "items" if isinstance(value, list) else "fields")
        if schema.get("uniqueItems") and isinstance(value, list) and _repeated(value):
            yield "two items are the same"


def _text(value: str, schema: Schema) -> Iterator[str]:
    yield from _size(len(value), schema, "minLength", "maxLength", "characters")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and (machine := automaton(pattern)) is not None and not machine.searches(value):
        yield f"{_spelt(value)} does not match `{pattern}`"
    judge = FORMATS.get(str(schema.get("format")))
    if judge is not None and not judge(value):
        yield _spelt(value) + _no_format(schema["format"])


def _no_format(name: str) -> str:
    return f" is not of format {name}"


def _number(value: float, schema: Schema) -> Iterator[str]:
    least, most, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if least is not None and (value < least or (value == least and schema.get("exclusiveMinimum"))):
        yield f"{value} is below {least}"
    if most is not None and (value > most or (value == most and schema.get("exclusiveMaximum"))):
        yield f"{value} is above {most}"
    if step and not _is_multiple(value, step):
        yield f"{value} is no multiple of {step}"
    form = str(schema.get("format"))
    if form == "float" and abs(value) > _LARGEST_FLOAT:
        yield f"{value} does not fit into a float of 32 bits"
    bits = 31 if form == "int32" else 63 if form == "int64" or schema.get("type") == "integer" else 0
    if bits and not -(2**bits) <= value < 2**bits:
        yield f"{value} does not fit into {bits + 1} bits"


def _is_multiple(value: float, step: float) -> bool:
    """Source: MultipleOf of kube-openapi pkg/validation/validate/values.go and IsFloat64AJSONInteger of swag."""
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    times = value * (1 / step) if step < 1 else value / step
    whole = float(int(times))
    return times == whole or abs(times - whole) / (abs(times) + abs(whole)) < _TOLERANCE


def _size(size: int, schema: Schema, least: str, most: str, what: str) -> Iterator[str]:
    if size < schema.get(least, 0):
        yield f"there are {size} {what}: {schema[least]} are the fewest"
    if most in schema and size > schema[most]:
        yield f"there are {size} {what}: {schema[most]} are the most"


def _keyed(value: list[Any], schema: Schema, at: Pointer) -> Said:
    """Items of a list with keys that are the same, and of a set."""
    how, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    if how not in {"map", "set"}:
        return
    items = schema.get("items")
    fields = items.get("properties") if isinstance(items, dict) else None
    defaults = {key: (fields or {}).get(key, {}).get("default") for key in keys}
    seen: list[Any] = []
    for index, item in enumerate(value):
        if how == "map" and not isinstance(item, dict):
            continue
        known = {key: item.get(key, defaults[key]) for key in keys} if how == "map" else item
        if any(_is_equal(known, one) for one in seen):
            yield (*at, index), "an item before has the same " + (" and ".join(f"`{key}`" for key in keys) or "value")
        seen.append(known)


def _joined(value: Any, schema: Schema, at: Pointer) -> Said:
    """What the schemas say that only judge: `allOf`, `anyOf`, `oneOf`, `not`."""
    for part in schema.get("allOf") or ():
        if not accepts(value, part):
            yield at, _wants(part)
    some = schema.get("anyOf") or ()
    if some and not any(accepts(value, part) for part in some):
        yield at, f"none of the forms fits that it may have: {_forms(some)}"
    one = schema.get("oneOf") or ()
    if one and (fitting := sum(accepts(value, part) for part in one)) != 1:
        what = "none of the forms fits" if not fitting else "several of the forms fit"
        yield at, f"{what} of which exactly one must: {_forms(one)}"
    if isinstance(schema.get("not"), dict) and accepts(value, schema["not"]):
        yield at, f"it has the form that it must not have: {_forms([schema['not']])}"


def accepts(value: Any, schema: Schema) -> bool:
    """Tell whether a schema that only judges takes a value."""
    if value is not None and not _fits(value, schema):
        return False
    if isinstance(value, dict) and not all(key in value for key in schema.get("required") or ()):
        return False
    return next(_judged_inside(value, schema), None) is None


def _judged_inside(value: Any, schema: Schema) -> Said:
    yield from _judged(value, schema, ())
    if isinstance(value, dict):
        for key, inner in value.items():
            below = _field(schema, key)
            if below is not None and not accepts(inner, below):
                yield (key,), ""
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            if not accepts(item, schema["items"]):
                yield (index,), ""


def _wants(schema: Schema) -> str:
    return f"it has not the form that it must have: {_forms([schema])}"


def _forms(parts: list[Schema]) -> str:
    """The forms that a value may have, by what tells them apart."""
    return "; ".join(dict.fromkeys(_form(part) for part in parts))


def _form(schema: Schema) -> str:
    if schema.get("required"):
        return "with " + ", ".join(f"`{name}`" for name in schema["required"])
    if isinstance(schema.get("not"), dict):
        return f"not {_form(schema['not'])}"
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return " or ".join(dict.fromkeys(_form(part) for part in schema[key]))
    if schema.get("properties"):
        return "a certain " + ", ".join(f"`{name}`" for name in schema["properties"])
    said = {key: of for key, of in schema.items() if not key.startswith("x-")}
    return ", ".join(f"{key} {_spelt(of)}" for key, of in said.items()) or "anything"


def _spelt(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _same(value: Any, one: Any) -> bool:
    """Tell whether a value is one of an enum: 1 and 1.0 are the same number."""
    return value == one and isinstance(value, bool) is isinstance(one, bool)


def _is_equal(value: Any, other: Any) -> bool:
    """Tell whether two items are the same to a list: 1 and 1.0 are not."""
    return value == other and type(value) is type(other)


def _repeated(value: list[Any]) -> bool:
    return any(item in value[:index] for index, item in enumerate(value))

"""What is refused of CEL expressions without evaluating them: syntax, names that are not there, results of other types.

Sources: pkg/apis/admissionregistration/validation/validation.go (validateCELCondition),
staging/src/k8s.io/apiserver/pkg/admission/plugin/cel/compile.go (variables and their types), pkg/apis/resource/
validation/validation.go (validateCELExpression) of kubernetes/kubernetes.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.celtext import parse
from envcompile.check.api.patterns import bad_pattern
from envcompile.check.reading import map_at, maps_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.check.api.celtext import Chain
    from envcompile.check.api.crdschemas import Part
    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_ADMISSION: Final = ("object", "oldObject", "request", "authorizer")
_NAMESPACES: Final = frozenset({
    "base64", "cel", "format", "google", "ip", "cidr", "json", "jsonpatch", "kubernetes", "lists", "math", "net",
    "optional", "quantity", "regex", "semver", "sets", "strings", "url", "proto",
})  # fmt: skip
"""Names that begin functions and messages of CEL and of Kubernetes' libraries: `math.greatest`, `optional.of`."""

_TYPES: Final = frozenset({
    "bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint",
    "Object", "JSONPatch", "timestamp", "duration",
})  # fmt: skip
_REQUEST: Final = frozenset({
    "kind", "resource", "subResource", "requestKind", "requestResource", "requestSubResource", "name", "namespace",
    "operation", "userInfo", "dryRun", "options",
})  # fmt: skip
_DEVICE: Final = frozenset({"allowMultipleAllocations", "attributes", "capacity", "driver"})
"""Source: staging/src/k8s.io/dynamic-resource-allocation/cel/compile.go, newCompiler."""
_NAMESPACE: Final = frozenset({"metadata", "spec", "status"})
_USER: Final = frozenset({"username", "uid", "groups", "extra"})


def bad_expression(
    text: Any, names: Sequence[str], wanted: Sequence[str], variables: Sequence[str] | None = None
) -> str | None:
    """Say what is wrong with an expression; None for one that may be right.

    Args:
        text: the expression; anything that is no text, or blank, is said elsewhere.
        names: the variables it may use.
        wanted: the types its result may have, as `celtext.Parsed.type` spells them; others are refused where plain.
        variables: the fields of `variables` that are declared before it.
    """
    if not isinstance(text, str) or not text.strip():
        return None
    parsed = parse(text)
    if parsed.error is not None:
        return f"is no CEL expression: it {parsed.error}"
    for chain in parsed.chains:
        if what := _bad_name(chain, names, variables):
            return what
    for literal in parsed.patterns:
        if what := _bad_literal(literal):
            return f"holds a regular expression that {what}"
    if parsed.type is not None and parsed.type not in wanted and not _is_message(parsed.type, wanted):
        return f"results in a {parsed.type} where a {' or '.join(wanted)} belongs"
    return None


def _is_message(kind: str, wanted: Sequence[str]) -> bool:
    return "Object" in wanted and kind.partition(".")[0] == "Object"


def _bad_literal(literal: str) -> str | None:
    try:
        text = ast.literal_eval(literal)
    except (SyntaxError, ValueError):
        return None
    return bad_pattern(text) if isinstance(text, str) else None


def _bad_name(chain: Chain, names: Sequence[str], variables: Sequence[str] | None) -> str | None:
    if chain.name not in names:
        if chain.is_called or chain.name in _TYPES or chain.name in _NAMESPACES:
            return None
        if chain.name == "variables" and variables is not None:
            if chain.fields and chain.fields[0] not in variables:
                return f"uses `variables.{chain.fields[0]}`, which is not declared before it"
            return None
        return f"uses `{chain.name}`, which is not there: {', '.join(names)}"
    if chain.name == "namespaceObject" and chain.fields and chain.fields[0] not in _NAMESPACE:
        return f"uses `namespaceObject.{chain.fields[0]}`, which is no field of a Namespace that it sees"
    if chain.name == "device" and chain.fields and chain.fields[0] not in _DEVICE:
        return f"uses `device.{chain.fields[0]}`, which is no field of a device: {', '.join(sorted(_DEVICE))}"
    if chain.name == "request" and chain.fields:
        if chain.fields[0] not in _REQUEST:
            return f"uses `request.{chain.fields[0]}`, which is no field of a request"
        if chain.fields[0] == "userInfo" and len(chain.fields) > 1 and chain.fields[1] not in _USER:
            return f"uses `request.userInfo.{chain.fields[1]}`, which is no field of a user"
    return None


def policy(spec: dict[str, Any], place: Place) -> Said:
    """The expressions of an admission policy, in the order in which they see each other."""
    names = [*_ADMISSION, "namespaceObject", *(["params"] if spec.get("paramKind") is not None else [])]
    declared: list[str] = []
    where: Pointer
    for index, item in maps_at(spec, "matchConditions"):
        yield from _say(item, ("matchConditions", index), "expression", names, ("bool",))
    for index, item in maps_at(spec, "variables"):
        yield from _say(item, ("variables", index), "expression", names, _ANY, declared)
        declared.append(text_at(item, "name"))
    if place.kind == "MutatingAdmissionPolicy":
        for index, item in maps_at(spec, "mutations"):
            for field, wanted in (("applyConfiguration", ("Object",)), ("jsonPatch", ("list",))):
                yield from _say(map_at(item, field), ("mutations", index, field), "expression", names, wanted, declared)
        return
    for index, item in maps_at(spec, "validations"):
        where = ("validations", index)
        yield from _say(item, where, "expression", names, ("bool",), declared)
        silent = [name for name in names if name != "authorizer"]
        yield from _say(item, where, "messageExpression", silent, ("string",), declared)
    for index, item in maps_at(spec, "auditAnnotations"):
        where = ("auditAnnotations", index)
        yield from _say(item, where, "valueExpression", names, ("string", "null"), declared)


_ANY: Final = ("bool", "string", "number", "list", "map", "null", "Object", "JSONPatch")


def _say(
    item: Mapping[str, Any],
    where: Pointer,
    field: str,
    names: Sequence[str],
    wanted: Sequence[str],
    variables: Sequence[str] | None = None,
) -> Said:
    what = bad_expression(item.get(field), names, wanted, variables if variables is not None else None)
    if what:
        yield (*where, field), f"`{field}` {what}"


def webhook(value: dict[str, Any], _: Place) -> Said:
    """The conditions of a webhook."""
    for index, item in maps_at(value, "matchConditions"):
        yield from _say(item, ("matchConditions", index), "expression", _ADMISSION, ("bool",))


def device_selector(value: dict[str, Any], _: Place) -> Said:
    """A selector of devices."""
    yield from _say(value, (), "expression", ("device",), ("bool",))
    if text_at(value, "expression").strip() == "device":
        yield ("expression",), "`expression` results in a device where a bool belongs"


def schema_rules(part: Part, *, is_root: bool) -> Said:
    """The rules of one schema in a CustomResourceDefinition, with the fields of `self` that it has."""
    schema, where, has_old = part
    for index, item in maps_at(schema, "x-kubernetes-validations"):
        at: Pointer = (*where, "x-kubernetes-validations", index)
        names = ("self", "oldSelf")
        yield from _say(item, at, "rule", names, ("bool",))
        yield from _say(item, at, "messageExpression", names, ("string",))
        if (kind := _plain_type(schema, text_at(item, "rule"))) not in {None, "boolean"}:
            yield (*at, "rule"), f"`rule` is a value of type {kind}, and no bool"
        if item.get("optionalOldSelf") is not None and "oldSelf" not in text_at(item, "rule"):
            yield (*at, "optionalOldSelf"), "`optionalOldSelf` is there, and the `rule` does not use `oldSelf`"
        if not has_old and any(chain.name == "oldSelf" for chain in parse(text_at(item, "rule")).chains):
            what = "`rule` uses `oldSelf` in an item of a list whose `x-kubernetes-list-type` is not map: it has none"
            yield (*at, "rule"), what
        for field in ("rule", "messageExpression"):
            text = text_at(item, field)
            parsed = parse(text) if text else None
            for chain in parsed.chains if parsed is not None else ():
                if chain.name in names and (missing := _missing(schema, chain.fields, is_object=is_root)):
                    yield (*at, field), f"`{field}` uses `{missing}`, which the schema does not have"
                    break


_SCALARS: Final = frozenset({"boolean", "integer", "number", "string"})
_LETTERS: Final = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}
_WRITTEN: Final = re.compile(r"__(underscores|dot|dash|slash)__")
"""How expressions write what a name of theirs cannot have.

Source: staging/src/k8s.io/apiserver/pkg/cel/escaping.go, Unescape.
"""
_PLAIN: Final = re.compile(r"\s*self((?:\.[A-Za-z]\w*)*)\s*")


def _plain_type(schema: Any, rule: str) -> str | None:
    """The type of a rule that is nothing but a field; None for any other, and where the schema does not say."""
    found = _PLAIN.fullmatch(rule)
    for name in found[1].split(".")[1:] if found is not None else ():
        schema = map_at(schema, "properties").get(name) if isinstance(schema, dict) else None
    return text_at(schema, "type") or None if found is not None and isinstance(schema, dict) else None


def _missing(schema: Any, fields: Sequence[str], *, is_object: bool) -> str | None:
    """Name the first field of a chain that a schema does not have; None where all are there or cannot be told.

    Args:
        schema: of the value that the chain begins with.
        fields: as the expression writes them.
        is_object: whether the value is a whole object, with a kind and metadata.
    """
    for index, spelt in enumerate(fields):
        field = _WRITTEN.sub(lambda found: _LETTERS[found[1]], spelt)
        if not isinstance(schema, dict):
            return None
        if schema.get("type") in _SCALARS and not schema.get("x-kubernetes-int-or-string"):
            return spelt
        if schema.get("type") != "object" or field.startswith(("_", "`")):
            return None
        properties = map_at(schema, "properties")
        if schema.get("additionalProperties") is not None:
            return None
        if (is_object and not index) or schema.get("x-kubernetes-embedded-resource") is True:
            if field == "metadata":
                return next((one for one in fields[index + 1 : index + 2] if one not in {"name", "generateName"}), None)
            if field in {"apiVersion", "kind"}:
                return None
        if field not in properties:
            return spelt
        schema = properties[field]
        if isinstance(schema, dict) and not schema.get("type") and not schema.get("x-kubernetes-int-or-string"):
            return spelt  # expressions see no value that the schema says nothing of
    return None


RULES: Final[Mapping[str, Validator]] = {
    "admissionregistration.v1.MutatingAdmissionPolicySpec": policy,
    "admissionregistration.v1.MutatingWebhook": webhook,
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": policy,
    "admissionregistration.v1.ValidatingWebhook": webhook,
    "resource.v1.CELDeviceSelector": device_selector,
}

"""The rules of custom kinds: `x-kubernetes-validations` of a structural schema, asked about an object and what it was.

`problems` is a function of what it is given and of nothing else. Sources: pkg/apiserver/schema/cel/validation.go,
compilation.go and values.go of k8s.io/apiextensions-apiserver; pkg/cel/escaping.go and pkg/cel/common of
k8s.io/apiserver.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel import costs
from envcompile.check.cel.convert import parse_duration, parse_time
from envcompile.check.cel.engine import RefusedError
from envcompile.check.cel.tree import DYN, CelType
from envcompile.check.cel.values import NOTHING, CostError, Maybe, UnknownError, Unordered
from envcompile.check.policy.crdcosts import Costs, below, too_dear
from envcompile.check.policy.kinds import RULES
from envcompile.check.reading import map_at, maps_at, text_at, texts_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.cel.engine import Engine, Program
    from envcompile.model import Pointer

_RESERVED: Final = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})  # fmt: skip
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_MESSAGE: Final = 5 * 1024
_SCALARS: Final = {"integer": "int", "number": "double", "boolean": "bool", "string": "string"}
_FORMATS: Final = {"byte": "bytes", "date-time": "timestamp", "date": "timestamp", "duration": "duration"}
_REASONS: Final = {
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}


_ANY_STATUS: Final = ("status", {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
"""What `envcompile.kubernetes.shipped` has in the place of a status, whatever fields the definition names."""


class Problem(NamedTuple):
    """One thing that a rule refuses."""

    pointer: Pointer
    """The field of the object."""
    rule: str
    """The text of the rule."""
    words: str
    """What the server says of the field."""


class Unknown(NamedTuple):
    """A rule that cannot be evaluated here."""

    rule: str
    why: str


class RefusedRule(NamedTuple):
    """A rule that the server does not take: where in the schema, and its words."""

    pointer: Pointer
    words: str


def spellings(name: str) -> tuple[str, ...]:
    """The ways in which rules may write a field's name: words of the language with underscores, or as they are."""
    own = escaped(name)
    return () if own is None else (own, name) if name in _RESERVED else (own,)


def escaped(name: str) -> str | None:
    """A field's name as rules write it; None for one that they cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    made = name.replace("__", "__underscores__")
    for letter, word in ((".", "dot"), ("-", "dash"), ("/", "slash")):
        made = made.replace(letter, f"__{word}__")
    return made if _NAME.fullmatch(made) else None


# ---- types and values


def _is_object(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "object" and not isinstance(schema.get("additionalProperties"), dict)


def type_of(schema: Mapping[str, Any]) -> CelType:
    """The type of what a schema describes."""
    if schema.get("x-kubernetes-int-or-string"):
        return DYN
    kind = text_at(schema, "type")
    if kind == "array":
        return CelType("list", (type_of(map_at(schema, "items")),))
    others = schema.get("additionalProperties")
    if kind == "object" and isinstance(others, dict):
        return CelType("map", (CelType("string"), type_of(others)))
    if kind == "string" and text_at(schema, "format") in _FORMATS:
        return CelType(_FORMATS[text_at(schema, "format")])
    return CelType(_SCALARS[kind]) if kind in _SCALARS else DYN


def _names(root: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, CelType]]:
    """A name with the fields below it, as far as objects lie in objects."""
    yield root, type_of(schema)
    if _is_object(schema):
        for name, sub in map_at(schema, "properties").items():
            for own in spellings(name) if isinstance(sub, dict) else ():
                yield from _names(f"{root}.{own}", sub)


def _fields(root: str, schema: Mapping[str, Any], *, is_whole: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every object of known shape with its fields; `[]` is what is in a list, `{}` what is in a map."""
    for mark, inner in (("[]", schema.get("items")), ("{}", schema.get("additionalProperties"))):
        if isinstance(inner, dict) and not is_whole:
            yield from _fields(f"{root}{mark}", inner, is_whole=False)
    properties = map_at(schema, "properties")
    if _is_object(schema):
        own = [made for name in properties for made in spellings(name)]
        more = ["apiVersion", "kind", "metadata"] if is_whole or schema.get("x-kubernetes-embedded-resource") else []
        yield root, (*own, *more)
        for name, sub in properties.items():
            if not isinstance(sub, dict) or (is_whole and (name == "metadata" or (name, sub) == _ANY_STATUS)):
                continue
            for made in spellings(name):
                yield from _fields(f"{root}.{made}", sub, is_whole=False)


def typed(schema: Mapping[str, Any], value: Any, *, is_whole: bool = False) -> Any:
    """A value as rules see it."""
    if value is None:
        return None
    if isinstance(value, dict):
        return _typed_map(schema, value, is_whole=is_whole)
    if isinstance(value, list):
        items = [typed(map_at(schema, "items"), item) for item in value]
        kind = text_at(schema, "x-kubernetes-list-type")
        keys = [escaped(key) or key for key in texts_at(schema, "x-kubernetes-list-map-keys")]
        return Unordered(items, keys if kind == "map" else []) if kind in {"set", "map"} else items
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and schema.get("type") == "string":
        return _typed_text(str(schema.get("format", "")), value)
    return value


def _typed_map(schema: Mapping[str, Any], value: dict[str, Any], *, is_whole: bool) -> dict[str, Any]:
    properties, others = map_at(schema, "properties"), schema.get("additionalProperties")
    if isinstance(others, dict):
        return {key: typed(others, item) for key, item in value.items()}
    found = {
        own: typed(properties[key], item)
        for key, item in value.items()
        if isinstance(properties.get(key), dict)
        for own in spellings(key)
    }
    if is_whole or schema.get("x-kubernetes-embedded-resource"):
        metadata = map_at(value, "metadata")
        found |= {key: value[key] for key in ("apiVersion", "kind") if key in value}
        found["metadata"] = {key: metadata[key] for key in ("name", "generateName") if key in metadata}
    return found


def _typed_text(form: str, value: str) -> Any:
    if form == "byte":
        try:
            return base64.b64decode(value)
        except (binascii.Error, ValueError):
            return value.encode()
    if form in {"date-time", "date"}:
        return parse_time(value if form == "date-time" else f"{value}T00:00:00Z") or value
    return parse_duration(value) or value if form == "duration" else value


# ---- rules


class _Ended(Exception):  # ruff: ignore[error-suffix-on-exception-name] - no error: the server stops here
    """No further rule is asked."""


class Judge:
    """The rules of one schema, compiled.

    Args:
        engine: compiles them.
        schema: the structural schema of one version of a kind.
    """

    def __init__(self, engine: Engine, schema: Mapping[str, Any]) -> None:
        self._engine = engine
        self.schema = schema
        self._programs: dict[tuple[int, str], Program | str] = {}

    def refusals(self) -> list[RefusedRule]:
        """What the server does not take of the rules themselves."""
        found = list(self._refusals(self.schema, (), is_whole=True, is_told_apart=True))
        given = Costs(lambda schema, text, is_whole: self._program(schema, text, is_whole=is_whole), escaped)
        return [*found, *starmap(RefusedRule, too_dear(self.schema, given))]

    def _refusals(
        self, schema: Mapping[str, Any], where: Pointer, *, is_whole: bool, is_told_apart: bool
    ) -> Iterator[RefusedRule]:
        for at, item in maps_at(schema, RULES):
            for field in ("rule", "messageExpression"):
                text = text_at(item, field)
                found = self._program(schema, text, is_whole=is_whole) if text.strip() else None
                if isinstance(found, str):
                    yield RefusedRule((*where, RULES, at, field), found)
                elif found is not None and found.result.name not in _wanted(field):
                    what = "cel expression must evaluate to a bool"
                    what = what if field == "rule" else f"{field} must evaluate to a string"
                    yield RefusedRule((*where, RULES, at, field), what)
                elif found is not None and field == "rule" and not is_told_apart and _looks_back(found):
                    what = "oldSelf cannot be used on the uncorrelatable portion of the schema"
                    yield RefusedRule((*where, RULES, at, field), what)
        for step, sub in below(schema):
            apart = is_told_apart and (step != ("items",) or schema.get("x-kubernetes-list-type") == "map")
            yield from self._refusals(sub, (*where, *step), is_whole=False, is_told_apart=apart)

    def _program(self, schema: Mapping[str, Any], text: str, *, is_whole: bool) -> Program | str:
        key = (id(schema), text)
        if key not in self._programs:
            names = {**dict(_names("self", schema)), **dict(_names("oldSelf", schema))}
            roots = ("self", "oldSelf")
            fields = dict(pair for root in roots for pair in _fields(root, schema, is_whole=is_whole))
            if any(item.get("optionalOldSelf") for _, item in maps_at(schema, RULES) if text in item.values()):
                names = {name: kind for name, kind in names.items() if not name.startswith("oldSelf")}
                names["oldSelf"] = DYN
                fields = {name: known for name, known in fields.items() if not name.startswith("oldSelf")}
            if is_whole:
                names |= {
                    f"{root}.{name}": CelType("string")
                    for root in ("self", "oldSelf")
                    for name in ("apiVersion", "kind", "metadata.name", "metadata.generateName")
                    if root in fields
                }
            try:
                self._programs[key] = self._engine.compile(text, names, fields=fields, is_typed=False)
            except RefusedError as error:
                self._programs[key] = str(error)
        return self._programs[key]

    def problems(self, value: Any, old: Any = None) -> Iterator[Problem | Unknown]:
        """What the rules say of an object.

        Args:
            value: the object, with the defaults of the schema.
            old: what it was; None for an object that is new.
        """
        budget = [costs.PER_BINDING]
        try:
            yield from self._judge(self.schema, value, old, (), budget, is_whole=True)
        except _Ended:
            return

    def _judge(
        self, schema: Mapping[str, Any], value: Any, old: Any, where: Pointer, budget: list[int], *, is_whole: bool
    ) -> Iterator[Problem | Unknown]:
        if value is None:
            return
        for source in (schema, *(item for _, item in maps_at(schema, "allOf"))):
            for _, item in maps_at(source, RULES):
                yield from self._rule(schema, item, value, old, where, budget, is_whole=is_whole)
        for sub, part, before, step in _parts(schema, value, old):
            yield from self._judge(sub, part, before, (*where, step), budget, is_whole=False)

    def _rule(
        self,
        schema: Mapping[str, Any],
        item: Mapping[str, Any],
        value: Any,
        old: Any,
        where: Pointer,
        budget: list[int],
        *,
        is_whole: bool,
    ) -> Iterator[Problem | Unknown]:
        text = text_at(item, "rule")
        program = self._program(schema, text, is_whole=is_whole) if text.strip() else ""
        if isinstance(program, str):
            return
        is_optional = item.get("optionalOldSelf") is True
        if _looks_back(program) and old is None and not is_optional:
            return
        names = {"self": typed(schema, value, is_whole=is_whole)}
        before = typed(schema, old, is_whole=is_whole)
        names["oldSelf"] = (Maybe(before, is_there=True) if old is not None else NOTHING) if is_optional else before
        shown = text_at(item, "message").strip() or text.strip()
        kind = f'Invalid value: "{schema.get("type", "")}": '
        try:
            found = program.run(names)
        except UnknownError as error:
            yield Unknown(text, str(error))
            return
        except CostError as error:
            rest = "no further validation rules will be run due to call cost exceeds limit for rule"
            yield Problem(where, text, f"{kind}'{error}': {rest}: {shown}")
            raise _Ended from None
        budget[0] -= found.cost
        if budget[0] < 0:
            what = "validation failed due to running out of cost budget, no further validation rules will be run"
            yield Problem(where, text, f"{kind}{what}")
            raise _Ended
        if found.error is not None:
            yield Problem(where, text, f"{kind}{_failure(found.error, shown)}")
        elif found.value is not True:
            detail = self._message(schema, item, names, is_whole=is_whole) or (
                text_at(item, "message").strip() or f"failed rule: {text.strip()}"
            )
            pointer = (*where, *_path(text_at(item, "fieldPath")))
            yield Problem(pointer, text, _words(schema, text_at(item, "reason"), value, detail))

    def _message(
        self, schema: Mapping[str, Any], item: Mapping[str, Any], names: Mapping[str, Any], *, is_whole: bool
    ) -> str:
        text = text_at(item, "messageExpression")
        program = self._program(schema, text, is_whole=is_whole) if text.strip() else ""
        if isinstance(program, str):
            return ""
        try:
            found = program.run(names)
        except (UnknownError, CostError):
            return ""
        made = found.value.strip() if isinstance(found.value, str) else ""
        return "" if "\n" in made or len(made.encode()) > _LONGEST_MESSAGE else made


def _looks_back(program: Program) -> bool:
    return "oldSelf" in program.uses


def _wanted(field: str) -> tuple[str, ...]:
    return ("bool", "dyn") if field == "rule" else ("string",)


def _failure(error: str, shown: str) -> str:
    if error.startswith("no such overload"):
        what = "call arguments did not match a supported operator, function or macro signature"
        return f"'{error}': {what} for rule: {shown}"
    return f"{error} evaluating rule: {shown}"


def _words(schema: Mapping[str, Any], reason: str, value: Any, detail: str) -> str:
    name = _REASONS.get(reason, "Invalid value")
    if name in {"Forbidden", "Required value"} or text_at(schema, "type") in {"object", "array"}:
        return f"{name}: {detail}" if name != "Duplicate value" else name
    shown = json.dumps(value, ensure_ascii=False)
    return f"{name}: {shown}" if name == "Duplicate value" else f"{name}: {shown}: {detail}"


_STEP: Final = re.compile(r"\.([A-Za-z_][\w-]*)|\['((?:[^'\\]|\\.)*)'\]")


def _path(text: str) -> Pointer:
    """A `fieldPath` as a pointer: `.size`, `['with-dash']`."""
    return tuple(match[1] or match[2].replace("\\'", "'") for match in _STEP.finditer(text))


def _parts(schema: Mapping[str, Any], value: Any, old: Any) -> Iterator[tuple[Mapping[str, Any], Any, Any, str | int]]:
    """What a value consists of: schema, value, what it was where that can be told, and the way to it."""
    if isinstance(value, dict):
        properties, others = map_at(schema, "properties"), schema.get("additionalProperties")
        for name, item in value.items():
            sub = properties.get(name, others)
            if isinstance(sub, dict):
                yield sub, item, old.get(name) if isinstance(old, dict) else None, name
    elif isinstance(value, list):
        keys = texts_at(schema, "x-kubernetes-list-map-keys")
        known = [item for item in old if isinstance(item, dict)] if keys and isinstance(old, list) else []
        index = {tuple(str(item.get(key)) for key in keys): item for item in known}
        for position, item in enumerate(value):
            key = tuple(str(item.get(name)) for name in keys) if isinstance(item, dict) else ()
            yield map_at(schema, "items"), item, index.get(key) if keys else None, position

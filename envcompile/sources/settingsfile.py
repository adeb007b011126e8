"""From a parsed document to typed settings, with every mistake in it reported at its place."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from envcompile import yamlio
from envcompile.errors import EnvcError, did_you_mean
from envcompile.model import Document
from envcompile.sources import settingsrules
from envcompile.values import dotted
from envcompile.yamlio.places import place, within_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import inspect

    from envcompile.errors import Problems
    from envcompile.model import Pointer
    from envcompile.settings import Model
    from envcompile.sources.tree import File

M = TypeVar("M", bound="Model")

_KINDS = {
    "dict": "a map",
    "list": "a list",
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "NoneType": "empty",
}


def read_settings(
    model: type[M], file: File, layer: str, problems: Problems, known: Callable[[Document], Document] | None = None
) -> tuple[M, Document] | None:
    """Read a settings file (`envc.yaml`, `environment.yaml`), which holds one document.

    `known` gives the part of the document that can be read already; all of it when left out.

    Returns the settings with the document they stand in; None when something is wrong, which is then noted.
    """
    try:
        values = yamlio.load_all(file.data, file.path)
    except EnvcError as error:
        problems.extend(error)
        return None
    documents = [
        Document(_with_words(value), file, index, layer) for index, value in enumerate(values) if value is not None
    ]
    if len(documents) > 1:
        what = f"`{file.path}` holds {len(documents)} documents; settings are one"
        problems.add(what, "keep one document; resources belong into files of their own", place(documents[1]))
        return None
    document = documents[0] if documents else Document({}, file, 0, layer)
    typed = read_model(model, known(document) if known else document, problems)
    return None if typed is None else (typed, document)


def _with_words(value: Any) -> Any:
    """The document with `off` as a word in `checks`, where YAML 1.1 reads a bare `off` as false."""
    checks = value.get("checks") if isinstance(value, dict) else None
    if not isinstance(checks, dict) or False not in checks.values():
        return value
    return {**value, "checks": {rule: "off" if grade is False else grade for rule, grade in checks.items()}}


def read_model(model: type[M], document: Document, problems: Problems) -> M | None:
    """Read the document as the model; None when something is wrong, which is then noted (all of it)."""
    import msgspec

    walk = _Walk(document, problems)
    try:
        typed = msgspec.convert(document.value, model)
    except msgspec.ValidationError:
        # The converter stops at the first difference; people want all of them, with their places.
        walk.check(_type_of(model), document.value, ())
        if walk.sound:
            raise
        return None
    for rule in settingsrules.broken(typed):
        walk.report(rule.what, rule.fix, rule.pointer)
    return typed if walk.sound else None


@cache
def _type_of(model: type[Model]) -> inspect.Type:
    """What msgspec knows about a model; pure, so it is worked out once."""
    from msgspec import inspect

    return inspect.type_info(model)


class _Walk:
    """Compares a value with a type and notes every difference."""

    __slots__ = ("_document", "_problems", "sound")

    def __init__(self, document: Document, problems: Problems) -> None:
        self._document = document
        self._problems = problems
        self.sound = True

    def report(self, what: str, fix: str, pointer: Pointer, *, key: bool = False) -> None:
        self.sound = False
        what += within_output(self._document, pointer)
        self._problems.add(what, fix, place(self._document, pointer, key=key))

    def check(self, wanted: inspect.Type, value: Any, pointer: Pointer) -> None:
        from msgspec import inspect

        match wanted:
            case inspect.AnyType():
                return
            case inspect.UnionType(types=types):
                if value is not None:
                    self.check(next(kind for kind in types if not isinstance(kind, inspect.NoneType)), value, pointer)
            case inspect.StructType():
                if self._has_type(dict, value, pointer):
                    self._check_struct(wanted, value, pointer)
            case inspect.DictType(value_type=item_type):
                if self._has_type(dict, value, pointer):
                    for key, item in value.items():
                        self.check(item_type, item, (*pointer, key))
            case inspect.VarTupleType(item_type=item_type):
                if self._has_type(list, value, pointer):
                    for position, item in enumerate(value):
                        self.check(item_type, item, (*pointer, position))
            case inspect.LiteralType(values=values):
                self._check_literal(values, value, pointer)
            case inspect.StrType():
                self._has_type(str, value, pointer)
            case inspect.IntType():
                self._has_type(int, value, pointer)
            case inspect.FloatType():
                if type(value) is not int:
                    self._has_type(float, value, pointer)
            case inspect.BoolType():
                self._has_type(bool, value, pointer)
            case _:
                raise TypeError(f"no rule for settings of type {wanted}")

    def _check_struct(self, wanted: inspect.StructType, value: dict[str, Any], pointer: Pointer) -> None:
        fields = {field.encode_name: field for field in wanted.fields}
        around = f" in `{dotted(pointer)}`" if pointer else ""
        for key, item in value.items():
            field = fields.get(key)
            if field is not None:
                self.check(field.type, item, (*pointer, key))
                continue
            fix = did_you_mean(str(key), fields, f"known keys are {', '.join(sorted(fields))}")
            self.report(f"unknown key `{key}`{around}", fix, (*pointer, key), key=True)
        for name, field in fields.items():
            if field.required and name not in value:
                self.report(f"`{name}` is missing{around}", _addition(name, field.type), pointer)

    def _has_type(self, wanted: type, value: Any, pointer: Pointer) -> bool:
        if type(value) is wanted:
            return True
        name = dotted(pointer)
        subject = f"`{name}`" if name else "the document"
        given, due = _KINDS[type(value).__name__], _KINDS[wanted.__name__]
        fix = f"write {due}"
        if wanted is str and type(value) in {int, float, bool}:
            fix = "put the value in quotes: YAML reads it as something other than text without them"
        elif wanted is str and value is None:
            fix = 'write a string (`""` for an empty one), or take the key out'
        elif value is None:
            fix = f"write {due}, or take the key out"
        elif wanted is list and type(value) is str:
            fix = "write a list: `[item]`, or one `- item` a line"
        elif wanted is int and type(value) is str:
            fix = "write the number without quotes"
        elif wanted is bool:
            fix = "write true or false, without quotes"
        self.report(f"{subject} is {given}, but has to be {due}", fix, pointer)
        return False

    def _check_literal(self, values: tuple[Any, ...], value: Any, pointer: Pointer) -> None:
        if any(type(value) is type(allowed) and value == allowed for allowed in values):
            return
        words = [str(allowed) for allowed in values]
        choice = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
        given = f"`{value}`" if isinstance(value, str | int | float) and len(str(value)) <= 60 else _kind_of(value)
        fix = f"write {choice}"
        if isinstance(value, str):
            fix = did_you_mean(value, words, fix)
        self.report(f"`{dotted(pointer)}` is {given}, but has to be {choice}", fix, pointer)


def _kind_of(value: Any) -> str:
    return _KINDS.get(type(value).__name__, "something else")


def _addition(name: str, wanted: inspect.Type) -> str:
    from msgspec import inspect

    if isinstance(wanted, inspect.LiteralType):
        return f"add `{name}: {wanted.values[0]}`"
    return f"add `{name}:`"

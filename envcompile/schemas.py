"""JSON Schemas of typed models, described by the docstrings of their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType


def described(model: type[msgspec.Struct], title: str, modules: Iterable[ModuleType]) -> dict[str, Any]:
    """The JSON Schema of a model, with the docstrings of its fields, and of those it is made of.

    Args:
        model: the whole.
        title: what the schema is called.
        modules: those that declare the models.
    """
    schema = msgspec.json.schema(model)
    definitions = schema.pop("$defs")
    for class_name, notes in _field_notes(modules).items():
        definition = definitions.get(class_name)
        if definition is None:
            continue
        for key, note in notes.items():
            definition["properties"][key]["description"] = note
    root = definitions.pop(model.__name__)
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "title": title}
    return {**found, "$defs": definitions} if definitions else found


def _field_notes(modules: Iterable[ModuleType]) -> dict[str, dict[str, str]]:
    """The docstring under each field of each model, by class and by the key's spelling in files.

    Python keeps no docstrings of attributes, so they are read from the modules' own sources.
    """
    import ast
    import inspect

    notes: dict[str, dict[str, str]] = {}
    for module in modules:
        for statement in ast.parse(inspect.getsource(module)).body:
            if not isinstance(statement, ast.ClassDef):
                continue
            model: Any = getattr(module, statement.name)
            if not issubclass(model, msgspec.Struct):
                continue
            spelling = dict(zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True))
            found = notes.setdefault(statement.name, {})
            for field, note in zip(statement.body, statement.body[1:], strict=False):
                match field, note:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                        found[spelling[name]] = text
    return notes

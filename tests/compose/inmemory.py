"""Composing values without files: what laws about any value need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.assemble import compose_unit
from envcompile.errors import Problems
from envcompile.kubernetes import load
from envcompile.model import Document, Layer
from envcompile.settings import Environment
from envcompile.sources import File
from envcompile.yamlio import dump

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.model import Resource

API = load("1.35")


def documents(layer: str, values: Iterable[dict[str, Any]]) -> tuple[Document, ...]:
    """Values as documents of a layer, each in a file of its own."""
    return tuple(
        Document(value, File(f"{layer}/app/{number}.yaml", dump(value).encode()), 0, layer)
        for number, value in enumerate(values)
    )


def composed(
    *layers: Iterable[dict[str, Any]], settings: Environment | None = None, merge_texts: bool = True
) -> dict[str, Resource]:
    """The resources by `Kind/name` of a base and the overlays over it.

    Args:
        layers: the values of the base and of each overlay, lowest first.
        settings: the environment's settings.
        merge_texts: merge configuration texts key by key.
    """
    made = []
    for number, values in enumerate(layers):
        name = f"overlays/{number}" if number else "base"
        found = documents(name, values)
        made.append(Layer(name, found, (), {document.source.path: "app" for document in found}))
    given = settings or Environment(api_version="envcompile.dev/v1", kind="Environment")
    problems = Problems()
    found_unit = compose_unit(made, given, API, "prod", problems, merge_texts=merge_texts)
    problems.raise_any()
    assert not found_unit.strays
    resources = found_unit.resources
    return {resource.id.short: resource for resource in resources}

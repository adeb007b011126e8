"""Secrets of charts: what is secret in them comes into the repository as a reference, or not at all."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from envcompile.actions.chart_values import place_of_value, spelled
from envcompile.model import HARMLESS_ANNOTATION
from envcompile.secrets.declaration import ALLOW_EMPTY_ANNOTATION
from envcompile.secrets.plaintext_findings import is_secret
from envcompile.secrets.references import BadReferenceError, holds_reference, parse_reference
from envcompile.secrets.secrettypes import ACCOUNT_TOKEN
from envcompile.values import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.adopt.existing import Existing
    from envcompile.charts.rendering import Rendering
    from envcompile.errors import Problems
    from envcompile.model import Location, Pointer
    from envcompile.units.project import Project


def with_references(rendering: Rendering, project: Project, problems: Problems) -> Rendering:
    """The rendering with references in its Secrets; whatever is secret and is none is noted, without its text.

    Args:
        rendering: what helm made.
        project: knows where values are written.
        problems: takes each key that would be a secret in clear.
    """
    objects = tuple(
        existing._replace(value=_declared(existing, rendering, project, problems))
        if is_secret(existing.value)
        else existing
        for existing in rendering.objects
    )
    notes = tuple(_elsewhere(rendering))
    return rendering._replace(objects=objects, notes=(*rendering.notes, *notes))


def _declared(existing: Existing, rendering: Rendering, project: Project, problems: Problems) -> dict[str, Any]:
    value, chart = existing.value, rendering.wanted.chart
    name = value["metadata"].get("name", "")
    harmless = chart.plaintext.get(name, ())
    references: dict[str, str] = {}
    plain: dict[str, dict[str, Any]] = {}
    listed: list[str] = []
    empty: list[str] = []
    for part, key, text in _entries(value):
        if text is not None and _is_reference(text):
            references[key] = text
            continue
        plain.setdefault(part, {})[key] = value[part][key]
        if text == "" or key in harmless or "*" in harmless:
            listed.append(key)
            empty += [key] if text == "" else []
            continue
        what = f"chart {chart.name} makes Secret/{name} in {rendering.wanted.environment} with `{key}` in clear"
        if text is not None and holds_reference(text):
            fix = "a reference has to be the whole text of a key, and this one is only a part of it"
            problems.add(what, f"{fix}: write the Secret yourself and name it in the chart's values", existing.where)
            continue
        places = list(_places(text, rendering, project)) if text is not None else []
        fix = (
            "write a reference such as `ref+env://NAME` in its place"
            if places
            else "set the value that fills it to a reference such as `ref+env://NAME`"
        ) + (
            f", name a Secret of your own in the chart's values, or say `plaintext: {{{name}: [{key}]}}` for the chart "
            "where it is no secret"
        )
        problems.add(what, fix, *places, existing.where)
    made = {key: item for key, item in value.items() if key not in {"data", "stringData"}}
    made |= plain
    if references:
        made["stringData"] = {**plain.get("stringData", {}), **references}
    if not plain and not references and value.get("type") != ACCOUNT_TOKEN:
        empty = ["*"]  # something in the cluster fills it
    said = {HARMLESS_ANNOTATION: ",".join(sorted(listed)), ALLOW_EMPTY_ANNOTATION: ",".join(sorted(empty))}
    if listed or empty:
        metadata = value["metadata"]
        annotations = {**(metadata.get("annotations") or {}), **{name: text for name, text in said.items() if text}}
        made["metadata"] = {**metadata, "annotations": annotations}
    return made


def _entries(value: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Part, key and text of each entry; None for what is no text."""
    for part in ("data", "stringData"):
        entries = value.get(part)
        for key, item in entries.items() if isinstance(entries, dict) else ():
            text = item if isinstance(item, str) else None
            if part == "data" and text is not None:
                try:
                    text = base64.b64decode(text, validate=True).decode()
                except (binascii.Error, UnicodeDecodeError):
                    text = None
            if item is not None:
                yield part, key, text


def _is_reference(text: str) -> bool:
    try:
        return parse_reference(text) is not None
    except BadReferenceError:
        return True  # told about when it is sealed, by its place


def _places(text: str, rendering: Rendering, project: Project) -> Iterator[Location]:
    """The lines of values that say exactly this text."""
    wanted = rendering.wanted
    for pointer, item in leaves(wanted.values):
        if isinstance(item, str) and item == text:
            where = place_of_value(project, wanted.environment, wanted.chart.name, pointer)
            if where is not None:
                yield where


def _elsewhere(rendering: Rendering) -> Iterator[str]:
    """Notes about references that came into what is no Secret: nothing reads them there."""
    for existing in rendering.objects:
        if is_secret(existing.value):
            continue
        found: list[Pointer] = [
            pointer for pointer, item in leaves(existing.value) if isinstance(item, str) and holds_reference(item)
        ]
        for pointer in found[:3]:
            name = f"{existing.value['kind']}/{existing.value['metadata'].get('name')}"
            yield f"a reference stands in {name} {spelled(pointer)}, which is no Secret: nothing reads it there"

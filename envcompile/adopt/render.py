"""The files of the new repository: documents as YAML, settings, schemas for editors."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile import yamlio
from envcompile.adopt.layout import applications, file_names
from envcompile.adopt.namespaces import OWN, PARAMETER
from envcompile.compose.differences import is_patch
from envcompile.settings import API_VERSION, DEFAULT_KUBERNETES_VERSION, json_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.adopt.existing import Value
    from envcompile.adopt.factor import AdoptionPlan, Key

_PARAMETER: Final = re.compile(r"\$(\{\{\s*params\.[A-Za-z0-9_.-]+\s*\}\})")
_DOLLAR: Final = "dollar"
_SETTINGS_ORDER: Final = (
    "namespace",
    "labels",
    "podLabels",
    "annotations",
    "podAnnotations",
    "images",
    "replicas",
    "params",
    "secretBackend",
    "exclude",
    "checks",
)


def schema_line(path: str, schema: str) -> str:
    """The first line that tells editors where a file's JSON Schema is, relative to the file."""
    return f"# yaml-language-server: $schema={'../' * path.count('/')}.schemas/{schema}.json\n"


def schema_files() -> dict[str, bytes]:
    """The JSON Schemas of settings and patches, by path."""
    return {
        f".schemas/{name}.json": (json.dumps(json_schema(name), indent=2) + "\n").encode()
        for name in ("project", "environment", "patch")
    }


def project_file(environments: Sequence[str]) -> bytes:
    """`envc.yaml` with the environments in their promotion order."""
    path = "envc.yaml"
    value = {
        "environments": list(environments),
        "kubernetesVersion": DEFAULT_KUBERNETES_VERSION,
        "mergeSemantics": 1,
    }
    return (schema_line(path, "project") + yamlio.dump(value)).encode()


def render(plan: AdoptionPlan) -> tuple[dict[str, bytes], dict[str, Key]]:
    """All files of a plan by path, and for each file of resources the object it speaks of."""
    names = file_names(plan.objects, applications(plan.objects))
    documents: dict[str, list[Value]] = {}
    owners: dict[str, Key] = {}
    for key, value in plan.base.items():
        path = f"base/{names[key]}"
        documents[path], owners[path] = [value], key
    for environment, overlay in plan.overlays.items():
        for key, values in overlay.items():
            path = f"overlays/{environment}/{names[key]}"
            documents[path], owners[path] = values, key
    escaped = {path: [_escaped(value) for value in values] for path, values in documents.items()}
    uses_dollar = any(
        new is not old for path, values in documents.items() for new, old in zip(escaped[path], values, strict=True)
    )
    files: dict[str, bytes] = {"envc.yaml": project_file(list(plan.overlays))}
    for environment in plan.overlays:
        files[f"overlays/{environment}/environment.yaml"] = _environment_file(
            plan, environment, uses_dollar=uses_dollar
        )
    for path, values in escaped.items():
        texts = [yamlio.dump(_with_parameter(value)) for value in values]
        first = schema_line(path, "patch") if is_patch(values[0]) else ""
        files[path] = (first + "---\n".join(texts)).encode()
    return {**schema_files(), **files}, owners


def _environment_file(plan: AdoptionPlan, environment: str, *, uses_dollar: bool) -> bytes:
    settings = dict(plan.settings[environment])
    if any(key.kind == "Secret" and not key.group for key in plan.keys[environment]):
        settings["secretBackend"] = "plaintext"
    literal = _escaped({key: item for key, item in settings.items() if key != "params"})
    params = dict(settings.get("params", {}))
    if uses_dollar or literal != {key: item for key, item in settings.items() if key != "params"}:
        params[_DOLLAR] = "$"
    if params:
        literal = {**literal, "params": params}
    head = {"apiVersion": API_VERSION, "kind": "Environment"}
    value = {**head, **{key: literal[key] for key in _SETTINGS_ORDER if key in literal}}
    path = f"overlays/{environment}/environment.yaml"
    return (schema_line(path, "environment") + yamlio.dump(value)).encode()


def _escaped(value: Any) -> Any:
    """The value with texts that look like parameters written so that they come out as they are."""
    if type(value) is str:
        return _PARAMETER.sub(rf"${{{{ params.{_DOLLAR} }}}}\1", value) if "${{" in value else value
    if type(value) is dict:
        items = {_escaped(key): _escaped(item) for key, item in value.items()}
        unchanged = all(new is old for new, old in zip(items, value, strict=True)) and all(
            items[key] is item for key, item in value.items()
        )
        return value if unchanged else items
    if type(value) is list:
        found = [_escaped(item) for item in value]
        return value if all(new is old for new, old in zip(found, value, strict=True)) else found
    return value


def _with_parameter(value: Value) -> Value:
    """The document of the base with the parameter in the place of each environment's own namespace."""
    metadata: Mapping[str, Any] = value.get("metadata") or {}
    if metadata.get("namespace") != OWN:
        return value
    return {**value, "metadata": {**metadata, "namespace": PARAMETER}}

"""The files of the new repository: documents as YAML, settings, schemas for editors."""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.affixes import filled
from envcompile.adopt.pages import DOLLAR, Pages, escaped
from envcompile.settings import API_VERSION, DEFAULT_KUBERNETES_VERSION, json_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.adopt.existing import ExistingEnvironment
    from envcompile.adopt.factor import AdoptionPlan, Key
    from envcompile.adopt.pages import Kept

_SETTINGS_ORDER: Final = (
    "abstract",
    "extends",
    "namespace",
    "labels",
    "selectorLabels",
    "podLabels",
    "annotations",
    "podAnnotations",
    "images",
    "replicas",
    "params",
    "secretBackend",
    "rollout",
    "exclude",
    "checks",
)


def schema_line(path: str, schema: str) -> str:
    """The first line that tells editors where a file's JSON Schema is, relative to the file."""
    return f"# yaml-language-server: $schema={'../' * path.count('/')}.schemas/{schema}.json\n"


def schema_files() -> dict[str, bytes]:
    """The JSON Schemas of settings and patches, by path."""
    return {
        f".schemas/{name}.json": (json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n").encode()
        for name in ("project", "environment", "patch", "generate")
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


class Owners(NamedTuple):
    """The objects that a file speaks of, each with the line, from 1, that its document begins on."""

    lines: tuple[int, ...]
    keys: tuple[Key, ...]

    def at(self, line: int) -> Key:
        """The object that a line speaks of."""
        return self.keys[max(bisect_right(self.lines, line) - 1, 0)]


class Rendered(NamedTuple):
    """All files of a plan by path, what they speak of, and how much of them is the author's text."""

    files: dict[str, bytes]
    owners: dict[str, Owners]
    kept: Kept

    def __repr__(self) -> str:
        return f"Rendered({sorted(self.files)})"


def render(plan: AdoptionPlan, environments: Sequence[ExistingEnvironment], *, loose: bool) -> Rendered:
    """Write a plan down, in the author's words where the author has said the same.

    Args:
        plan: what stands where.
        environments: with what authors wrote.
        loose: whether the author's words stay where the settings of environments say something else anyway.
    """
    pages = Pages(plan, environments, loose=loose)
    owners: dict[str, Owners] = {}
    sources: dict[str, bytes] = {}
    for path, written in pages.files():
        lines, line = [], 1
        for page in written:
            lines.append(line + page.head.count("\n"))
            line += page.head.count("\n") + page.text.count("\n")
        owners[path] = Owners(tuple(lines), tuple(page.key for page in written))
        sources[path] = "".join(page.head + page.text for page in written).encode()
    files: dict[str, bytes] = {
        "envc.yaml": project_file([name for name in plan.overlays if not plan.settings[name].get("abstract")])
    }
    for name in plan.overlays:
        files[f"overlays/{name}/environment.yaml"] = _environment_file(plan, name, uses_dollar=pages.uses_dollar)
    return Rendered({**schema_files(), **files, **pages.inputs, **sources}, owners, pages.kept)


def _environment_file(plan: AdoptionPlan, environment: str, *, uses_dollar: bool) -> bytes:
    settings = dict(plan.settings[environment])
    if not settings.get("abstract"):
        # Settings name resources as they are called there.
        settings = filled(settings, settings.get("params", {}))
    if any(key.kind == "Secret" and not key.group for key in plan.keys.get(environment, ())):
        settings["secretBackend"] = "plaintext"
    literal = escaped({key: item for key, item in settings.items() if key != "params"})
    params = dict(settings.get("params", {}))
    if uses_dollar or literal != {key: item for key, item in settings.items() if key != "params"}:
        params[DOLLAR] = "$"
    if params:
        literal = {**literal, "params": params}
    head = {"apiVersion": API_VERSION, "kind": "Environment"}
    value = {**head, **{key: literal[key] for key in _SETTINGS_ORDER if key in literal}}
    path = f"overlays/{environment}/environment.yaml"
    return (schema_line(path, "environment") + yamlio.dump(value)).encode()

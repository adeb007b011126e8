"""Writes the schema tables of every Kubernetes version: `python -m tests.kubernetes.generate_tables [MINOR...]`.

The source is the official OpenAPI inside the Go module k8s.io/kubernetes, which `go mod download` fetches and verifies:
`swagger.json` for types, lists and paths, and the OpenAPI v3 documents for defaults, which version 2 leaves out.
`envcompile.kubernetes.tables` reads what is written here and describes the format.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from envcompile.kubernetes.tables import DATA, GROUP_PREFIXES, TYPE_PREFIX

RELEASES: Final[Mapping[str, str]] = {
    "1.30": "v1.30.14",
    "1.31": "v1.31.14",
    "1.32": "v1.32.13",
    "1.33": "v1.33.13",
    "1.34": "v1.34.4",
    "1.35": "v1.35.4",
    "1.36": "v1.36.3",
    "1.37": "v1.37.2",
}

GO_MODULE: Final = "k8s.io/kubernetes"
DEFINITIONS: Final = "#/definitions/"

# Types that OpenAPI writes as a string or an object but whose JSON may be something else as well; each is a Go type
# with its own UnmarshalJSON in k8s.io/apimachinery or k8s.io/apiextensions-apiserver.
OWN_JSON: Final[Mapping[str, str]] = {
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
}

_MATURITY: Final = {"": 2, "beta": 1, "alpha": 0}


class MissingSourceError(Exception):
    """The OpenAPI of a release cannot be had here; the message says what is missing."""


def module_folder(module: str, version: str, environ: Mapping[str, str], *, offline: bool = False) -> Path:
    """Find the folder of a Go module in Go's module cache, downloading it first unless `offline`."""
    go = shutil.which("go", path=environ.get("PATH"))
    if go is None:
        raise MissingSourceError("Go is not on PATH: https://go.dev/dl/")
    answer = subprocess.run(
        [go, "mod", "download", "-json", f"{module}@{version}"],
        cwd=Path(__file__).parent,
        env={**environ, "GOFLAGS": "-mod=mod", **({"GOPROXY": "off"} if offline else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(answer.stdout or "{}")
    if answer.returncode != 0 or "Dir" not in found:
        reason = found.get("Error") or answer.stderr.strip()
        raise MissingSourceError(f"{module}@{version} is not available: {reason}")
    return Path(found["Dir"])


def openapi_folder(release: str, environ: Mapping[str, str], *, offline: bool = False) -> Path:
    """Find the folder of a release's OpenAPI."""
    return module_folder(GO_MODULE, release, environ, offline=offline) / "api" / "openapi-spec"


def short_name(definition: str) -> str:
    """Shorten a definition's name by the prefix that `envcompile.kubernetes.tables` puts back."""
    for group, prefix in GROUP_PREFIXES.items():
        if definition.startswith(f"{prefix}{group}."):
            return definition.removeprefix(prefix)
    if not definition.startswith(TYPE_PREFIX):
        raise ValueError(f"no prefix is known for {definition}")
    return definition.removeprefix(TYPE_PREFIX)


def _list_suffix(field: Mapping[str, Any]) -> str:
    """Write down how a list merges: the attribute that decides, and its keys."""
    map_keys: list[str] = field.get("x-kubernetes-list-map-keys", [])
    merge_key = field.get("x-kubernetes-patch-merge-key")
    strategies = field.get("x-kubernetes-patch-strategy", "").split(",")
    list_type = field.get("x-kubernetes-list-type")
    if list_type == "map":
        if merge_key and merge_key not in map_keys:
            raise ValueError(f"the merge key {merge_key} is none of the map keys {map_keys}")
        return " map=" + ",".join(map_keys)
    if "merge" in strategies and merge_key:
        return f" merge={merge_key}"
    if list_type == "set":
        return " set"
    if "merge" in strategies:
        return " union"
    return " atomic" if list_type == "atomic" else ""


class _Release:
    """The OpenAPI of one release."""

    def __init__(self, folder: Path) -> None:
        with (folder / "swagger.json").open("rb") as file:
            swagger = json.load(file)
        self.definitions: dict[str, Any] = swagger["definitions"]
        self.paths: dict[str, Any] = swagger["paths"]
        self.defaults = self._defaults(folder / "v3")

    @staticmethod
    def _defaults(folder: Path) -> dict[tuple[str, str], Any]:
        """Collect the defaults of optional scalar fields; a required field's default is only Go's zero value."""
        defaults = {}
        for path in sorted(folder.glob("*.json")):
            with path.open("rb") as file:
                schemas = json.load(file).get("components", {}).get("schemas", {})
            for name, schema in schemas.items():
                for key, field in schema.get("properties", {}).items():
                    default = field.get("default")
                    if key not in schema.get("required", ()) and isinstance(default, (str, int)):
                        defaults[name, key] = default
        return defaults

    def text(self, schema: Mapping[str, Any]) -> str:
        """Write one field's type."""
        reference: str | None = schema.get("$ref")
        if reference is not None:
            name = reference.removeprefix(DEFINITIONS)
            if name in OWN_JSON:
                return OWN_JSON[name]
            target = self.definitions[name]
            return f">{short_name(name)}" if target.get("type") == "object" else self.text(target)
        match schema.get("type"):
            case "array":
                return "[]" + self.text(schema["items"]) + _list_suffix(schema)
            case "object" if "additionalProperties" in schema:
                return "{}" + self.text(schema["additionalProperties"])
            case "object" | None:
                return "any"
            case "string" | "integer" | "number" | "boolean":
                return str(schema["type"])
            case other:
                raise ValueError(f"unknown type {other}")

    def key_defaults(self, schema: Mapping[str, Any]) -> str:
        """Write the defaults of a keyed list's keys, such as `protocol` of ports."""
        reference = schema.get("items", {}).get("$ref", "").removeprefix(DEFINITIONS)
        known = {
            key: self.defaults[reference, key]
            for key in schema.get("x-kubernetes-list-map-keys", ())
            if (reference, key) in self.defaults
        }
        return f" {json.dumps(known, sort_keys=True, separators=(',', ':'))}" if known else ""

    def fields(self, definition: Mapping[str, Any]) -> dict[str, str]:
        """Write a type's fields by name; a required one is marked with `!`."""
        required = set(definition.get("required", ()))
        return {
            key: ("!" if key in required else "") + self.text(schema) + self.key_defaults(schema)
            for key, schema in sorted(definition.get("properties", {}).items())
        }

    def kinds(self) -> Iterator[tuple[str, str, str, bool]]:
        """List (group, version, kind, is namespaced) of what can be created and read back: what people apply."""
        for path, operations in sorted(self.paths.items()):
            made = operations.get("post", {})
            item = self.paths.get(f"{path}/{{name}}", {}).get("get", {})
            which = made.get("x-kubernetes-group-version-kind")
            if which is not None and which == item.get("x-kubernetes-group-version-kind"):
                yield which["group"], which["version"], which["kind"], "/namespaces/{namespace}/" in path

    def root(self, group: str, version: str, kind: str) -> str:
        """Find the definition of a kind."""
        wanted = {"group": group, "version": version, "kind": kind}
        found = [
            name
            for name, definition in self.definitions.items()
            if wanted in definition.get("x-kubernetes-group-version-kind", ())
        ]
        if len(found) != 1:
            raise ValueError(f"{group}/{version} {kind} has {len(found)} definitions")
        return found[0]


def _seniority(version: str) -> tuple[int, int, int]:
    """Sort versions as the API server prefers them: stable before beta before alpha, then the newest."""
    found = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if found is None:
        raise ValueError(f"not an API version: {version}")
    return -_MATURITY[found[2] or ""], -int(found[1]), -int(found[3] or 0)


def table(release: str, folder: Path) -> dict[str, Any]:
    """Make one version's table."""
    source = _Release(folder)
    kinds: dict[str, dict[str, str]] = {}
    scopes: dict[str, str] = {}
    types: dict[str, dict[str, str]] = {}
    pending = []
    for group, version, kind, is_namespaced in source.kinds():
        name = source.root(group, version, kind)
        pending.append(name)
        kinds.setdefault(f"{group}/{kind}", {})[version] = short_name(name)
        scopes[f"{group}/{kind}"] = "namespaced" if is_namespaced else "cluster"
    by_short_name = {}
    for name in source.definitions:
        try:
            by_short_name[short_name(name)] = name
        except ValueError:
            continue
    while pending:
        name = pending.pop()
        if short_name(name) in types:
            continue
        fields = source.fields(source.definitions[name])
        types[short_name(name)] = fields
        pending += (by_short_name[found[1]] for text in fields.values() if (found := re.search(r">(\S+)", text)))
    return {
        "kubernetes": release.removeprefix("v"),
        "kinds": {
            key: " ".join([
                scopes[key],
                *(f"{version}={versions[version]}" for version in sorted(versions, key=_seniority)),
            ])
            for key, versions in sorted(kinds.items())
        },
        "types": dict(sorted(types.items())),
    }


def render(made: Mapping[str, Any]) -> str:
    """Write a table as compact JSON, one kind or type a line, so that a new release is a readable change."""

    def compact(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    sections = [f'"kubernetes":{compact(made["kubernetes"])}']
    for name in ("kinds", "types"):
        lines = ",\n".join(f"{compact(key)}:{compact(value)}" for key, value in made[name].items())
        sections.append(f'"{name}":{{\n{lines}\n}}')
    return "{" + ",\n".join(sections) + "}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables of the given minor versions, or of all."""
    for minor in (sys.argv[1:] if arguments is None else arguments) or RELEASES:
        release = RELEASES[minor]
        text = render(table(release, openapi_folder(release, os.environ)))
        target = DATA / f"{minor}.json"
        target.write_text(text, encoding="utf-8")
        sys.stdout.write(
            f"{target.name}: Kubernetes {release.removeprefix('v')}, {len(text.encode()) / 1024:.0f} KiB\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes what OpenAPI says about texts and numbers: `python -m tests.kubernetes.generate_formats`.

Formats come from the OpenAPI v3 documents inside the Go module k8s.io/kubernetes, enums from its generated definitions
(`pkg/generated/openapi/zz_generated.openapi.go`): the documents in the module are written without the enums that a
server serves. `envcompile.kubernetes.decoding` and `envcompile.check.api.book` read what is written here.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import envcompile.check
import envcompile.kubernetes
from tests.kubernetes.generate_tables import GO_MODULE, RELEASES, module_folder, short_name

FORMATS: Final = Path(envcompile.kubernetes.__file__).parent / "formats.json"
ENUMS: Final = Path(envcompile.check.__file__).parent / "tables" / "enums.json"

_TYPES: Final = {"meta.v1.Time": "time", "meta.v1.MicroTime": "microtime"}
_FUNCTION: Final = re.compile(r"^func schema_k8sio_api_(\w+?)_(v\w+?)_(\w+)\(", re.MULTILINE)
_FIELD: Final = re.compile(r'^\t{5}"([^"]+)": \{(.*?)^\t{5}\},', re.MULTILINE | re.DOTALL)
_VALUES: Final = re.compile(r"Enum:\s+\[\]interface\{\}\{(.*?)\},")


def formats(folder: Path) -> dict[str, dict[str, str]]:
    """Find the fields of every type that are int64, base64 or a time; every other integer is an int32."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((folder / "api" / "openapi-spec" / "v3").glob("*.json")):
        schemas = json.loads(path.read_text(encoding="utf-8")).get("components", {}).get("schemas", {})
        for name, schema in schemas.items():
            try:
                type_ = short_name(name)
            except ValueError:
                continue
            for field, value in schema.get("properties", {}).items():
                said = _format(value)
                if said in {"int64", "byte", "time", "microtime"}:
                    found.setdefault(type_, {})[field] = said
    return found


def _format(schema: Mapping[str, Any]) -> str:
    while True:
        inner = schema.get("items") or schema.get("additionalProperties") or (schema.get("allOf") or [None])[0]
        if not isinstance(inner, dict):
            break
        schema = inner
    reference = schema.get("$ref", "").rsplit("/", 1)[-1]
    if reference:
        try:
            return _TYPES.get(short_name(reference), "")
        except ValueError:
            return ""
    return str(schema.get("format", ""))


def enums(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """List the fields with an enum in the generated definitions: type, field, values."""
    starts = list(_FUNCTION.finditer(text))
    for start, end in zip(starts, [*(match.start() for match in starts[1:]), len(text)], strict=True):
        type_ = f"{start[1]}.{start[2]}.{start[3]}"
        for field, body in _FIELD.findall(text[start.end() : end]):
            values = _VALUES.search(body)
            if values is not None:
                yield type_, field, sorted(json.loads(f"[{values[1]}]"))


def render(source: str, types: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a table as JSON, one type a line, so that a new release is a readable change."""
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(dict(sorted(fields.items())))}" for name, fields in sorted(types.items())
    )
    return f'{{"source": {json.dumps(source)},\n"types": {{\n{lines}\n}}}}\n'


def made(release: str, folder: Path) -> dict[Path, str]:
    """The text of both tables, from the Go module of a release."""
    generated = folder / "pkg" / "generated" / "openapi" / "zz_generated.openapi.go"
    found: dict[str, dict[str, list[str]]] = {}
    for type_, field, values in enums(generated.read_text(encoding="utf-8")):
        found.setdefault(type_, {})[field] = values
    said = f"Kubernetes {release}: pkg/generated/openapi/zz_generated.openapi.go, `Enum`"
    return {
        FORMATS: render(f"Kubernetes {release}: api/openapi-spec/v3, `format`", formats(folder)),
        ENUMS: render(said, found),
    }


def main() -> int:
    """Write both tables from the newest release."""
    release = RELEASES[max(RELEASES)]
    for path, text in made(release, module_folder(GO_MODULE, release, os.environ)).items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

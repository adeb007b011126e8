"""The kinds of well-known operators, from their own CustomResourceDefinitions at a stated version.

Each API group has a file in `customs/`, read when a kind of the group is first asked for. It is JSON with two keys:
`schemas` is a list of structural schemas in which a number stands for the schema in that place, always an earlier one;
`kinds` maps a kind to the project with its version, the word `loose` where clusters have other definitions that take
any field, its scope, and its versions, the preferred one first: the number of the root's schema, with the word
`deprecated` where the definition says so, or null for a version that is no longer served. `status` is free where the
API server drops what is written there. The files are made by `python -m tests.kubernetes.generate_operators`, which
names the sources.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from envcompile.kubernetes.crds import CustomKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.kubernetes.crds import Schema

FOLDER: Final = Path(__file__).parent / "customs"


@cache
def groups() -> frozenset[str]:
    """The API groups of which kinds are known; a pure cache of files that never change, as are those below."""
    return frozenset(path.stem for path in FOLDER.iterdir() if path.suffix == ".json")


def shipped(group: str, kind: str) -> CustomKind | None:
    """A kind of a well-known operator; None for all others."""
    return kinds_of(group).get(kind) if group in groups() else None


@cache
def kinds_of(group: str) -> Mapping[str, CustomKind]:
    """The kinds of one of `groups`."""
    made = msgspec.json.decode((FOLDER / f"{group}.json").read_bytes())
    schemas: list[Schema] = []
    for schema in made["schemas"]:
        schemas.append(_linked(schema, schemas))
    return {kind: _read(said, schemas) for kind, said in made["kinds"].items()}


def _linked(schema: Schema, known: list[Schema]) -> Schema:
    """A schema with those that the numbers in it stand for."""
    for key in ("items", "additionalProperties", "not"):
        if type(schema.get(key)) is int:
            schema[key] = known[schema[key]]
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            schema[key] = [known[number] for number in schema[key]]
    if "properties" in schema:
        schema["properties"] = {name: known[number] for name, number in schema["properties"].items()}
    return schema


def _read(said: Mapping[str, Any], schemas: list[Schema]) -> CustomKind:
    versions = said["versions"].items()
    return CustomKind(
        said["scope"] != "Cluster",
        {version: schemas[what[0]] for version, what in versions if what is not None},
        deprecated=frozenset(version for version, what in versions if what is not None and len(what) > 1),
        gone=frozenset(version for version, what in versions if what is None),
        project=said["project"],
        is_loose=said.get("loose") is True,
    )

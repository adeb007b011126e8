"""Objects of custom kinds made from their schemas, right ones and wrong ones, the same for a seed."""

import copy
import random
import re
from collections.abc import Iterator
from typing import Any, Final

from envcompile.kubernetes.crds import KEYS
from envcompile.kubernetes.shipped import kinds_of

_TEXTS: Final = (
    "a",
    "abc",
    "1",
    "10s",
    "1Gi",
    "a.b",
    "a/b",
    "https://a.example/b",
    "/a",
    "80",
    "10.0.0.0/8",
    "10.0.0.1",
    "2024-01-01T00:00:00Z",
    "v1",
    "A",
    "*",
)
_WRONG: Final[tuple[Any, ...]] = (None, "", "x" * 300, "UPPER Case!", -1, 0, 10**12, 1.5, True, [], {}, [1], {"a": 1})
_DEEPEST: Final = 7


def definition(group: str, kind: str) -> dict[str, Any]:
    """The CustomResourceDefinition of a shipped kind, without rules in CEL."""
    custom = kinds_of(group)[kind]
    plural = kind.lower() + "s"
    versions = [
        {
            "name": version,
            "served": True,
            "storage": number == 0,
            "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": _bare(schema)},
        }
        for number, (version, schema) in enumerate(custom.versions.items())
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, testing"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced" if custom.is_namespaced else "Cluster",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": versions,
        },
    }


def _bare(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    fields = schema.get("properties")
    kept = {key: of for key, of in schema.items() if key not in {KEYS, "x-kubernetes-validations", "properties"}}
    bare = {key: of if key in {"default", "enum"} else _bare(of) for key, of in kept.items()}
    return bare | ({"properties": {name: _bare(of) for name, of in fields.items()}} if fields else {})


def objects(group: str, kind: str, count: int, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of a kind, each with what was done to it: a whole one, then such with one change each."""
    rng = random.Random(f"{seed} {group} {kind}")
    custom = kinds_of(group)[kind]
    version, schema = next(iter(custom.versions.items()))
    whole = _object(group, version, kind, schema, rng, 0.0)
    yield "least", whole
    for _ in range(count):
        base = _object(group, version, kind, schema, rng, rng.choice([0.0, 0.15, 0.4]))
        yield "made", base
        changed = copy.deepcopy(base)
        yield _change(changed, rng), changed


def _object(group: str, version: str, kind: str, schema: Any, rng: random.Random, share: float) -> dict[str, Any]:
    made = _value(schema, rng, share, 0)
    made = made if isinstance(made, dict) else {}
    made.pop("status", None)
    return {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "a"}, **made}


def _value(schema: dict[str, Any], rng: random.Random, share: float, depth: int) -> Any:
    if schema.get("enum"):
        return rng.choice(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return rng.choice([1, "1"])
    match schema.get("type"):
        case "object":
            fields = schema.get("properties") or {}
            required = schema.get("required") or ()
            chosen = [name for name in fields if name in required or (depth < _DEEPEST and rng.random() < share)]
            made = {name: _value(fields[name], rng, share / 2, depth + 1) for name in chosen}
            extra = schema.get("additionalProperties")
            if isinstance(extra, dict) and not fields and rng.random() < share:
                made["key"] = _value(extra, rng, share / 2, depth + 1)
            if schema.get("x-kubernetes-embedded-resource"):
                made |= {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}}
            return made
        case "array":
            size = max(schema.get("minItems", 0), 1)
            return [_value(schema.get("items") or {}, rng, share, depth + 1) for _ in range(size)]
        case "string":
            return _text(schema, rng)
        case "integer" | "number":
            return max(int(schema.get("minimum", 1)) + bool(schema.get("exclusiveMinimum")), 1)
        case "boolean":
            return rng.random() < 0.5
        case _:
            return {"free": 1}


def _text(schema: dict[str, Any], rng: random.Random) -> str:
    if schema.get("format") == "date-time":
        return "2024-01-01T00:00:00Z"
    fitting = [text for text in _TEXTS if re.search(schema.get("pattern", ""), text)]
    fitting = [text for text in fitting if schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 99)]
    return rng.choice(fitting or _TEXTS)


def _change(value: dict[str, Any], rng: random.Random) -> str:
    """Change one thing in an object, and say which."""
    places = [
        (holder, key, way)
        for holder, key, way in _places(value, "")
        if way.partition(".")[0] not in {"apiVersion", "kind", "metadata"}
    ]
    if not places:
        value["unheardOf"] = 1
        return "unknown field at the root"
    holder, key, way = rng.choice(places)
    match rng.randrange(4):
        case 0:
            del holder[key]
            return f"{way} removed"
        case 1 if isinstance(holder[key], dict):
            holder[key]["unheardOf"] = 1
            return f"unknown field in {way}"
        case 2 if isinstance(holder[key], list) and holder[key]:
            holder[key].append(copy.deepcopy(holder[key][0]))
            return f"first item of {way} twice"
        case _:
            holder[key] = copy.deepcopy(rng.choice(_WRONG))
            return f"{way} is {holder[key]!r}"


def _places(value: Any, way: str) -> Iterator[tuple[Any, Any, str]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(inner):
        yield value, key, f"{way}.{key}".removeprefix(".")
        yield from _places(item, f"{way}.{key}".removeprefix("."))

"""A server that holds some objects and answers as an API server does: discovery, lists, objects, dry runs."""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from envcompile import yamlio
from envcompile.kubernetes.api import load
from tests.cluster.servers import Says, serving

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from tests.cluster.servers import Asked, Server

    Value = dict[str, Any]

TIME: Final = "2026-03-02T10:00:00Z"
LATER: Final = "2026-03-04T17:30:00Z"
KEYED: Final = frozenset({"containers", "env", "ports"})
"""Lists that are joined by `name` here."""


def plural(kind: str) -> str:
    """The kind as it stands in paths."""
    name = kind.lower()
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}es" if name.endswith("s") else f"{name}s"


def tree_of(value: Any) -> dict[str, Any]:
    """A value as `managedFields` have it."""
    if not isinstance(value, dict):
        return {}
    tree: dict[str, Any] = {}
    for name, item in value.items():
        if name in KEYED and isinstance(item, list) and all(isinstance(one, dict) and "name" in one for one in item):
            inner = {f'k:{{"name":"{one["name"]}"}}': {".": {}, **tree_of(one)} for one in item}
        else:
            inner = tree_of(item)
        tree[f"f:{name}"] = inner
    return tree


def applied(value: Value, namespace: str = "", manager: str = "envc") -> Value:
    """A compiled object as a server has it after a server-side apply."""
    live = copy.deepcopy(value)
    owned = {"f:metadata": tree_of({k: v for k, v in value["metadata"].items() if k in {"labels", "annotations"}})}
    owned |= tree_of({name: item for name, item in value.items() if name not in {"apiVersion", "kind", "metadata"}})
    entry = {"manager": manager, "operation": "Apply", "time": TIME, "fieldsType": "FieldsV1", "fieldsV1": owned}
    live["metadata"] |= {"uid": "5f0c", "resourceVersion": "7", "managedFields": [entry]}
    if namespace:
        live["metadata"].setdefault("namespace", namespace)
    return live


def wrote(live: Value, manager: str, tree: dict[str, Any]) -> None:
    """Somebody wrote fields of a live object."""
    entry = {"manager": manager, "operation": "Update", "time": LATER, "fieldsType": "FieldsV1", "fieldsV1": tree}
    live["metadata"]["managedFields"].append(entry)


def compiled(folder: Path) -> list[Value]:
    """The objects of a compiled environment."""
    files = sorted(folder.rglob("*.yaml"))
    return [
        value for file in files for value in yamlio.load_all(file.read_bytes(), file.name) if isinstance(value, dict)
    ]


@contextmanager
def fake_cluster(objects: Iterable[Value]) -> Generator[Server]:
    """A server that holds these live objects, until the block ends."""
    held = list(objects)
    with serving(lambda asked: _answer(asked, held)) as server:
        yield server


def _answer(asked: Asked, held: list[Value]) -> Says:
    if asked.path in {"/api", "/apis"}:
        return Says(200, _discovery(held, is_core=asked.path == "/api"))
    if asked.method == "POST":
        value = json.loads(asked.body)
        value["metadata"] |= {"uid": "0", "managedFields": []}
        return Says(201, value)
    parts = asked.path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace, rest = (rest[1], rest[2:]) if rest[:1] == ["namespaces"] and len(rest) > 2 else ("", rest)
    found = [
        value
        for value in held
        if plural(value["kind"]) == rest[0]
        and value["apiVersion"].rpartition("/")[0] == group
        and namespace in {"", value["metadata"].get("namespace", "")}
    ]
    if len(rest) == 1:
        return Says(200, {"kind": "List", "metadata": {"resourceVersion": "9"}, "items": found})
    one = next((value for value in found if value["metadata"]["name"] == rest[1]), None)
    if one is not None:
        return Says(200, one)
    return Says(404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": f"{asked.path} not found"})


def _discovery(held: list[Value], *, is_core: bool) -> Value:
    api = load("1.37")
    groups: dict[str, dict[str, list[Value]]] = {}
    for api_version, kind in sorted({(value["apiVersion"], value["kind"]) for value in held}):
        group, _, version = api_version.rpartition("/")
        if bool(group) == is_core:
            continue
        is_namespaced = any("namespace" in one["metadata"] for one in held if one["kind"] == kind)
        known = api.is_namespaced(group, kind)
        scope = "Namespaced" if (is_namespaced if known is None else known) else "Cluster"
        one = {"resource": plural(kind), "responseKind": {"kind": kind}, "scope": scope, "verbs": ["get", "list"]}
        groups.setdefault(group, {}).setdefault(version, []).append(one)
    items = [
        {
            "metadata": {"name": group},
            "versions": [{"version": version, "resources": kinds} for version, kinds in versions.items()],
        }
        for group, versions in groups.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "items": items}

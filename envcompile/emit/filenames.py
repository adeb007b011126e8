"""The file a resource is written to; it depends on the resource alone, so adding one never renames another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from envcompile.model import Resource, ResourceId

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 230
"""File systems take 255 bytes; the rest is left for a digest, the suffix and temporary names."""


def filename(resource: ResourceId, environment_namespace: str, built_in_kinds: Container[str]) -> str:
    """`<kind>-<name>.yaml`, told apart where two resources would share it.

    A resource outside of the environment's namespace carries its namespace (`role-reader.monitoring.yaml`); a custom
    kind that has the name of a built-in one carries its group (`service.serving.knative.dev-web.yaml`). Characters
    that some file system refuses (the colons of RBAC names) are percent-encoded.
    """
    takes_group = resource.kind in built_in_kinds and not _is_built_in_group(resource.group)
    return _filename(resource, environment_namespace, with_group=takes_group)


def _filename(resource: ResourceId, environment_namespace: str, *, with_group: bool, suffix: str = "") -> str:
    kind = resource.kind.lower()
    if with_group and resource.group:
        kind = f"{kind}.{resource.group}"
    name = f"{kind}-{resource.name}"
    if resource.namespace and resource.namespace != environment_namespace:
        name = f"{name}.{resource.namespace}"
    return f"{_fit(_UNSAFE.sub(_percent, name))}{suffix}.yaml"


def place_files(
    resources: Iterable[Resource], environment_namespace: str, built_in_kinds: Container[str]
) -> dict[str, Resource]:
    """The path of every resource's file below the environment's folder, `<app>/<kind>-<name>.yaml`.

    Two resources of one application that would share a file both carry their API group (two custom kinds of one name),
    or else a digest of their identity (a Role `reader.ops` and a Role `reader` of the namespace `ops`).
    """
    placed: dict[str, Resource] = {}
    shared: dict[str, list[Resource]] = {}
    for resource in resources:
        app = _fit(_UNSAFE.sub(_percent, resource.app))
        path = f"{app}/{filename(resource.id, environment_namespace, built_in_kinds)}"
        if path in placed or path in shared:
            shared.setdefault(path, [placed.pop(path)] if path in placed else []).append(resource)
        else:
            placed[path] = resource
    for path, together in shared.items():
        folder = path.rpartition("/")[0]
        told_by_group = len({resource.id.group for resource in together}) == len(together)
        for resource in together:
            suffix = "" if told_by_group else f"-{_digest(str(resource.id), 8)}"
            name = _filename(resource.id, environment_namespace, with_group=told_by_group, suffix=suffix)
            placed[f"{folder}/{name}"] = resource
    return placed


def _is_built_in_group(group: str) -> bool:
    return "." not in group or group.endswith(".k8s.io")


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode())


def _fit(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 17]}-{_digest(name, 16)}"


def _digest(text: str, digits: int) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:digits]

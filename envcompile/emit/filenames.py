"""The file a resource is written to; it depends on the resource alone, so adding one never renames another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, TypeVar

from envcompile.errors import Problems
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from envcompile.model import ResourceId

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 230
"""File systems take 255 bytes; the rest is left for a digest, the suffix and temporary names."""


class Placed(Protocol):
    """Whatever stands for a resource: its identity, and the application that it belongs to."""

    @property
    def id(self) -> ResourceId:
        """The identity."""
        ...

    @property
    def app(self) -> str:
        """The application."""
        ...


P = TypeVar("P", bound=Placed)


def filename(resource: ResourceId, environment_namespace: str, built_in_kinds: Container[str]) -> str:
    """`<kind>-<name>.yaml`, told apart where two resources would share it.

    A resource outside of the environment's namespace carries its namespace (`role-reader.monitoring.yaml`); a custom
    kind that has the name of a built-in one carries its group (`service.serving.knative.dev-web.yaml`). A name with
    capitals, which only RBAC takes, carries a digest: file systems of macOS and Windows would give the Roles `Reader`
    and `reader` one file. Characters that some file system refuses (the colons of RBAC names) are percent-encoded.
    """
    takes_group = resource.kind in built_in_kinds and not _is_built_in_group(resource.group)
    return _filename(resource, environment_namespace, with_group=takes_group)


def _filename(resource: ResourceId, environment_namespace: str, *, with_group: bool, with_digest: bool = False) -> str:
    kind = resource.kind.lower()
    if with_group and resource.group:
        kind = f"{kind}.{resource.group}"
    name = f"{kind}-{resource.name}"
    if resource.namespace and resource.namespace != environment_namespace:
        name = f"{name}.{resource.namespace}"
    if _UNSAFE.search(name) or len(name) > _LONGEST:
        name = _fit(_UNSAFE.sub(_percent, name))
    if with_digest or resource.name != resource.name.lower():
        name = f"{name}-{_digest(str(resource), 8)}"
    return f"{name}.yaml"


def folder_of(app: str) -> str:
    """The folder of an application's files."""
    return _fit(_UNSAFE.sub(_percent, app))


def place_files(resources: Iterable[P], environment_namespace: str, built_in_kinds: Container[str]) -> dict[str, P]:
    """The path of every resource's file below the environment's folder, `<app>/<kind>-<name>.yaml`.

    Two resources of one application that would share a file both carry their API group (two custom kinds of one name),
    or else a digest of their identity (a Role `reader.ops` and a Role `reader` of the namespace `ops`).
    """
    placed: dict[str, P] = {}
    shared: dict[str, list[P]] = {}
    folders: dict[str, str] = {}
    for resource in resources:
        folder = folders.get(resource.app) or folders.setdefault(resource.app, folder_of(resource.app))
        path = f"{folder}/{filename(resource.id, environment_namespace, built_in_kinds)}"
        if path in placed or path in shared:
            shared.setdefault(path, [placed.pop(path)] if path in placed else []).append(resource)
        else:
            placed[path] = resource
    for path, together in shared.items():
        folder = path.rpartition("/")[0]
        told_by_group = len({resource.id.group for resource in together}) == len(together)
        for resource in together:
            told = {"with_group": told_by_group, "with_digest": not told_by_group}
            placed[f"{folder}/{_filename(resource.id, environment_namespace, **told)}"] = resource
    return placed


def refuse_alike_applications(files: Mapping[str, str]) -> None:
    """Refuse applications whose names differ only in case: many file systems would give them one folder.

    Args:
        files: every application -> the path of a file of it, for the message.

    Raises:
        EnvcError: naming a file of each.
    """
    if len({app.lower() for app in files}) == len(files):
        return
    alike: dict[str, list[str]] = {}
    for app in sorted(files):
        alike.setdefault(app.lower(), []).append(app)
    problems = Problems()
    for together in alike.values():
        if len(together) > 1:
            names = " and ".join(f"`{app}`" for app in together)
            places = [Location(files[app], 1, 1) for app in together if files[app]]
            what = f"the applications {names} differ only in case"
            problems.add(what, "rename one: macOS and Windows would put both into one folder", *places)
    problems.raise_any()


def _is_built_in_group(group: str) -> bool:
    return "." not in group or group.endswith(".k8s.io")


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogateescape"))


def _fit(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 17]}-{_digest(name, 16)}"


def _digest(text: str, digits: int) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:digits]

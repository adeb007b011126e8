"""`ignoreDifferences` of Argo CD's Applications: which fields of which objects are no difference.

Source: Argo CD, "Diff Customization": an entry holds for a kind, in one namespace and of one name where it says so;
what it names is taken out of both sides before they are compared.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.cluster.drift.jqpaths import ExpressionError, read_paths
from envcompile.kubernetes.clustermade import map_at
from envcompile.values import ABSENT, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envcompile.model import Pointer, ResourceId


class Ignore(NamedTuple):
    """One entry of `ignoreDifferences`."""

    group: str
    kind: str
    namespace: str
    name: str
    pointers: tuple[Pointer, ...]
    expressions: tuple[str, ...]
    managers: tuple[str, ...]

    def concerns(self, identity: ResourceId) -> bool:
        """Whether the entry holds for an object; `*` in group and kind stands for other letters."""
        return (
            fnmatchcase(identity.group, self.group)
            and fnmatchcase(identity.kind, self.kind)
            and self.namespace in {"", identity.namespace}
            and self.name in {"", identity.name}
        )


def ignores_of(application: Mapping[str, Any]) -> Iterator[Ignore]:
    """The entries of an Application, or of the template of an ApplicationSet."""
    spec = map_at(application, "spec")
    if application.get("kind") == "ApplicationSet":
        spec = map_at(spec, "template", "spec")
    entries = spec.get("ignoreDifferences")
    yield from (ignore_of(entry) for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict))


def ignore_of(entry: Mapping[str, Any]) -> Ignore:
    """One entry as it is written."""
    group, kind, namespace, name = (str(entry.get(field) or "") for field in ("group", "kind", "namespace", "name"))
    return Ignore(
        group,
        kind,
        namespace,
        name,
        pointers=tuple(_pointer(text) for text in _texts(entry, "jsonPointers")),
        expressions=_texts(entry, "jqPathExpressions"),
        managers=_texts(entry, "managedFieldsManagers"),
    )


def sources_of(application: Mapping[str, Any]) -> tuple[str, ...]:
    """The folders of the repository that an Application, or the template of a set, reads."""
    spec = map_at(application, "spec")
    if application.get("kind") == "ApplicationSet":
        spec = map_at(spec, "template", "spec")
    listed = spec.get("sources")
    sources = [map_at(spec, "source"), *(listed if isinstance(listed, list) else [])]
    return tuple(str(one["path"]) for one in sources if isinstance(one, dict) and one.get("path"))


def servers_of(application: Mapping[str, Any]) -> tuple[str, ...]:
    """The address of the cluster that an Application, or the template of a set, goes to; none where it is named."""
    spec = map_at(application, "spec")
    if application.get("kind") == "ApplicationSet":
        spec = map_at(spec, "template", "spec")
    server = map_at(spec, "destination").get("server")
    return (server,) if isinstance(server, str) and server else ()


class Ignored(NamedTuple):
    """What entries leave of the two sides of an object, the managers they name, and the entries nobody understood."""

    desired: dict[str, Any]
    live: dict[str, Any]
    managers: tuple[str, ...]
    not_understood: tuple[str, ...]


def ignore(entries: Iterable[Ignore], identity: ResourceId, desired: dict[str, Any], live: dict[str, Any]) -> Ignored:
    """Take out of both sides of an object what entries name."""
    managers: list[str] = []
    unknown: list[str] = []
    for entry in entries:
        if not entry.concerns(identity):
            continue
        managers += entry.managers
        for pointer in entry.pointers:
            desired, live = (
                without(side, [found]) if (found := _there(side, pointer)) else side for side in (desired, live)
            )
        for text in entry.expressions:
            try:
                paths = read_paths(text)
            except ExpressionError as error:
                unknown.append(f"{text} ({error})")
                continue
            desired, live = (without(side, [found for found, _ in paths(side)]) for side in (desired, live))
    return Ignored(desired, live, tuple(dict.fromkeys(managers)), tuple(unknown))


def without(value: Any, pointers: Iterable[Pointer]) -> Any:
    """A value without what is at some places of it; the value itself stays as it is."""
    # From the back, so that items taken out of a list leave the places of those before them.
    for pointer in sorted(
        pointers,
        key=lambda one: [(isinstance(step, int), step if isinstance(step, int) else 0) for step in one],
        reverse=True,
    ):
        if pointer:
            value = _cut(value, pointer)
    return value


def _cut(value: Any, pointer: Pointer) -> Any:
    step, rest = pointer[0], pointer[1:]
    if isinstance(value, dict):
        if step not in value:
            return value
        inner = {name: item for name, item in value.items() if name != step or rest}
        return {**inner, step: _cut(value[step], rest)} if rest else inner
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        item = [_cut(value[step], rest)] if rest else []
        return [*value[:step], *item, *value[step + 1 :]]
    return value


def _pointer(text: str) -> Pointer:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.removeprefix("/").split("/"))


def _there(value: Any, pointer: Pointer) -> Pointer | None:
    """The way of a JSON pointer in a value, its places in lists as numbers; None where it leads nowhere."""
    way: list[str | int] = []
    for step in pointer:
        here = value_at(value, way)
        way.append(int(step) if isinstance(here, list) and str(step).isdecimal() else step)
    return tuple(way) if value_at(value, way) is not ABSENT else None


def _texts(entry: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = entry.get(name)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()

"""The difference of two versions of an environment as reviewers read it: renames found, embedded files key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.ask.changes import changes, field_changes, value_changes
from envcompile.ask.facets import facet_of_field, facet_of_resource, in_order
from envcompile.ask.redact import redacted
from envcompile.ask.renames import renames
from envcompile.ask.requests import AUTOSCALER, NOTHING, requests_of
from envcompile.kubernetes.fieldpath import format_field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from envcompile.ask.changes import FieldChange
    from envcompile.ask.requests import Requests
    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Resource, ResourceId

    ReadKeys = Callable[[str, str], "Keys | None"]
    """File name and text -> what its keys hold; None for a text that is not made of keys."""


class Keys(NamedTuple):
    """What the keys of a configuration file hold, and how people write the way to one of them."""

    value: Any
    name: Callable[[tuple[str | int, ...]], str]


class FieldDiff(NamedTuple):
    """One field before and after, or one key of a configuration file that a field holds."""

    path: FieldPath
    key: str
    """The key inside of the embedded file; empty for the field itself."""
    old: Any
    new: Any

    @property
    def field(self) -> str:
        """The field as people write it."""
        return format_field(self.path) + (f"#{self.key}" if self.key else "")


class ResourceDiff(NamedTuple):
    """What happened to one resource: `added`, `removed`, `changed` or `renamed`.

    `old` and `new` are the whole resource with its secrets hidden; None where it is not there.
    """

    kind: str
    resource: ResourceId
    was: ResourceId | None
    """The identity before a rename."""
    app: str
    fields: tuple[FieldDiff, ...]
    facets: tuple[str, ...]
    old: dict[str, Any] | None
    new: dict[str, Any] | None


class EnvironmentDiff(NamedTuple):
    """What happened to one environment."""

    environment: str
    resources: tuple[ResourceDiff, ...]
    owners: tuple[str, ...] = ()
    requests: Requests = NOTHING
    """The change of what its pods request."""
    settings: tuple[str, ...] = ()
    """What settings put on every resource in different ways, told once and on no resource."""

    def count(self, *kinds: str) -> int:
        """How many resources something of these kinds happened to."""
        return sum(resource.kind in kinds for resource in self.resources)

    @property
    def facets(self) -> tuple[str, ...]:
        """Every class of change in it."""
        return in_order({facet for resource in self.resources for facet in resource.facets})


def compare(
    environment: str,
    before: Iterable[Resource],
    after: Iterable[Resource],
    api: KubeApi,
    *,
    read_keys: ReadKeys | None = None,
    owners: tuple[str, ...] = (),
) -> EnvironmentDiff:
    """Compare two versions of an environment.

    Args:
        environment: its name.
        before: the resources of the older version.
        after: those of the newer one.
        api: what the newer version's Kubernetes knows about lists.
        read_keys: reads configuration files in ConfigMaps, so that they are compared key by key.
        owners: who approves changes of it.
    """
    old = {resource.id: resource for resource in before}
    new = {resource.id: resource for resource in after}
    found = changes(old.values(), new.values(), api)
    if not found:
        return EnvironmentDiff(environment, (), owners)
    gone = [old[change.resource] for change in found if change.kind == "removed"]
    come = [new[change.resource] for change in found if change.kind == "added"]
    moved = renames(gone, come)
    left = set(moved.values())
    resources = []
    for change in found:
        identity = change.resource
        if change.kind == "removed" and identity in left:
            continue
        was = moved.get(identity)
        fields, kind = change.fields, change.kind
        if was is not None:
            kind = "renamed"
            named = field_changes(identity, old[was].value, new[identity].value, api)
            fields = tuple(field for field in named if field.path != ("metadata", "name"))
        source, target = old.get(was or identity), new.get(identity)
        held = target or source
        expanded = tuple(_expanded(identity, fields, read_keys))
        facets = {facet_of_field(identity, field.path) for field in expanded}
        if kind != "changed":
            facets.add(facet_of_resource(identity))
        resources.append(
            ResourceDiff(
                kind,
                identity,
                was,
                held.app if held is not None else "",
                expanded,
                in_order(facets),
                redacted(identity, source.value) if source is not None else None,
                redacted(identity, target.value) if target is not None else None,
            )
        )
    touched = {change.resource for change in found}
    cost = _requests(new.values(), touched).minus(_requests(old.values(), touched))
    return EnvironmentDiff(environment, tuple(resources), owners, cost)


def _requests(resources: Iterable[Resource], touched: set[ResourceId]) -> Requests:
    """What the resources request that a change touches; those it leaves alone would cancel out."""
    if any(identity.kind == AUTOSCALER for identity in touched):
        return requests_of(resources)
    return requests_of(resource for resource in resources if resource.id in touched or resource.id.kind == AUTOSCALER)


def _expanded(identity: ResourceId, fields: Iterable[FieldChange], read_keys: ReadKeys | None) -> Iterator[FieldDiff]:
    """The fields, with each configuration file of a ConfigMap taken apart into its keys."""
    for field in fields:
        inner: list[FieldDiff] = []
        if read_keys is not None and identity.kind == "ConfigMap" and field.path[:1] == ("data",):
            inner = _by_keys(field, read_keys)
        if inner:
            yield from inner
        else:
            yield FieldDiff(field.path, "", field.old, field.new)


def _by_keys(field: FieldChange, read_keys: ReadKeys) -> list[FieldDiff]:
    """The keys that differ; none when the texts are not made of keys, or differ in comments and layout only."""
    if len(field.path) != 2 or not isinstance(field.old, str) or not isinstance(field.new, str):
        return []
    name = str(field.path[1])
    left, right = read_keys(name, field.old), read_keys(name, field.new)
    if left is None or right is None:
        return []
    return [
        FieldDiff(field.path, left.name(_plain(inner.path)), inner.old, inner.new)
        for inner in value_changes(left.value, right.value)
    ]


def _plain(path: FieldPath) -> tuple[str | int, ...]:
    """The way inside of an embedded file; nothing in it has merge keys."""
    return tuple(part for part in path if isinstance(part, (str, int)))

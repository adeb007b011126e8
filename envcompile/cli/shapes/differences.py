"""Documents about what changes."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from envcompile.cli.shapes.document import Document, Resource, Shape


class AffectedDocument(Document, frozen=True, kw_only=True):
    """`envc affected`: environment -> the resources that a change touches."""

    environments: dict[str, list[Resource]]


class Requests(Shape, frozen=True, kw_only=True):
    """What a difference asks of a cluster: CPUs and bytes of memory, more or less than before."""

    cpu: float
    memory: int


class FieldDifference(Shape, frozen=True, kw_only=True):
    """One field; what is not there has no `old` or no `new`, a secret has `secret`: what happened to it."""

    field: str
    old: Any | UnsetType = UNSET
    new: Any | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    old_order: list[str] | UnsetType = UNSET
    new_order: list[str] | UnsetType = UNSET
    old_index: int | UnsetType = UNSET
    new_index: int | UnsetType = UNSET
    item: Any | UnsetType = UNSET


class ResourceDifference(Shape, frozen=True, kw_only=True):
    """One resource on both sides."""

    change: str
    group: str
    kind: str
    namespace: str
    name: str
    app: str
    was: Resource | UnsetType = UNSET
    classes: list[str]
    fields: list[FieldDifference]
    old: Any | UnsetType = UNSET
    new: Any | UnsetType = UNSET


class EnvironmentDifference(Shape, frozen=True, kw_only=True):
    """One environment on both sides; those that are equal are left out."""

    environment: str
    added: int
    changed: int
    removed: int
    classes: list[str]
    owners: list[str]
    settings: list[str] | UnsetType = UNSET
    requests: Requests
    resources: list[ResourceDifference]


class DiffDocument(Document, frozen=True, kw_only=True):
    """`envc diff`, `envc compare`, `envc history diff`."""

    environments: list[EnvironmentDifference]


class CarriedSetting(Shape, frozen=True, kw_only=True):
    """A setting that moves to the next environment."""

    setting: str
    old: Any
    new: Any
    was_set: bool
    """False where the target had none, which is not the same as null."""


class PromoteDocument(Document, frozen=True, kw_only=True):
    """`envc promote`."""

    file: str | None
    """The settings that are edited; null where there is nothing to carry."""
    written: bool
    carried: list[CarriedSetting]

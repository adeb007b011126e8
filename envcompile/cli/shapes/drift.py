"""Documents about what runs otherwise than the sources say."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from envcompile.cli.shapes.document import Document, Place, Resource, Shape


class Writer(Shape, frozen=True, kw_only=True):
    """Who wrote a live value last: the field manager, how, through which subresource, and when."""

    manager: str
    operation: str
    """`Apply` or `Update`."""
    subresource: str
    """Empty for the object itself."""
    time: str
    """RFC 3339; empty where the cluster names none."""


class DriftedField(Shape, frozen=True, kw_only=True):
    """One field that differs; what only one side has lacks the other."""

    field: str
    drift: str
    """`changed`, `missing`, `extra` or `order`."""
    compiled: Any | UnsetType = UNSET
    live: Any | UnsetType = UNSET
    writer: Writer | None
    """None where the cluster names nobody."""
    place: Place | None
    """The line that wants otherwise; for what is extra, the one nearest around it."""


class DriftedObject(Shape, frozen=True, kw_only=True):
    """An object that differs, is missing, or is extra."""

    drift: str
    """`changed`, `missing` or `extra`."""
    resource: Resource
    place: Place | None
    writer: Writer | UnsetType = UNSET
    note: str | UnsetType = UNSET
    fields: list[DriftedField]


class DriftedEnvironment(Shape, frozen=True, kw_only=True):
    """An environment and its cluster."""

    environment: str
    context: str
    server: str
    compared: int
    """Compiled objects that were looked for."""
    probed: int
    """Those compared by a dry run."""
    objects: list[DriftedObject]
    remarks: list[str]
    """What could not be compared, and why."""


class DriftDocument(Document, frozen=True, kw_only=True):
    """`envc drift`."""

    environments: list[DriftedEnvironment]

"""Documents about environments as a whole: side by side, and who needs whom."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from envcompile.cli.shapes.document import Document, Resource, Shape

LayerKinds = Literal["base", "shared", "own", "settings", "derived"]


class SinceWhen(Shape, frozen=True, kw_only=True):
    """The commit that gave a field its value."""

    commit: str
    author: str
    time: str
    message: str
    """The first line."""
    how: Literal["changed", "added", "created"]
    or_before: bool
    """True where earlier commits are not recorded."""


class OwnSetting(Shape, frozen=True, kw_only=True):
    """What every environment calls its own; null where it has none."""

    setting: str
    values: dict[str, str | None]


class MatrixService(Shape, frozen=True, kw_only=True):
    """How many of an application's differences are on purpose."""

    app: str
    differences: int
    on_purpose: int
    percentage: float


class MatrixCell(Shape, frozen=True, kw_only=True):
    """One environment's value; `layer` and `place` say who set it, or took it away."""

    environment: str
    there: bool
    value: Any
    layer: str | None
    layer_kind: LayerKinds | None
    place: str | None
    was: Any
    """What the layer below said, where it is another value."""
    since: SinceWhen | None
    uncommitted: bool
    flag: Literal["foreign", "missing"] | None
    why: str | None


class MatrixRow(Shape, frozen=True, kw_only=True):
    """A field that differs; `kind` is what `--field` asks for, or another facet of a difference."""

    app: str
    resource: Resource
    """With an empty namespace where that is each environment's own."""
    field: str
    kind: str
    on_purpose: bool
    cells: list[MatrixCell]


class MatrixDocument(Document, frozen=True, kw_only=True):
    """`envc matrix`."""

    environments: list[str]
    own: list[OwnSetting]
    history: dict[str, str | None]
    """The recorded commit that `since` looks at."""
    differences: int
    on_purpose: int
    percentage: float
    services: list[MatrixService]
    rows: list[MatrixRow]
    folded: list[MatrixRow]
    """What is the same but for each environment's own name, namespace and parameters."""


class GraphNode(Shape, frozen=True, kw_only=True):
    """A resource, or one that is named and not there (`missing`)."""

    id: str
    resource: Resource
    app: str
    wave: int | None
    missing: bool
    changed: bool
    """True when a change touches it (`--affected`)."""


class GraphEdge(Shape, frozen=True, kw_only=True):
    """From who needs to what is needed; `why` is the field, or what sort of use it is."""

    from_: str = msgspec.field(name="from")
    to: str
    kind: Literal["needs", "routes", "guards"]
    why: str
    missing: bool


class GraphWave(Shape, frozen=True, kw_only=True):
    """What starts together."""

    wave: int
    resources: list[str]


class GraphDocument(Document, frozen=True, kw_only=True):
    """`envc graph`."""

    environment: str
    from_: Resource | None = msgspec.field(name="from")
    breaks: list[Resource]
    """What does not work without the resource that was asked about."""
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    left_out: int
    cycles: list[list[str]]
    """Each with its whole path, back to its beginning."""
    order: Literal["annotations", "computed"]
    start: list[GraphWave]

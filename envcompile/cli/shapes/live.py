"""Documents about clusters that are watched, and about the database that holds them."""

from __future__ import annotations

from typing import Any, Literal

from envcompile.cli.shapes.document import Document, Shape


class WatchedKind(Shape, frozen=True, kw_only=True):
    """How a kind's watch stands."""

    group: str
    resource: str
    """The kind's plural, as paths of the API have it."""
    state: Literal["starting", "listing", "watching", "waiting", "forbidden", "ended"]
    problem: str
    """Why it waits; empty when it does not."""


class WatchedCluster(Shape, frozen=True, kw_only=True):
    """What a watch has stored of a cluster."""

    cluster: str
    created: int
    changed: int
    gone: int
    same: int
    """Objects that were known as they are."""
    events: int
    usage: int
    kinds: list[WatchedKind]
    problems: list[str]


class WatchDocument(Document, frozen=True, kw_only=True):
    """`envc watch`."""

    clusters: list[WatchedCluster]


class LiveObject(Shape, frozen=True, kw_only=True):
    """Which object of a cluster it is."""

    group: str
    kind: str
    namespace: str
    name: str
    uid: str


class LiveState(LiveObject, frozen=True, kw_only=True):
    """What an object was, from one time (RFC 3339) to another."""

    since: str
    until: str | None
    """Null while it is so."""
    value: dict[str, Any]
    """The object as it is kept; a Secret's values are keyed digests."""


class LiveGetDocument(Document, frozen=True, kw_only=True):
    """`envc live get|at`."""

    cluster: str
    objects: list[LiveState]


class LiveField(Shape, frozen=True, kw_only=True):
    """A field that a version changed; values are JSON, cut off where they are long."""

    field: str
    how: Literal["added", "removed", "changed", "order"]
    old: str
    new: str
    manager: str
    """Who wrote it; empty where the cluster did not say."""
    at: str
    """When, as the cluster says it (RFC 3339)."""


class LiveVersion(LiveObject, frozen=True, kw_only=True):
    """One version of an object, or its end."""

    time: str
    what: Literal["created", "seen", "changed", "gone"]
    """`seen` is the first one of an object that was there before the watch began."""
    fields: list[LiveField]


class LiveLogDocument(Document, frozen=True, kw_only=True):
    """`envc live log`."""

    cluster: str
    versions: list[LiveVersion]


class LiveBlamed(Shape, frozen=True, kw_only=True):
    """A field, its value, who wrote it, and since when it has it."""

    field: str
    value: Any
    manager: str
    operation: str
    """`Apply` or `Update`, as Kubernetes' managedFields have it."""
    since: str
    or_before: bool
    """True when it was so when the object was first seen."""


class LiveBlameDocument(Document, frozen=True, kw_only=True):
    """`envc live blame`."""

    cluster: str
    fields: list[LiveBlamed]


class LiveEvent(Shape, frozen=True, kw_only=True):
    """An event of a cluster."""

    at: str
    namespace: str
    kind: str
    name: str
    type: str
    reason: str
    source: str
    times: int
    message: str


class LiveEventsDocument(Document, frozen=True, kw_only=True):
    """`envc live events`."""

    cluster: str
    events: list[LiveEvent]


class LiveCount(Shape, frozen=True, kw_only=True):
    """Objects of a kind in a namespace: how many there are, came, changed and went in a time."""

    group: str
    kind: str
    namespace: str
    there: int
    created: int
    changed: int
    gone: int


class LiveStatsDocument(Document, frozen=True, kw_only=True):
    """`envc live stats`."""

    cluster: str
    counts: list[LiveCount]


class StoredTable(Shape, frozen=True, kw_only=True):
    """A table of the database."""

    name: str
    rows: int
    """Estimated on PostgreSQL."""
    size: int
    """Bytes with its indexes; 0 where that is not known."""


class StoredCluster(Shape, frozen=True, kw_only=True):
    """A cluster that was watched."""

    name: str
    server: str


class Kept(Shape, frozen=True, kw_only=True):
    """Days that rows are kept."""

    usage: int
    five_minutes: int
    hours: int
    events: int
    versions: int


class DbStatusDocument(Document, frozen=True, kw_only=True):
    """`envc db status`."""

    database: str
    version: str
    newest: str
    layout: Literal["", "plain", "partitions", "timescaledb"]
    """How what grows with time is kept; empty for tables of another version."""
    on_disk: int
    """Bytes."""
    tables: list[StoredTable]
    clusters: list[StoredCluster]
    retention: Kept


class DbDoctorDocument(Document, frozen=True, kw_only=True):
    """`envc db doctor`."""

    objects: int
    versions: int
    contents: int
    damage: list[str]


class DbGcDocument(Document, frozen=True, kw_only=True):
    """`envc db gc`."""

    dry_run: bool
    usage: int
    five_minutes: int
    hours: int
    events: int
    versions: int
    objects: int
    contents: int
    compressed: int
    """Chunks of TimescaleDB that were compressed."""
    drift: int
    """Differences from clusters that ended."""

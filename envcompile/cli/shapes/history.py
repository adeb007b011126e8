"""Documents about what was recorded."""

from __future__ import annotations

from typing import Any, Literal

from envcompile.cli.shapes.document import Document, Resource, Shape


class Person(Shape, frozen=True, kw_only=True):
    """Who wrote or committed something, and when (RFC 3339)."""

    name: str
    email: str
    time: str


class Revision(Shape, frozen=True, kw_only=True):
    """What an environment was at a commit."""

    commit: str
    parents: list[str]
    author: Person
    committer: Person
    message: str
    environment: str
    digest: str
    resources: int
    changed: int | None
    """How many resources it changed; null where the commits before were pruned."""
    problem: str
    """Why it does not compile; empty when it does."""


class HistoryLogDocument(Document, frozen=True, kw_only=True):
    """`envc history log`."""

    revisions: list[Revision]


class RecordedField(Shape, frozen=True, kw_only=True):
    """A field that a revision changed; values are JSON, cut off where they are long."""

    field: str
    how: str
    old: str
    new: str
    place: str


class RecordedChange(Resource, frozen=True, kw_only=True):
    """A resource that a revision changed."""

    what: Literal["added", "changed", "removed"]
    fields: list[RecordedField]


class HistoryShowDocument(Revision, frozen=True, kw_only=True):
    """`envc history show`."""

    format_version: Literal[1]
    """The version of the shape."""
    changes: list[RecordedChange]


class BlamedField(Shape, frozen=True, kw_only=True):
    """A field, and the commit that gave it its value."""

    field: str
    value: Any
    commit: str
    author: str
    email: str
    time: str
    message: str
    how: str
    old: Any
    place: str | None
    or_before: bool
    """The history begins there."""


class HistoryBlameDocument(Document, frozen=True, kw_only=True):
    """`envc history blame`."""

    resource: Resource
    fields: list[BlamedField]


class FoundField(Shape, frozen=True, kw_only=True):
    """A field that a search found."""

    environment: str
    resource: Resource
    field: str
    value: Any


class HistoryFindDocument(Document, frozen=True, kw_only=True):
    """`envc history find`."""

    found: list[FoundField]


class TakenBack(Shape, frozen=True, kw_only=True):
    """A commit of which a field was set back within 24 hours."""

    commit: str
    by: str
    """The commit that set it back."""
    resource: str
    field: str
    seconds: int
    """How long it held."""


class DeliveryTo(Shape, frozen=True, kw_only=True):
    """How changes reached one environment in the period."""

    environment: str
    changes: int
    """Commits that changed anything in it."""
    deployments: int
    """Commits that gave it another image."""
    deployments_a_week: float | None
    """Null where the period is shorter than a week."""
    median_lead_seconds: float | None
    """From where an image first arrived; null where none came from another environment."""
    failure_rate: float | None
    """The part of all changes that was taken back; null where nothing changed."""
    taken_back: list[TakenBack]


class WaitingImage(Shape, frozen=True, kw_only=True):
    """A container that runs another image in an environment than in the one before it."""

    source: str
    target: str
    kind: str
    name: str
    container: str
    image: str
    """What the earlier environment runs."""
    behind: str
    """What the later one runs."""
    waiting_days: float
    """Since when the earlier one runs it."""
    commits: int
    """Commits on the branch since then."""
    versions: int
    """Images that the earlier environment took since it left what the later one runs; 0 where it never had that."""


class HistoryStatsDocument(Document, frozen=True, kw_only=True):
    """`envc history stats`."""

    sizes: dict[str, int]
    most: dict[str, dict[str, int]]
    """What changes most: resources, fields, authors -> how often."""
    since: str
    """Where the period begins (RFC 3339)."""
    until: str
    environments: list[DeliveryTo]
    waiting: list[WaitingImage]


class ArrivedImage(Shape, frozen=True, kw_only=True):
    """One container that runs another image from a commit on."""

    resource: Resource
    container: str
    before: str | None
    image: str | None
    """Null for a container that is gone."""
    version: str | None
    """The tag, a shortened digest, or both."""
    commit: str
    time: str
    author: str
    approved_by: list[str]
    """Trailers Approved-by, Reviewed-by and Acked-by of the commit."""
    lead_seconds: int | None
    """Since the image first arrived in an earlier environment; null where it was in none."""
    or_before: bool
    """The record begins there."""


class Lane(Shape, frozen=True, kw_only=True):
    """What came to one environment, the oldest first."""

    environment: str
    arrivals: list[ArrivedImage]


class HistoryTimelineDocument(Document, frozen=True, kw_only=True):
    """`envc history timeline`."""

    since: str
    until: str
    environments: list[Lane]
    waiting: list[WaitingImage]


class HistoryPruneDocument(Document, frozen=True, kw_only=True):
    """`envc history prune`."""

    dry_run: bool
    commits: int
    revisions: int
    contents: int
    bytes: int
    completed: int
    """Revisions that hold all themselves now."""


class HistoryDoctorDocument(Document, frozen=True, kw_only=True):
    """`envc history doctor`."""

    contents: int
    revisions: int
    wrong: list[str]
    """What is wrong, and how to mend it; empty when nothing is."""


class HistoryRecordDocument(Document, frozen=True, kw_only=True):
    """`envc history record|import|sync`."""

    recorded: list[str]
    """Commits that are new in the database."""
    failing: list[str]
    """Those of them that do not compile in some environment."""
    gone: list[str]
    """Commits that waited, and that git holds no more."""
    sent: int
    """Messages about them."""
    warnings: list[str]


class HistoryRebuildDocument(Document, frozen=True, kw_only=True):
    """`envc history rebuild`."""

    compiled: int
    carried: int
    """Commits that git holds no more, or that were pruned: kept as recorded."""
    differing: list[str]
    """Commits that compile to something else than what was recorded."""
    replaced: bool
    """What differed was replaced."""


class HistoryRestoreDocument(Document, frozen=True, kw_only=True):
    """`envc history restore`."""

    environment: str
    commit: str
    files: list[str]
    """What was written or removed, below the root."""


class UpgradeDocument(Document, frozen=True, kw_only=True):
    """`envc db upgrade`, `envc history upgrade`."""

    before: str
    """The version that the tables had; empty where there were none."""
    now: str

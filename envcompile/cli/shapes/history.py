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


class HistoryStatsDocument(Document, frozen=True, kw_only=True):
    """`envc history stats`."""

    sizes: dict[str, int]
    most: dict[str, dict[str, int]]
    """What changes most: resources, fields, authors -> how often."""


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

"""Documents about environments as they are compiled."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from envcompile.cli.shapes.document import Document, Resource, Shape


class Counts(Shape, frozen=True, kw_only=True):
    """Findings by grade."""

    error: int
    warning: int
    info: int


class LastChange(Shape, frozen=True, kw_only=True):
    """The commit that changed an environment's output last."""

    commit: str
    time: str
    author: str
    message: str


class ListedEnvironment(Shape, frozen=True, kw_only=True):
    """How an environment stands."""

    environment: str
    namespace: str | None
    resources: int
    stale: bool
    """A build would change its output."""
    findings: Counts
    last_change: LastChange | None
    problem: str | None
    """Why it does not compile."""


class ListDocument(Document, frozen=True, kw_only=True):
    """`envc list`."""

    environments: list[ListedEnvironment]


class BuiltFolder(Shape, frozen=True, kw_only=True):
    """What a build did to a folder below environments/, or would do with `--check`; paths are below the folder."""

    environment: str
    resources: int
    added: list[str]
    changed: list[str]
    removed: list[str]
    edited: list[str]
    """Changed by hand."""
    in_the_way: list[str]
    """Of somebody else, where a file of envc belongs."""
    current: bool
    """There was nothing to do."""
    warnings: list[str]


class Unit(Shape, frozen=True, kw_only=True):
    """Whether an application of an environment was compiled or remembered."""

    environment: str
    application: str
    compiled: bool
    changed: list[str]
    """The inputs that changed, by name."""
    why: str


class BuildDocument(Document, frozen=True, kw_only=True):
    """`envc build`; `units` with `--why`."""

    environments: list[BuiltFolder]
    units: list[Unit] | UnsetType = UNSET


class Say(Shape, frozen=True, kw_only=True):
    """What one layer has to say about a field."""

    layer: str
    role: str
    place: str | None
    value: Any
    wins: bool
    note: str | UnsetType = UNSET


class MergedList(Shape, frozen=True, kw_only=True):
    """How a list on the way to a field was merged."""

    field: str
    how: str


class UsedParameter(Shape, frozen=True, kw_only=True):
    """A parameter that went into a field."""

    name: str
    place: str | None


class UsedValue(Shape, frozen=True, kw_only=True):
    """A value of a chart of others that a field comes from."""

    value: str
    """Its place among the values, such as `image.tag`."""
    place: str | None
    certain: bool
    """It was seen to change the field; otherwise it only has the same value."""


class FieldOfChart(Shape, frozen=True, kw_only=True):
    """The chart of others that made a field."""

    name: str
    version: str
    values: list[UsedValue]
    note: str
    """What is to be known where no value was found; empty otherwise."""


class ExplainedField(Shape, frozen=True, kw_only=True):
    """A field, and where its value comes from."""

    field: str
    value: Any
    says: list[Say]
    lists: list[MergedList]
    parameters: list[UsedParameter]
    chart: FieldOfChart | UnsetType = UNSET
    """Where the document that decides was rendered from a chart."""


class ExplainDocument(Document, frozen=True, kw_only=True):
    """`envc explain`."""

    environment: str
    resource: Resource
    fields: list[ExplainedField]


class VerifiedRow(Shape, frozen=True, kw_only=True, rename=None):
    """One environment, rendered by one helm."""

    environment: str
    helm: str
    objects: int
    equal: int
    first_difference: str
    holds: bool


class ChartVerifyDocument(Document, frozen=True, kw_only=True):
    """`envc chart verify`."""

    rows: list[VerifiedRow]


class Kubernetes(Shape, frozen=True, kw_only=True):
    """The versions of Kubernetes that envc knows."""

    versions: list[str]
    default: str


class VersionDocument(Document, frozen=True, kw_only=True):
    """`envc version`."""

    version: str
    commit: str | None
    kubernetes: Kubernetes
    python: str


class Page(Shape, frozen=True, kw_only=True):
    """A page of the guide."""

    name: str
    title: str
    text: str | UnsetType = UNSET


class GuideDocument(Document, frozen=True, kw_only=True):
    """`envc guide`; `text`, in Markdown, when a page is named."""

    pages: list[Page]


class HookState(Shape, frozen=True, kw_only=True):
    """One of git's hooks."""

    name: str
    state: str
    keeps: bool
    """It calls the hook that was there before."""


class HookStatusDocument(Document, frozen=True, kw_only=True):
    """`envc hook status`."""

    hooks: list[HookState]
    waiting: int
    """Commits that wait to be recorded."""
    reason: str | None
    """Why they wait."""


class OwnersDocument(Document, frozen=True, kw_only=True):
    """`envc owners`."""

    file: str
    current: bool
    block: str
    """The lines of CODEOWNERS that are envc's."""

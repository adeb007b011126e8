"""Documents about frameworks and audit trails."""

from __future__ import annotations

from typing import Literal

from envcompile.cli.shapes.document import Document, Place, Resource, Shape
from envcompile.cli.shapes.history import RecordedField


class ControlFinding(Shape, frozen=True, kw_only=True):
    """A finding that breaks a control."""

    rule: str
    severity: str
    resource: Resource
    field: str
    what: str
    place: Place | None
    fingerprint: str


class ControlState(Shape, frozen=True, kw_only=True):
    """One control in one environment."""

    control: str
    """Its number or name in the framework."""
    title: str
    section: str
    """Where the framework states it: its chapter and heading."""
    rules: list[str]
    """The rules whose findings break it; none where it is not covered."""
    state: Literal["holds", "broken", "not asked", "not covered"]
    why: str
    """Why it is not covered, or not in full."""
    findings: list[ControlFinding]
    ignored: int
    """How many findings are set aside with a reason."""


class FrameworkIn(Shape, frozen=True, kw_only=True):
    """One framework in one environment."""

    environment: str
    holds: int
    broken: int
    not_asked: int
    not_covered: int
    controls: list[ControlState]


class FrameworkOf(Shape, frozen=True, kw_only=True):
    """One framework in all environments."""

    framework: str
    title: str
    version: str
    source: str
    environments: list[FrameworkIn]


class SetAside(ControlFinding, frozen=True, kw_only=True):
    """A finding that the resource itself sets aside."""

    environment: str
    reason: str


class TrendAt(Shape, frozen=True, kw_only=True):
    """What an environment was at the end of a week, checked with the rules of today."""

    commit: str
    time: str
    environment: str
    broken: dict[str, int]
    """Framework -> its controls that were broken."""
    findings: int


class ComplianceDocument(Document, frozen=True, kw_only=True):
    """`envc compliance`."""

    frameworks: list[FrameworkOf]
    ignored: list[SetAside]
    trend: list[TrendAt]


class Name(Shape, frozen=True, kw_only=True):
    """Who wrote or committed something."""

    name: str
    email: str


class AuditedResource(Resource, frozen=True, kw_only=True):
    """What a commit did to one resource."""

    what: Literal["added", "changed", "removed", "recorded"]
    """`recorded` where the record begins, whoever changed it."""
    fields: list[RecordedField]


class AuditedCommit(Shape, frozen=True, kw_only=True):
    """One commit that changed one environment."""

    commit: str
    environment: str
    time: str
    author: Name
    committer: Name
    message: str
    approved_by: list[str]
    problem: str
    """Why it does not compile; empty when it does."""
    changes: list[AuditedResource]
    hash: str
    """That of the chain up to this commit."""


class Gaps(Shape, frozen=True, kw_only=True):
    """What is missing in the record."""

    unapproved: dict[str, list[str]]
    """Environment -> the commits that changed it and name no approval."""
    unrecorded: list[str]
    """Commits of the period that git has and the record has not."""


class ChainHead(Shape, frozen=True, kw_only=True):
    """The whole chain."""

    commits: int
    hash: str
    """Keep it elsewhere: `envc compliance --verify` holds the record against it."""


class ComplianceAuditDocument(Document, frozen=True, kw_only=True):
    """`envc compliance --audit`."""

    since: str
    until: str
    entries: list[AuditedCommit]
    gaps: Gaps
    chain: ChainHead


class ComplianceVerifyDocument(Document, frozen=True, kw_only=True):
    """`envc compliance --verify`."""

    holds: bool
    commit: str | None
    """The commit whose entry has the hash; null where none has."""
    later: int
    """How many entries came since."""
    altered: list[str]
    """Contents whose text is another one than was recorded, by digest."""

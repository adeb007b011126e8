"""The document of the report."""

from __future__ import annotations

from typing import Any, Literal

from envcompile.cli.shapes.builds import Counts
from envcompile.cli.shapes.document import Document, Resource, Shape


class ReportedEnvironment(Shape, frozen=True, kw_only=True):
    """An environment beside the others."""

    environment: str
    namespace: str
    resources: int
    findings: Counts
    changes: int
    """How often it changed in the period."""
    problem: str
    """Why it does not compile; empty when it does."""


class ReportedVersion(Shape, frozen=True, kw_only=True):
    """What a container of a workload runs, and who brought it; empty where that is not recorded in the period."""

    environment: str
    resource: Resource
    container: str
    image: str
    version: str
    commit: str
    time: str
    author: str


class ReportedFinding(Shape, frozen=True, kw_only=True):
    """A finding, with all environments in which it says the same."""

    rule: str
    severity: Literal["error", "warning", "info"]
    environments: list[str]
    resource: Resource
    what: str
    fix: str
    place: str
    since: str
    by: str


class ReportedField(Shape, frozen=True, kw_only=True):
    """A field that changed; an empty one stands for a resource that came or went."""

    resource: Resource
    field: str
    facet: str
    """`image`, `replicas`, `config` and so on."""
    old: Any
    new: Any
    place: str


class ReportedChange(Shape, frozen=True, kw_only=True):
    """A commit that changed an environment."""

    environment: str
    commit: str
    time: str
    author: str
    message: str
    approvals: list[str]
    problem: str
    fields: list[ReportedField]


class ReportDocument(Document, frozen=True, kw_only=True):
    """`envc report`."""

    project: str
    title: str
    begin: str
    end: str
    is_recorded: bool
    """Whether there is a history; without one nothing is known of changes."""
    environments: list[ReportedEnvironment]
    versions: list[ReportedVersion]
    findings: list[ReportedFinding]
    changes: list[ReportedChange]

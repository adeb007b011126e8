"""Documents about rules and what they find."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from envcompile.cli.shapes.document import Document, Place, Resource, Shape


class Since(Shape, frozen=True, kw_only=True):
    """Who last wrote a line: commit, seconds since 1970, name; empty and 0 where it is not committed."""

    commit: str
    time: int
    author: str


class CheckFinding(Shape, frozen=True, kw_only=True):
    """What a rule found; of the rule `compile`, what is wrong with the sources, without environment and resource."""

    rule: str
    severity: str
    environment: str
    resource: Resource
    field: str
    what: str
    fix: str
    place: Place | None
    fingerprint: str
    """Stays the same while the finding does; a baseline holds it."""
    since: Since | UnsetType = UNSET
    """With `--blame`: who last wrote the line."""


class IgnoredFinding(CheckFinding, frozen=True, kw_only=True):
    """A finding that a suppression passes over."""

    reason: str


class StaleEntry(Shape, frozen=True, kw_only=True):
    """An entry of the baseline that nothing corresponds to any more."""

    fingerprint: str
    environment: str
    rule: str
    resource: str
    field: str


class Baseline(Shape, frozen=True, kw_only=True):
    """What the baseline knows."""

    known: list[CheckFinding]
    stale: list[StaleEntry]
    """Entries that nothing corresponds to any more."""


class CheckDocument(Document, frozen=True, kw_only=True):
    """`envc check`."""

    environments: list[str]
    resources: int
    rules: list[str]
    """Those that were asked."""
    unknown_kinds: list[str]
    """Kinds without a schema."""
    findings: list[CheckFinding]
    ignored: list[IgnoredFinding]
    baseline: Baseline


class CountedRule(Shape, frozen=True, kw_only=True):
    """How often a rule found something."""

    rule: str
    grade: str
    places: int
    findings: int
    """One place may be a finding in each environment."""
    what: str


class CheckStatisticsDocument(Document, frozen=True, kw_only=True):
    """`envc check --statistics`."""

    rules: list[CountedRule]


class DescribedRule(Shape, frozen=True, kw_only=True):
    """All that is to be said of a rule."""

    id: str
    grade: str
    mended: bool
    """`envc fix` mends what it finds."""
    scope: Literal["resource", "environment"]
    what: str
    why: str
    fix: str
    source: str
    links: list[str]
    fires: str
    silent: str


class RuleDocument(Document, frozen=True, kw_only=True):
    """`envc rule`."""

    rules: list[DescribedRule]


class MendedFile(Shape, frozen=True, kw_only=True):
    """A file that a mend changes."""

    file: str
    before: str
    after: str


class LeftFinding(Shape, frozen=True, kw_only=True):
    """A finding that cannot be mended."""

    rule: str
    subject: str
    place: Place | None
    why: str


class FixDocument(Document, frozen=True, kw_only=True):
    """`envc fix`."""

    written: bool
    files: list[MendedFile]
    left: list[LeftFinding]

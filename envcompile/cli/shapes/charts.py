"""Documents about charts of others."""

from __future__ import annotations

from typing import Literal

from envcompile.cli.shapes.document import Document, Shape


class VendoredChart(Shape, frozen=True, kw_only=True):
    """What became of one chart."""

    name: str
    """Of the release."""
    chart: str
    """Its name in the repository."""
    environments: dict[str, str]
    """Environment -> version."""
    before: dict[str, str]
    """The same, as it was."""
    added: list[str]
    changed: list[str]
    removed: list[str]
    notes: list[str]


class ChartsUpdateDocument(Document, frozen=True, kw_only=True):
    """`envc charts update|vendor`."""

    written: bool
    charts: list[VendoredChart]
    problems: list[str]
    """Why environments do not build with it, such as a patch of an object that is gone."""


class OutdatedChart(Shape, frozen=True, kw_only=True):
    """One version of a chart, and what is newer."""

    name: str
    environments: list[str]
    """Those that have the version."""
    version: str | None
    """None before it is rendered for the first time."""
    wanted: str
    """The newest that envc.yaml takes."""
    latest: str
    """The newest that is no prerelease."""


class ChartsOutdatedDocument(Document, frozen=True, kw_only=True):
    """`envc charts outdated`."""

    charts: list[OutdatedChart]


class ListedChart(Shape, frozen=True, kw_only=True):
    """One chart of a project."""

    name: str
    repository: str
    chart: str
    wanted: str | None
    """Version or range of envc.yaml."""
    environments: dict[str, str]
    """Environment -> version that was rendered."""
    digests: dict[str, str]
    """Version -> digest of its archive."""
    files: int
    state: Literal["current", "new", "stale", "edited", "gone"]
    """Rendered as it is said now; never rendered; said otherwise since; changed by hand; no more in envc.yaml."""
    edited: list[str]
    """Files that are not as they were written."""


class ChartsListDocument(Document, frozen=True, kw_only=True):
    """`envc charts list`."""

    charts: list[ListedChart]

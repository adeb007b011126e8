"""Documents about sealed values; none holds a value."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from envcompile.cli.shapes.document import Document, Shape


class SealedRow(Shape, frozen=True, kw_only=True):
    """What happened to one value; the value is never told."""

    environment: str
    value: str
    action: str
    note: str


class Reader(Shape, frozen=True, kw_only=True):
    """A workload that reads a Secret."""

    kind: str
    name: str
    restarts_by_itself: bool


class SecretsDocument(Document, frozen=True, kw_only=True):
    """`envc secrets set|seal|rotate|reseal`."""

    rows: list[SealedRow]
    changed: list[str]
    """Files that were written."""
    read_by: list[Reader] | UnsetType = UNSET


class ValueState(Shape, frozen=True, kw_only=True):
    """How a sealed value stands."""

    environment: str
    value: str
    state: str
    certificate: str
    current: bool
    age_days: int | None
    source: str
    note: str


class SecretsStatusDocument(Document, frozen=True, kw_only=True):
    """`envc secrets status`."""

    values: list[ValueState]


class AuditRow(Shape, frozen=True, kw_only=True):
    """What is risky about a sealed value."""

    environment: str
    value: str
    severity: str
    rule: str
    note: str


class SecretsAuditDocument(Document, frozen=True, kw_only=True):
    """`envc secrets audit`."""

    findings: list[AuditRow]


class VerifiedValue(Shape, frozen=True, kw_only=True):
    """Whether a sealed value is as it should be."""

    environment: str
    value: str
    good: bool
    note: str


class SecretsVerifyDocument(Document, frozen=True, kw_only=True):
    """`envc secrets verify`."""

    values: list[VerifiedValue]


class OpenedValue(Shape, frozen=True, kw_only=True):
    """A value that a private key opens, without its content."""

    value: str
    bytes: int


class SecretsUnsealDocument(Document, frozen=True, kw_only=True):
    """`envc secrets unseal`."""

    values: list[OpenedValue]


class Leak(Shape, frozen=True, kw_only=True):
    """A secret in clear in git's index."""

    file: str
    line: int
    rule: str
    what: str
    fix: str


class SecretsScanDocument(Document, frozen=True, kw_only=True):
    """`envc secrets scan`."""

    findings: list[Leak]


class CertificateDocument(Document, frozen=True, kw_only=True):
    """`envc secrets fetch-cert`."""

    state: str
    fingerprint: str
    before: str | None
    file: str
    not_before: str | None
    not_after: str | None

"""The baseline: findings that were there when checks began, so that only new ones count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import fail
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from envcompile.check.finding import Finding

FILE: Final = ".envc-baseline.json"
"""The file in the project's folder that is read when no other is named."""
_VERSION: Final = 1


class KnownFinding(NamedTuple):
    """One finding of the baseline; all but the fingerprint is there for people."""

    fingerprint: str
    environment: str
    rule: str
    resource: str
    field: str

    def __str__(self) -> str:
        return f"{self.environment}: {self.rule} in {self.resource}" + (f" {self.field}" if self.field else "")


class Sorted(NamedTuple):
    """Findings told apart by a baseline."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    stale: tuple[KnownFinding, ...]
    """What the baseline holds and nobody finds any more."""


def read_baseline(data: bytes, file: str) -> list[KnownFinding]:
    """The entries of a baseline file.

    Raises:
        EnvcError: it is no baseline of this version.
    """
    where = Location(file, 1, 1)
    fix = "write it again: envc check --write-baseline"
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise fail("the baseline is no JSON", fix, where) from error
    if not isinstance(value, dict) or value.get("version") != _VERSION or not isinstance(value.get("findings"), list):
        raise fail(f"this is no baseline of version {_VERSION}", fix, where)
    try:
        entries = [KnownFinding(**entry) for entry in value["findings"]]
    except TypeError as error:
        raise fail("the baseline has entries of another form", fix, where) from error
    return entries


def write_baseline(findings: Iterable[Finding], kept: Iterable[KnownFinding]) -> str:
    """The text of a baseline file: the same findings give the same bytes, one line each.

    Args:
        findings: what is there now.
        kept: entries of environments that were not looked at.
    """
    entries = {
        KnownFinding(found.fingerprint, found.environment, found.rule, str(found.resource), found.field)
        for found in findings
    } | {*kept}
    lines = [json.dumps(entry._asdict(), ensure_ascii=False) for entry in sorted(entries, key=_order)]
    body = "".join(f"\n    {line}," for line in lines).removesuffix(",")
    return f'{{\n  "version": {_VERSION},\n  "findings": [{body}{chr(10) + "  " if lines else ""}]\n}}\n'


def sort_out(findings: Sequence[Finding], entries: Sequence[KnownFinding], skipped: Collection[str]) -> Sorted:
    """Tell findings apart by a baseline; entries of environments that were skipped are not stale."""
    if not entries:
        return Sorted(tuple(findings), (), ())
    held = {entry.fingerprint for entry in entries}
    found = {finding.fingerprint for finding in findings}
    return Sorted(
        tuple(finding for finding in findings if finding.fingerprint not in held),
        tuple(finding for finding in findings if finding.fingerprint in held),
        tuple(entry for entry in entries if entry.fingerprint not in found and entry.environment not in skipped),
    )


def _order(entry: KnownFinding) -> tuple[str, ...]:
    return (entry.environment, entry.rule, entry.resource, entry.field, entry.fingerprint)

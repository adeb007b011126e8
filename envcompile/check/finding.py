"""What a rule finds, before and after it has a grade and a place in the sources."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from envcompile.model import (  # ruff: ignore[typing-only-first-party-import] - records are read by their types
    Location,
    Pointer,
    ResourceId,
)

Severity = Literal["error", "warning", "info"]
RANK: Final[dict[Severity, int]] = {"info": 0, "warning": 1, "error": 2}
"""Severity -> its order, the gravest highest."""


class Hit(NamedTuple):
    """What a rule found in one resource.

    `pointer` leads to the field that is wrong, or to the place where a missing field belongs. `what` is one sentence
    about the resource and never holds a value of a Secret; `fix` says what to write. `severity` overrides the rule's
    own. `value` is what makes the finding this finding and not another one of its rule at the same field.
    """

    resource: ResourceId
    pointer: Pointer
    what: str
    fix: str
    severity: Severity | None = None
    value: Any = None
    beside: tuple[Pointer, ...] = ()
    """Further fields that it takes to be wrong: the finding names the place, too, where another file set one."""


class Since(NamedTuple):
    """Who last wrote the line that a finding points at; empty and 0 when it is not committed."""

    commit: str
    time: int
    """Seconds since 1970."""
    author: str

    def __str__(self) -> str:
        if not self.commit:
            return "not committed yet"
        day = datetime.fromtimestamp(self.time, UTC).date()
        return f"{day.isoformat()}, {self.commit[:10]} of {self.author}"


class Finding(NamedTuple):
    """A hit with its rule, environment, grade, field in words, and the line in the sources that set the field."""

    rule: str
    severity: Severity
    environment: str
    resource: ResourceId
    field: str
    what: str
    fix: str
    fingerprint: str
    """Stays the same while the finding does, whatever moves around it in the files."""
    where: Location | None = None
    since: Since | None = None
    mends: bool = False
    """True when `envc fix` has an answer for it."""


def fingerprint(rule: str, environment: str, resource: ResourceId, field: str, value: Any) -> str:
    """16 hex digits that are the same for the same finding in every run (SARIF's `partialFingerprints`)."""
    said = json.dumps([rule, environment, *resource, field, value], ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:16]

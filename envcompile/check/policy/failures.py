"""A rule of one's own that fails is told once, not once for each resource that it was asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import fingerprint
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.check.finding import Finding
    from envcompile.check.rule import Rule

_FAILED: Final = " (the rule failed: "


def failing(summary: str, why: str) -> str:
    """What a rule finds in a resource that makes it fail.

    Args:
        summary: what the rule says must be so.
        why: the error, with its line.
    """
    return f"{summary}{_FAILED}{why})"


def once(findings: Iterable[Finding], own: Mapping[str, Rule]) -> list[Finding]:
    """The findings, those of an environment in which a rule fails at the same line as one, with their number.

    Args:
        findings: what was found.
        own: the rules that can fail, by id.
    """
    told: list[Finding] = []
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for found in findings:
        if found.rule in own and _FAILED in found.what:
            line = found.what.rpartition(" (")[2]
            alike.setdefault((found.rule, found.environment, line), []).append(found)
        else:
            told.append(found)
    for (rule, environment, line), some in alike.items():
        first = some[0]
        more = f" for {len(some)} resources, this one first" if len(some) > 1 else ""
        path, _, number = own[rule].source.rpartition(":")
        where = Location(path, int(number), 1) if number.isdecimal() else first.where
        print_ = fingerprint(rule, environment, first.resource._replace(namespace="", name=""), "", ["failed", line])
        fix = first.fix or "mend the rule: `envc check --test` tries it"
        told.append(first._replace(what=f"{first.what}{more}", where=where, fingerprint=print_, field="", fix=fix))
    return told

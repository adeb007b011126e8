"""Findings told by application are what they are as a whole."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from envcompile.check.finding import Finding, fingerprint
from envcompile.check.formats.text import as_text, rest_of
from envcompile.check.report import is_yaml, order, together
from envcompile.check.sheets import Sheets, sheet_of
from envcompile.model import Location, ResourceId

if TYPE_CHECKING:
    from envcompile.check.finding import Severity
    from envcompile.check.sheets import Sheet

ENVIRONMENTS = ("dev", "prod")


def some(chance: Random, app: str) -> list[Finding]:
    """Findings of one application, many of which are the same in both environments."""
    found = []
    for environment in ENVIRONMENTS:
        for number in range(chance.randrange(4)):
            severity: Severity = chance.choice(("error", "warning", "info"))
            resource = ResourceId(chance.choice(("", "apps")), "Deployment", environment, f"{app}-{number % 2}")
            field = chance.choice(("", "spec.replicas", "spec.ünicode"))
            file = chance.choice((f"base/{app}/a.yaml", f"overlays/dev/{app}.json"))
            where = Location(file, chance.randrange(1, 30), 3) if chance.random() < 0.9 else None
            what, fix = f"it is {chance.choice(('old', 'bad'))} in {app}", chance.choice(("", "mend it", f"ask {app}"))
            print_ = fingerprint("r", environment, resource, field, number)
            rule = chance.choice(("image-old", "image", "x"))
            mends = chance.random() < 0.5
            found.append(Finding(rule, severity, environment, resource, field, what, fix, print_, where, mends=mends))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_they_are_told_as_those_of_a_whole_report(seed: int) -> None:
    """The text, the first few, the counts of the rest, and what is counted."""
    chance = Random(seed)
    apart = [some(chance, f"app{number}") for number in range(chance.randrange(1, 9))]
    # A report holds one environment behind the other.
    every = [one for name in ENVIRONMENTS for found in apart for one in found if one.environment == name]
    groups = together(sorted(every, key=order))
    sheets = Sheets.of([made for found in apart if (made := sheet_of(found)) is not None], apart.__getitem__)
    assert sheets is not None
    assert len(sheets) == len(groups)
    assert sheets.text() == as_text(groups)
    assert sheets.counts() == Counter(group.finding.severity for group in groups)
    assert sheets.mends == sorted({one.rule for one in every if one.mends and is_yaml(one)})
    assert sheets.findings == len(every)
    for count in (0, 1, 3, len(groups)):
        assert sheets.first(count) == groups[:count]
        assert sheets.rest(count) == rest_of(groups[count:], "rule")


def _sheets(*findings: Finding) -> Sheets | None:
    """Each in an application of its own."""
    made: list[Sheet] = [one for finding in findings if (one := sheet_of([finding])) is not None]
    assert len(made) == len(findings)
    return Sheets.of(made, lambda number: [findings[number]])


ONE = Finding("r", "error", "dev", ResourceId("", "Service", "dev", "web"), "", "what", "", "0", Location("a", 1, 1))


def test_what_two_applications_say_alike_is_not_told_apart() -> None:
    """In one environment a resource may be one application's, in the next another's: then the whole is looked at."""
    in_prod = ONE._replace(environment="prod", resource=ONE.resource._replace(namespace="prod"))
    assert _sheets(ONE, in_prod) is None, "one finding in two environments"
    assert _sheets(ONE, ONE._replace(what="else")) is None, "nobody knows which comes first"
    assert _sheets(ONE, ONE._replace(field="spec")) is not None


def test_a_name_that_would_end_early_in_a_key_is_looked_at_as_a_whole() -> None:
    """YAML can write any character."""
    assert sheet_of([ONE._replace(field="a\0b")]) is None

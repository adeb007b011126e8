"""Every rule finds what it is about, says it in full, and finds nothing in a well-kept environment."""

from __future__ import annotations

import re
from itertools import starmap

import pytest

from envcompile.check.finding import RANK
from envcompile.check.rules.catalogue import RULES
from tests.check.rules.inputs import HERE, bad, found_in, good, inputs, samples, told
from tests.harness.goldens import compare_with_goldens

SAMPLES = samples()
BY_ID = {rule.id: rule for rule in RULES}


def test_the_catalogue_is_in_order() -> None:
    """Ids are unique, in lower-case words with hyphens, and sorted."""
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)+|privileged|schema|seccomp", name) for name in ids)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_must_be_so_and_where_that_comes_from(rule: object) -> None:
    """A summary is one sentence; no rule is without a source."""
    found = BY_ID[getattr(rule, "id")]  # ruff: ignore[get-attr-with-constant] - pytest's parameters have no type
    assert re.fullmatch(r"[A-Z`].*[^.]\.", found.summary, re.DOTALL)
    assert found.source
    assert found.severity in RANK


def test_every_sample_is_of_a_rule() -> None:
    """A rule has two examples in its own file (test_examples.py); here are further ones."""
    assert SAMPLES.keys() <= BY_ID.keys()


def test_nothing_is_found_in_a_well_kept_environment() -> None:
    """The good sample of every rule at once."""
    assert list(starmap(told, found_in(inputs(good())))) == []


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_each_sample_is_found_by_its_rule(name: str) -> None:
    """One change of the well-kept environment, and the rule speaks."""
    for sample in SAMPLES[name]:
        assert list(BY_ID[name].find(bad(sample))), sample


def test_keda_check_misses() -> None:
    """Case keda-check-misses: what KEDA 2.21 or its CRD refuses, each in its own words."""
    said = [
        "; ".join(hit.what for hit in BY_ID["keda-trigger"].find(bad(sample))) for sample in SAMPLES["keda-trigger"]
    ]
    assert [text.partition(":")[0] for text in said] == [
        "KEDA has no scaler of the type `kafkaa`",
        "KEDA has no scaler of the type `wholly-new`",
        "a `cron` trigger needs `timezone`",
        "`desiredReplicas` is not a text, and the API server takes only texts there",
        "two triggers are called `x`",
    ]


def test_findings_are_told_whole(request: pytest.FixtureRequest) -> None:
    """The grade, the field, the sentence and the mend of every sample are those of `expected/findings.txt`."""
    lines = []
    for name, cases in sorted(SAMPLES.items()):
        for sample in cases:
            lines += [told(BY_ID[name], hit) for hit in BY_ID[name].find(bad(sample))]
    update = bool(request.config.getoption("--update-goldens"))
    compare_with_goldens(HERE / "expected", {"findings.txt": "\n".join(lines).encode()}, update=update)


def test_no_finding_holds_a_secret() -> None:
    """The passwords of the samples are in no finding, whichever rule looks at them."""
    for sample in SAMPLES["secret-plaintext"]:
        for rule, hit in found_in(bad(sample)):
            said = told(rule, hit) + repr(hit.value)
            assert not any(secret in said for secret in ("hunter2", "aHVudGVyMg", "ghp_0", "MHc"))

"""The annotation that sets findings of a resource aside."""

from __future__ import annotations

from typing import Any

import pytest

from envcompile.check.suppressions import (
    IGNORE,
    NO_REASON,
    POINTER,
    UNKNOWN,
    Suppression,
    misused,
    read_suppressions,
    unused,
)
from tests.check.samples import WEB


def annotated(text: Any) -> dict[str, Any]:
    """A resource with the annotation."""
    return {"metadata": {"annotations": {IGNORE: text}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("probe: it answers nobody", [("probe", "it answers nobody")]),
        ("probe: a; image-tag: b\nschema:  c: d \n", [("probe", "a"), ("image-tag", "b"), ("schema", "c: d")]),
        ("probe", [("probe", "")]),
        ("probe:", [("probe", "")]),
        ("", []),
        (" ;\n ", []),
        (None, []),
    ],
)
def test_entries_are_rule_and_reason(text: Any, expected: list[tuple[str, str]]) -> None:
    """On lines of their own, or with `;` between them."""
    assert [entry[1:] for entry in read_suppressions(WEB, annotated(text))] == expected


@pytest.mark.parametrize("value", [{}, {"metadata": None}, {"metadata": {"annotations": []}}])
def test_a_resource_without_annotations_ignores_nothing(value: dict[str, Any]) -> None:
    """Whatever stands in their place."""
    assert read_suppressions(WEB, value) == []


def test_an_entry_that_cannot_work_is_a_finding() -> None:
    """A name that no rule has is told with the nearest; a missing reason with what to write."""
    entries = [Suppression(WEB, "prob", "why"), Suppression(WEB, "probe", ""), Suppression(WEB, "image-tag", "why")]
    found = list(misused(entries, ["probe", "image-tag"]))
    assert [(rule, hit.resource, hit.pointer, hit.what, hit.fix) for rule, hit in found] == [
        (
            UNKNOWN,
            WEB,
            POINTER,
            "the annotation ignores the rule `prob`, which does not exist",
            "did you mean `probe`?",
        ),
        (NO_REASON, WEB, POINTER, "the annotation ignores `probe` without a reason", "write `probe: why`"),
    ]


def test_an_entry_that_sets_nothing_aside_is_told() -> None:
    """With its rule."""
    hit = unused(Suppression(WEB, "probe", "why"))
    assert (hit.what, hit.fix) == ("the annotation ignores `probe`, which finds nothing here", "take the entry out")

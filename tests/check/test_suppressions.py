"""The annotation that sets findings of a resource aside."""

from __future__ import annotations

from typing import Any

import pytest

from envcompile.check.rules.catalogue import ABOUT_SUPPRESSIONS
from envcompile.check.suppressions import IGNORE, POINTER, Suppression, read_suppressions
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


@pytest.mark.parametrize(
    ("entry", "is_used", "expected"),
    [
        (
            Suppression(WEB, "prob", "why"),
            False,
            ("ignore-unknown", "the annotation ignores the rule `prob`, which does not exist", "did you mean `probe`?"),
        ),
        (
            Suppression(WEB, "probe", ""),
            False,
            ("ignore-reason", "the annotation ignores `probe` without a reason", "write `probe: why`"),
        ),
        (
            Suppression(WEB, "probe", "why"),
            False,
            ("ignore-unused", "the annotation ignores `probe`, which finds nothing here", "take the entry out"),
        ),
        (Suppression(WEB, "probe", "why"), True, None),
    ],
    ids=["no-such-rule", "no-reason", "nothing-found", "right"],
)
def test_an_entry_that_does_not_work_is_one_finding(
    entry: Suppression, *, is_used: bool, expected: tuple[str, str, str] | None
) -> None:
    """A name that no rule has with the nearest, a missing reason with what to write, one for nothing with its rule."""
    said = [
        (rule.id, hit.what, hit.fix)
        for rule in ABOUT_SUPPRESSIONS
        if rule.judge is not None
        and (hit := rule.judge(entry, ["probe", "image-tag"], is_used=is_used)) is not None
        and (hit.resource, hit.pointer) == (WEB, POINTER)
    ]
    assert said == ([expected] if expected else [])

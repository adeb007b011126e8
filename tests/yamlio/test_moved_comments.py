"""Comments on a key go with it when it moves."""

from __future__ import annotations

import pytest

from envcompile.yamlio.edit import Comments, comments, set_value, with_comments, without_comments_above

INGRESS = """\
metadata:
  annotations:
    a/b: "1"
    # of another one

    # internal only
    # since 2024
    kubernetes.io/ingress.class: nginx  # see the runbook
    c/d: "2"
spec:
  rules: []  # none yet
"""
OLD = ("metadata", "annotations", "kubernetes.io/ingress.class")
NEW = ("spec", "ingressClassName")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_above_and_the_rest_of_the_line_come_along(end: str) -> None:
    """Those directly above; what a blank line separates stays where it is."""
    text = INGRESS.replace("\n", end)
    found = comments(text, 0, OLD)
    assert found == Comments(("# internal only", "# since 2024"), "  # see the runbook")
    text = with_comments(set_value(text, 0, NEW, "nginx"), 0, NEW, found)
    moved = [
        "  rules: []  # none yet",
        "  # internal only",
        "  # since 2024",
        "  ingressClassName: nginx  # see the runbook",
    ]
    assert text.endswith(end.join([*moved, ""]))
    left = without_comments_above(text, 0, OLD).split(end)
    assert left[2:6] == [
        '    a/b: "1"',
        "    # of another one",
        "",
        "    kubernetes.io/ingress.class: nginx  # see the runbook",
    ]


def test_flow_style_has_no_comments_to_take_along() -> None:
    """And gets none, where none can be."""
    text = "metadata: {annotations: {kubernetes.io/ingress.class: nginx}}  # all of it\nspec: {rules: []}\n"
    assert comments(text, 0, OLD) == Comments()
    moved = set_value(text, 0, NEW, "nginx")
    assert with_comments(moved, 0, NEW, Comments(("# a",), "  # b")) == moved


def test_a_comment_that_is_there_stays() -> None:
    """What people wrote on the line of the new key is not written over."""
    text = "spec:\n  ingressClassName: nginx # mine\n"
    assert with_comments(text, 0, NEW, Comments((), " # other")) == text

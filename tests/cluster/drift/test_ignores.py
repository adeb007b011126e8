"""`ignoreDifferences` of Argo CD's Applications: pointers, expressions, managers."""

from __future__ import annotations

from typing import Any, Final

import pytest

from envcompile.cluster.drift.ignores import ignore, ignores_of, sources_of
from envcompile.cluster.drift.jqpaths import ExpressionError, read_paths
from envcompile.model import ResourceId

VALUE: Final[dict[str, Any]] = {
    "metadata": {"annotations": {"a.b/c": "x", "d": "y"}},
    "spec": {
        "replicas": 3,
        "containers": [
            {"name": "app", "image": "a:1", "env": [{"name": "A", "value": "1"}]},
            {"name": "mesh", "image": "m:1"},
        ],
    },
}


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        (".spec.replicas", [("spec", "replicas")]),
        ('.metadata.annotations["a.b/c"]', [("metadata", "annotations", "a.b/c")]),
        ('.metadata.annotations."a.b/c"', [("metadata", "annotations", "a.b/c")]),
        (".spec.containers[].image", [("spec", "containers", 0, "image"), ("spec", "containers", 1, "image")]),
        (".spec.containers[-1]", [("spec", "containers", 1)]),
        ('.spec.containers[] | select(.name == "mesh")', [("spec", "containers", 1)]),
        ('.spec.containers[] | select(.name != "mesh") | .image', [("spec", "containers", 0, "image")]),
        (
            '.spec.containers[]? | select(.name == "app").env[] | select(.name == "A")',
            [("spec", "containers", 0, "env", 0)],
        ),
        ('.spec.containers[] | select(.name | test("^me"))', [("spec", "containers", 1)]),
        ('.spec.containers[] | select(.name | startswith("a") | not)', [("spec", "containers", 1)]),
        ('.spec.containers[] | select(.env and .name == "app")', [("spec", "containers", 0)]),
        (
            '.spec.containers[] | select(has("env") or .name == "mesh")',
            [("spec", "containers", 0), ("spec", "containers", 1)],
        ),
        (".spec.replicas, .metadata.annotations.d", [("spec", "replicas"), ("metadata", "annotations", "d")]),
        ("(.spec.containers[] | .image)", [("spec", "containers", 0, "image"), ("spec", "containers", 1, "image")]),
        (".nothing.of[].this", []),
        ("..|.image?", [("spec", "containers", 0, "image"), ("spec", "containers", 1, "image")]),
        (".spec.nothing[1:], .spec.containers[1:]", [("spec", "containers", 1)]),
        (".spec.containers[:-1].name", [("spec", "containers", 0, "name")]),
        (".spec.containers[5:7]", []),
        (".spec | select(.replicas > 2).replicas", [("spec", "replicas")]),
        (".spec | select(.replicas >= 4).replicas", []),
        (".spec | select(.nothing < 3).replicas", [("spec", "replicas")]),
        ('.spec.containers[] | select(.name <= "app")', [("spec", "containers", 0)]),
    ],
)
def test_an_expression_names_places(expression: str, due: list[tuple[str | int, ...]]) -> None:
    """The part of jq that ignoreDifferences are written in."""
    assert [place for place, _ in read_paths(expression)(VALUE)] == due


@pytest.mark.parametrize(
    "expression",
    [
        ".a |= 1",
        ".a[1:2:3]",
        ".a | .. | keys",
        "env",
        ".spec | keys",
        "repeat(.)",
        ".a ==",
        "",
        'select(.a | test("("))',
        ".a.b)",
        "x" * 3000,
    ],
)
def test_other_expressions_are_refused_by_name(expression: str) -> None:
    """Nothing is run, and nothing is ignored that was not understood."""
    with pytest.raises(ExpressionError):
        read_paths(expression)


APPLICATION: Final[dict[str, Any]] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "spec": {
        "source": {"path": "environments/prod"},
        "ignoreDifferences": [
            {
                "group": "apps",
                "kind": "*Set",
                "jsonPointers": ["/spec/replicas", "/metadata/annotations/a.b~1c", "/spec/containers/0/image"],
                "jqPathExpressions": [".spec.containers[1]", ".spec | keys"],
                "managedFieldsManagers": ["scaler"],
            },
            {"kind": "ConfigMap", "name": "other", "jsonPointers": ["/data"]},
        ],
    },
}


def test_both_sides_lose_what_an_entry_names() -> None:
    """For the kinds, namespaces and names it holds for; an expression nobody understands is told."""
    entries = list(ignores_of(APPLICATION))
    assert sources_of(APPLICATION) == ("environments/prod",)
    done = ignore(entries, ResourceId("apps", "ReplicaSet", "n", "a"), VALUE, VALUE)
    kept = {
        "metadata": {"annotations": {"d": "y"}},
        "spec": {"containers": [{"name": "app", "env": [{"name": "A", "value": "1"}]}]},
    }
    assert (done.desired, done.live) == (kept, kept)
    assert done.managers == ("scaler",)
    assert len(done.not_understood) == 1
    assert done.not_understood[0].startswith(".spec | keys (")
    same = ignore(entries, ResourceId("apps", "Deployment", "n", "a"), VALUE, VALUE)
    assert same.live is VALUE


def test_a_set_of_applications_has_a_template() -> None:
    """An ApplicationSet says it one level deeper."""
    made = {"kind": "ApplicationSet", "spec": {"template": {"spec": APPLICATION["spec"]}}}
    assert list(ignores_of(made)) == list(ignores_of(APPLICATION))

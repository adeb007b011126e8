"""The rule `api-removed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.standards import minor_of
from envcompile.check.versions import OPERATORS, passing_of, renamed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene


def _removed(scene: Scene) -> Iterator[Hit]:
    minor = minor_of(scene.api.version)
    for resource in scene.resources:
        version, passing = passing_of(resource)
        if passing is not None and passing.removed is not None and passing.removed <= minor:
            gone = f"gone since 1.{passing.removed}"
            what = f"Kubernetes {scene.api.version} does not serve {resource.id.kind} as `{version}` ({gone})"
            fix = f"write `apiVersion: {passing.instead}` with its fields" if passing.instead else "take it out"
            yield Hit(resource.id, ("apiVersion",), what, fix)
        elif version in OPERATORS:
            what = f"current releases of the operator do not serve `{version}`"
            yield Hit(resource.id, ("apiVersion",), what, f"write `apiVersion: {OPERATORS[version]}`", "warning")


RULE: Final = Rule(
    "api-removed",
    "error",
    "The environment's Kubernetes version serves the apiVersion of every resource.",
    "kubernetes.io, Deprecated API Migration Guide; Pluto, kube-score stable-version",
    _removed,
    mend=renamed,
    alone=True,
    why="The API server does not know the resource: the whole apply fails there.",
    fix="Write the apiVersion that the migration guide names, with its fields.",
    links=("https://kubernetes.io/docs/reference/using-api/deprecation-guide/",),
    fires="""\
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: api}
""",
    silent="""\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
""",
)

"""The rule `api-removed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.standards import minor_of
from envcompile.check.versions import is_gone, passing_of, renamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource


_MOVED: Final[Mapping[str, str]] = {
    "certmanager.k8s.io/v1alpha1": "cert-manager.io/v1",
    "keda.k8s.io/v1alpha1": "keda.sh/v1alpha1",
    "traefik.containo.us/v1alpha1": "traefik.io/v1alpha1",
    "kubernetes-client.io/v1": "external-secrets.io/v1",
}
"""Groups that current releases of operators do not serve -> what they serve.

Source: the upgrade notes of External Secrets Operator 0.1, cert-manager 0.11, KEDA 2.0 and Traefik 3.0.
"""


def _removed(inputs: CheckInput) -> Iterator[Hit]:
    minor = minor_of(inputs.api.version)
    for resource in inputs.resources:
        version, passing = passing_of(resource)
        if passing is not None and is_gone(resource, minor):
            gone = f"gone since 1.{passing.removed}"
            what = f"Kubernetes {inputs.api.version} does not serve {resource.id.kind} as `{version}` ({gone})"
            fix = f"write `apiVersion: {passing.instead}` with its fields" if passing.instead else "take it out"
            yield Hit(resource.id, ("apiVersion",), what, fix)
        elif version in _MOVED:
            what = f"current releases of the operator do not serve `{version}`"
            yield Hit(resource.id, ("apiVersion",), what, f"write `apiVersion: {_MOVED[version]}`", "warning")
        elif inputs.api.project(*resource.id[:2]):
            yield from _unserved(inputs, resource, version)


def _unserved(inputs: CheckInput, resource: Resource, version: str) -> Iterator[Hit]:
    """A version that an operator's definition lacks, or says to be gone; another release may serve it."""
    group, kind = resource.id[:2]
    custom, name = inputs.api.custom(group, kind), version.rpartition("/")[2]
    if custom is None or name in custom.versions or not custom.versions:
        return
    said = "no longer serves" if name in custom.gone else "does not serve"
    fix = f"write `apiVersion: {group}/{next(iter(custom.versions))}` with its fields"
    yield Hit(resource.id, ("apiVersion",), f"{custom.project} {said} {kind} as `{version}`", fix, "warning")


RULE: Final = Rule(
    "api-removed",
    "error",
    "The environment's Kubernetes version serves the apiVersion of every resource.",
    "kubernetes.io, Deprecated API Migration Guide; Pluto, kube-score; the operators' own definitions",
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

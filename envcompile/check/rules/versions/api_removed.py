"""The rule `api-removed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.standards import minor_of
from envcompile.check.versions import passing_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.check_input import Scene


_OPERATORS: Final[Mapping[str, str]] = {
    "external-secrets.io/v1alpha1": "external-secrets.io/v1",
    "external-secrets.io/v1beta1": "external-secrets.io/v1",
    "cert-manager.io/v1alpha2": "cert-manager.io/v1",
    "cert-manager.io/v1alpha3": "cert-manager.io/v1",
    "cert-manager.io/v1beta1": "cert-manager.io/v1",
    "certmanager.k8s.io/v1alpha1": "cert-manager.io/v1",
    "keda.k8s.io/v1alpha1": "keda.sh/v1alpha1",
    "autoscaling.k8s.io/v1beta1": "autoscaling.k8s.io/v1",
    "autoscaling.k8s.io/v1beta2": "autoscaling.k8s.io/v1",
    "traefik.containo.us/v1alpha1": "traefik.io/v1alpha1",
    "gateway.networking.k8s.io/v1alpha1": "gateway.networking.k8s.io/v1",
    "kubernetes-client.io/v1": "external-secrets.io/v1",
}
"""Versions that current releases of operators do not serve -> what they serve.

Source: the upgrade notes of External Secrets Operator 0.17, cert-manager 1.6, KEDA 2.0, Vertical Pod Autoscaler 1.0,
Traefik 3.0 and Gateway API 0.5.
"""


def _removed(scene: Scene) -> Iterator[Hit]:
    minor = minor_of(scene.api.version)
    for resource in scene.resources:
        version, passing = passing_of(resource)
        if passing is not None and passing.removed is not None and passing.removed <= minor:
            gone = f"gone since 1.{passing.removed}"
            what = f"Kubernetes {scene.api.version} does not serve {resource.id.kind} as `{version}` ({gone})"
            fix = f"write `apiVersion: {passing.instead}` with its fields" if passing.instead else "take it out"
            yield Hit(resource.id, ("apiVersion",), what, fix)
        elif version in _OPERATORS:
            what = f"current releases of the operator do not serve `{version}`"
            yield Hit(resource.id, ("apiVersion",), what, f"write `apiVersion: {_OPERATORS[version]}`", "warning")


RULE: Final = Rule(
    "api-removed",
    "error",
    "The environment's Kubernetes version serves the apiVersion of every resource.",
    "kubernetes.io, Deprecated API Migration Guide; Pluto, kube-score stable-version",
    _removed,
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

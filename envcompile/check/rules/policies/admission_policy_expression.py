"""The rule `admission-policy-expression`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Hit
from envcompile.check.policy.kinds import policies_of
from envcompile.check.rule import Rule
from envcompile.check.schema import complaints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _expression(inputs: CheckInput) -> Iterator[Hit]:
    if not policies_of(inputs) or not is_installed():
        return
    from envcompile.check.policy.cluster import refusals

    for resource, refusal in refusals(inputs):
        if any(complaint.pointer == refusal.pointer for complaint in complaints(inputs.api, resource.value)):
            continue
        yield Hit(
            resource.id,
            refusal.pointer,
            f"the API server refuses the expression: {refusal.words}",
            "write an expression that the server's checker takes: kubernetes.io, CEL in Kubernetes",
            value=refusal.words,
        )


RULE: Final = Rule(
    "admission-policy-expression",
    "error",
    "The API server can compile the expressions of admission policies.",
    "k8s.io/apiserver, pkg/admission/plugin/cel and pkg/cel/environment: the libraries of the version before, too",
    _expression,
    alone=True,
    in_cel=True,
    why="The API server refuses a policy with an expression that does not compile, so nothing is checked by it.",
    fix="Use functions that the minor version before the cluster's knows, and results of the type that is asked for.",
    links=("https://kubernetes.io/docs/reference/using-api/cel/",),
    fires="""\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few-replicas}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: math.greatest(object.spec.replicas, 1) <= 5
""",
    silent="""\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few-replicas}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: object.spec.replicas <= 5
""",
)

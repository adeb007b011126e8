"""The rule `not-evaluated`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Hit
from envcompile.check.policy.kinds import ADMISSION, POLICY, policies_of
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _not_evaluated(inputs: CheckInput) -> Iterator[Hit]:
    if not policies_of(inputs) or not is_installed():
        return
    from envcompile.check.policy.cluster import Open, judge

    told: set[object] = set()
    for found in judge(inputs):
        if not isinstance(found, Open) or (found.resource.id, found.pointer, found.why) in told:
            continue
        told.add((found.resource.id, found.pointer, found.why))
        yield Hit(
            found.resource.id,
            found.pointer,
            f"not evaluated, because {found.why}",
            "nothing is concluded from it: the cluster alone decides",
            value=found.why,
        )


RULE: Final = Rule(
    "not-evaluated",
    "info",
    "Every admission policy can be evaluated before it reaches the cluster.",
    "kubernetes.io, Validating Admission Policy: authorizer checks, userInfo and namespaces exist in the cluster only",
    _not_evaluated,
    whole=True,
    needs=(ADMISSION, POLICY),
    why="What cannot be evaluated here is neither passed nor failed: only the cluster knows who asks, and what for.",
    fix="Add the namespace or the parameters that are missing to the repository, or leave it to the cluster.",
    links=("https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",),
    fires="""\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: owners-only}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}
  validations:
  - expression: authorizer.group('').resource('secrets').check('delete').allowed()
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: owners-only}
spec: {policyName: owners-only, validationActions: [Deny]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
""",
    silent="""\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: named-settings}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}
  validations:
  - expression: object.metadata.name == 'settings'
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: named-settings}
spec: {policyName: named-settings, validationActions: [Deny]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
""",
)

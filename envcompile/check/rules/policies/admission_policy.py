"""The rule `admission-policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Hit
from envcompile.check.policy.kinds import ADMISSION, POLICY, policies_of
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Severity


_GRADES: Final[dict[str, Severity]] = {"Deny": "error", "Warn": "warning", "Audit": "info"}


def _policy(inputs: CheckInput) -> Iterator[Hit]:
    if not policies_of(inputs) or not is_installed():
        return
    from envcompile.check.policy.cluster import Refused, judge

    told: set[object] = set()
    for found in judge(inputs):
        if not isinstance(found, Refused):
            continue
        policy, binding = found.bound.policy.name, found.bound.name
        key = (found.resource.id, policy, binding, found.denial.pointer, found.denial.message)
        if key in told:
            continue
        told.add(key)
        words = f"ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request"
        if found.action != "Deny":
            words = f"Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}'"
        yield Hit(
            found.resource.id,
            found.field,
            f"{words}: {found.denial.message}",
            f"do as the policy `{policy}` asks, or change it",
            _GRADES[found.action],
            value=[policy, binding, list(found.denial.pointer)],
        )


RULE: Final = Rule(
    "admission-policy",
    "error",
    "The ValidatingAdmissionPolicies of the environment admit every resource of it.",
    "kubernetes.io, Validating Admission Policy; k8s.io/apiserver, pkg/admission/plugin/policy/validating",
    _policy,
    whole=True,
    needs=(ADMISSION, POLICY),
    in_cel=True,
    why="The API server refuses what a policy with the action `Deny` denies, in the middle of a deployment.",
    fix="Do as the policy's message says, or change the policy; warnings and audit entries are graded lower.",
    links=("https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",),
    fires="""\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few-replicas}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: object.spec.replicas <= 5
    messageExpression: "'at most 5 replicas, not ' + string(object.spec.replicas)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few-replicas}
spec: {policyName: few-replicas, validationActions: [Deny]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 6
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - {name: api, image: 'shop/api:v1.4.2'}
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
    messageExpression: "'at most 5 replicas, not ' + string(object.spec.replicas)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few-replicas}
spec: {policyName: few-replicas, validationActions: [Deny]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 5
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - {name: api, image: 'shop/api:v1.4.2'}
""",
)

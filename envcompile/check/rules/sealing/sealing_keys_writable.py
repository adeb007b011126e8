"""The rule `sealing-keys-writable`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.rule import Rule
from envcompile.check.sealingkeys import NARROW, hit, on_secrets, reaching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Hit


_WRITE: Final = ("create", "delete", "deletecollection", "patch", "update")


def _writable(inputs: CheckInput) -> Iterator[Hit]:
    for grant, subjects in reaching(inputs):
        verbs = on_secrets(grant.powers or (), _WRITE)
        if verbs:
            verbs_said = f"({', '.join(verbs)} on secrets)"
            deed = f"replace, plant or destroy sealing keys in namespace {inputs.keys.namespace} {verbs_said}"
            yield hit(grant, subjects, deed, NARROW)


RULE: Final = Rule(
    "sealing-keys-writable",
    "error",
    (
        "Nobody but the sealed-secrets controller may change Secrets in its namespace: a planted key reads what "
        "is sealed next."
    ),
    "kubernetes.io, RBAC Good Practices; sealed-secrets README, Secret Rotation",
    _writable,
    why=(
        "A key that somebody plants is the one that new values are sealed with; one that is destroyed takes all "
        "values along."
    ),
    fix=(
        "Bind a Role of the namespace that needs it instead of a ClusterRole, or name the Secrets under "
        "`resourceNames`."
    ),
    links=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/",),
    fires="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: sealed-secrets-controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secrets-unsealer}
subjects:
- {kind: ServiceAccount, name: default, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: secrets-unsealer}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [delete]}
""",
    silent="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: sealed-secrets-controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secrets-unsealer}
subjects:
- kind: ServiceAccount
  name: sealed-secrets-controller
  namespace: kube-system
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: secrets-unsealer}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [delete]}
""",
)

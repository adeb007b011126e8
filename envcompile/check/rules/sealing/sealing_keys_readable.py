"""The rule `sealing-keys-readable`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.grants import powers_of
from envcompile.check.reading import strings_at
from envcompile.check.rule import Rule
from envcompile.check.sealingkeys import NARROW, READ, hit, on_secrets, reaching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_RBAC: Final = "rbac.authorization.k8s.io"


def _readable(inputs: CheckInput) -> Iterator[Hit]:
    for grant, subjects in reaching(inputs):
        if grant.powers is None:
            if grant.role_kind == "ClusterRole" and not grant.role_name.startswith("system:"):
                deed = (
                    f"do what nobody here can tell, perhaps read the sealing keys of namespace {inputs.keys.namespace}"
                )
                fix = "add the ClusterRole to the environment, or say in `envcompile.dev/ignore` what it may do"
                yield hit(grant, subjects, deed, fix)._replace(severity="info")
            continue
        verbs = on_secrets(grant.powers, READ)
        if verbs:
            deed = f"read the sealing keys of namespace {inputs.keys.namespace} ({', '.join(verbs)} on secrets)"
            yield hit(grant, subjects, deed, NARROW)
    for role in inputs.of_kind(_RBAC, "ClusterRole") if inputs.uses_sealing else ():
        labels = strings_at(role.value, "metadata", "labels")
        if labels.get(f"{_RBAC}/aggregate-to-view") != "true":
            continue
        for power in powers_of(role):
            if on_secrets([power], READ):
                yield Hit(
                    role.id,
                    power.pointer,
                    "the rule is taken into the built-in ClusterRole `view`, so that whoever may look at namespace"
                    f" {inputs.keys.namespace} may read the sealing keys",
                    "take the label `rbac.authorization.k8s.io/aggregate-to-view` off, or secrets out of the rule",
                )


RULE: Final = Rule(
    "sealing-keys-readable",
    "error",
    "Nobody but the sealed-secrets controller may read Secrets in its namespace: the keys open every SealedSecret.",
    "kubernetes.io, RBAC Good Practices; sealed-secrets README, Secret Rotation",
    _readable,
    why=(
        "The keys are Secrets of the controller's namespace: a right to read Secrets there is a right to read "
        "every sealed value."
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
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects:
- {kind: Group, name: developers}
""",
    silent="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: Group, name: developers}
""",
)

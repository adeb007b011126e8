"""The rule `automount-token`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.mend import Mend
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule
from envcompile.values import ABSENT, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource


def _token(inputs: CheckInput) -> Iterator[Hit]:
    granted = {
        (subject.namespace or grant.binding.id.namespace, subject.name)
        for grant in inputs.grants
        for subject in grant.subjects
        if subject.kind == "ServiceAccount"
    }
    granted_anywhere = {name for _, name in granted}
    for pods in inputs.pods:
        said = pods.spec.get("automountServiceAccountToken")
        account = inputs.account_of(pods)
        if said is None and account is not None:
            said = account.value.get("automountServiceAccountToken")
        name = text_at(pods.spec, "serviceAccountName") or text_at(pods.spec, "serviceAccount") or "default"
        if account is None and name != "default":
            continue  # it comes from elsewhere, and so may its bindings
        # Where the pods' namespace, or the binding's, is not stated, any of that name may be meant.
        may_be = (pods.namespace, name) in granted or ("", name) in granted
        may_be = may_be or (not pods.namespace and name in granted_anywhere)
        if said is not False and not may_be:
            yield Hit(
                pods.resource.id,
                (*pods.spec_pointer, "automountServiceAccountToken"),
                f"the pods carry a token of ServiceAccount {name}, to which no binding gives any right",
                "write `automountServiceAccountToken: false`",
            )


def _mend(resource: Resource, hit: Hit) -> Iterator[Mend]:
    # Somebody who wrote `true` meant it.
    if value_at(resource.value, hit.pointer) is ABSENT:
        yield Mend(hit.pointer, hit.pointer, lambda _: False)


RULE: Final = Rule(
    "automount-token",
    "warning",
    "Pods that do not call the API server carry no token for it.",
    "kubernetes.io, RBAC Good Practices; Polaris automountServiceAccountToken, Checkov CKV_K8S_38",
    _token,
    mend=_mend,
    why=(
        "The token of a ServiceAccount is a password for the API server; a pod that does not use it only has it "
        "to lose."
    ),
    fix="Write `automountServiceAccountToken: false` on the ServiceAccount or in the pod.",
    links=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting",
    ),
    fires="""\
apiVersion: v1
kind: ServiceAccount
metadata: {name: store}
automountServiceAccountToken: true
---
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  serviceAccountName: store
  containers:
  - {name: worker, image: 'shop/worker:v1'}
""",
    silent="""\
apiVersion: v1
kind: ServiceAccount
metadata: {name: store}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  serviceAccountName: store
  containers:
  - {name: worker, image: 'shop/worker:v1'}
""",
)

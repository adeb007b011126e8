"""The rule `sealing-keys-bypass`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check.grants import BUILT_IN
from envcompile.check.rule import Rule
from envcompile.check.sealingkeys import READ, hit, on_secrets, reaching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Hit
    from envcompile.check.grants import Grant, Power


_RBAC: Final = "rbac.authorization.k8s.io"


class _Way(NamedTuple):
    """One way to the keys: what somebody must be allowed to do, and what comes of it."""

    verbs: tuple[str, ...]
    group: str
    resource: str
    what: str


_ROUND: Final = (
    _Way(("create", "get"), "", "pods/exec", "run commands in the controller's pod"),
    _Way(("create", "get"), "", "pods/attach", "attach to the controller's pod"),
    _Way(("update", "patch"), "", "pods/ephemeralcontainers", "put a container into the controller's pod"),
    _Way(("create",), "", "pods", "start a pod that mounts the key Secrets"),
    _Way(("create", "update", "patch"), "apps", "deployments", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "apps", "statefulsets", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "apps", "daemonsets", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "apps", "replicasets", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "batch", "jobs", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "batch", "cronjobs", "start pods that mount the key Secrets"),
    _Way(("create",), "", "serviceaccounts/token", "make a token of the controller's ServiceAccount"),
    _Way(("impersonate",), "", "serviceaccounts", "act as the controller's ServiceAccount"),
    _Way(("escalate",), _RBAC, "roles", "give itself any right in the namespace"),
    _Way(("escalate",), _RBAC, "clusterroles", "give itself any right"),
    _Way(("bind",), _RBAC, "roles", "bind any role of the namespace"),
    _Way(("bind",), _RBAC, "clusterroles", "bind any ClusterRole, cluster-admin too"),
)
"""Source: kubernetes.io, Role Based Access Control Good Practices: Privilege escalation risks."""


_CLUSTER_ONLY: Final = (
    _Way(("impersonate",), "", "users", "act as any user"),
    _Way(("impersonate",), "", "groups", "act as a member of any group, system:masters too"),
    _Way(
        ("create", "update", "patch"),
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "rewrite the controller's pod as it is made",
    ),
    _Way(("get", "create"), "", "nodes/proxy", "run commands in every pod by the kubelet's API"),
)
"""Ways that only a ClusterRoleBinding opens, because what they need is in no namespace."""


def _open_ways(inputs: CheckInput, grant: Grant) -> list[str]:
    ways = (*_ROUND, *_CLUSTER_ONLY) if grant.is_cluster_wide else _ROUND
    found = {
        way.what: None
        for way in ways
        for power in grant.powers or ()
        if any(power.allows(verb, way.group, way.resource) for verb in way.verbs) and _fits(inputs, way, power)
    }
    return list(found)


def _fits(inputs: CheckInput, way: _Way, power: Power) -> bool:
    """Tell whether the names that a rule is limited to leave the way open."""
    if not power.names:
        return True
    if way.resource.startswith("serviceaccounts"):
        return inputs.keys.controller in power.names
    if way.verbs == ("bind",):
        return any(BUILT_IN.get(name) for name in power.names)
    if way.verbs == ("create",):
        return False
    return any(inputs.keys.controller in name for name in power.names)


def _bypass(inputs: CheckInput) -> Iterator[Hit]:
    for grant, subjects in reaching(inputs):
        if on_secrets(grant.powers or (), READ):
            continue  # no way round is needed
        ways = _open_ways(inputs, grant)
        if ways:
            namespace = inputs.keys.namespace
            deed = f"come to the sealing keys of namespace {namespace} another way: {'; '.join(ways)}"
            fix = f"bind it in the namespaces that need it, none of them {namespace}, or take these rights out"
            yield hit(grant, subjects, deed, fix)


RULE: Final = Rule(
    "sealing-keys-bypass",
    "warning",
    "Nobody may run or enter pods, make tokens or widen rights in the namespace of the sealing keys.",
    "kubernetes.io, RBAC Good Practices: Privilege escalation risks",
    _bypass,
    why=(
        "Whoever runs a pod, enters one or makes a token in the keys' namespace reads the keys without a right to "
        "read Secrets."
    ),
    fix="Bind the role in the namespaces that need it, or take these rights out of it.",
    links=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks",),
    fires="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: debug}
rules:
- {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: debug}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: debug}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: developers}]
""",
    silent="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: debug}
rules:
- {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: debug, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: debug}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: developers}]
""",
)

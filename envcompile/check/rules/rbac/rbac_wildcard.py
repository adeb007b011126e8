"""The rule `rbac-wildcard`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.roles import roles
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _wildcard(inputs: CheckInput) -> Iterator[Hit]:
    for role, power in roles(inputs):
        starred = [name for name, part in (("verbs", power.verbs), ("resources", power.resources)) if "*" in part]
        if starred and power.groups:
            said = " and ".join(f"`{name}: ['*']`" for name in starred)
            what = f"the rule says {said}: it grows with every kind and verb that the cluster learns"
            fix = "list the verbs and resources that are needed"
            yield Hit(role.id, (*power.pointer, starred[0]), what, fix, value=starred)


RULE: Final = Rule(
    "rbac-wildcard",
    "warning",
    "A role lists the verbs and resources that it allows.",
    "kubernetes.io, RBAC Good Practices: Least privilege; kube-linter wildcard-in-rules, Checkov CKV_K8S_49",
    _wildcard,
    alone=True,
    why="A star grows with every kind and verb that the cluster learns; nobody reviews that.",
    fix="List the verbs and resources that are needed.",
    links=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege",),
    fires="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: ['*']}
""",
    silent="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get]}
""",
)

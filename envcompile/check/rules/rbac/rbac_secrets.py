"""The rule `rbac-secrets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.roles import roles
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _secrets(inputs: CheckInput) -> Iterator[Hit]:
    for role, power in roles(inputs):
        if "*" in power.resources or power.names:
            continue  # a wildcard is reported as such
        verbs = [verb for verb in ("get", "list", "watch") if power.allows(verb, "", "secrets")]
        if verbs:
            where = "every namespace it is bound for" if role.id.kind == "ClusterRole" else "the namespace"
            what = f"the rule allows reading all Secrets of {where} ({', '.join(verbs)})"
            yield Hit(
                role.id, power.pointer, what, "name the Secrets under `resourceNames`, or mount them", value=verbs
            )


RULE: Final = Rule(
    "rbac-secrets",
    "warning",
    "A role that reads Secrets names them.",
    "kubernetes.io, RBAC Good Practices: Listing secrets; kube-linter access-to-secrets",
    _secrets,
    alone=True,
    why="Who may list the Secrets of a namespace has all their values, those of service accounts too.",
    fix="Name the Secrets under `resourceNames`.",
    links=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets",),
    fires="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get]}
""",
    silent="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
rules:
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [api-secret]
  verbs: [get]
""",
)

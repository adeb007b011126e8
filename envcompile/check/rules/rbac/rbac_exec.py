"""The rule `rbac-exec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.roles import roles
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _exec(inputs: CheckInput) -> Iterator[Hit]:
    for role, power in roles(inputs):
        if "*" in power.resources:
            continue  # a wildcard is reported as such
        for resource in ("pods/exec", "pods/attach"):
            if any(power.allows(verb, "", resource) for verb in ("create", "get")):
                what = f"the rule allows {resource}: whoever has it runs commands in the pods, as the pods"
                yield Hit(role.id, (*power.pointer, "resources"), what, "take it out", value=resource)
                break


RULE: Final = Rule(
    "rbac-exec",
    "warning",
    "No role lets anybody into running pods.",
    "kubernetes.io, RBAC Good Practices; Polaris rolePodExecAttach, clusterrolePodExecAttach",
    _exec,
    alone=True,
    why="A shell in a pod reads its Secrets and its token, and leaves no trace in the repository.",
    fix="Take `pods/exec` and `pods/attach` out of the role.",
    links=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/",),
    fires="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
rules:
- {apiGroups: [""], resources: [pods/exec], verbs: [create]}
""",
    silent="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get]}
""",
)

"""The rule `rbac-cluster-admin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.grants import Power


_EVERY_VERB: Final = frozenset({"create", "delete", "get", "list", "patch", "update", "watch"})


def _is_everything(power: Power) -> bool:
    """Tell whether a rule allows everything on everything."""
    every_verb = "*" in power.verbs or power.verbs >= _EVERY_VERB
    return every_verb and "*" in power.groups and "*" in power.resources and not power.names


def _cluster_admin(inputs: CheckInput) -> Iterator[Hit]:
    for grant in inputs.grants:
        subjects = [subject for subject in grant.subjects if subject.name != "system:masters"]
        if not subjects or grant.binding.id.name.startswith("system:"):
            continue
        is_admin = grant.role_kind == "ClusterRole" and grant.role_name == "cluster-admin"
        if is_admin or any(_is_everything(power) for power in grant.powers or ()):
            where = "in the whole cluster" if grant.is_cluster_wide else "in the namespace"
            yield Hit(
                grant.binding.id,
                ("roleRef", "name"),
                f"{grant.role_kind} {grant.role_name} lets {', '.join(map(str, subjects[:3]))} do everything {where}",
                "bind a role with the verbs and resources that are needed",
                None if grant.is_cluster_wide else "warning",
                value=[str(subject) for subject in subjects],
            )


RULE: Final = Rule(
    "rbac-cluster-admin",
    "error",
    "Nobody is given everything.",
    "kubernetes.io, RBAC Good Practices; kube-linter, Polaris clusterrolebindingClusterAdmin",
    _cluster_admin,
    why="cluster-admin may do everything, to every namespace and node; whoever takes over its bearer has the cluster.",
    fix="Bind a role that lists what is needed.",
    links=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege",),
    fires="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
- {kind: Group, name: developers}
""",
    silent="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: Group, name: developers}
""",
)

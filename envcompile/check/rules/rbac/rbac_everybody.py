"""The rule `rbac-everybody`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_NOBODY: Final = frozenset({"system:anonymous", "system:unauthenticated"})


_EVERYBODY: Final = frozenset({"system:authenticated", "system:serviceaccounts"})


_PUBLIC_ROLES: Final = frozenset({
    "system:basic-user",
    "system:discovery",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
})
"""ClusterRoles that the cluster itself gives to everybody."""


def _everybody(inputs: CheckInput) -> Iterator[Hit]:
    for grant in inputs.grants:
        if grant.role_name in _PUBLIC_ROLES:
            continue
        for subject in grant.subjects:
            if subject.name in _NOBODY | _EVERYBODY and subject.kind in {"Group", "User"}:
                who = "everybody who reaches the API server" if subject.name in _NOBODY else "every user and pod"
                yield Hit(
                    grant.binding.id,
                    (*subject.pointer, "name"),
                    f"{subject.name} is {who}: {grant.role_kind} {grant.role_name} is given to all of them",
                    "name the groups or ServiceAccounts that need it",
                    "error" if subject.name in _NOBODY else None,
                    value=subject.name,
                )


RULE: Final = Rule(
    "rbac-everybody",
    "warning",
    "No role is given to everybody.",
    "kubernetes.io, RBAC Good Practices; Using RBAC Authorization: default bindings",
    _everybody,
    why=(
        "The groups of all users hold every ServiceAccount too, and with anonymous access whoever reaches the API "
        "server."
    ),
    fix="Name the users, groups or ServiceAccounts that need the role.",
    links=("https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings",),
    fires="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: Group, name: 'system:authenticated'}
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

"""The rule `rolebinding-dangling`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.roles import RBAC
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.grants import Grant


_KUBE_SYSTEM_ROLES: Final = frozenset({"extension-apiserver-authentication-reader"})
"""Roles of namespace kube-system that every cluster has and that are not called `system:…`."""


def _dangling(inputs: CheckInput) -> Iterator[Hit]:
    namespaces = {resource.id.namespace for resource in inputs.resources}
    for grant in inputs.grants:
        binding = grant.binding
        if grant.role is None and grant.powers is None:
            yield from _roleless(inputs, grant)
        for subject in grant.subjects:
            namespace = subject.namespace or binding.id.namespace
            if subject.kind != "ServiceAccount" or subject.name == "default" or namespace not in namespaces:
                continue
            if not inputs.provisions.has_account(namespace, subject.name):
                known = inputs.names.of("", "ServiceAccount", namespace)
                where = "its namespace" if namespace == binding.id.namespace else f"namespace {namespace}"
                what = f"{where} has no ServiceAccount `{subject.name}`"
                fix = f"{suggestion(subject.name, known)}add the ServiceAccount, or take the subject out"
                yield Hit(binding.id, (*subject.pointer, "name"), what, fix, value=subject.name)


def _roleless(inputs: CheckInput, grant: Grant) -> Iterator[Hit]:
    if grant.role_name in _KUBE_SYSTEM_ROLES or grant.role_name.startswith("system:"):
        return
    where = "its namespace" if grant.role_kind == "Role" else "the environment"
    known = inputs.names.of(RBAC, grant.role_kind)
    yield Hit(
        grant.binding.id,
        ("roleRef", "name"),
        f"{where} has no {grant.role_kind} `{grant.role_name}`: nothing is allowed",
        f"{suggestion(grant.role_name, known)}add the {grant.role_kind}",
        # A ClusterRole often comes with an operator.
        "info" if grant.role_kind == "ClusterRole" else None,
        value=grant.role_name,
    )


RULE: Final = Rule(
    "rolebinding-dangling",
    "warning",
    "The role and the ServiceAccounts that a binding names exist.",
    "Popeye POP-1300",
    _dangling,
    why=(
        "A binding of a role or account that is not there gives nothing, and starts to give when somebody makes "
        "one of that name."
    ),
    fix="Write the name of one that exists, add it, or leave the binding out.",
    links=("https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding",),
    fires="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: api}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: apis}
""",
    silent="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: api}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: api}
""",
)

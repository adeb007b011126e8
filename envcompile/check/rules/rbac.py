"""Rights: too wide, given to too many, or to nobody; and tokens that nobody needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.grants import BUILT_IN, powers_of
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule
from envcompile.check.rules.references import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.grants import Grant, Power
    from envcompile.model import Resource

_RBAC: Final = "rbac.authorization.k8s.io"
_EVERY_VERB: Final = frozenset({"create", "delete", "get", "list", "patch", "update", "watch"})
_KUBE_SYSTEM_ROLES: Final = frozenset({"extension-apiserver-authentication-reader"})
"""Roles of namespace kube-system that every cluster has and that are not called `system:…`."""

_NOBODY: Final = frozenset({"system:anonymous", "system:unauthenticated"})
_EVERYBODY: Final = frozenset({"system:authenticated", "system:serviceaccounts"})
_PUBLIC_ROLES: Final = frozenset({
    "system:basic-user",
    "system:discovery",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
})
"""ClusterRoles that the cluster itself gives to everybody."""


def _roles(scene: Scene) -> Iterator[tuple[Resource, Power]]:
    """Every rule of the Roles and ClusterRoles of the environment, without the cluster's own."""
    for role in scene.of_kind(_RBAC, "Role", "ClusterRole"):
        if role.id.name not in BUILT_IN and not role.id.name.startswith("system:"):
            for power in powers_of(role):
                yield role, power


def _is_everything(power: Power) -> bool:
    """Tell whether a rule allows everything on everything."""
    every_verb = "*" in power.verbs or power.verbs >= _EVERY_VERB
    return every_verb and "*" in power.groups and "*" in power.resources and not power.names


def _wildcard(scene: Scene) -> Iterator[Hit]:
    for role, power in _roles(scene):
        starred = [name for name, part in (("verbs", power.verbs), ("resources", power.resources)) if "*" in part]
        if starred and power.groups:
            said = " and ".join(f"`{name}: ['*']`" for name in starred)
            what = f"the rule says {said}: it grows with every kind and verb that the cluster learns"
            fix = "list the verbs and resources that are needed"
            yield Hit(role.id, (*power.pointer, starred[0]), what, fix, value=starred)


def _cluster_admin(scene: Scene) -> Iterator[Hit]:
    for grant in scene.grants:
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


def _secrets(scene: Scene) -> Iterator[Hit]:
    for role, power in _roles(scene):
        if "*" in power.resources or power.names:
            continue  # a wildcard is reported as such
        verbs = [verb for verb in ("get", "list", "watch") if power.allows(verb, "", "secrets")]
        if verbs:
            where = "every namespace it is bound for" if role.id.kind == "ClusterRole" else "the namespace"
            what = f"the rule allows reading all Secrets of {where} ({', '.join(verbs)})"
            yield Hit(
                role.id, power.pointer, what, "name the Secrets under `resourceNames`, or mount them", value=verbs
            )


def _exec(scene: Scene) -> Iterator[Hit]:
    for role, power in _roles(scene):
        if "*" in power.resources:
            continue  # a wildcard is reported as such
        for resource in ("pods/exec", "pods/attach"):
            if any(power.allows(verb, "", resource) for verb in ("create", "get")):
                what = f"the rule allows {resource}: whoever has it runs commands in the pods, as the pods"
                yield Hit(role.id, (*power.pointer, "resources"), what, "take it out", value=resource)
                break


def _escalate(scene: Scene) -> Iterator[Hit]:
    for role, power in _roles(scene):
        if power.names:
            continue
        verbs = sorted(power.verbs & {"bind", "escalate", "impersonate"})
        if verbs:
            what = f"the rule allows {' and '.join(verbs)}: whoever has it can take any right there is"
            fix = "take it out, or name the roles or users under `resourceNames`"
            yield Hit(role.id, (*power.pointer, "verbs"), what, fix, value=verbs)


def _everybody(scene: Scene) -> Iterator[Hit]:
    for grant in scene.grants:
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


def _dangling(scene: Scene) -> Iterator[Hit]:
    namespaces = {resource.id.namespace for resource in scene.resources}
    for grant in scene.grants:
        binding = grant.binding
        if grant.role is None and grant.powers is None:
            yield from _roleless(scene, grant)
        for subject in grant.subjects:
            namespace = subject.namespace or binding.id.namespace
            if subject.kind != "ServiceAccount" or subject.name == "default" or namespace not in namespaces:
                continue
            if scene.named("", "ServiceAccount", namespace, subject.name) is None:
                known = [each.id.name for each in scene.of_kind("", "ServiceAccount") if each.id.namespace == namespace]
                where = "its namespace" if namespace == binding.id.namespace else f"namespace {namespace}"
                what = f"{where} has no ServiceAccount `{subject.name}`"
                fix = f"{suggestion(subject.name, known)}add the ServiceAccount, or take the subject out"
                yield Hit(binding.id, (*subject.pointer, "name"), what, fix, value=subject.name)


def _roleless(scene: Scene, grant: Grant) -> Iterator[Hit]:
    if grant.role_name in _KUBE_SYSTEM_ROLES or grant.role_name.startswith("system:"):
        return
    where = "its namespace" if grant.role_kind == "Role" else "the environment"
    known = [role.id.name for role in scene.of_kind(_RBAC, grant.role_kind)]
    yield Hit(
        grant.binding.id,
        ("roleRef", "name"),
        f"{where} has no {grant.role_kind} `{grant.role_name}`: nothing is allowed",
        f"{suggestion(grant.role_name, known)}add the {grant.role_kind}",
        # A ClusterRole often comes with an operator.
        "info" if grant.role_kind == "ClusterRole" else None,
        value=grant.role_name,
    )


def _token(scene: Scene) -> Iterator[Hit]:
    granted = {
        (subject.namespace or grant.binding.id.namespace, subject.name)
        for grant in scene.grants
        for subject in grant.subjects
        if subject.kind == "ServiceAccount"
    }
    for pods in scene.pods:
        said = pods.spec.get("automountServiceAccountToken")
        account = scene.account_of(pods)
        if said is None and account is not None:
            said = account.value.get("automountServiceAccountToken")
        name = text_at(pods.spec, "serviceAccountName") or text_at(pods.spec, "serviceAccount") or "default"
        if said is not False and (pods.namespace, name) not in granted:
            yield Hit(
                pods.resource.id,
                (*pods.spec_pointer, "automountServiceAccountToken"),
                f"the pods carry a token of ServiceAccount {name}, to which no binding gives any right",
                "write `automountServiceAccountToken: false`",
            )


RULES: Final = (
    Rule(
        "rbac-wildcard",
        "warning",
        "A role lists the verbs and resources that it allows.",
        "kubernetes.io, RBAC Good Practices: Least privilege; kube-linter wildcard-in-rules, Checkov CKV_K8S_49",
        _wildcard,
        alone=True,
    ),
    Rule(
        "rbac-cluster-admin",
        "error",
        "Nobody is given everything.",
        "kubernetes.io, RBAC Good Practices; kube-linter, Polaris clusterrolebindingClusterAdmin",
        _cluster_admin,
    ),
    Rule(
        "rbac-secrets",
        "warning",
        "A role that reads Secrets names them.",
        "kubernetes.io, RBAC Good Practices: Listing secrets; kube-linter access-to-secrets",
        _secrets,
        alone=True,
    ),
    Rule(
        "rbac-exec",
        "warning",
        "No role lets anybody into running pods.",
        "kubernetes.io, RBAC Good Practices; Polaris rolePodExecAttach, clusterrolePodExecAttach",
        _exec,
        alone=True,
    ),
    Rule(
        "rbac-escalate",
        "warning",
        "No role lets anybody take rights that nobody gave: bind, escalate, impersonate.",
        "kubernetes.io, RBAC Good Practices: Escalate verb, Bind verb, Impersonate verb",
        _escalate,
        alone=True,
    ),
    Rule(
        "rbac-everybody",
        "warning",
        "No role is given to everybody.",
        "kubernetes.io, RBAC Good Practices; Using RBAC Authorization: default bindings",
        _everybody,
    ),
    Rule(
        "rolebinding-dangling",
        "warning",
        "The role and the ServiceAccounts that a binding names exist.",
        "Popeye POP-1300",
        _dangling,
    ),
    Rule(
        "automount-token",
        "warning",
        "Pods that do not call the API server carry no token for it.",
        "kubernetes.io, RBAC Good Practices; Polaris automountServiceAccountToken, Checkov CKV_K8S_38",
        _token,
    ),
)

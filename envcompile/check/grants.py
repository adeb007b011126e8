"""Who may do what: RoleBindings and ClusterRoleBindings joined with the rules of their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.reading import map_at, maps_at, strings_at, text_at, texts_at
from envcompile.check.selectors import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.model import Pointer, Resource

_READ: Final = ("get", "list", "watch")
_WRITE: Final = ("create", "delete", "deletecollection", "patch", "update")
_EDIT: Final[tuple[dict[str, Any], ...]] = (
    {
        "apiGroups": [""],
        "resources": ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "configmaps"],
        "verbs": [*_READ, *_WRITE],
    },
    {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate", *_READ, *_WRITE]},
    {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
    {
        "apiGroups": ["apps", "batch"],
        "resources": ["daemonsets", "deployments", "replicasets", "statefulsets", "cronjobs", "jobs"],
        "verbs": [*_READ, *_WRITE],
    },
)
_EVERYTHING: Final[dict[str, Any]] = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}

BUILT_IN: Final[Mapping[str, tuple[dict[str, Any], ...]]] = {
    "cluster-admin": (_EVERYTHING,),
    "admin": (
        *_EDIT,
        {
            "apiGroups": ["rbac.authorization.k8s.io"],
            "resources": ["rolebindings", "roles"],
            "verbs": [*_READ, *_WRITE],
        },
    ),
    "edit": _EDIT,
    "view": (),
    "system:kube-controller-manager": (
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "delete", "get", "update"]},
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["list", "watch"]},
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
    ),
    "system:controller:clusterrole-aggregation-controller": (
        {
            "apiGroups": ["rbac.authorization.k8s.io"],
            "resources": ["clusterroles"],
            "verbs": ["escalate", "get", "list", "patch", "update", "watch"],
        },
    ),
    "system:controller:generic-garbage-collector": (
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["delete", "get", "list", "patch", "update", "watch"]},
    ),
    "system:controller:namespace-controller": (
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["delete", "deletecollection", "get", "list"]},
    ),
    "system:controller:resourcequota-controller": (
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["list", "watch"]},
    ),
}
"""What ClusterRoles that every cluster has may do with pods, secrets and access; `view` cannot read secrets.

Source: kubernetes/kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go and controller_policy.go.
"""

_AGGREGATED: Final[Mapping[str, tuple[str, ...]]] = {
    "admin": ("admin", "edit", "view"),
    "edit": ("edit", "view"),
    "view": ("view",),
}
"""Built-in role -> the `rbac.authorization.k8s.io/aggregate-to-…` labels whose ClusterRoles it takes in."""


class Power(NamedTuple):
    """One rule of a role, and where it stands; a rule of a built-in role stands nowhere."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: tuple[str, ...]
    role: Resource | None
    pointer: Pointer

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """Tell whether the rule lets somebody do this to at least one object.

        `*` in resources stands for subresources, too, and `*/exec` for that subresource of everything.
        Source: kubernetes/kubernetes, pkg/apis/rbac/v1/evaluation_helpers.go, ResourceMatches.
        """
        if not (self.verbs & {verb, "*"} and self.groups & {group, "*"}):
            return False
        if self.resources & {resource, "*"}:
            return True
        main, slash, sub = resource.partition("/")
        return bool(slash and main) and f"*/{sub}" in self.resources


class Subject(NamedTuple):
    """Somebody a binding names."""

    kind: str
    namespace: str
    name: str
    pointer: Pointer

    def __str__(self) -> str:
        where = f" of namespace {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{where}"


class Grant(NamedTuple):
    """One binding: the powers it gives, where they hold, and to whom."""

    binding: Resource
    role_kind: str
    role_name: str
    role: Resource | None
    powers: tuple[Power, ...] | None
    """None when nothing is known about the role."""
    namespace: str
    """Where the powers hold; empty for the whole cluster, and for a RoleBinding that names no namespace: it goes where
    whoever applies it says."""
    subjects: tuple[Subject, ...]

    def holds_in(self, namespace: str) -> bool:
        """Tell whether the powers hold in a namespace."""
        return self.is_cluster_wide or self.namespace == namespace

    @property
    def is_cluster_wide(self) -> bool:
        """True for a ClusterRoleBinding."""
        return self.binding.id.kind == "ClusterRoleBinding"


def powers_of(role: Resource) -> Iterator[Power]:
    """The rules that a Role or ClusterRole states itself."""
    for position, rule in maps_at(role.value, "rules"):
        yield _power(rule, role, ("rules", position))


def _power(rule: dict[str, Any], role: Resource | None, pointer: Pointer) -> Power:
    return Power(
        frozenset(texts_at(rule, "verbs")),
        frozenset(texts_at(rule, "apiGroups")),
        frozenset(texts_at(rule, "resources")),
        tuple(texts_at(rule, "resourceNames")),
        role,
        pointer,
    )


def grants_of(resources: Sequence[Resource]) -> Iterator[Grant]:
    """Every binding among the resources with the rules of its role, aggregated ones included."""
    roles = {
        (role.id.kind, role.id.namespace, role.id.name): role
        for role in resources
        if role.id.kind in {"Role", "ClusterRole"}
    }
    cluster_roles = [role for role in roles.values() if role.id.kind == "ClusterRole"]
    for binding in resources:
        if binding.id.kind not in {"RoleBinding", "ClusterRoleBinding"}:
            continue
        kind, name = text_at(binding.value, "roleRef", "kind"), text_at(binding.value, "roleRef", "name")
        namespace = binding.id.namespace if binding.id.kind == "RoleBinding" else ""
        role = roles.get((kind, namespace if kind == "Role" else "", name))
        yield Grant(
            binding,
            kind,
            name,
            role,
            _all_powers(kind, name, role, cluster_roles),
            namespace,
            tuple(_subjects(binding)),
        )


def _all_powers(
    kind: str, name: str, role: Resource | None, cluster_roles: Iterable[Resource]
) -> tuple[Power, ...] | None:
    if role is None and (kind != "ClusterRole" or name not in BUILT_IN):
        return None
    powers = [] if role is None else list(powers_of(role))
    if kind == "ClusterRole":
        powers += [_power(rule, None, ()) for rule in BUILT_IN.get(name, ()) if role is None]
        selectors: list[Any] = [
            {"matchLabels": {f"rbac.authorization.k8s.io/aggregate-to-{part}": "true"}}
            for part in _AGGREGATED.get(name, ())
        ]
        if role is not None:
            aggregation = map_at(role.value, "aggregationRule")
            selectors += [selector for _, selector in maps_at(aggregation, "clusterRoleSelectors")]
        for other in cluster_roles:
            labels = strings_at(other.value, "metadata", "labels")
            if other is not role and any(matches(selector, labels) for selector in selectors):
                powers += powers_of(other)
    return tuple(powers)


def _subjects(binding: Resource) -> Iterator[Subject]:
    for position, subject in maps_at(binding.value, "subjects"):
        namespace = text_at(subject, "namespace") if text_at(subject, "kind") == "ServiceAccount" else ""
        yield Subject(text_at(subject, "kind"), namespace, text_at(subject, "name"), ("subjects", position))

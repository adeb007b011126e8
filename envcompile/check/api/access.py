"""What is refused of roles and bindings; source: pkg/apis/rbac/validation/validation.go of kubernetes/kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.names import subdomain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator

_GROUP: Final = "rbac.authorization.k8s.io"


def policy_rule(value: dict[str, Any], place: Place) -> Said:
    """Resources or URLs; source: ValidatePolicyRule."""
    if value.get("nonResourceURLs"):
        if place.kind == "Role":
            yield ("nonResourceURLs",), "`nonResourceURLs` cannot be there in a Role, only in a ClusterRole"
        if any(value.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            yield ("nonResourceURLs",), "`nonResourceURLs` stands beside resources: a rule is about one of them"
        return
    for field in ("apiGroups", "resources"):
        if not value.get(field):
            yield (field,), f"`{field}` of the rule is missing or empty"


def subject(value: dict[str, Any], place: Place) -> Said:
    """The group of each kind; source: ValidateRoleBindingSubject, and the defaults of rbac/v1."""
    kind, group, name = value.get("kind"), value.get("apiGroup"), value.get("name")
    if kind == "ServiceAccount":
        if name and (what := subdomain(name)):
            yield ("name",), f"`name` {what}"
        if group:
            yield ("apiGroup",), "`apiGroup` of a ServiceAccount is empty"
        if place.kind == "ClusterRoleBinding" and not value.get("namespace"):
            yield ("namespace",), "`namespace` of the ServiceAccount is missing"
    elif kind in {"User", "Group"} and group not in {None, "", _GROUP}:
        yield ("apiGroup",), f"`apiGroup` of a {kind} is not {_GROUP}"


def role_ref(value: dict[str, Any], place: Place) -> Said:
    """A role that can be bound; source: ValidateRoleBinding, ValidateClusterRoleBinding."""
    known = {"ClusterRole"} if place.kind == "ClusterRoleBinding" else {"ClusterRole", "Role"}
    if value.get("apiGroup") not in {None, "", _GROUP}:
        yield ("apiGroup",), f"`apiGroup` is not {_GROUP}"
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in known:
        yield ("kind",), f"`kind` is not {' or '.join(sorted(known))}"


RULES: Final[Mapping[str, Validator]] = {
    "rbac.v1.PolicyRule": policy_rule,
    "rbac.v1.RoleRef": role_ref,
    "rbac.v1.Subject": subject,
}

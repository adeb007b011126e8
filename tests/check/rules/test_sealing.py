"""Who can touch the keys that open SealedSecrets: every way in is found, and the controller is left alone."""

from __future__ import annotations

import pytest

from envcompile.check.check_input import CheckInput
from envcompile.check.rules.catalogue import RULES
from tests.check.rules.inputs import KEYS, found_in, good, inputs, read

_SEALED = """
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: app, namespace: shop}
spec: {encryptedData: {key: CIPHERTEXT}}
---
"""
_CLUSTER_BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: it}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ROLE}
subjects: [SUBJECT]
---
"""
_BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: it, namespace: NAMESPACE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: KIND, name: ROLE}
subjects: [SUBJECT]
---
"""
_ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: KIND
metadata: {name: it, namespace: NAMESPACE}
rules: [RULE]
---
"""
_READ = "{apiGroups: [''], resources: [secrets], verbs: [get]}"
_BIND = "{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [NAME], verbs: [bind]}"
_SOMEBODY = "{kind: ServiceAccount, name: somebody, namespace: shop}"


SEALING = [rule for rule in RULES if rule.id.startswith("sealing-key")]


def _cluster(rule: str, subject: str = _SOMEBODY) -> str:
    role = _ROLE.replace("KIND", "ClusterRole").replace(", namespace: NAMESPACE", "").replace("RULE", rule)
    return role + _CLUSTER_BINDING.replace("ROLE", "it").replace("SUBJECT", subject)


def _in(namespace: str, rule: str, subject: str = _SOMEBODY) -> str:
    parts = _ROLE.replace("RULE", rule) + _BINDING.replace("ROLE", "it").replace("SUBJECT", subject)
    return parts.replace("KIND", "Role", 1).replace("kind: KIND", "kind: Role").replace("NAMESPACE", namespace)


def _built_in(name: str, subject: str = _SOMEBODY) -> str:
    return _CLUSTER_BINDING.replace("ROLE", name).replace("SUBJECT", subject)


def _rules_of(text: str) -> list[str]:
    """`severity rule` of what the rules of this subject find."""
    environment = inputs(read(_SEALED + text))
    return [f"{hit.severity or rule.severity} {rule.id}" for rule, hit in found_in(environment, SEALING)]


READABLE, WRITABLE = "error sealing-keys-readable", "error sealing-keys-writable"
BYPASS, UNKNOWN = "warning sealing-keys-bypass", "info sealing-keys-readable"


@pytest.mark.parametrize(
    ("text", "due"),
    [
        pytest.param(_cluster(_READ), [READABLE], id="cluster-wide"),
        pytest.param(_in("kube-system", _READ), [READABLE], id="in-the-namespace"),
        pytest.param(_in("shop", _READ), [], id="in-another-namespace"),
        pytest.param(_cluster(_READ.replace("get", "list")), [READABLE], id="list"),
        pytest.param(_cluster(_READ.replace("get", "watch")), [READABLE], id="watch"),
        pytest.param(_cluster(_READ.replace("[get]", "['*']")), [READABLE, WRITABLE], id="every-verb"),
        pytest.param(_cluster(_READ.replace("secrets", "'*'")), [READABLE], id="every-resource"),
        pytest.param(_cluster(_READ.replace("['']", "['*']")), [READABLE], id="every-group"),
        pytest.param(_cluster(_READ.replace("['']", "[apps]")), [], id="another-group"),
        pytest.param(_cluster(_READ.replace("secrets", "configmaps")), [], id="another-resource"),
        pytest.param(
            _cluster(_READ.replace("verbs", "resourceNames: [sealed-secrets-keyx7v2q], verbs")),
            [READABLE],
            id="key-by-name",
        ),
        pytest.param(_cluster(_READ.replace("verbs", "resourceNames: [app], verbs")), [], id="another-secret-by-name"),
        pytest.param(_cluster(_READ.replace("get", "create")), [WRITABLE], id="plant-a-key"),
        pytest.param(_cluster(_READ.replace("get", "patch")), [WRITABLE], id="patch"),
        pytest.param(_cluster(_READ.replace("get", "deletecollection")), [WRITABLE], id="delete-all"),
        pytest.param(
            _cluster(_READ.replace("verbs: [get]", "resourceNames: [sealed-secrets-keyx7v2q], verbs: [create]")),
            [],
            id="nothing-is-created-by-name",
        ),
        pytest.param(_built_in("cluster-admin"), [READABLE, WRITABLE], id="cluster-admin"),
        pytest.param(_built_in("admin"), [READABLE, WRITABLE], id="admin"),
        pytest.param(_built_in("edit"), [READABLE, WRITABLE], id="edit"),
        pytest.param(_built_in("view"), [], id="view-cannot-read-secrets"),
        pytest.param(_built_in("system:discovery"), [], id="roles-of-the-cluster"),
        pytest.param(_built_in("auditor"), [UNKNOWN], id="a-role-that-is-not-there"),
        pytest.param(
            _BINDING
            .replace("NAMESPACE", "kube-system")
            .replace("KIND", "ClusterRole")
            .replace("ROLE", "edit")
            .replace("SUBJECT", _SOMEBODY),
            [READABLE, WRITABLE],
            id="cluster-role-in-the-namespace",
        ),
        pytest.param(
            _cluster(_READ, "{kind: ServiceAccount, name: sealed-secrets-controller, namespace: kube-system}"),
            [],
            id="the-controller",
        ),
        pytest.param(
            _cluster(_READ, "{kind: ServiceAccount, name: sealed-secrets-controller, namespace: shop}"),
            [READABLE],
            id="its-name-elsewhere",
        ),
        pytest.param(
            _cluster(_READ, "{kind: User, name: 'system:serviceaccount:kube-system:sealed-secrets-controller'}"),
            [],
            id="the-controller-as-a-user",
        ),
        pytest.param(_cluster(_READ, "{kind: Group, name: 'system:masters'}"), [], id="those-who-may-everything"),
        pytest.param(
            _cluster(_READ, "{kind: Group, name: 'system:serviceaccounts:kube-system'}"),
            [READABLE],
            id="all-of-kube-system",
        ),
        pytest.param(_cluster("{apiGroups: [''], resources: [pods/exec], verbs: [create]}"), [BYPASS], id="exec"),
        pytest.param(_cluster("{apiGroups: [''], resources: ['*/exec'], verbs: [get]}"), [BYPASS], id="every-exec"),
        pytest.param(_cluster("{apiGroups: [''], resources: [pods], verbs: [create]}"), [BYPASS], id="pods"),
        pytest.param(_cluster("{apiGroups: [''], resources: [pods], verbs: [get, list]}"), [], id="looking-at-pods"),
        pytest.param(
            _cluster("{apiGroups: [apps], resources: [deployments], verbs: [patch]}"), [BYPASS], id="deployments"
        ),
        pytest.param(
            _in("shop", "{apiGroups: [apps], resources: [deployments], verbs: [patch]}"), [], id="deployments-elsewhere"
        ),
        pytest.param(
            _cluster("{apiGroups: [''], resources: [serviceaccounts/token], verbs: [create]}"), [BYPASS], id="tokens"
        ),
        pytest.param(
            _cluster("{apiGroups: [''], resources: [serviceaccounts/token], resourceNames: [app], verbs: [create]}"),
            [],
            id="tokens-of-another-account",
        ),
        pytest.param(
            _cluster("{apiGroups: [''], resources: [users, groups], verbs: [impersonate]}"), [BYPASS], id="impersonate"
        ),
        pytest.param(
            _in("kube-system", "{apiGroups: [''], resources: [users, groups], verbs: [impersonate]}"),
            [],
            id="users-are-in-no-namespace",
        ),
        pytest.param(
            _cluster("{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [escalate]}"),
            [BYPASS],
            id="escalate",
        ),
        pytest.param(
            _cluster("{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}"),
            [BYPASS],
            id="bind",
        ),
        pytest.param(
            _cluster(_BIND.replace("NAME", "view")),
            [],
            id="bind-view",
        ),
        pytest.param(
            _cluster(_BIND.replace("NAME", "admin")),
            [BYPASS],
            id="bind-admin",
        ),
    ],
)
def test_who_may_touch_the_keys(text: str, due: list[str]) -> None:
    """Each binding is judged by what its role allows where the keys are, and by whom it names."""
    assert _rules_of(text) == due


def test_aggregated_roles_are_read_as_the_cluster_fills_them() -> None:
    """A ClusterRole of labels has the rules of those it selects."""
    text = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: monitoring}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to-monitoring: "true"}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {to-monitoring: "true"}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]
---
""" + _built_in("monitoring")
    assert _rules_of(text) == [READABLE]


def test_what_is_aggregated_to_view_is_for_everybody_who_may_look() -> None:
    """The rule is reported where it stands, and the binding of `view` as well."""
    text = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: more, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
"""
    assert _rules_of(text) == [READABLE]
    assert _rules_of(text + _built_in("view")) == [READABLE, READABLE]


def test_everybody_is_called_everybody() -> None:
    """The message names the group and says what it means."""
    environment = inputs(read(_SEALED + _cluster(_READ, "{kind: Group, name: 'system:authenticated'}")))
    [(_, hit)] = found_in(environment, SEALING)
    assert hit.what == (
        "ClusterRole it lets everybody in the cluster (Group system:authenticated) read the sealing keys of namespace"
        " kube-system (get on secrets)"
    )


def test_where_nothing_is_sealed_nothing_is_said() -> None:
    """There are no keys of this configuration; rights to read Secrets are another rule's matter."""
    assert not list(found_in(inputs(read(_cluster(_READ))), SEALING))
    assert list(found_in(inputs(read(_SEALED + _cluster(_READ))), SEALING))


def test_the_keys_are_where_the_settings_say() -> None:
    """`sealing.controllerNamespace` and `controllerName` decide which rights matter."""
    documents = read(_SEALED + _in("sealing", _READ))
    there = inputs(documents)
    moved = CheckInput("prod", there.resources, there.api, KEYS._replace(namespace="sealing"))
    assert [[rule.id for rule, _ in found_in(each, SEALING)] for each in (there, moved)] == [
        [],
        ["sealing-keys-readable"],
    ]


def test_a_well_kept_environment_lets_only_the_controller_in() -> None:
    """The controller's own ClusterRole and binding are part of it."""
    assert list(found_in(inputs(good()), SEALING)) == []

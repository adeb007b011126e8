"""The private keys that open SealedSecrets: nobody but their controller may read or change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check.finding import Hit
from envcompile.check.grants import BUILT_IN, powers_of
from envcompile.check.reading import strings_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.grants import Grant, Power, Subject

KEY_LABEL: Final = "sealedsecrets.bitnami.com/sealed-secrets-key"
"""On a Secret that holds a sealing key (sealed-secrets, pkg/apis/sealedsecrets: SealedSecretsKeyLabel)."""

_KEY_NAMES: Final = "sealed-secrets-key"
"""How the names of key Secrets begin unless the controller is told otherwise (`--key-prefix`)."""

_READ: Final = ("get", "list", "watch")
_WRITE: Final = ("create", "delete", "deletecollection", "patch", "update")
_SAFE_GROUPS: Final = frozenset({"system:masters"})
"""Groups that may do everything whatever RBAC says."""

_RBAC: Final = "rbac.authorization.k8s.io"


class _Way(NamedTuple):
    """One way to the keys: what somebody must be allowed to do, and what comes of it."""

    verbs: tuple[str, ...]
    group: str
    resource: str
    what: str


_ROUND: Final = (
    _Way(("create", "get"), "", "pods/exec", "run commands in the controller's pod"),
    _Way(("create", "get"), "", "pods/attach", "attach to the controller's pod"),
    _Way(("update", "patch"), "", "pods/ephemeralcontainers", "put a container into the controller's pod"),
    _Way(("create",), "", "pods", "start a pod that mounts the key Secrets"),
    _Way(("create", "update", "patch"), "apps", "deployments", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "apps", "statefulsets", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "apps", "daemonsets", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "apps", "replicasets", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "batch", "jobs", "start pods that mount the key Secrets"),
    _Way(("create", "update", "patch"), "batch", "cronjobs", "start pods that mount the key Secrets"),
    _Way(("create",), "", "serviceaccounts/token", "make a token of the controller's ServiceAccount"),
    _Way(("impersonate",), "", "serviceaccounts", "act as the controller's ServiceAccount"),
    _Way(("escalate",), _RBAC, "roles", "give itself any right in the namespace"),
    _Way(("escalate",), _RBAC, "clusterroles", "give itself any right"),
    _Way(("bind",), _RBAC, "roles", "bind any role of the namespace"),
    _Way(("bind",), _RBAC, "clusterroles", "bind any ClusterRole, cluster-admin too"),
)
"""Source: kubernetes.io, Role Based Access Control Good Practices: Privilege escalation risks."""

_CLUSTER_ONLY: Final = (
    _Way(("impersonate",), "", "users", "act as any user"),
    _Way(("impersonate",), "", "groups", "act as a member of any group, system:masters too"),
    _Way(
        ("create", "update", "patch"),
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "rewrite the controller's pod as it is made",
    ),
    _Way(("get", "create"), "", "nodes/proxy", "run commands in every pod by the kubelet's API"),
)
"""Ways that only a ClusterRoleBinding opens, because what they need is in no namespace."""


_EVERYBODY: Final = frozenset({"system:authenticated", "system:unauthenticated", "system:serviceaccounts"})


def _others(scene: Scene, grant: Grant) -> list[Subject]:
    """Those that a binding names, without the controller itself and those who may do everything anyway."""
    namespace, name = scene.keys
    controller = {
        ("ServiceAccount", namespace, name),
        ("User", "", f"system:serviceaccount:{namespace}:{name}"),
        *(("Group", "", group) for group in _SAFE_GROUPS),
    }
    return [
        subject
        for subject in grant.subjects
        if (subject.kind, subject.namespace or _home(grant, subject), subject.name) not in controller
    ]


def _home(grant: Grant, subject: Subject) -> str:
    return grant.binding.id.namespace if subject.kind == "ServiceAccount" else ""


def _reaching(scene: Scene) -> Iterator[tuple[Grant, list[Subject]]]:
    """The bindings that hold in the keys' namespace, with those they name besides the controller."""
    for grant in scene.grants:
        if grant.holds_in(scene.keys.namespace):
            others = _others(scene, grant)
            if others:
                yield grant, others


def _on_secrets(powers: Iterable[Power], verbs: Iterable[str]) -> list[str]:
    """The verbs among some that rules allow on the keys: on all Secrets, or by the names that keys have."""
    return [
        verb
        for verb in verbs
        if any(
            power.allows(verb, "", "secrets")
            and (not power.names or (verb != "create" and any(name.startswith(_KEY_NAMES) for name in power.names)))
            for power in powers
        )
    ]


def _open_ways(scene: Scene, grant: Grant) -> list[str]:
    ways = (*_ROUND, *_CLUSTER_ONLY) if grant.is_cluster_wide else _ROUND
    found = {
        way.what: None
        for way in ways
        for power in grant.powers or ()
        if any(power.allows(verb, way.group, way.resource) for verb in way.verbs) and _fits(scene, way, power)
    }
    return list(found)


def _fits(scene: Scene, way: _Way, power: Power) -> bool:
    """Tell whether the names that a rule is limited to leave the way open."""
    if not power.names:
        return True
    if way.resource.startswith("serviceaccounts"):
        return scene.keys.controller in power.names
    if way.verbs == ("bind",):
        return any(BUILT_IN.get(name) for name in power.names)
    if way.verbs == ("create",):
        return False
    return any(scene.keys.controller in name for name in power.names)


def _hit(grant: Grant, subjects: list[Subject], deed: str, fix: str) -> Hit:
    names = ", ".join(map(str, subjects[:3])) + (f" and {len(subjects) - 3} more" if len(subjects) > 3 else "")
    if any(subject.kind == "Group" and subject.name in _EVERYBODY for subject in subjects):
        names = f"everybody in the cluster ({names})"
    return Hit(
        grant.binding.id,
        ("roleRef", "name"),
        f"{grant.role_kind} {grant.role_name} lets {names} {deed}",
        fix,
        value=[str(subject) for subject in subjects],
    )


def _graded(scene: Scene, hit: Hit) -> Hit:
    """An environment without SealedSecrets may share its cluster with one that has them: a warning, no error."""
    return hit if scene.uses_sealing else hit._replace(severity="warning")


_NARROW: Final = (
    "bind a Role of the namespace that needs it instead of a ClusterRole, or name the Secrets under `resourceNames`"
)


def _readable(scene: Scene) -> Iterator[Hit]:
    for grant, subjects in _reaching(scene):
        if grant.powers is None:
            if grant.role_kind == "ClusterRole" and not grant.role_name.startswith("system:"):
                deed = (
                    f"do what nobody here can tell, perhaps read the sealing keys of namespace {scene.keys.namespace}"
                )
                fix = "add the ClusterRole to the environment, or say in `envcompile.dev/ignore` what it may do"
                yield _hit(grant, subjects, deed, fix)._replace(severity="info")
            continue
        verbs = _on_secrets(grant.powers, _READ)
        if verbs:
            deed = f"read the sealing keys of namespace {scene.keys.namespace} ({', '.join(verbs)} on secrets)"
            yield _graded(scene, _hit(grant, subjects, deed, _NARROW))
    for role in scene.of_kind(_RBAC, "ClusterRole"):
        labels = strings_at(role.value, "metadata", "labels")
        if labels.get(f"{_RBAC}/aggregate-to-view") != "true":
            continue
        for power in powers_of(role):
            if _on_secrets([power], _READ):
                yield Hit(
                    role.id,
                    power.pointer,
                    "the rule is taken into the built-in ClusterRole `view`, so that whoever may look at namespace"
                    f" {scene.keys.namespace} may read the sealing keys",
                    "take the label `rbac.authorization.k8s.io/aggregate-to-view` off, or secrets out of the rule",
                    None if scene.uses_sealing else "warning",
                )


def _writable(scene: Scene) -> Iterator[Hit]:
    for grant, subjects in _reaching(scene):
        verbs = _on_secrets(grant.powers or (), _WRITE)
        if verbs:
            verbs_said = f"({', '.join(verbs)} on secrets)"
            deed = f"replace, plant or destroy sealing keys in namespace {scene.keys.namespace} {verbs_said}"
            yield _graded(scene, _hit(grant, subjects, deed, _NARROW))


def _bypass(scene: Scene) -> Iterator[Hit]:
    for grant, subjects in _reaching(scene):
        if _on_secrets(grant.powers or (), _READ):
            continue  # no way round is needed
        ways = _open_ways(scene, grant)
        if ways:
            deed = f"come to the sealing keys of namespace {scene.keys.namespace} another way: {'; '.join(ways)}"
            fix = (
                f"bind it in the namespaces that need it, none of them {scene.keys.namespace}, or take these rights out"
            )
            yield _hit(grant, subjects, deed, fix)


def _mounted(scene: Scene) -> Iterator[Hit]:
    namespace, controller = scene.keys
    for reference in scene.references:
        pods = reference.pods
        if pods.namespace != namespace or pods.resource.id.name == controller:
            continue
        if reference.kind == "Secret" and reference.name.startswith(_KEY_NAMES):
            what = "the pods read a sealing key: whoever gets into them opens every SealedSecret"
            yield Hit(pods.resource.id, reference.pointer, what, "take the reference out", value=reference.name)
        elif reference.kind == "ServiceAccount" and reference.name == controller:
            what = f"the pods run as {controller}, the ServiceAccount that may read the sealing keys"
            yield Hit(pods.resource.id, reference.pointer, what, "give the workload a ServiceAccount of its own")


def _committed(scene: Scene) -> Iterator[Hit]:
    for secret in scene.of_kind("", "Secret"):
        if KEY_LABEL in strings_at(secret.value, "metadata", "labels"):
            yield Hit(
                secret.id,
                ("metadata", "labels", KEY_LABEL),
                "the Secret is a sealing key: whoever reads the repository opens every SealedSecret",
                "take it out, let the controller make a new key, and rotate every sealed value at its source",
            )


_SOURCE: Final = "kubernetes.io, RBAC Good Practices; sealed-secrets README, Secret Rotation"

RULES: Final = (
    Rule(
        "sealing-keys-readable",
        "error",
        "Nobody but the sealed-secrets controller may read Secrets in its namespace: the keys open every SealedSecret.",
        _SOURCE,
        _readable,
    ),
    Rule(
        "sealing-keys-writable",
        "error",
        "Nobody but the sealed-secrets controller may change Secrets in its namespace: a planted key reads what is"
        " sealed next.",
        _SOURCE,
        _writable,
    ),
    Rule(
        "sealing-keys-bypass",
        "warning",
        "Nobody may run or enter pods, make tokens or widen rights in the namespace of the sealing keys.",
        "kubernetes.io, RBAC Good Practices: Privilege escalation risks",
        _bypass,
    ),
    Rule(
        "sealing-keys-mounted",
        "error",
        "No other workload reads the sealing keys or runs as the ServiceAccount of their controller.",
        _SOURCE,
        _mounted,
    ),
    Rule(
        "sealing-key-committed",
        "error",
        "A sealing key is never part of an environment.",
        _SOURCE,
        _committed,
        alone=True,
    ),
)

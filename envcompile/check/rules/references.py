"""What pods name must exist: ConfigMaps, Secrets, their keys, ServiceAccounts, claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule
from envcompile.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.references import Reference


_STORE_ACCOUNTS: Final = (
    ("spec", "provider", "vault", "auth", "kubernetes", "serviceAccountRef"),
    ("spec", "provider", "vault", "auth", "jwt", "kubernetesServiceAccountToken", "serviceAccountRef"),
    ("spec", "provider", "aws", "auth", "jwt", "serviceAccountRef"),
    ("spec", "provider", "gcpsm", "auth", "workloadIdentity", "serviceAccountRef"),
    ("spec", "provider", "azurekv", "serviceAccountRef"),
)
"""Where a SecretStore names the ServiceAccount that it acts as (external-secrets.io, API)."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """`did you mean …? ` for a name that is close to a known one; empty otherwise."""
    near = nearest(name, known, limit=1)
    return f"did you mean `{near[0]}`? Else " if near else ""


def _config(scene: Scene) -> Iterator[Hit]:
    seen: set[tuple[object, ...]] = set()
    for reference in scene.references:
        if reference.kind not in {"ConfigMap", "Secret"} or reference.optional or not reference.name:
            continue
        pods = reference.pods
        provided = scene.provisions.find(reference.kind, pods.namespace, reference.name)
        if provided is None:
            # A workload often names the same object ten times: one finding says it.
            if (pods.resource.id, reference.kind, reference.name) not in seen:
                seen.add((pods.resource.id, reference.kind, reference.name))
                yield _missing_object(scene, reference)
        elif reference.key and provided.keys is not None and reference.key not in provided.keys:
            maker = "" if provided.resource is None else f" ({provided.resource.id.short})"
            near = suggestion(reference.key, sorted(provided.keys))
            yield Hit(
                pods.resource.id,
                (*reference.pointer, "key"),
                f"the {reference.kind} {reference.name}{maker} has no key `{reference.key}`: the pods do not start",
                f"{near}add the key, or write `optional: true`",
                value=reference.key,
            )


def _missing_object(scene: Scene, reference: Reference) -> Hit:
    pods = reference.pods
    near = suggestion(reference.name, scene.provisions.names(reference.kind, pods.namespace))
    if reference.kind == "Secret":
        fix = "seal it (`envc secrets set`), add an ExternalSecret, or say in `envcompile.dev/ignore` who makes it"
    else:
        fix = "add the ConfigMap, or say in `envcompile.dev/ignore` who makes it"
    return Hit(
        pods.resource.id,
        reference.pointer,
        f"its namespace has no {reference.kind} `{reference.name}`: the pods do not start without it",
        near + fix,
        # Operators make many Secrets that no manifest mentions; ConfigMaps seldom come from elsewhere.
        severity="warning" if reference.kind == "Secret" else None,
        value=reference.name,
    )


def _account(scene: Scene) -> Iterator[Hit]:
    for reference in scene.references:
        if reference.kind != "ServiceAccount" or reference.name == "default":
            continue
        namespace = reference.pods.namespace
        if scene.named("", "ServiceAccount", namespace, reference.name) is None:
            known = [each.id.name for each in scene.of_kind("", "ServiceAccount") if each.id.namespace == namespace]
            yield Hit(
                reference.pods.resource.id,
                reference.pointer,
                f"its namespace has no ServiceAccount `{reference.name}`: no pod is made",
                f"{suggestion(reference.name, known)}add a ServiceAccount of that name",
                value=reference.name,
            )
    yield from _store_account(scene)


def _store_account(scene: Scene) -> Iterator[Hit]:
    for store in scene.of_kind("external-secrets.io", "SecretStore"):
        for way in _STORE_ACCOUNTS:
            name = text_at(store.value, *way, "name")
            namespace = text_at(store.value, *way, "namespace") or store.id.namespace
            if name and name != "default" and scene.named("", "ServiceAccount", namespace, name) is None:
                what = f"its namespace has no ServiceAccount `{name}`: nobody opens the store"
                yield Hit(store.id, (*way, "name"), what, "add a ServiceAccount of that name", value=name)


def _claim(scene: Scene) -> Iterator[Hit]:
    for reference in scene.references:
        if reference.kind != "PersistentVolumeClaim" or scene.provisions.has_claim(
            reference.pods.namespace, reference.name
        ):
            continue
        yield Hit(
            reference.pods.resource.id,
            reference.pointer,
            f"its namespace has no PersistentVolumeClaim `{reference.name}`: the pods stay Pending without it",
            "add the claim, or say in `envcompile.dev/ignore` who makes it",
            value=reference.name,
        )


RULES: Final = (
    Rule(
        "config-ref-missing",
        "error",
        "Every ConfigMap, Secret and key that a pod needs is in the environment, or its pods never start.",
        "kubernetes.io, ConfigMaps and Secrets; kube-linter env-value-from, Popeye POP-304/407",
        _config,
    ),
    Rule(
        "serviceaccount-missing",
        "error",
        "The ServiceAccount that pods run as is in the environment, or no pod is made.",
        "kubernetes.io, Configure Service Accounts for Pods; kube-linter non-existent-service-account, Popeye POP-507",
        _account,
    ),
    Rule(
        "pvc-missing",
        "warning",
        "The PersistentVolumeClaim that a pod mounts is in the environment, or the pod stays Pending.",
        "kubernetes.io, Persistent Volumes: Claims As Volumes",
        _claim,
    ),
)

"""The rule `serviceaccount-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import text_at
from envcompile.check.references import MANY
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.references import Reference


_STORE_ACCOUNTS: Final = (
    ("spec", "provider", "vault", "auth", "kubernetes", "serviceAccountRef"),
    ("spec", "provider", "vault", "auth", "jwt", "kubernetesServiceAccountToken", "serviceAccountRef"),
    ("spec", "provider", "aws", "auth", "jwt", "serviceAccountRef"),
    ("spec", "provider", "gcpsm", "auth", "workloadIdentity", "serviceAccountRef"),
    ("spec", "provider", "azurekv", "serviceAccountRef"),
)
"""Where a SecretStore names the ServiceAccount that it acts as (external-secrets.io, API)."""


def _account(inputs: CheckInput) -> Iterator[Hit]:
    missing: dict[tuple[str, str], list[Reference]] = {}
    for reference in inputs.references:
        if reference.kind != "ServiceAccount" or reference.name == "default":
            continue
        if not inputs.provisions.has_account(reference.pods.namespace, reference.name):
            missing.setdefault((reference.pods.namespace, reference.name), []).append(reference)
    for (namespace, name), references in missing.items():
        known = inputs.names.of("", "ServiceAccount", namespace)
        together = len(references) >= MANY
        for reference in references[: 1 if together else None]:
            many = f", which {len(references)} workloads run as" if together else ""
            yield Hit(
                reference.pods.resource.id,
                reference.pointer,
                f"its namespace has no ServiceAccount `{name}`{many}: no pod is made",
                f"{suggestion(name, known)}add a ServiceAccount of that name",
                "warning" if together else None,
                value=name,
            )
    yield from _store_account(inputs)


def _store_account(inputs: CheckInput) -> Iterator[Hit]:
    for store in inputs.of_kind("external-secrets.io", "SecretStore"):
        for way in _STORE_ACCOUNTS:
            name = text_at(store.value, *way, "name")
            namespace = text_at(store.value, *way, "namespace") or store.id.namespace
            if name and name != "default" and not inputs.provisions.has_account(namespace, name):
                what = f"its namespace has no ServiceAccount `{name}`: nobody opens the store"
                yield Hit(store.id, (*way, "name"), what, "add a ServiceAccount of that name", value=name)


RULE: Final = Rule(
    "serviceaccount-missing",
    "error",
    "The ServiceAccount that pods run as is in the environment, or no pod is made.",
    "kubernetes.io, Configure Service Accounts for Pods; kube-linter non-existent-service-account, Popeye POP-507",
    _account,
    why=(
        "Pods of a ServiceAccount that is not there are not made; the workload stays at zero pods with an event "
        "that few people look at."
    ),
    fix="Add the ServiceAccount, or write the name of one that exists.",
    links=("https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  serviceAccountName: api
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
    silent="""\
apiVersion: v1
kind: ServiceAccount
metadata: {name: api}
---
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  serviceAccountName: api
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
)

"""The rule `sealing-key-committed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import strings_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


KEY_LABEL: Final = "sealedsecrets.bitnami.com/sealed-secrets-key"
"""On a Secret that holds a sealing key (sealed-secrets, pkg/apis/sealedsecrets: SealedSecretsKeyLabel)."""


def _committed(inputs: CheckInput) -> Iterator[Hit]:
    for secret in inputs.of_kind("", "Secret"):
        if KEY_LABEL in strings_at(secret.value, "metadata", "labels"):
            yield Hit(
                secret.id,
                ("metadata", "labels", KEY_LABEL),
                "the Secret is a sealing key: whoever reads the repository opens every SealedSecret",
                "take it out, let the controller make a new key, and rotate every sealed value at its source",
            )


RULE: Final = Rule(
    "sealing-key-committed",
    "error",
    "A sealing key is never part of an environment.",
    "kubernetes.io, RBAC Good Practices; sealed-secrets README, Secret Rotation",
    _committed,
    alone=True,
    why="A sealing key opens every SealedSecret of the cluster, in every commit of the repository's past.",
    fix="Take the Secret out, let the controller make a new key, and rotate every sealed value at its source.",
    links=("https://github.com/bitnami-labs/sealed-secrets#secret-rotation",),
    fires="""\
apiVersion: v1
kind: Secret
metadata:
  name: sealed-secrets-key7x2kq
  namespace: kube-system
  labels: {sealedsecrets.bitnami.com/sealed-secrets-key: active}
type: kubernetes.io/tls
data: {tls.crt: bm90IHNob3du, tls.key: bm90IHNob3du}
""",
    silent="""\
apiVersion: v1
kind: Secret
metadata: {name: api-tls, namespace: shop}
type: kubernetes.io/tls
data: {tls.crt: bm90IHNob3du, tls.key: bm90IHNob3du}
""",
)

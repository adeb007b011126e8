"""The rule `sealing-keys-mounted`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.sealingkeys import KEY_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _mounted(inputs: CheckInput) -> Iterator[Hit]:
    namespace, controller = inputs.keys
    for reference in inputs.references:
        pods = reference.pods
        if pods.namespace != namespace or pods.resource.id.name == controller:
            continue
        if reference.kind == "Secret" and reference.name.startswith(KEY_NAMES):
            what = "the pods read a sealing key: whoever gets into them opens every SealedSecret"
            yield Hit(pods.resource.id, reference.pointer, what, "take the reference out", value=reference.name)
        elif reference.kind == "ServiceAccount" and reference.name == controller:
            what = f"the pods run as {controller}, the ServiceAccount that may read the sealing keys"
            yield Hit(pods.resource.id, reference.pointer, what, "give the workload a ServiceAccount of its own")


RULE: Final = Rule(
    "sealing-keys-mounted",
    "error",
    "No other workload reads the sealing keys or runs as the ServiceAccount of their controller.",
    "kubernetes.io, RBAC Good Practices; sealed-secrets README, Secret Rotation",
    _mounted,
    why="A workload that mounts a key, or runs as the controller, gives the key to whoever gets into its pods.",
    fix="Give the workload a ServiceAccount of its own and take the reference out.",
    links=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: key-backup, namespace: kube-system}
spec:
  containers: [{name: backup, image: "shop/backup:v1"}]
  volumes: [{name: keys, secret: {secretName: sealed-secrets-key7x2kq}}]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: key-backup, namespace: kube-system}
spec:
  containers: [{name: backup, image: "shop/backup:v1"}]
  volumes: [{name: keys, secret: {secretName: backup-credentials}}]
""",
)

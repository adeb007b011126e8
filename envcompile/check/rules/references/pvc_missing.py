"""The rule `pvc-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _claim(inputs: CheckInput) -> Iterator[Hit]:
    for reference in inputs.references:
        if reference.kind != "PersistentVolumeClaim" or inputs.provisions.has_claim(
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


RULE: Final = Rule(
    "pvc-missing",
    "warning",
    "The PersistentVolumeClaim that a pod mounts is in the environment, or the pod stays Pending.",
    "kubernetes.io, Persistent Volumes: Claims As Volumes",
    _claim,
    why="A pod whose claim is not there stays Pending.",
    fix="Add the PersistentVolumeClaim, or write the name of one that exists.",
    links=("https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  containers:
  - {name: worker, image: 'shop/worker:v1'}
  volumes:
  - {name: files, persistentVolumeClaim: {claimName: files}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  containers:
  - {name: worker, image: 'shop/worker:v1'}
  volumes:
  - {name: files, persistentVolumeClaim: {claimName: files}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec:
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 1Gi}}
""",
)

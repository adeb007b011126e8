"""The rule `config-no-rollout`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.pods import SERVING
from envcompile.check.reading import strings_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_RELOADER: Final = "reloader.stakater.com/"


_HASHED: Final = re.compile(r"-[bcdfghjkmnpqrstuvwxyz2456789]{8,10}$")
"""How kustomize ends the names of generated ConfigMaps."""


def _no_rollout(inputs: CheckInput) -> Iterator[Hit]:
    told: set[object] = set()
    for reference in inputs.references:
        pods = reference.pods
        if pods.resource.id in told or pods.kind not in SERVING or not reference.is_whole:
            continue
        provided = inputs.provisions.find(reference.kind, pods.namespace, reference.name)
        if provided is None or provided.resource is None or _HASHED.search(reference.name):
            continue
        keys = {*pods.annotations, *strings_at(pods.resource.value, "metadata", "annotations")}
        if any(_RELOADER in key or "checksum" in key or "hash" in key for key in keys):
            continue
        if provided.resource.value.get("immutable") is True:
            continue
        told.add(pods.resource.id)
        yield Hit(
            pods.resource.id,
            ("metadata", "annotations"),
            f"the pods read the {reference.kind} {reference.name} when they start, and nothing restarts them when it"
            " changes",
            "write `rollout: reloader` or `rollout: checksum` in environment.yaml",
            value=reference.name,
        )


RULE: Final = Rule(
    "config-no-rollout",
    "info",
    "Pods that read configuration when they start are restarted when it changes.",
    "kubernetes.io, ConfigMaps: Mounted ConfigMaps are updated automatically",
    _no_rollout,
    why="Env vars are read when a pod starts: a changed ConfigMap reaches nobody until somebody restarts the pods.",
    fix="Write `rollout: checksum` in environment.yaml, or let Reloader watch the workload.",
    links=(
        "https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically",
    ),
    fires="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api-secret}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - name: api
        image: shop/api:v1.4.2
        env:
        - name: DATABASE_URL
          valueFrom: {secretKeyRef: {name: api-secret, key: database_url}}
""",
    silent="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api-secret}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, annotations: {reloader.stakater.com/auto: 'true'}}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - name: api
        image: shop/api:v1.4.2
        env:
        - name: DATABASE_URL
          valueFrom: {secretKeyRef: {name: api-secret, key: database_url}}
""",
)

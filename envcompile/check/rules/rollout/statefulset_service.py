"""The rule `statefulset-service`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _headless(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        name = text_at(pods.resource.value, "spec", "serviceName")
        if pods.kind != "StatefulSet" or not name:
            continue
        service = inputs.named("", "Service", pods.namespace, name)
        if service is None:
            known = inputs.names.of("", "Service", pods.namespace)
            what = f"the environment has no Service `{name}`: the pods have no names of their own in DNS"
            fix = f"{suggestion(name, known)}add a Service of that name with `clusterIP: None`"
        elif map_at(service.value, "spec").get("clusterIP") != "None":
            what = f"{service.id.short} is not headless: the pods have no names of their own in DNS"
            fix = "write `clusterIP: None` in the Service, or name another one"
        else:
            continue
        yield Hit(pods.resource.id, ("spec", "serviceName"), what, fix, value=name)


RULE: Final = Rule(
    "statefulset-service",
    "warning",
    "The Service that a StatefulSet names exists and is headless.",
    "kubernetes.io, StatefulSets: Stable Network ID; kube-score statefulset-has-servicename",
    _headless,
    why=(
        "Without a headless Service of that name the pods have no DNS names of their own, and members of a "
        "cluster do not find each other."
    ),
    fix="Add the Service with `clusterIP: None`, or write its right name.",
    links=("https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id",),
    fires="""\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers:
      - {name: store, image: 'shop/redis:8.2'}
---
apiVersion: v1
kind: Service
metadata: {name: store}
spec:
  ports:
  - {port: 6379}
""",
    silent="""\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers:
      - {name: store, image: 'shop/redis:8.2'}
---
apiVersion: v1
kind: Service
metadata: {name: store}
spec:
  clusterIP: None
  ports:
  - {port: 6379}
""",
)

"""The rule `service-no-pods`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _no_pods(inputs: CheckInput) -> Iterator[Hit]:
    for service in inputs.of_kind("", "Service"):
        selector = map_at(service.value, "spec", "selector")
        if selector and service.value["spec"].get("type") != "ExternalName" and not inputs.behind(service):
            yield Hit(
                service.id,
                ("spec", "selector"),
                f"the selector `{spell({'matchLabels': selector})}` matches no pods of the environment: requests go"
                " nowhere",
                "write labels of the pod template that should answer",
                inputs.unless_operated(service.id.namespace, "warning"),
            )


RULE: Final = Rule(
    "service-no-pods",
    "warning",
    "A Service's selector matches pods of the environment.",
    "kubernetes.io, Debug Services; kube-linter dangling-service, kube-score service-targets-pod, Popeye POP-1100",
    _no_pods,
    why="Requests to a Service without pods are refused: a label that was renamed on one side is the usual cause.",
    fix="Write labels of the pod template into the selector, or leave the Service out.",
    links=("https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: apis}
  ports:
  - {port: 9090}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: api}
  ports:
  - {port: 9090}
""",
)

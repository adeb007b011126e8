"""The rule `hpa-no-requests`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.requests import asks, is_filled_in
from envcompile.check.rule import Rule
from envcompile.check.scalermetrics import resource_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _no_requests(inputs: CheckInput) -> Iterator[Hit]:
    for scaler in inputs.scalers:
        pods = next((pods for pods in inputs.pods if pods.resource.id == scaler.target), None)
        if pods is None or not scaler.changes_number:
            continue
        for pointer, resource, wanted, is_share in resource_metrics(scaler):
            if not is_share or is_filled_in(inputs, pods, resource, "requests"):
                continue
            for container in pods.running:
                if (not wanted or container.name == wanted) and not asks(container, resource):
                    yield Hit(
                        scaler.resource.id,
                        pointer,
                        f"the metric is a share of the {resource} request, and container `{container.name}` of"
                        f" {pods.name} requests none: the autoscaler cannot tell how busy the pods are",
                        f"write `resources.requests.{resource}` for the container",
                        value=container.name,
                    )


RULE: Final = Rule(
    "hpa-no-requests",
    "error",
    "Every container of a workload that is scaled by its use of a resource requests that resource.",
    "kubernetes.io, Horizontal Pod Autoscaling: Algorithm details",
    _no_requests,
    why="Use in percent is percent of the request: without one the autoscaler has no number and does nothing.",
    fix="Write the request into every container of the workload.",
    links=("https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details",),
    fires="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
""",
    silent="""\
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
        resources: {limits: {cpu: '1'}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
""",
)

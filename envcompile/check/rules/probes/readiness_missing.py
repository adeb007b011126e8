"""The rule `readiness-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, scalar_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Container, Pods
    from envcompile.model import Resource


def _answering(pods: Pods, services: list[Resource]) -> list[Container]:
    """The containers that answer for Services: those with a port that one leads to, else all that keep running."""
    wanted = {
        scalar_at(port, "targetPort") or scalar_at(port, "port")
        for service in services
        for _, port in maps_at(service.value, "spec", "ports")
    }
    found = [
        container
        for container in pods.running
        if any(
            scalar_at(port, "name") in wanted or scalar_at(port, "containerPort") in wanted
            for _, port in maps_at(container.value, "ports")
        )
    ]
    return found or [container for container in pods.containers if container.field == "containers"]


def _readiness(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        services = inputs.services_of(pods) if pods.serves else []
        if not services:
            continue
        for container in _answering(pods, services):
            if not map_at(container.value, "readinessProbe"):
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "readinessProbe"),
                    f"container `{container.name}` has no readinessProbe: {services[0].id.short} sends it requests"
                    " before it can answer",
                    "write a `readinessProbe` that succeeds when the container can serve requests",
                )


RULE: Final = Rule(
    "readiness-missing",
    "warning",
    "A container behind a Service has a readinessProbe, so that requests reach it when it can answer.",
    "kubernetes.io, Liveness, Readiness, and Startup Probes; kube-linter no-readiness-probe, Popeye POP-104",
    _readiness,
    why="Requests reach the container before it can answer, at every start and rollout.",
    fix="Write a `readinessProbe` that succeeds when the container can serve requests.",
    links=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
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
  selector: {app: api}
  ports:
  - {port: 9090}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    readinessProbe: {httpGet: {port: 8080}}
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

"""The rule `requests-over-limits`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule
from envcompile.kubernetes.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _over_limits(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.containers:
            resources = map_at(container.value, "resources")
            limits = map_at(resources, "limits")
            for resource, asked in map_at(resources, "requests").items():
                request, limit = quantity(asked), quantity(limits.get(resource))
                if request is not None and limit is not None and request > limit:
                    yield Hit(
                        pods.resource.id,
                        (*container.pointer, "resources", "requests", resource),
                        f"container `{container.name}` requests {asked} of {resource} and is limited to"
                        f" {limits[resource]}: the API server refuses it",
                        f"raise the limit to {asked} or more, or lower the request",
                    )


RULE: Final = Rule(
    "requests-over-limits",
    "error",
    "No request is above its limit; the API server refuses it.",
    "kubernetes/kubernetes, pkg/apis/core/validation: ValidateContainerResourceRequirements",
    _over_limits,
    alone=True,
    why="The API server refuses the pod.",
    fix="Lower the request, or raise the limit.",
    links=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    resources: {requests: {memory: 512Mi}, limits: {memory: 1Gi}}
""",
)

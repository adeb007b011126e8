"""The rule `limits-without-requests`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _limits_alone(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.running:
            resources = map_at(container.value, "resources")
            alone = [name for name in map_at(resources, "limits") if name not in map_at(resources, "requests")]
            alone = [name for name in alone if name in {"cpu", "memory"}]
            if alone:
                words = " and ".join(alone)
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "resources", "requests"),
                    f"container `{container.name}` limits {words} and requests none: the request becomes the limit",
                    "write the request as well, even if it is the same",
                    value=alone,
                )


RULE: Final = Rule(
    "limits-without-requests",
    "info",
    "A limit has its request beside it: left out, the request silently becomes the limit.",
    "kubernetes.io, Resource Management: Resource requests and limits",
    _limits_alone,
    alone=True,
    why="The request becomes as large as the limit: pods ask for more than they need, and do not fit.",
    fix="Write the request beside the limit.",
    links=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    resources: {limits: {memory: 1Gi}}
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

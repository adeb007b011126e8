"""The rule `memory-limit-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.requests import is_filled_in
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _memory_limit(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.running:
            limited = "memory" in map_at(container.value, "resources", "limits")
            if not limited and not is_filled_in(inputs, pods, "memory", "limits"):
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "resources", "limits", "memory"),
                    f"container `{container.name}` has no memory limit: a leak takes the memory of other pods",
                    "write `resources.limits.memory`",
                )


RULE: Final = Rule(
    "memory-limit-missing",
    "warning",
    "Every container has a memory limit, so that a leak ends one pod and not a node.",
    "kubernetes.io, Resource Management; Polaris memoryLimitsMissing, Checkov CKV_K8S_13",
    _memory_limit,
    alone=True,
    why="A leak takes the node's memory, and the kernel kills whatever it likes on it.",
    fix="Write `resources.limits.memory`.",
    links=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    resources: {limits: {memory: 1Gi}}
""",
)

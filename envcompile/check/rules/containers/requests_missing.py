"""The rule `requests-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.requests import asks, is_filled_in
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _requests_missing(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.running:
            missing = [
                resource
                for resource in ("cpu", "memory")
                if not asks(container, resource) and not is_filled_in(inputs, pods, resource, "requests")
            ]
            if missing:
                words = " and ".join(missing)
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "resources", "requests"),
                    f"container `{container.name}` requests no {words}: it is put on any node and thrown off first",
                    f"write `resources.requests` for {words}: what the container uses on an ordinary day",
                    value=missing,
                )


RULE: Final = Rule(
    "requests-missing",
    "warning",
    "Every container requests CPU and memory, so that the scheduler knows which node has room.",
    "kubernetes.io, Resource Management; kube-linter unset-cpu-requirements, Polaris cpuRequestsMissing",
    _requests_missing,
    why="Without requests the scheduler packs a node too full, and such pods are the first to be evicted.",
    fix="Write `resources.requests` for cpu and memory.",
    links=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  containers:
  - {name: worker, image: 'shop/worker:v1'}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  containers:
  - name: worker
    image: shop/worker:v1
    resources: {requests: {cpu: 500m, memory: 1Gi}}
""",
)

"""The rule `naked-pod`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _naked(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        is_hook = any("hook" in key for key in pods.annotations)
        if pods.kind == "Pod" and not list_at(pods.resource.value, "metadata", "ownerReferences") and not is_hook:
            what = "the Pod belongs to no workload: when its node goes, it is gone"
            yield Hit(pods.resource.id, (), what, "make it a Deployment, or a Job if it ends")


RULE: Final = Rule(
    "naked-pod",
    "warning",
    "A Pod belongs to a workload that replaces it.",
    "kubernetes.io, Configuration Best Practices; Polaris nakedPod, Popeye POP-208",
    _naked,
    alone=True,
    why="Nobody makes a bare Pod again when its node goes.",
    fix="Make it a Deployment, a StatefulSet or a Job.",
    links=("https://kubernetes.io/docs/concepts/workloads/pods/#working-with-pods",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers: [{name: api, image: "shop/api:v1.4.2"}]
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
      containers: [{name: api, image: "shop/api:v1.4.2"}]
""",
)

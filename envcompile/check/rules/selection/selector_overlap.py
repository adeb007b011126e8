"""The rule `selector-overlap`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.pods import SERVING
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import spell
from envcompile.check.suggestions import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _selecting(kind: str) -> bool:
    return kind in SERVING


def _overlap(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        if not _selecting(pods.kind) or pods.kind == "ReplicationController":
            continue
        selector = map_at(pods.resource.value, "spec").get("selector")
        if not selector:
            continue
        others = (
            (other.name, other)
            for other in inputs.selected(pods.namespace, selector)
            if other.resource.id != pods.resource.id
        )
        for name, first, _ in told(others):
            yield Hit(
                pods.resource.id,
                ("spec", "selector"),
                f"the selector `{spell(selector)}` matches the pods of {name}, too: autoscalers and"
                " `kubectl` count them as this workload's",
                "add a label that only this workload's pods have to its selector and its pod template",
                value=first,
            )


RULE: Final = Rule(
    "selector-overlap",
    "warning",
    "No workload's selector matches the pods of another one, or autoscalers and rollouts count the wrong pods.",
    'kubernetes.io, Deployments: Selector ("do not overlap")',
    _overlap,
    why="Two workloads that select the same pods fight over them, and an autoscaler or rollout counts the wrong ones.",
    fix="Give each workload a label of its own in selector and template.",
    links=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {part-of: shop}}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec:
  selector: {matchLabels: {part-of: shop}}
  template:
    metadata: {labels: {app: worker, part-of: shop}}
    spec:
      containers:
      - {name: worker, image: 'shop/worker:v1'}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec:
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      containers:
      - {name: worker, image: 'shop/worker:v1'}
""",
)

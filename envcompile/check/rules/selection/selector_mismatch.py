"""The rule `selector-mismatch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.pods import SERVING
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import matches, spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _selecting(kind: str) -> bool:
    return kind in SERVING


def _mismatch(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        if not _selecting(pods.kind):
            continue
        selector = map_at(pods.resource.value, "spec").get("selector")
        if pods.kind == "ReplicationController":
            selector = {"matchLabels": selector} if selector else {"matchLabels": pods.labels}
        if selector and not matches(selector, pods.labels):
            yield Hit(
                pods.resource.id,
                ("spec", "selector"),
                f"the selector `{spell(selector)}` does not match the labels of the workload's own pod template",
                "give the pod template the labels that the selector asks for",
            )


RULE: Final = Rule(
    "selector-mismatch",
    "error",
    "A workload's selector matches the labels of its own pod template; the API server refuses anything else.",
    "kubernetes.io, Deployments: Selector; kube-linter mismatching-selector, kube-score, Popeye POP-508",
    _mismatch,
    alone=True,
    why="A workload that does not select its own pods is refused by the API server.",
    fix="Write the labels of the pod template into the selector.",
    links=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector",),
    fires="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: web}}
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

"""The rule `rollout-stuck`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, scalar_at
from envcompile.check.rule import Rule
from envcompile.check.singleclaims import single_claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _zero(value: int | str | None) -> bool:
    return value in {0, "0", "0%"}


def _stuck(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        if pods.kind != "Deployment":
            continue
        strategy = map_at(pods.resource.value, "spec", "strategy")
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            continue
        rolling = map_at(strategy, "rollingUpdate")
        if _zero(scalar_at(rolling, "maxSurge")) and _zero(scalar_at(rolling, "maxUnavailable")):
            yield Hit(
                pods.resource.id,
                ("spec", "strategy", "rollingUpdate"),
                "`maxSurge` and `maxUnavailable` are both 0: no pod may come and none may go",
                "write `maxSurge: 1`",
            )
        claim = single_claim(inputs, pods)
        if claim:
            fewest = inputs.fewest(pods)
            yield Hit(
                pods.resource.id,
                ("spec", "strategy"),
                f"the claim `{claim}` can be mounted on one node at a time, and a rolling update starts the new pod"
                " before the old one is gone",
                "write `strategy: {type: Recreate}`, or use a StatefulSet",
                "error" if fewest > 1 else "warning",
                value=claim,
            )


RULE: Final = Rule(
    "rollout-stuck",
    "error",
    "A rolling update may add or take a pod, and does not wait for a volume that the old pod holds.",
    "kubernetes.io, Deployments: Rolling Update; Persistent Volumes: Access Modes",
    _stuck,
    why=(
        "A rollout that may neither add nor take a pod never begins; one that waits for a volume of the old pod "
        "never ends."
    ),
    fix="Write `maxSurge: 1`, or `type: Recreate` where a volume can only be mounted once.",
    links=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment",),
    fires="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.2"}]
""",
    silent="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.2"}]
""",
)

"""The rule `rollout-strategy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule
from envcompile.check.singleclaims import single_claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _strategy(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        strategy = map_at(pods.resource.value, "spec", "strategy")
        if pods.kind != "Deployment" or not inputs.services_of(pods) or single_claim(inputs, pods):
            continue
        recreates = strategy.get("type") == "Recreate"
        if recreates or map_at(strategy, "rollingUpdate").get("maxUnavailable") == "100%":
            yield Hit(
                pods.resource.id,
                ("spec", "strategy"),
                f"{'`type: Recreate`' if recreates else '`maxUnavailable: 100%`'} takes all pods away before a new one"
                f" answers for {inputs.services_of(pods)[0].id.short}",
                "write `type: RollingUpdate` with `maxUnavailable: 0`, unless two versions must never run at once",
                inputs.in_production("warning"),
            )


RULE: Final = Rule(
    "rollout-strategy",
    "warning",
    "A Deployment behind a Service is rolled in production, not taken down first.",
    "kubernetes.io, Deployments: Strategy; kube-linter no-rolling-update-strategy, kube-score deployment-strategy",
    _strategy,
    why="`Recreate` takes every pod away before a new one answers: each release is an outage.",
    fix="Write `type: RollingUpdate` with `maxUnavailable: 0`, unless two versions must never run at once.",
    links=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy",),
    fires="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
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
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  strategy: {type: RollingUpdate}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
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
)

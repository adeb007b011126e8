"""The rule `immutable-field`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _immutable_field(inputs: CheckInput) -> Iterator[Hit]:
    from envcompile.check.api.immutable import is_made_anew, refused_changes

    fix = (
        "give the resource another name, delete it from the cluster before it is applied, or leave the field as it was "
        "(with Argo CD the annotation argocd.argoproj.io/sync-options: Force=true,Replace=true makes it anew)"
    )
    for resource in inputs.resources:
        old = inputs.older.get(resource.id)
        if old is None or is_made_anew(resource.value):
            continue
        for pointer, what in refused_changes(inputs.api, old, resource.value):
            yield Hit(resource.id, pointer, what, fix, value=what)


RULE: Final = Rule(
    "immutable-field",
    "error",
    "Fields that cannot change once an object is there are as they were compiled last: the API server refuses the "
    "change, and the environment stays out of step.",
    "Kubernetes' validation code (envcompile/check/tables/immutable.json names the functions)",
    _immutable_field,
    alone=True,
    why=(
        "The API server refuses the change, and the cluster keeps the old object while the repository says "
        "something else."
    ),
    fix=(
        "Give the resource another name, delete it from the cluster before it is applied, or leave the field as it was."
    ),
    links=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates",),
    fires="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.2"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: shop-api}}
  template:
    metadata: {labels: {app: shop-api}}
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
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.3"}]
""",
)

"""The rule `pdb-dangling`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import spell
from envcompile.check.suggestions import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_BUDGET: Final = "PodDisruptionBudget"


def _dangling(inputs: CheckInput) -> Iterator[Hit]:
    for budget in inputs.of_kind("policy", _BUDGET):
        selector = map_at(budget.value, "spec").get("selector")
        selected = inputs.selected(budget.id.namespace, selector)
        if not selected:
            yield Hit(
                budget.id,
                ("spec", "selector"),
                f"the selector `{spell(selector)}` matches no pods of the environment",
                "write labels of the pod template, or leave the budget out",
                inputs.unless_operated(budget.id.namespace, "warning"),
            )
        shared = (
            (pods.name, other)
            for pods in selected
            if (other := next((each for each in inputs.budgets_of(pods) if each is not budget), None)) is not None
            and other.id.name < budget.id.name
        )
        for name, first, other in told(shared):
            yield Hit(
                budget.id,
                ("spec", "selector"),
                f"the pods of {name} are in {other.id.short}, too: eviction fails for pods of two budgets",
                "leave one of the two budgets out, or narrow its selector",
                "error",
                value=first,
            )


RULE: Final = Rule(
    "pdb-dangling",
    "warning",
    "A PodDisruptionBudget selects pods of the environment, and no pod is in two of them.",
    "kubernetes.io, API-initiated Eviction; Popeye POP-900",
    _dangling,
    why="A budget that selects nothing protects nothing; pods of two budgets cannot be evicted at all.",
    fix="Write labels of the pod template, and leave one budget for each pod.",
    links=("https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec:
  selector: {matchLabels: {app: apis}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
""",
)

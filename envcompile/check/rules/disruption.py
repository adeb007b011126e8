"""How many pods stay when a node goes: replicas, budgets, spreading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.pods import SCALED
from envcompile.check.reading import list_at, map_at, scalar_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.pods import Pods

_BUDGET: Final = "PodDisruptionBudget"


def _percent(value: Any) -> int | None:
    return int(value[:-1]) if isinstance(value, str) and value.endswith("%") and value[:-1].isdigit() else None


def _kept(value: Any, pods: int) -> int | None:
    """How many of so many pods `minAvailable` keeps; a share is rounded up (kubernetes.io, Disruptions)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    share = _percent(value)
    return None if share is None else -(-share * pods // 100)


def _blocks(scene: Scene) -> Iterator[Hit]:
    for budget in scene.of_kind("policy", _BUDGET):
        spec = map_at(budget.value, "spec")
        most = scalar_at(spec, "maxUnavailable")
        if most in {0, "0", "0%"}:
            what = f"`maxUnavailable: {most}` lets no pod go: no node that runs one can be drained"
            yield Hit(budget.id, ("spec", "maxUnavailable"), what, "write 1 or more")
            continue
        least = scalar_at(spec, "minAvailable")
        if least is None:
            continue
        if _percent(least) == 100:
            what = "`minAvailable: 100%` lets no pod go: no node that runs one can be drained"
            yield Hit(budget.id, ("spec", "minAvailable"), what, "write `maxUnavailable: 1`")
            continue
        for pods in scene.selected(budget.id.namespace, spec.get("selector")):
            if pods.kind not in SCALED:
                continue
            fewest = scene.fewest(pods)
            kept = _kept(least, fewest)
            if kept is not None and fewest and kept >= fewest:
                is_scaled = any(scaler.changes_number for scaler in scene.scalers_of(pods.resource.id))
                when = "while it is scaled down to " if is_scaled else "with its "
                yield Hit(
                    budget.id,
                    ("spec", "minAvailable"),
                    f"`minAvailable: {least}` lets no pod of {pods.name} go {when}{fewest} pod{'s'[: fewest != 1]}: no"
                    " node that runs one can be drained",
                    "write `maxUnavailable: 1`" + ("" if _percent(least) else f", or run {kept + 1} pods or more"),
                    "warning" if is_scaled else None,
                    value=pods.name,
                )


def _dangling(scene: Scene) -> Iterator[Hit]:
    for budget in scene.of_kind("policy", _BUDGET):
        selector = map_at(budget.value, "spec").get("selector")
        selected = scene.selected(budget.id.namespace, selector)
        if not selected:
            yield Hit(
                budget.id,
                ("spec", "selector"),
                f"the selector `{spell(selector)}` matches no pods of the environment",
                "write labels of the pod template, or leave the budget out",
                scene.unless_operated(budget.id.namespace, "warning"),
            )
        for pods in selected:
            others = [other for other in scene.budgets_of(pods) if other is not budget]
            if others and others[0].id.name < budget.id.name:
                yield Hit(
                    budget.id,
                    ("spec", "selector"),
                    f"the pods of {pods.name} are in {others[0].id.short}, too: eviction fails for pods of two budgets",
                    "leave one of the two budgets out, or narrow its selector",
                    "error",
                    value=pods.name,
                )


def _many(scene: Scene) -> Iterator[tuple[Pods, int]]:
    """The workloads that are scaled by number and keep running, with the fewest pods they go down to."""
    for pods in scene.pods:
        if pods.kind in SCALED:
            yield pods, scene.fewest(pods)


def _missing(scene: Scene) -> Iterator[Hit]:
    for pods, fewest in _many(scene):
        if fewest >= 2 and not scene.budgets_of(pods):
            yield Hit(
                pods.resource.id,
                (),
                f"no PodDisruptionBudget selects the {fewest} pods: a drain may take them all at once",
                f"add a {_BUDGET} with `maxUnavailable: 1` and the workload's selector",
                scene.in_production("warning"),
            )


def _replicas(scene: Scene) -> Iterator[Hit]:
    for pods, fewest in _many(scene):
        if fewest < 2 and not _is_asleep(pods):
            scalers = [scaler for scaler in scene.scalers_of(pods.resource.id) if scaler.changes_number]
            by = f" ({scalers[0].resource.id.short} goes down to {fewest})" if scalers else ""
            yield Hit(
                pods.resource.id,
                ("spec", "replicas"),
                f"it runs as one pod{by}: every drain of its node is an outage",
                f"raise the minimum of {scalers[0].resource.id.short}" if scalers else "write `replicas: 2` or more",
                scene.in_production("warning"),
            )


def _is_asleep(pods: Pods) -> bool:
    """Tell whether a workload is switched off on purpose."""
    return map_at(pods.resource.value, "spec").get("replicas") == 0


def _spread(scene: Scene) -> Iterator[Hit]:
    for pods, fewest in _many(scene):
        affinity = map_at(pods.spec, "affinity", "podAntiAffinity")
        if fewest >= 2 and not affinity and not list_at(pods.spec, "topologySpreadConstraints"):
            yield Hit(
                pods.resource.id,
                (*pods.spec_pointer, "topologySpreadConstraints"),
                f"nothing keeps the {fewest} pods apart: they may all run on one node",
                "write a `topologySpreadConstraints` over `kubernetes.io/hostname`, or a `podAntiAffinity`",
                scene.in_production("warning"),
            )


RULES: Final = (
    Rule(
        "pdb-blocks-drain",
        "error",
        "A PodDisruptionBudget lets at least one pod go, or nodes can never be drained.",
        "kubernetes.io, Specifying a Disruption Budget; kube-linter pdb-max-unavailable, Polaris pdbDisruptionsIsZero",
        _blocks,
    ),
    Rule(
        "pdb-dangling",
        "warning",
        "A PodDisruptionBudget selects pods of the environment, and no pod is in two of them.",
        "kubernetes.io, API-initiated Eviction; Popeye POP-900",
        _dangling,
    ),
    Rule(
        "pdb-missing",
        "warning",
        "A workload of several pods has a PodDisruptionBudget in production.",
        "kubernetes.io, Disruptions; kube-score deployment-has-poddisruptionbudget, Polaris missingPodDisruptionBudget",
        _missing,
    ),
    Rule(
        "replicas-min",
        "warning",
        "A workload runs as two pods or more in production, so that one may go.",
        "kube-linter minimum-three-replicas, Polaris deploymentMissingReplicas",
        _replicas,
    ),
    Rule(
        "spread-missing",
        "warning",
        "The pods of a workload are kept apart in production, so that a node takes only one of them along.",
        "kubernetes.io, Pod Topology Spread Constraints; kube-linter, Polaris topologySpreadConstraint",
        _spread,
    ),
)
